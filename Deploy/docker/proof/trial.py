"""Runs the images that Deploy/docker/proof/run built, as Deploy/docker/compose.cpu.yaml does, and checks what they do.

usage: trial.py PODMAN...    the command that podman is, with its options
"""

import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request

PODMAN = sys.argv[1:]
PORT = 7860
KEY = "a-key-for-this-trial-alone"
NETWORK = "repartee-proof"
# As in Deploy/docker/parts.yaml. Podman's own limits may be more than this machine lets a process have.
CONFINED = ["--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges", "--tmpfs", "/tmp:mode=1777,size=64m",
            "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=2048:2048",
            "--volume", "models:/models:ro", "--volume", "prompts:/prompts"]
results = []


def check(name, claim, detail=""):
    results.append(bool(claim))
    print("%s  %s%s" % ("pass" if claim else "FAIL", name, "" if claim else "\n      " + str(detail)[:1500]), flush=True)
    return claim


def podman(*arguments, timeout=900):
    try:
        done = subprocess.run([*PODMAN, *arguments], check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=timeout)
    except subprocess.TimeoutExpired:
        return 124, "", "nothing within %d s" % timeout
    return done.returncode, done.stdout, done.stderr


def once(*command, options=()):
    """Runs a command of the image to its end, without a network; /share is there for files."""
    return podman("run", "--rm", "--no-healthcheck", "--timeout", "600", "--network", "none", *CONFINED, "--volume", "share:/share",
                  *options, "repartee", *command)


def share(name):
    """Where a file of /share lies on this machine."""
    return os.path.join(podman("volume", "inspect", "share", "--format", "{{.Mountpoint}}")[1].strip(), name)


def fetch_models():
    """A run of the image that fetches the default models into the volume. It needs the network, and pip's settings."""
    settings = [option for name, value in os.environ.items() if name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "https_proxy")
                for option in ("--env", "%s=%s" % (name, value))]
    certificates = "/etc/ssl/certs/ca-certificates.crt"
    settings += ["--env", "PIP_CERT=/certificates.crt", "--volume", certificates + ":/certificates.crt:ro"]
    if os.path.exists("/etc/pip.conf"):
        settings += ["--volume", "/etc/pip.conf:/etc/pip.conf:ro"]
    status, _, errors = podman("run", "--rm", "--network", "host", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=2048:2048",
                               "--volume", "models:/data/models", *settings, "repartee-models", timeout=1800)
    check("the default models come into the volume", status == 0, errors)


def sizes():
    for image in ("repartee", "repartee-models"):
        size = int(json.loads(podman("image", "inspect", image)[1])[0]["Size"])
        print("      %s: %.0f MB" % (image, size / 1e6))
        check("%s is smaller than 3 GB" % image, size < 3e9)
    done = podman("run", "--rm", "--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=2048:2048",
                  "--entrypoint", "du", "repartee", "-aB1", "/opt/repartee")[1]
    for size, name in sorted((int(line.split()[0]), line.split()[1]) for line in done.splitlines())[-12:]:
        print("      %8.1f MB  %s" % (size / 1e6, name))


def commands():
    podman("volume", "create", "share")
    # A volume takes the owner of the folder that it lies over; this one lies over none.
    os.chown(share(""), 10001, 10001)
    done = once("-u", options=["--entrypoint", "id"])
    check("processes are not root's", done[1].strip() == "10001", done)
    done = once("doctor")
    check("doctor finds everything", done[0] == 0 and "MISSING" not in done[1], done)
    print("      " + "\n      ".join(done[1].splitlines()))
    done = once("say", "What is the capital of France?", "--voice", "slt", "--out", "/share/question.wav")
    check("a voice speaks", done[0] == 0, done)
    done = once("converse", "--mic", "/share/question.wav", "--report", "/share/report.json", "--out", "/share/talk.wav")
    turns = []
    if os.path.exists(share("report.json")):
        with open(share("report.json"), encoding="utf-8") as file:
            turns = json.load(file)["turns"]
    check("a spoken question is answered", done[0] == 0 and turns and turns[0]["user"] and turns[0]["agent"], (done, turns))
    for turn in turns:
        print("      “%s” – “%s” (%.0f ms)" % (turn["user"], turn["agent"], turn.get("v2v_ms") or 0))


