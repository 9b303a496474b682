"""A server of language models in the place of one that can call tools: answers the examples' conversations by rules.

It has OpenAI's streaming interface, and looks at what a model would be shown: instructions, tools, the conversation. It proves nothing
of models. Standard library only.
"""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def call(tool, /, **arguments):
    return {"name": tool, "arguments": arguments}


def front_desk(messages, said):
    last = messages[-1]
    if last["role"] == "tool":
        result = last["content"]
        if "It failed" in result:
            return "I am sorry, half past two is not free any more."
        content = json.loads(result) if result.startswith("{") else {}
        if "free" in content:
            return "Tomorrow I have half past two, or four." if "14:30" in content["free"] else "Tomorrow I have four."
        if "number" in content:
            return f"Done, your number is {content['number']}."
        return "Have a nice day."
    if "goodbye" in said:
        return "Goodbye.", call("hang_up")
    if "afternoon" in said:
        return call("free_times", day="2026-11-27")
    if "half past two" in said:
        return call("book", day="2026-11-27", time="14:30", name="Ada Berg")
    return "How can I help you?"


def reception(messages, said):
    if "account" in said:
        return call("transfer_to_accounts")
    if "lights" in said:
        return call("transfer_to_outages")
    return "Is it about your account, or about a power cut?"


def accounts(messages, said):
    last = messages[-1]
    if last["role"] == "tool":
        content = last["content"]
        if "token" in content:
            return call("balance", customer="4711", token=json.loads(content)["token"])
        if "balance" in content:
            return f"Your balance is {json.loads(content)['balance']}."
        return "Please type your customer number, and the hash key."
    if "dtmf: 4711#" in said:
        return "Thank you. And your PIN, please."
    if "dtmf: 2580#" in said:
        return call("check_pin", customer="4711", pin="2580")
    return "Please type your customer number, and the hash key."


def outages(messages, said):
    last = messages[-1]
    if last["role"] == "tool":
        if "known" in last["content"]:
            return f"I see: {json.loads(last['content'])['known']}."
        return "In which street is that?"
    return call("outages_at", street="Mill Lane")


def home(messages, said):
    last = messages[-1]
    if last["role"] == "tool":
        return "Alright." if "Started as" in last["content"] else last["content"]
    if said.startswith("<job"):
        return re.sub(r"<[^>]*>", "", last["content"]) or "Something happened."
    if "egg" in said:
        return call("set_timer", name="eggs", seconds=1)
    if "washing" in said and "stop" in said:
        return call("cancel_job", job="job_1")
    if "washing" in said:
        return call("run_washing_machine", programme="quick")
    if "light" in said:
        return [call("set_light", room="kitchen", on=True), call("set_light", room="hall", on=True)]
    if "plan" in said:
        return call("plan_evening", task="An evening for two, at home.")
    return "Yes?"


def planner(messages, said):
    if messages[-1]["role"] == "tool":
        return f"Soup at seven. {messages[-1]['content']}"
    return call("set_light", room="kitchen", on=False)


AGENTS = (
    ("Harbour Physiotherapy", front_desk), ("reception of Volta", reception), ("accounts desk of Volta", accounts),
    ("outage desk of Volta", outages), ("plans evenings", planner), ("smart home", home),
)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    calls = 0
    problems = []

    def do_GET(self):
        self.answer({"object": "list", "data": [{"id": "rules", "object": "model"}]})

    def answer(self, content):
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        messages = request["messages"]
        system = messages[0]["content"] if messages[0]["role"] == "system" else ""
        agent = next((agent for name, agent in AGENTS if name in system), None)
        if agent is None:
            Handler.problems.append(f"nobody knows these instructions: {system[:80]!r}")
            agent = home
        offered = {tool["function"]["name"] for tool in request.get("tools", [])}
        said = next((message["content"] for message in reversed(messages) if message["role"] == "user"), "").lower()
        wanted = agent(messages, said)
        parts = list(wanted) if isinstance(wanted, (tuple, list)) else [wanted]
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.chunk({"role": "assistant", "content": ""})
        number = 0
        for part in parts:
            if isinstance(part, str):
                for word in re.findall(r"\S+\s*", part):
                    self.chunk({"content": word})
                continue
            if part["name"] not in offered:
                Handler.problems.append(f"{part['name']} is not offered, only {sorted(offered)}")
            Handler.calls += 1
            self.chunk({"tool_calls": [{
                "index": number, "id": f"call_{Handler.calls}", "type": "function",
                "function": {"name": part["name"], "arguments": json.dumps(part["arguments"])}}]})
            number += 1
        self.chunk({}, "tool_calls" if number else "stop")
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def chunk(self, delta, reason=None):
        content = {"id": "c", "object": "chat.completion.chunk", "model": "rules",
                   "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        self.wfile.write(f"data: {json.dumps(content)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, format, *arguments):
        pass


def serve():
    """Starts it on a free port; returns the server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
