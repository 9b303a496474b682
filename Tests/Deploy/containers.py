"""Deploy/docker: the Dockerfile, what the image is built from, the compose files, the scripts."""

import glob
import http.server
import importlib.metadata
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading

import jsonschema
import modal

from report import check, drain_timeout, load, skip, unknown_options

DOCKER = "Deploy/docker"
DOCKERFILE = DOCKER + "/Dockerfile"


def run(*command, **options):
    return subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, **options)


def instructions():
    """The Dockerfile's instructions, lines joined."""
    with open(DOCKERFILE, encoding="utf-8") as file:
        text = "\n".join(line for line in file.read().splitlines() if not line.lstrip().startswith("#"))
    return [line.strip() for line in re.sub(r"\\\n\s*", " ", text).splitlines() if line.strip()]


def dockerfile():
    done = run(os.path.join(os.path.dirname(sys.executable), "hadolint"), "--no-color", "-c", DOCKER + "/hadolint.yaml", DOCKERFILE)
    check("hadolint finds nothing in the Dockerfile", done.returncode == 0 and not done.stdout.strip(), done.stdout)
    # Modal's matcher follows Moby's own.
    ignored = modal.FilePatternMatcher.from_file(".dockerignore")
    sources = [word for line in instructions() if line.startswith("COPY ") and "--from=" not in line
               for word in line.split()[1:-1] if word != "."]
    wanted = {path for source in sources for path in ([source] if os.path.isfile(source) else glob.glob(source + "/*"))}
    wanted |= {"Package.swift", "Deploy/collect", "Deploy/docker/healthy", "Sources/VoiceServer/Playground/index.html"}
    kept_out = [path for path in wanted if not os.path.exists(path) or ignored(pathlib.Path(path)) and "__pycache__" not in path]
    check("what the image is built from is there and let in", not kept_out, kept_out)
    # Every target of Package.swift has to have its folder.
    with open("Package.swift", encoding="utf-8") as file:
        folders = set(re.findall(r'path: "([^"]+)"', file.read())) | {"Tests", "Sources"}
    missing = [folder for folder in folders if ignored(pathlib.Path(folder, "x.swift"))]
    check("the folders of all targets are let in", not missing, missing)
    let_in = [path for path in (".git/config", ".build/release/repartee", ".build-tests/x", ".deps/llama", "Deploy/docker/.env",
                                "Deploy/docker/compose.yaml", "README.md") if not ignored(pathlib.Path(path))]
    check("nothing else is: no .git, no products, no secrets", not let_in, let_in)
    if shutil.which("apt-cache"):
        packages = [word for line in instructions() for group in re.findall(r"--no-install-recommends ([^&]*)", line)
                    for word in group.split()]
        known = run("apt-cache", "policy", *packages).stdout
        unknown = [name for name in packages if not re.search(r"^%s:\n  Installed: .*\n  Candidate: \d" % re.escape(name), known, re.M)]
        if os_release().get("VERSION_CODENAME") == "bookworm":
            check("Debian has the %d packages of the images" % len(packages), packages and not unknown, unknown)
    users = [line for line in instructions() if line.startswith("USER ")]
    check("both images run as a number that is not root's", users == ["USER 10001:10001", "USER ${RUN_AS}"]
          and "ARG RUN_AS=10001:10001" in instructions(), users)


def os_release():
    with open("/etc/os-release", encoding="utf-8") as file:
        return dict(line.strip().replace('"', "").split("=", 1) for line in file if "=" in line)


# MARK: - Compose


