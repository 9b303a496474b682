"""What servers of tools, written by others, see of the real binary. `run` starts it."""

import contextlib
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

BINARY = os.environ.get("REPARTEE", ".build/release/repartee")
SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mcp_server.py")
results = []


def check(name, claim, detail=""):
    results.append(bool(claim))
    print("%s  %s%s" % ("pass" if claim else "FAIL", name, "" if claim else "\n      " + str(detail)[:1500]), flush=True)


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body, kind="application/json", status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def content(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def log_message(self, *_):
        pass


class Model(Quiet):
    """A language model that makes the calls it is told to, one a reply, then repeats what the last one gave."""

    calls = []
    requests = []

    def do_GET(self):
        self.answer(b'{"data": [{"id": "scripted"}]}')

    def do_POST(self):
        request = json.loads(self.content())
        Model.requests.append(request)
        made = sum(message["role"] == "tool" for message in request["messages"])
        if made < len(Model.calls):
            name, arguments = Model.calls[made]
            call = {"index": 0, "id": "call-%d" % made, "type": "function",
                    "function": {"name": name, "arguments": json.dumps(arguments)}}
            delta, reason = {"tool_calls": [call]}, "tool_calls"
        else:
            delta, reason = {"content": "That is all."}, "stop"
        chunks = [{"choices": [{"index": 0, "delta": delta}]},
                  {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}],
                   "usage": {"prompt_tokens": 1, "completion_tokens": 1}}]
        body = "".join("data: %s\n\n" % json.dumps(chunk) for chunk in chunks) + "data: [DONE]\n\n"
        self.answer(body.encode(), "text/event-stream")


class Shop(Quiet):
    """A web service."""

    requests = []

    def do_POST(self):
        body = self.content().decode()
        Shop.requests.append((self.path, dict(self.headers), body))
        if self.path == "/closed":
            return self.answer(b'{"error": "the shop is closed"}', status=503)
        if self.path == "/moved":
            self.send_response(307)
            self.send_header("Location", "/order")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        return self.answer(b'{"order": 17}')

    def do_GET(self):
        Shop.requests.append((self.path, dict(self.headers), ""))
        self.answer(b"sunny", "text/plain")


