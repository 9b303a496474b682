"""Deploy/kubernetes: rendered by kustomize, held against the schemas of Kubernetes and KEDA, and against each other."""

import copy
import glob
import os
import re
import shutil
import subprocess
import tempfile

import kubernetes_validate
import yaml
from cloudcoil.models.keda import v1alpha1 as keda

from report import check, drain_timeout, load, skip, unknown_options

FOLDER = "Deploy/kubernetes"
SETTINGS = FOLDER + "/base/settings.yaml"
# 1.30 is the first with what we use (preStop.sleep); 1.37 the newest of whose schemas we have.
VERSIONS = ["1.30", "1.37"]
# These are no objects of Kubernetes.
NO_OBJECTS = ["kustomization.yaml", "settings.yaml", "rules.yaml", "prometheus.yaml"]


def rendered(folder, name):
    """The objects that `kubectl apply -k` would make."""
    done = subprocess.run(["kubectl", "kustomize", folder], check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check("%s is rendered by kustomize" % name, done.returncode == 0, done.stderr)
    return [item for item in yaml.safe_load_all(done.stdout) if item] if done.returncode == 0 else []


def schema_problems(objects):
    for item in objects:
        what = "%s/%s" % (item["kind"], item["metadata"].get("name") or item["metadata"]["generateName"])
        if item["apiVersion"] == "keda.sh/v1alpha1":
            # The model takes keys that it does not know and forgets them.
            made = keda.ScaledObject.model_validate(item).model_dump(mode="json", by_alias=True, exclude_unset=True)
            yield from ("%s: KEDA has no %s" % (what, path) for path in lost(item, made))
            continue
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(item, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                yield "%s, Kubernetes %s: %s" % (what, version, error.message)


def lost(given, made, path=""):
    if isinstance(given, dict) and isinstance(made, dict):
        for key, value in given.items():
            if key not in made:
                yield "%s.%s" % (path, key)
            else:
                yield from lost(value, made[key], "%s.%s" % (path, key))
    elif isinstance(given, list) and isinstance(made, list):
        for index, (one, other) in enumerate(zip(given, made)):
            yield from lost(one, other, "%s[%d]" % (path, index))


def pods(objects):
    """Templates of pods, with who makes them."""
    return [(item, item["spec"]["template"]) for item in objects if item["kind"] in ("Deployment", "StatefulSet", "Job")]


def problems(objects):
    """What is wrong between objects, which no schema sees."""
    names = {(item["kind"], item["metadata"]["name"]) for item in objects}
    if {item["metadata"].get("namespace") for item in objects if item["kind"] != "Namespace"} != {"repartee"}:
        yield "not all objects are in the namespace"
    drain = drain_timeout(SETTINGS)
    for owner, template in pods(objects):
        name, spec = owner["metadata"]["name"], template["spec"]
        yield from ("%s: %s" % (name, problem) for problem in pod_problems(owner, template, spec, names, drain))
    labels = [template["metadata"]["labels"] for _, template in pods(objects)]
    for item in objects:
        chosen = {"Service": lambda spec: spec["selector"], "PodDisruptionBudget": lambda spec: spec["selector"]["matchLabels"],
                  "NetworkPolicy": lambda spec: spec["podSelector"].get("matchLabels", {})}.get(item["kind"])
        if chosen and not any(chosen(item["spec"]).items() <= known.items() for known in labels):
            yield "%s/%s chooses no pod" % (item["kind"], item["metadata"]["name"])
        if item["kind"] in ("ScaledObject", "HorizontalPodAutoscaler"):
            target = item["spec"]["scaleTargetRef"]
            if (target["kind"], target["name"]) not in names:
                yield "%s scales nothing" % item["metadata"]["name"]
            if any(other["kind"] == target["kind"] and other["metadata"]["name"] == target["name"] and "replicas" in other["spec"]
                   for other in objects):
                yield "%s is scaled, and `apply` sets its number" % target["name"]


def pod_problems(owner, template, spec, names, drain):
    security = spec["securityContext"]
    if not security["runAsNonRoot"] or spec.get("automountServiceAccountToken", True):
        yield "it is root, or has the account's token"
    volumes = {volume["name"] for volume in spec.get("volumes", [])}
    for volume in spec.get("volumes", []):
        claim, settings = volume.get("persistentVolumeClaim"), volume.get("configMap")
        if claim and ("PersistentVolumeClaim", claim["claimName"]) not in names:
            yield "the claim %s is not there" % claim["claimName"]
        if settings and ("ConfigMap", settings["name"]) not in names:
            yield "the settings %s are not there" % settings["name"]
    for container in spec["containers"] + spec.get("initContainers", []):
        confined = container["securityContext"]
        if confined["allowPrivilegeEscalation"] or not confined["readOnlyRootFilesystem"] or confined["capabilities"]["drop"] != ["ALL"]:
            yield "%s is not confined" % container["name"]
        if "memory" not in container["resources"]["limits"] or "cpu" not in container["resources"]["requests"]:
            yield "%s says not what it needs" % container["name"]
        if not {mount["name"] for mount in container["volumeMounts"]} <= volumes:
            yield "%s mounts what is not there" % container["name"]
        ports = {port["name"] for port in container.get("ports", [])}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            how = container.get(probe, {})
            port = (how.get("httpGet") or how.get("tcpSocket") or {}).get("port")
            if port and port not in ports:
                yield "%s asks at a port %s" % (probe, port)
        arguments = container.get("args", [])
        if "/repartee:" in container["image"] and arguments:
            yield from ("the binary does not know %s" % option for option in unknown_options(arguments))
        if arguments[:1] == ["serve"]:
            before = container["lifecycle"]["preStop"]["sleep"]["seconds"]
            if spec["terminationGracePeriodSeconds"] < before + drain + 30:
                yield "it is ended before it has drained"
            if container["readinessProbe"]["httpGet"]["path"] != "/ready" or container["livenessProbe"]["httpGet"]["path"] != "/health":
                yield "it is asked at the wrong addresses"
            if not any(port["protocol"] == "UDP" and port.get("hostPort") for port in container["ports"] if "protocol" in port):
                yield "no UDP port of the node"
            variables = {item["name"] for item in container["env"]}
            unknown = {name for argument in arguments for name in re.findall(r"\$\((\w+)\)", argument)} - variables
            if unknown:
                yield "its arguments want %s" % unknown


def engines(objects):
    """The addresses that agents have are those of the engines."""
    sets = {item["metadata"]["name"]: item for item in objects if item["kind"] == "StatefulSet"}
    agent = next(item for item in objects if item["kind"] == "Deployment" and item["metadata"]["name"] == "agent")
    variables = {item["name"]: item.get("value", "") for item in agent["spec"]["template"]["spec"]["containers"][0]["env"]}
    scaled = {item["metadata"]["name"]: item["spec"]["maxReplicaCount"] for item in objects if item["kind"] == "ScaledObject"}
    for variable, name in (("NVIDIA_ASR_URL", "asr"), ("NVIDIA_TTS_URL", "tts"), ("NVIDIA_LLM_URL", "llm")):
        addresses = variables[variable].split(",")
        port = sets[name]["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"]
        expected = [r"(ws|http)://%s-%d\.%s:%d(/v1)?" % (name, index, sets[name]["spec"]["serviceName"], port)
                    for index in range(len(addresses))]
        check("agents find %s" % name, all(map(re.fullmatch, expected, addresses)), addresses)
        check("as many of it as may run", name not in scaled or scaled[name] == len(addresses), scaled)
        limits = sets[name]["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
        check("%s has a GPU" % name, limits.get("nvidia.com/gpu") == 1, limits)


def secrets(objects):
    with open(FOLDER + "/base/secrets.example.env", encoding="utf-8") as file:
        offered = set(re.findall(r"^([A-Z_]+)=", file.read(), re.M))
    asked = {item["valueFrom"]["secretKeyRef"]["key"] for _, template in pods(objects) for container in template["spec"]["containers"]
             for item in container.get("env", []) if "secretKeyRef" in item.get("valueFrom", {})}
    needed = {"REPARTEE_API_KEYS", "REPARTEE_TOKEN_SECRET", "REPARTEE_CLUSTER_SECRET"}
    check("the example of secrets has all that is asked for", asked | needed <= offered, (asked | needed) - offered)


def overlay(component):
    """An overlay of the base with one component, rendered."""
    with tempfile.TemporaryDirectory() as folder:
        here = os.path.relpath(FOLDER, os.path.realpath(folder))
        with open(folder + "/kustomization.yaml", "w", encoding="utf-8") as file:
            yaml.safe_dump({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": [here + "/base"],
                            "components": [here + "/" + component]}, file)
        return rendered(folder, "the base with " + component)


def checks():
    plain = [item for path in sorted(glob.glob(FOLDER + "/**/*.yaml", recursive=True)) if os.path.basename(path) not in NO_OBJECTS
             for item in documents(path)]
    found = list(schema_problems(plain))
    check("%d objects are as the schemas of Kubernetes %s and KEDA say" % (len(plain), " and ".join(VERSIONS)), not found, found)
    broken = copy.deepcopy(plain)
    for item in broken:
        item["spec"] = {**item.get("spec", {}), "nonsense": 1}
    refused = {problem.split(",")[0].split(":")[0] for problem in schema_problems(broken)}
    check("an unknown key of any of them is found", len(refused) == len({"%s/%s" % (item["kind"], item["metadata"].get(
        "name", "pull-")) for item in broken}), refused)
    rules = load(FOLDER + "/autoscaling/hpa/rules.yaml")["rules"]
    autoscaler = load(FOLDER + "/autoscaling/hpa/agent.yaml")
    check("the adapter makes the metric that the autoscaler asks for",
          rules[0]["name"]["as"] == autoscaler["spec"]["metrics"][0]["pods"]["metric"]["name"])
    if not shutil.which("kubectl"):
        skip("rendered manifests", "there is no kubectl")
        return
    for name in ("base", "engines", "gpu-agents", "cloud"):
        objects = rendered(os.path.join(FOLDER, name), name)
        found = [*schema_problems(objects), *problems(objects)] if objects else ["nothing"]
        check("%s: its %d objects are as the schemas say, and fit together" % (name, len(objects)), not found, found)
        if name in ("engines", "cloud"):
            engines(objects)
            secrets(objects)
        if name == "gpu-agents":
            agent = next(item for item in objects if item["kind"] == "Deployment" and item["metadata"]["name"] == "agent")
            container = agent["spec"]["template"]["spec"]["containers"][0]
            check("its agents have a GPU, and the image for it", container["resources"]["limits"]["nvidia.com/gpu"] == 1
                  and container["image"].endswith("/repartee:cuda"), container["image"])
    for component in ("autoscaling/keda", "autoscaling/hpa"):
        objects = overlay(component)
        found = [*schema_problems(objects), *problems(objects)]
        check("the base with %s fits together" % component, objects and not found, found)


def documents(path):
    with open(path, encoding="utf-8") as file:
        return [item for item in yaml.safe_load_all(file) if item]