def processors():
    """ggml's backends for older processors, in an emulator: they have to hear what this one's hears."""
    emulator = shutil.which("qemu-x86_64-static")
    if not emulator:
        print("skip  older processors: there is no qemu-x86_64-static (apt-get install qemu-user-static)")
        return
    command = ["transcribe", "--model", "starter-en", "/share/question.wav", "--threads", "1"]
    here = once(*command)
    for processor in ("Nehalem", "Haswell"):
        done = once("-cpu", processor, "/opt/repartee/repartee", *command,
                    options=["--volume", emulator + ":/emulator:ro", "--entrypoint", "/emulator"])
        check("a %s hears the same" % processor, done[0] == 0 and done[1] == here[1], (done, here))
    print("      %s" % here[1].strip())


def server():
    # "host" is the network of this trial: see main.
    done = podman("run", "--rm", "--no-healthcheck", "--network", "host", *CONFINED, "repartee", timeout=60)
    check("without a key it does not listen to everybody", done[0] == 64 and "key" in done[2], done)
    began = time.monotonic()
    status, identity, errors = podman("run", "--detach", "--name", "agent", "--network", "host", *CONFINED,
                                      "--env", "REPARTEE_API_KEYS=trial=" + KEY, "repartee")
    if not check("the image's own command starts", status == 0, errors):
        return
    try:
        live(began)
    finally:
        if not all(results):
            print(podman("logs", "agent")[2][-4000:])
        podman("rm", "--force", "--time", "0", "agent")


def live(began):
    while get("/health")[0] != 200 and time.monotonic() - began < 120:
        time.sleep(0.1)
    status, body = get("/health")
    if not check("GET /health answers", status == 200 and json.loads(body), (status, body)):
        return
    print("      after %.1f s" % (time.monotonic() - began))
    while get("/ready")[0] == 503 and time.monotonic() - began < 120:
        time.sleep(0.1)
    check("GET /ready answers", get("/ready")[0] == 200, get("/ready"))
    done = podman("healthcheck", "run", "agent")
    check("the health check holds", done[0] == 0, done)
    done = podman("exec", "agent", "/opt/repartee/healthy", "9")
    check("it fails where nobody listens", done[0] != 0, done)
    process = podman("inspect", "agent", "--format", "{{.State.Pid}}")[1].strip()
    with open("/proc/%s/maps" % process, encoding="utf-8") as maps:
        backends = sorted({line.split("/")[-1].strip() for line in maps if "libggml-cpu" in line})
    check("one backend for the processor is loaded: %s" % ", ".join(backends), len(backends) == 1, backends)
    check("the page is there", b"<html" in get("/")[1].lower(), get("/"))
    check("a conversation needs the key", not talks(key=None))
    check("a conversation is had over the WebSocket", talks(key=KEY))
    began = time.monotonic()
    done = podman("stop", "--time", "60", "agent")
    check("a stop ends it in good order", done[0] == 0 and time.monotonic() - began < 50, done)
    print("      after %.1f s" % (time.monotonic() - began))
    check("its status is 0", podman("inspect", "agent", "--format", "{{.State.ExitCode}}")[1].strip() == "0")