@contextlib.contextmanager
def serving(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


def chat(folder, port, settings, calls, environment=None):
    """Runs `repartee chat` with a model that makes these calls; the process and the results that the model was told."""
    path = os.path.join(folder, "settings.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("language_model:\n  url: http://127.0.0.1:%d/v1\n%s" % (port, settings))
    Model.calls, Model.requests = calls, []
    done = subprocess.run([BINARY, "chat", "--config", path], input="Do it.\n\n", text=True, capture_output=True,
                          timeout=90, env={**os.environ, **(environment or {})})
    told = [message["content"] for message in Model.requests[-1]["messages"] if message["role"] == "tool"] \
        if Model.requests else []
    return done, told


def stdio(log, more=""):
    return "mcp_servers:\n  - name: tests\n    command: %s\n    args: [%s, %s, stdio]\n%s" \
        % (sys.executable, SERVER, log, more)


def lines(log):
    try:
        with open(log, encoding="utf-8") as file:
            return file.read().split("\n")
    except OSError:
        return []


def check_stdio(folder, port):
    log = os.path.join(folder, "stdio.log")
    calls = [("add", {"a": 2, "b": 3}), ("place", {"name": "Bonn"}), ("fail", {}), ("draw", {})]
    done, told = chat(folder, port, stdio(log), calls)
    detail = (told, done.stderr)
    check("stdio: the command ends well", done.returncode == 0, detail)
    check("stdio: a tool's text reaches the next request", told[:1] == ["the sum is 5"], detail)
    check("stdio: what is structured reaches it as JSON", len(told) > 1 and json.loads(told[1])["people"] == 42, detail)
    check("stdio: a failure says why", len(told) > 2 and "the shop is closed" in told[2], detail)
    check("stdio: a picture is put in words", len(told) > 3 and "image/png" in told[3], detail)
    check("stdio: the call is shown", "→ add" in done.stderr and "← the sum is 5" in done.stderr, done.stderr)
    check("stdio: the server ended by itself", lines(log)[-2:] == ["ended", ""], lines(log))
    names = [tool["function"]["name"] for tool in Model.requests[0]["tools"]]
    check("stdio: a name with signs is made one that models can be told", "a_name_with_signs" in names, names)

    more = "    env: {GREETING: \"${WORDS}, there\"}\n    exclude: [die, add]\n"
    calls = [("variable", {"name": "GREETING"}), ("variable", {"name": "SECRET"}), ("add", {"a": 1, "b": 1})]
    done, told = chat(folder, port, stdio(log, more), calls, {"WORDS": "hello", "SECRET": "of others"})
    check("stdio: it gets the variables of its entry", told[:1] == ["hello, there"], (told, done.stderr))
    check("stdio: it gets no others", told[1:2] == ["not set"], told)
    check("stdio: what is excluded is not there", len(told) > 2 and "There is no tool 'add'" in told[2], told)

    done, told = chat(folder, port, stdio(log, "    tools:\n      - name: slow\n        timeout_ms: 700\n"), [("slow", {})])
    check("stdio: a call that takes too long fails", told and "within" in told[0] or "longer" in "".join(told), told)
    check("stdio: and is cancelled at the server", "slow was cancelled" in lines(log), lines(log))

    done, told = chat(folder, port, stdio(log), [("die", {}), ("add", {"a": 4, "b": 4})])
    check("stdio: a server that dies in a call says so", told and "has ended, with status 3" in told[0], told)
    check("stdio: it is started again for the next call", told[1:] == ["the sum is 8"], (told, done.stderr))


@contextlib.contextmanager
def http_server(log, *options):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    output = open(log + ".access", "w+", encoding="utf-8")
    process = subprocess.Popen([sys.executable, SERVER, log, "http", str(port), *options], stdout=output, stderr=output)
    for _ in range(200):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        time.sleep(0.1)
    access = lambda: open(log + ".access", encoding="utf-8").read()
    try:
        yield port, access
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
        output.close()


def check_http(folder, port):
    for options in ([], ["--json"], ["--stateless"], ["--stateless", "--json"]):
        kind = "http %s" % (" ".join(options) or "with sessions and events")
        log = os.path.join(folder, "http%s.log" % "".join(options))
        with http_server(log, *options) as (server, access):
            settings = "mcp_servers:\n  - name: tests\n    url: http://127.0.0.1:%d/mcp\n" % server
            done, told = chat(folder, port, settings, [("add", {"a": 2, "b": 3}), ("fail", {})])
            check(kind + ": a tool's text reaches the next request", told[:1] == ["the sum is 5"], (told, done.stderr))
            check(kind + ": a failure says why", len(told) > 1 and "the shop is closed" in told[1], told)
            if "--stateless" not in options:
                check(kind + ": the session is ended", "DELETE /mcp" in access(), access())
                more = "    tools:\n      - name: slow\n        timeout_ms: 700\n"
                done, told = chat(folder, port, settings + more, [("slow", {})])
                time.sleep(0.3)
                check(kind + ": a late call is cancelled at the server", "slow was cancelled" in lines(log), lines(log))


def check_starts(folder, port):
    missing = "mcp_servers:\n  - name: tests\n    command: no-such-program\n"
    done, _ = chat(folder, port, missing, [])
    check("a required server that is missing ends the command with 69", done.returncode == 69, done)
    check("and it says what to do", "no program 'no-such-program'" in done.stderr and "required: false" in done.stderr,
          done.stderr)
    done, told = chat(folder, port, missing + "    required: false\n", [])
    check("one that is not required does not", done.returncode == 0, done.stderr)
    done, _ = chat(folder, port, "mcp_servers:\n  - name: tests\n    comand: x\n", [])
    check("a wrong key names the right one", done.returncode == 65 and "did you mean 'command'" in done.stderr, done)


def check_webhooks(folder, port):
    with serving(Shop) as shop:
        settings = """tools:
  - name: order
    description: Orders something.
    parameters: {type: object, properties: {what: {type: string}, count: {type: integer}}, required: [what]}
    url: http://127.0.0.1:%d/order
    headers: {Authorization: "Bearer ${SHOP_KEY}"}
  - name: weather
    url: http://127.0.0.1:%d/weather?unit=C
    method: GET
  - name: closed
    url: http://127.0.0.1:%d/closed
  - name: moved
    url: http://127.0.0.1:%d/moved
""" % (shop, shop, shop, shop)
        calls = [("order", {"what": "tea", "count": 2}), ("order", {"count": 2}), ("weather", {"city": "Bad Honnef"}),
                 ("closed", {})]
        done, told = chat(folder, port, settings, calls, {"SHOP_KEY": "secret"})
        check("webhook: the answer reaches the next request", told[:1] == ['{"order": 17}'], (told, done.stderr))
        path, headers, body = Shop.requests[0]
        check("webhook: it gets the arguments", json.loads(body) == {"what": "tea", "count": 2}, body)
        check("webhook: it gets the secret", headers.get("Authorization") == "Bearer secret", headers)
        check("webhook: each call has a key", len(headers.get("Idempotency-Key", "")) == 36, headers)
        check("webhook: wrong arguments are not sent", len(Shop.requests) == 3 and "wrong" in told[1], told)
        check("webhook: a GET has them in its query", Shop.requests[1][0] == "/weather?unit=C&city=Bad%20Honnef",
              Shop.requests[1][0])
        check("webhook: a refusal says why", "answers 503" in told[3] and "the shop is closed" in told[3], told)
        done, told = chat(folder, port, settings, [("moved", {})], {"SHOP_KEY": "secret"})
        check("webhook: a redirect is not followed", told and "answers 307" in told[0], told)
        done, _ = chat(folder, port, settings, [], {})
        check("webhook: a secret that is not set ends the command with 69",
              done.returncode == 69 and "SHOP_KEY" in done.stderr, done)


def check_models(folder):
    """A model whose template has no tools that we know: SmolLM2 with other words in its template."""
    path = subprocess.run([BINARY, "models", "path", "smollm2-135m"], text=True, capture_output=True).stdout.strip()
    other = os.path.join(folder, "other.gguf")
    shutil.copy(path, other)
    with open(other, "r+b") as file:
        beginning = file.read(8 << 20)
        place = beginning.find(b"helpful AI assistant named SmolLM")
        check("the model's template is where it was", place > 0)
        file.seek(place)
        file.write(b"helpful AI assistant with tools!!")
    settings = os.path.join(folder, "settings.yaml")
    with open(settings, "w", encoding="utf-8") as file:
        file.write("tools:\n  - name: a\n    url: http://127.0.0.1:1/\n")
    done = subprocess.run([BINARY, "chat", "--config", settings, "--model", other], input="", text=True,
                          capture_output=True, timeout=90)
    check("tools with a model that has none end the command with 64",
          done.returncode == 64 and "has no tools" in done.stderr, done)


def main():
    with tempfile.TemporaryDirectory() as folder, serving(Model) as port:
        check_starts(folder, port)
        check_webhooks(folder, port)
        check_stdio(folder, port)
        check_http(folder, port)
        check_models(folder)
    print("%d passed, %d failed" % (sum(results), len(results) - sum(results)))
    sys.exit(0 if all(results) else 1)


main()
