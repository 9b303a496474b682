"""Deploy/modal: what Modal's own package makes of the file, without a network and without an account."""

import importlib.util
import inspect
import os
import shutil
import subprocess
import tempfile

import modal
import modal._functions

from report import GOODBYE, check, load, skip, unknown_options

FILE = "Deploy/modal/repartee_modal.py"
PORTS = {"Recognizer": 8080, "Voice": 8001, "LanguageModel": 8000, "Agent": 7860}


def definitions():
    """The module, and what the package was given for each server and function, after its own checks."""
    made, original = {}, modal._functions._Function._from_local

    def recording(info, *arguments, **options):
        function = original(info, *arguments, **options)
        made[options.get("name") or info.function_name] = {**options, "info": info}
        return function

    modal._functions._Function._from_local = staticmethod(recording)
    try:
        spec = importlib.util.spec_from_file_location("repartee_modal", FILE)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        modal._functions._Function._from_local = original
    return module, made


def checks():
    module, made = definitions()
    names = {name.split(".")[0]: value for name, value in made.items()}
    check("modal %s takes the file: %s" % (modal.__version__, ", ".join(sorted(names))),
          set(names) == {*PORTS, "default_models", "pull"}, sorted(made))
    settings = load("Deploy/modal/agent.yaml")
    for name, port in PORTS.items():
        given, size = names[name], module.SIZES[name]
        http = given["http_config"]
        check("%s: port %d, open to people only where it is the agent" % (name, port),
              http.port == port and http.unauthenticated == (name == "Agent") and given["is_server"], http)
        check("%s: %s, %d places" % (name, size.gpu or "no GPU", size.places),
              given["gpu"] == size.gpu and (size.gpu is None) == (name == "Agent")
              and given["target_concurrent_inputs"] == size.target < size.places < given["max_concurrent_inputs"] == size.requests,
              given)
        check("%s: one is always there, the most that may be is said, idle ones go" % name,
              given["min_containers"] == size.least >= 1 and given["max_containers"] == size.most > size.least
              and given["scaledown_window"] == module.IDLE, given)
        check("%s: conversations have an hour at the end, and loading ten minutes" % name,
              http.exit_grace_period == 3600 and given["startup_timeout"] == 600 == http.startup_timeout, http)
        volumes = {str(path): volume for path, volume in given["volumes"].items()}
        check("%s: the weights, which it cannot change" % name, list(volumes) == ["/models"]
              and volumes["/models"]._read_only, volumes)
        check("%s: the image is ours" % name, given["image"] in (module_image(module, "engine_image"), module_image(module, "agent_image")))
        secrets = len(given["secrets"])
        check("%s: its secrets" % name, secrets == {"Agent": 2, "LanguageModel": 1}.get(name, 0), secrets)
    check("agents are not taken away", names["Agent"]["nonpreemptible"])
    check("the agent's settings say how many places it has", settings["server"]["max_sessions"] == module.SIZES["Agent"].places)
    check("its goodbye is over before Modal kills it", settings["server"]["drain_timeout_s"] + GOODBYE < 25)
    check("no WebRTC where no UDP comes in", settings["webrtc"]["enabled"] is False)
    for name in ("default_models", "pull"):
        given = names[name]
        check("%s writes to the weights' volume" % name, [volume._read_only for volume in given["volumes"].values()] == [False]
              and given["timeout"] >= 3600, given["volumes"])
    commands(module)
    proxy()


def module_image(module, name):
    """The image behind the package's public wrapper of it."""
    return next(value for value in vars(getattr(module, name)).values() if type(value).__name__ == "_Image")


def commands(module):
    """Runs each server's start with a program that only writes down how it was called."""
    called = []

    class Recorded:
        def __init__(self, command, env):
            called.append((command, env))

    class Known:
        @staticmethod
        def from_name(_, name):
            return type("Server", (), {"get_url": lambda self: "https://%s.modal.example" % name.lower()})()

    real, known = module.subprocess.Popen, module.modal.Server
    environment = {"REPARTEE_LLM_KEY": "key", "MODAL_KEY": "k", "MODAL_SECRET": "s"}
    os.environ.update(environment)
    module.subprocess.Popen, module.modal.Server = Recorded, Known
    try:
        for name in PORTS:
            cls = getattr(module, name)
            user = next(value for value in unwrapped(cls, "_Server") if inspect.isclass(value))
            enter = next(value for value in unwrapped(vars(user)["enter"], "_PartialFunction") if inspect.isfunction(value))
            enter(user())
    finally:
        module.subprocess.Popen, module.modal.Server = real, known
        for variable in environment:
            del os.environ[variable]
    repartee = [(command, env) for command, env in called if command[0].endswith("/repartee")]
    check("each starts its command", [command[1] for command, _ in repartee] == ["serve-asr", "serve-tts", "serve-llm", "serve"], called)
    unknown = {command[1]: unknown_options(command[1:]) for command, _ in repartee}
    check("the binary knows their options", not any(unknown.values()), unknown)
    ports = [int(command[command.index("--port") + 1]) for command, _ in repartee]
    check("they listen where Modal looks", ports == list(PORTS.values()), ports)
    agent = dict(repartee[-1][1])
    check("the agent has its engines and their key", agent["NVIDIA_ASR_URL"] == "ws://127.0.0.1:8080"
          and agent["NVIDIA_TTS_URL"] == "ws://127.0.0.1:8001" and agent["NVIDIA_LLM_URL"] == "http://127.0.0.1:8000/v1"
          and agent["NVIDIA_LLM_API_KEY"] == "key" == dict(repartee[2][1])["REPARTEE_API_KEY"])
    relay = next((env for command, env in called if command[0] == "haproxy"), {})
    check("the agent's HAProxy knows where they are", [relay.get(name) for name in ("ASR_HOST", "TTS_HOST", "LLM_HOST")]
          == ["recognizer.modal.example", "voice.modal.example", "languagemodel.modal.example"], relay)


def unwrapped(wrapper, kind):
    """What an object of the package's own, of this kind, holds behind its public wrapper."""
    for value in vars(wrapper).values():
        if type(value).__name__ == kind:
            yield from vars(value).values()


def proxy():
    haproxy = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")
    if not haproxy:
        skip("HAProxy takes engines.cfg", "there is no haproxy")
        return
    environment = {**os.environ, "MODAL_KEY": "k", "MODAL_SECRET": "s", **{name: "localhost" for name in ("ASR_HOST", "TTS_HOST", "LLM_HOST")}}
    done = subprocess.run([haproxy, "-c", "-f", "Deploy/modal/engines.cfg"], check=False, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    check("HAProxy takes engines.cfg", done.returncode == 0, done.stdout)