def unit():
    """Deploy/systemd's unit, under systemd itself."""
    status, _, errors = podman("run", "--detach", "--name", "machine", "--network", "host", "--systemd", "always",
                               "--privileged", "--ulimit", "nofile=1024:20000", "--ulimit", "nproc=4096:4096",
                               "--volume", "models:/var/lib/repartee/models:ro", "repartee-systemd")
    if not check("systemd runs", status == 0, errors):
        return
    try:
        until = time.monotonic() + 120
        while get("/health")[0] != 200 and time.monotonic() < until:
            time.sleep(0.2)
        log = podman("exec", "machine", "journalctl", "--no-pager", "-n", "30")
        if not check("the unit serves", get("/health")[0] == 200, log):
            return
        check("a conversation is had with it, confined as it is", talks(key=None))
        process = podman("exec", "machine", "systemctl", "show", "repartee@serve", "-P", "MainPID")[1].strip()
        user = podman("exec", "machine", "stat", "-c", "%U", "/proc/" + process)
        check("it runs as its user", user[1].strip() == "repartee", user)
        began = time.monotonic()
        podman("exec", "machine", "systemctl", "stop", "repartee@serve")
        done = podman("exec", "machine", "systemctl", "show", "repartee@serve", "-P", "Result", "-P", "ExecMainStatus")
        check("systemd stops it in good order", done[1].split() == ["success", "0"] and time.monotonic() - began < 30, done)
    finally:
        podman("rm", "--force", "--time", "5", "machine")


def get(path):
    try:
        with urllib.request.urlopen("http://127.0.0.1:%d%s" % (PORT, path), timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


# MARK: - The page's protocol (docs/protocol.md), as far as a typed question needs it


def talks(key):
    """Whether a typed question is answered with sound."""
    with socket.create_connection(("127.0.0.1", PORT), timeout=60) as line:
        stream = line.makefile("rb")
        authorization = "Authorization: Bearer %s\r\n" % key if key else ""
        line.sendall(("GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n%s\r\n"
                      % (PORT, base64.b64encode(os.urandom(16)).decode(), authorization)).encode())
        if b" 101 " not in stream.readline():
            return False
        while stream.readline() not in (b"\r\n", b""):
            pass
        send(line, {"type": "hello", "version": 1, "microphone": {"sample_rate": 48000}, "playout": {"sample_rate": 48000}})
        asked, sounds, until = False, 0, time.monotonic() + 60
        while time.monotonic() < until:
            kind, payload = receive(stream)
            if kind == 8:
                return False
            if kind == 2:
                sounds += 1
            if kind == 1 and not asked and json.loads(payload)["type"] == "ready":
                send(line, {"type": "text", "text": "What is the capital of France?"})
                asked = True
            if asked and sounds > 50:
                send(line, {"type": "bye"})
                return True
    return False


def send(line, message):
    payload = json.dumps(message).encode()
    mask = os.urandom(4)
    head = bytes([0x81]) + (bytes([0x80 | len(payload)]) if len(payload) < 126 else struct.pack(">BH", 0xFE, len(payload)))
    line.sendall(head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload)))


def receive(stream):
    head = stream.read(2)
    if len(head) < 2:
        return 8, b""
    length = head[1] & 0x7F
    if length == 126:
        length = struct.unpack(">H", stream.read(2))[0]
    elif length == 127:
        length = struct.unpack(">Q", stream.read(8))[0]
    return head[0] & 0x0F, stream.read(length)


def main():
    if os.environ.get("REPARTEE_PROOF") != "network":
        fetch_models()
        # A network of its own, of which only this machine is part: what follows listens on all its addresses.
        subprocess.run(["ip", "netns", "delete", NETWORK], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "netns", "add", NETWORK], check=True)
        try:
            subprocess.run(["ip", "-n", NETWORK, "link", "set", "lo", "up"], check=True)
            return subprocess.run(["nsenter", "--net=/run/netns/" + NETWORK, sys.executable, *sys.argv], check=False,
                                  env={**os.environ, "REPARTEE_PROOF": "network",
                                       "REPARTEE_FETCHED": str(int(all(results)))}).returncode
        finally:
            subprocess.run(["ip", "netns", "delete", NETWORK], check=False)
    results.append(os.environ["REPARTEE_FETCHED"] == "1")
    sizes()
    commands()
    processors()
    server()
    unit()
    print("%d passed, %d failed" % (sum(results), len(results) - sum(results)))
    return not all(results)


if __name__ == "__main__":
    sys.exit(main())