def compose_files():
    schema = json.loads(importlib.metadata.distribution("check-jsonschema").locate_file(
        "check_jsonschema/builtin_schemas/vendor/compose-spec.json").read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    parts = load(DOCKER + "/parts.yaml")
    drain = drain_timeout(DOCKER + "/agent.yaml")
    with open(DOCKER + "/example.env", encoding="utf-8") as file:
        offered = set(re.findall(r"^([A-Z_]+)=", file.read(), re.M))
    asked = set()
    for path in [DOCKER + "/parts.yaml", *sorted(glob.glob(DOCKER + "/compose*.yaml"))]:
        content, name = load(path), os.path.basename(path)
        errors = [error.message for error in validator.iter_errors(content)]
        check("%s is as Compose's schema says" % name, not errors, errors)
        with open(path, encoding="utf-8") as file:
            asked |= set(re.findall(r"\$\{([A-Z_]+)", file.read()))
        problems = []
        for service, described in content["services"].items():
            problems += ["%s: %s" % (service, problem) for problem in
                         service_problems(whole(described, parts if name != "parts.yaml" else content), content, drain)]
        check("%s: services are known, confined and end in time" % name, not problems, problems)
    check("example.env names what the compose files ask for", asked - {"REPARTEE_PORT", "REPARTEE_CONFIG"} == offered,
          asked.symmetric_difference(offered))
    broken = load(DOCKER + "/compose.yaml")
    broken["services"]["agent"]["restarts"] = "always"
    check("a key that Compose does not know is found", list(validator.iter_errors(broken)))


def whole(service, parts):
    """A service with all that it extends: mappings together, lists one after the other, the rest from the nearest."""
    if "extends" not in service:
        return service
    base = whole(parts["services"][service["extends"]["service"]], parts)
    merged = dict(base)
    for key, value in service.items():
        if key == "extends":
            continue
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merged[key] = {**base[key], **value}
        elif isinstance(value, list) and isinstance(base.get(key), list) and key not in ("command", "entrypoint"):
            merged[key] = base[key] + value
        else:
            merged[key] = value
    return merged


def service_problems(service, content, drain):
    command = service.get("command", [])
    image = service["image"]
    if image.split(":")[0] == "repartee" and command:
        yield from ("the binary does not know %s" % option for option in unknown_options(command))
    if command[:1] == ["serve"]:
        grace = int(service["stop_grace_period"].removesuffix("s"))
        if grace < drain + 30:
            yield "it is ended after %d s and drains for %d" % (grace, drain)
        if not any(port.endswith("/udp") for port in service["ports"]):
            yield "no UDP port for sound"
    if image.startswith("repartee") and image != "repartee-models":
        if not service.get("read_only") or service.get("cap_drop") != ["ALL"]:
            yield "it is not confined"
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if re.fullmatch(r"[a-z0-9-]+", source) and source not in content.get("volumes", {}):
            yield "the volume %s is not declared" % source
    for name in service.get("depends_on", {}):
        if name not in content["services"]:
            yield "it waits for %s, which is not there" % name
    for name in service.get("networks", []):
        if name != "default" and name not in content.get("networks", {}):
            yield "the network %s is not declared" % name


# MARK: - Scripts


class Answering(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):
        self.send_response(self.status if self.path == "/health" else 404)
        self.end_headers()

    def log_message(self, *_):
        pass


def scripts():
    flags = DOCKER + "/llama-flags"
    check("the CPU image asks for no GPU", run(flags, "cpu").stdout == "")
    cuda = run(flags, "cuda").stdout
    check("the CUDA image names architectures", "-DGGML_CUDA=ON" in cuda and ("120-real" in cuda or "121-real" in cuda), cuda)
    chosen = run(flags, "cuda", "89-real,120").stdout
    check("they can be chosen", "-DCMAKE_CUDA_ARCHITECTURES=89-real;120" in chosen, chosen)
    check("another backend is refused", run(flags, "metal").returncode == 64)
    check("build-llama refuses what it does not know", run("scripts/build-llama", env={**os.environ, "REPARTEE_LLAMA": "fast"})
          .returncode == 64)
    if not os.path.exists("/proc/1/cmdline"):
        skip("the health check", "it is for Linux")
        return
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = str(server.server_address[1])
        check("the health check is content with 200", run(DOCKER + "/healthy", port).returncode == 0)
        Answering.status = 503
        check("and not with 503", run(DOCKER + "/healthy", port).returncode != 0)
        server.shutdown()
    check("and not where nobody listens", run(DOCKER + "/healthy", port).returncode != 0)


def checks():
    dockerfile()
    compose_files()
    scripts()
