"""The programs that are compared: started once, and stopped by a signal while another side is measured, so that what waits
takes nothing from what is measured."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import wire

HERE = os.path.dirname(os.path.abspath(__file__))
START_LIMIT_S = 120


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def processor_time(pid):
    """Seconds of processor time of a process."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stream:
        fields = stream.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Side:
    """One side: its processes, its address and its wire format."""

    def __init__(self, name, folder, make_wire):
        self.name = name
        self.make_wire = make_wire
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}/ws"
        self._folder = folder
        self._processes = []

    def launch(self, arguments, health, environment=None):
        log = open(os.path.join(self._folder, f"{self.name}-{len(self._processes)}.log"), "wb")
        process = subprocess.Popen(arguments, stdout=log, stderr=log, env={**os.environ, **(environment or {})})
        self._processes.append(process)
        end = time.monotonic() + START_LIMIT_S
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while True:
            try:
                opener.open(health, timeout=2).close()
                return
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"{arguments[0]} does not start: see {log.name}") from None
                time.sleep(0.2)

    def processor_time(self):
        return sum(processor_time(process.pid) for process in self._processes)

    def suspend(self):
        for process in self._processes:
            process.send_signal(signal.SIGSTOP)

    def resume(self):
        for process in self._processes:
            process.send_signal(signal.SIGCONT)

    def end(self):
        self.resume()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def repartee(policy, folder, options):
    """Repartee with one of its policies; everything else that is not said has its default."""
    side = Side(policy, folder, wire.Repartee)
    settings = {
        "agent": {"system_prompt": options.system_prompt, "greeting": ""},
        "language_model": {"model": options.language_model, "temperature": 0, "repeat_penalty": 1,
                           "max_tokens": options.max_tokens},
        "recognizer": {"model": options.recognizer},
        "turn_taking": {"policy": policy},
    }
    path = os.path.join(folder, f"{policy}.yaml")
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(settings, stream, indent=2)  # JSON is YAML
    side.launch([options.repartee, "serve", "--config", path, "--port", str(side.port)], f"http://127.0.0.1:{side.port}/health")
    return side


def pipecat(folder, options):
    """Pipecat's agent with llama-server, and with Repartee's recognition server where the recogniser is not PocketSphinx."""
    side = Side("pipecat", folder, wire.Pipecat)
    recognizer = options.recognizer
    if recognizer != "pocketsphinx":
        port = free_port()
        side.launch([options.repartee, "serve-asr", "--model", recognizer, "--port", str(port)],
                    f"http://127.0.0.1:{port}/health")
        recognizer = f"ws://127.0.0.1:{port}"
    port = free_port()
    side.launch(
        [options.llama_server, "--model", options.language_model, "--host", "127.0.0.1", "--port", str(port),
         "--threads", str(options.threads), "--threads-batch", str(options.threads), "--ctx-size", "2048", "--parallel", "1",
         "--jinja", "--repeat-penalty", "1"],
        f"http://127.0.0.1:{port}/health", {"LD_LIBRARY_PATH": os.path.join(os.path.dirname(options.llama_server), "../lib")})
    side.launch(
        [sys.executable, os.path.join(HERE, "bot.py"), "--port", str(side.port), "--recognizer", recognizer, "--language-model",
         f"http://127.0.0.1:{port}/v1", "--system-prompt", options.system_prompt, "--max-tokens", str(options.max_tokens)],
        f"http://127.0.0.1:{side.port}/health", {"LOGURU_LEVEL": "INFO", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"})
    return side
