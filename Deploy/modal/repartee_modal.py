"""Repartee on Modal: agents without a GPU, a server with one for each engine. How to use it: docs/deploying.md.

    modal run Deploy/modal/repartee_modal.py::default_models        once: the weights come into a volume
    modal run Deploy/modal/repartee_modal.py::pull --name nemotron-en
    modal deploy Deploy/modal/repartee_modal.py

Before that two secrets are made:

    modal secret create repartee REPARTEE_API_KEYS=name=secret REPARTEE_TOKEN_SECRET=… REPARTEE_LLM_KEY=…
    modal secret create repartee-proxy MODAL_KEY=wk-… MODAL_SECRET=ws-…      a proxy auth token of the workspace

Modal takes no UDP from outside, so people talk over WebSockets. Agents follow agent.yaml beside this file.
"""

import dataclasses
import os
import pathlib
import signal
import subprocess
import urllib.parse

import modal

APP = "repartee"


@dataclasses.dataclass(frozen=True)
class Size:
    """How much one container does, and how many there are."""

    # More conversations, streams or replies are refused by the server itself.
    places: int
    gpu: str | None
    # Containers that are there before anybody calls: a cold start of an engine takes as long as its weights take to load.
    least: int = 1
    most: int = 10
    cpu: float = 4.0
    memory: int = 8192

    @property
    def target(self):
        """Requests at which Modal starts another container: while it starts, three of ten places are left."""
        return self.places * 7 // 10

    @property
    def requests(self):
        """Requests that Modal lets through: some are not conversations but health checks and pages."""
        return self.places + 8


# What they are based on is in docs/deploying.md.
SIZES = {
    "Agent": Size(places=16, gpu=None, most=50, memory=4096),
    "Recognizer": Size(places=16, gpu="L40S"),
    "Voice": Size(places=8, gpu="L40S"),
    "LanguageModel": Size(places=16, gpu="L40S", memory=16384),
}
# Where Modal's balancers and the containers are; near the people who call.
REGION = os.environ.get("REPARTEE_MODAL_REGION", "us-east")
# Ten minutes without a request.
IDLE = 600
# The longest that Modal allows: conversations that still go on then hear the goodbye.
GRACE = 3600

app = modal.App(APP)

if modal.is_local():
    checkout = pathlib.Path(__file__).resolve().parents[2]
    ignored = modal.FilePatternMatcher.from_file(checkout / ".dockerignore")

    def image(backend):
        """The image of Deploy/docker/Dockerfile. Modal starts programs in it itself, as root, from Python."""
        return modal.Image.from_dockerfile(
            checkout / "Deploy/docker/Dockerfile",
            context_dir=checkout,
            ignore=ignored,
            build_args={"BACKEND": backend, "RUN_AS": "root", "CUDA_ARCHITECTURES": "89-real;90;100-real;120-real"},
            add_python="3.12",
        ).entrypoint([])

    engine_image = image("cuda")
    agent_image = (
        image("cpu")
        .apt_install("haproxy")
        .add_local_file(checkout / "Deploy/modal/engines.cfg", "/etc/repartee/engines.cfg")
        .add_local_file(checkout / "Deploy/modal/agent.yaml", "/etc/repartee/agent.yaml")
    )
    # The Dockerfile's stage `models`.
    models_image = (
        modal.Image.debian_slim(python_version="3.12")
        .add_local_dir(checkout / "scripts", "/opt/repartee/scripts")
        .add_local_dir(checkout / "Tools/convert", "/opt/repartee/Tools/convert", ignore=["**/__pycache__"])
        .add_local_dir(checkout / "Models", "/opt/repartee/Models")
    )
else:
    engine_image = agent_image = models_image = None

weights = modal.Volume.from_name("repartee-models", create_if_missing=True)
keys = modal.Secret.from_name("repartee", required_keys=["REPARTEE_API_KEYS", "REPARTEE_TOKEN_SECRET", "REPARTEE_LLM_KEY"])
proxy = modal.Secret.from_name("repartee-proxy", required_keys=["MODAL_KEY", "MODAL_SECRET"])


