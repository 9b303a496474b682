"""What Pipecat's clients and Twilio would see of a real server. `run` starts it."""

import asyncio
import contextlib
import http.server
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import wave

os.environ.setdefault("LOGURU_LEVEL", "WARNING")

import numpy
import soxr

import completion_client
import pipecat_client
import stock_client
import synthesis_client
import twilio_line
import webrtc_client

BINARY = os.environ.get("REPARTEE", ".build/release/repartee")
CACHE = os.environ.get("REPARTEE_CACHE") or os.path.expanduser("~/.cache/repartee")
TOKEN = "twilio-secret"
SETTINGS = """
agent:
  greeting: Hello there. You can ask me anything about cities.
language_model:
  max_tokens: 40
recognizer:
  model: pocketsphinx
telephony:
  twilio_account_sid: AC00000000000000000000000000000001
  twilio_auth_token: %s
  twilio_api_url: http://127.0.0.1:%d
"""
results = []


def check(name, claim, detail=""):
    results.append(bool(claim))
    print("%s  %s%s" % ("pass" if claim else "FAIL", name, "" if claim else "\n      " + str(detail)[:1500]), flush=True)


class RestInterface(http.server.BaseHTTPRequestHandler):
    """Twilio's REST interface, as far as calls are ended through it."""

    requests = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        RestInterface.requests.append((self.path, self.headers.get("Authorization"), body))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def rest_interface():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), RestInterface)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()


@contextlib.contextmanager
def agent(folder, rest_port):
    """The real server; yields its address without the scheme."""
    path = os.path.join(folder, "settings.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(SETTINGS % (TOKEN, rest_port))
    with open(os.path.join(folder, "log"), "w", encoding="utf-8") as log, subprocess.Popen(
            [BINARY, "serve", "--port", "0", "--config", path], stdout=subprocess.PIPE, stderr=log, text=True) as server:
        try:
            line = server.stdout.readline()
            address = next((word for word in line.split() if word.startswith("http://")), None)
            if address is None:
                with open(os.path.join(folder, "log"), encoding="utf-8") as reason:
                    raise RuntimeError("the server does not start: " + reason.read())
            yield address[len("http://"):], server
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)


def question(folder, rate):
    """A spoken question as 16-bit samples at `rate`, from the agent's own voice."""
    path = os.path.join(folder, "question.wav")
    subprocess.run([BINARY, "say", "What is the capital of France?", "--voice", "rms", "--out", path], check=True)
    with wave.open(path) as file:
        samples = numpy.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype("f4") / 32768
        samples = soxr.resample(samples, file.getframerate(), rate)
    return (numpy.clip(samples, -1, 0.99997) * 32768).astype("<i2").tobytes()


async def checks(folder, address, server):
    await pipecat_client.checks(check, address, question(folder, 16000))
    await webrtc_client.checks(check, address, question(folder, 48000))
    await asyncio.to_thread(stock_client.checks, check, address, question(folder, 48000), folder)
    await twilio_line.checks(check, address, question(folder, 8000), TOKEN, RestInterface.requests, server)


def benchmark():
    """`bench v2v` with aiortc at the other end."""
    command = [BINARY, "bench", "v2v", "--transport", "webrtc", "--turns", "1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    rows = json.loads(done.stdout)["results"] if done.returncode == 0 else [{}]
    figures = {key: rows[0].get(key) for key in ("transport", "turns", "v2v_ms", "unanswered", "false_starts")}
    heard = figures["v2v_ms"]
    check("voice to voice is measured in what aiortc gets", figures["transport"] == "webrtc" and figures["turns"] == 1
          and heard["n"] + figures["unanswered"] + figures["false_starts"] == 1 and (not heard["n"] or 100 < heard["p50"] < 20000),
          (figures, done.stderr[-500:]))


def main():
    with tempfile.TemporaryDirectory() as folder, rest_interface() as rest_port:
        with agent(folder, rest_port) as (address, server):
            try:
                asyncio.run(checks(folder, address, server))
            except Exception as error:  # a check that cannot run has failed
                check("all checks could run", False, repr(error))
        try:
            asyncio.run(synthesis_client.checks(check))
        except Exception as error:
            check("all checks of serve-tts could run", False, repr(error))
        try:
            asyncio.run(completion_client.checks(check))
        except Exception as error:
            check("all checks of serve-llm could run", False, repr(error))
        benchmark()
        if not all(results):
            with open(os.path.join(folder, "log"), encoding="utf-8") as log:
                print("--- end of the server's log\n" + log.read()[-3000:])
    passed = sum(results)
    print("%d passed, %d failed" % (passed, len(results) - passed))
    return 0 if passed == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