def server(name, port, **options):
    """What all servers have in common. Without `unauthenticated` Modal lets in who shows a token of the workspace."""
    size = SIZES[name]
    return app.server(
        port=port,
        gpu=size.gpu,
        cpu=size.cpu,
        memory=size.memory,
        target_concurrency=size.target,
        max_concurrency=size.requests,
        min_containers=size.least,
        max_containers=size.most,
        scaledown_window=IDLE,
        startup_timeout=600,
        exit_grace_period=GRACE,
        routing_region=REGION,
        volumes={"/models": weights.read_only()},
        **options,
    )


def start(*command, **environment):
    return subprocess.Popen(["/usr/local/bin/repartee", *command, "--host", "0.0.0.0"], env={**os.environ, **environment})


def end(process):
    """Ends a server in good order, within the 30 s that Modal gives after the grace."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(25)
    except subprocess.TimeoutExpired:
        process.kill()


@server("Recognizer", 8080, image=engine_image)
class Recognizer:
    @modal.enter()
    def enter(self):
        self.process = start("serve-asr", "--port", "8080", "--sessions", str(SIZES["Recognizer"].places))

    @modal.exit()
    def exit(self):
        end(self.process)


@server("Voice", 8001, image=engine_image)
class Voice:
    @modal.enter()
    def enter(self):
        self.process = start("serve-tts", "--port", "8001", "--sessions", str(SIZES["Voice"].places))

    @modal.exit()
    def exit(self):
        end(self.process)


@server("LanguageModel", 8000, image=engine_image, secrets=[keys])
class LanguageModel:
    @modal.enter()
    def enter(self):
        self.process = start("serve-llm", "--port", "8000", "--chats", str(SIZES["LanguageModel"].places),
                             REPARTEE_API_KEY=os.environ["REPARTEE_LLM_KEY"])

    @modal.exit()
    def exit(self):
        end(self.process)


# The agent's own keys and tokens decide who talks, so people's browsers need none of Modal's.
@server("Agent", 7860, image=agent_image, secrets=[keys, proxy], unauthenticated=True, nonpreemptible=True)
class Agent:
    @modal.enter()
    def enter(self):
        hosts = {
            variable: urllib.parse.urlsplit(modal.Server.from_name(APP, name).get_url()).hostname
            for variable, name in (("ASR_HOST", "Recognizer"), ("TTS_HOST", "Voice"), ("LLM_HOST", "LanguageModel"))
        }
        # The engines as if they were here, with Modal's tokens added to each request.
        self.engines = subprocess.Popen(["haproxy", "-db", "-f", "/etc/repartee/engines.cfg"], env={**os.environ, **hosts})
        self.process = start(
            "serve", "--port", "7860", "--config", "/etc/repartee/agent.yaml",
            NVIDIA_ASR_URL="ws://127.0.0.1:8080",
            NVIDIA_TTS_URL="ws://127.0.0.1:8001",
            NVIDIA_LLM_URL="http://127.0.0.1:8000/v1",
            NVIDIA_LLM_API_KEY=os.environ["REPARTEE_LLM_KEY"],
        )

    @modal.exit()
    def exit(self):
        end(self.process)
        self.engines.terminate()


@app.function(image=models_image, volumes={"/data/models": weights}, timeout=3600)
def default_models():
    """Fetches the default models, and checks those that are there."""
    subprocess.run(["/opt/repartee/scripts/fetch-models"], check=True, env={**os.environ, "REPARTEE_CACHE": "/data"})
    weights.commit()


@app.function(image=engine_image, volumes={"/models": weights}, timeout=6 * 3600)
def pull(name: str):
    """Fetches a model of the catalogue, which shows its licence first."""
    subprocess.run(["/usr/local/bin/repartee", "models", "pull", name], check=True)
    weights.commit()
