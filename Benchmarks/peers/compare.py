"""Repartee's and Pipecat's WebRTC side by side: the same client, an echo behind each. `run` sets up what this needs;
README.md explains it."""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import report  # noqa: E402
import servers  # noqa: E402
import sound  # noqa: E402
from measuring import busy_time  # noqa: E402

SIDES = ("repartee", "pipecat")
# Of the microphone's sound, which all sessions repeat from places of their own.
MICROPHONE_S = 60


class Clients:
    """The client's processes, with the sessions shared out among them."""

    def __init__(self, url, microphone, sessions, options, log):
        count = -(-sessions // options.sessions_per_client)
        shares = [sessions // count + (index < sessions % count) for index in range(count)]
        self._processes = [
            subprocess.Popen(
                [sys.executable, os.path.join(servers.HERE, "client.py"), url, "--microphone", microphone, "--sessions", str(share),
                 "--seconds", str(options.seconds), "--warm-up", str(options.warm_up), "--seed", str(index)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
            for index, share in enumerate(shares)]

    def tell(self):
        for process in self._processes:
            process.stdin.write("\n")
            process.stdin.flush()

    def hear(self):
        lines = [process.stdout.readline() for process in self._processes]
        if not all(lines):
            raise RuntimeError("a client ended: see the log beside the results")
        return lines

    def end(self):
        for process in self._processes:
            process.stdin.close()
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def measure(side, sessions, microphone, options):
    """One server, from its start to its end, with so many sessions."""
    name = os.path.join(options.folder, f"{side}-{sessions}")
    server = servers.Server(side, name + ".log", options)
    clients = None
    try:
        _, idle = server.usage()
        with open(name + "-client.log", "ab") as log:
            clients = Clients(server.url, microphone, sessions, options, log)
        clients.hear()
        clients.tell()
        began, (used, _), busy = time.monotonic(), server.usage(), busy_time()
        clients.hear()
        took, (later, resident), busier = time.monotonic() - began, server.usage(), busy_time()
        results = [json.loads(line) for line in clients.hear()]
        clients.tell()
    finally:
        if clients:
            clients.end()
        server.end()
    client_cores = sum(each["client_cores"] for each in results)
    cpu = (later - used) / took
    return {
        "server": side, "sessions": sessions, "cpu": cpu, "rss_mb": resident, "idle_mb": idle,
        "client_cores": client_cores, "lag_p99_ms": max(each["lag_p99_ms"] for each in results),
        "lag_max_ms": max(each["lag_max_ms"] for each in results),
        "other_cores": 0 if busy is None else max(0, (busier - busy) / took - cpu - client_cores),
        "packets_per_s": [rate for each in results for rate in each["packets_per_s"]],
        "echoes": [echo for each in results for echo in each["echoes"]],
    }


def compare(options):
    measured = []
    microphone = sound.make_microphone(options.repartee, options.folder, MICROPHONE_S)
    for number in range(options.rounds):
        # In turn, so that what else the machine does falls on both.
        order = options.sides if number % 2 == 0 else options.sides[::-1]
        for sessions in options.sessions:
            for side in order:
                result = measure(side, sessions, microphone, options)
                measured.append(result)
                found = [echo[0] for echo in result["echoes"] if echo]
                print(f"round {number + 1}: {side}, {sessions} sessions: {len(found)} of {len(result['echoes'])} echoes, p50 "
                      f"{report.median(found) or 0:.0f} ms, {result['cpu'] / sessions:.4f} cores a session, {result['rss_mb']:.0f} MB",
                      file=sys.stderr, flush=True)
    measured.sort(key=lambda each: (SIDES.index(each["server"]), each["sessions"]))
    return measured


def machine():
    """The machine, in the form of `repartee bench`'s reports."""
    cpu = platform.processor() or "unknown CPU"
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as stream:
            cpu = next((line.split(":", 1)[1].strip() for line in stream if line.startswith("model name")), cpu)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_mb": memory, "os": platform.platform()}


def commit():
    """The commit of the checkout, or "unknown"."""
    done = subprocess.run(["git", "-C", servers.HERE, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def numbers(text):
    values = [int(part) for part in text.split(",")]
    if not all(1 <= value <= 256 for value in values):
        raise ValueError
    return values


def names(text):
    values = text.split(",")
    if not set(values) <= set(SIDES):
        raise ValueError
    return values


def main():
    parser = argparse.ArgumentParser(prog="run", description="Repartee's and Pipecat's WebRTC side by side.")
    parser.add_argument("--sessions", default="1,4,16", type=numbers, help="how many at a time, with commas between")
    parser.add_argument("--seconds", type=float, default=20, help="how long each is measured")
    parser.add_argument("--warm-up", type=float, default=3, help="seconds of talking before that")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; figures are medians of them")
    parser.add_argument("--sides", default="repartee,pipecat", type=names, help="what is measured: repartee, pipecat")
    parser.add_argument("--chunks", type=int, default=4, help="Pipecat's audio_out_10ms_chunks; 4 is its default")
    parser.add_argument("--sessions-per-client", type=int, default=16, help="sessions of one process of the client")
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    parser.add_argument("--repartee", required=True, help="the release binary")
    parser.add_argument("--folder", help="for logs and what was measured; a temporary one otherwise")
    options = parser.parse_args()
    if options.seconds < 2 or options.rounds < 1 or options.sessions_per_client < 1 or options.chunks < 1:
        parser.error("--seconds is at least 2, the others at least 1")
    options.folder = options.folder or tempfile.mkdtemp(prefix="repartee-peers-")
    os.makedirs(options.folder, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that no server stays behind
    measured = compare(options)
    rows = report.summarise(measured)
    settings = {"seconds": options.seconds, "warm_up": options.warm_up, "rounds": options.rounds, "chunks": options.chunks,
                "python": platform.python_version()}
    result = {"name": "transport", "machine": machine(), "commit": commit(), "settings": settings, "results": rows}
    if options.json:
        with open(options.json, "w", encoding="utf-8") as stream:
            json.dump(result, stream, indent=1)
    with open(os.path.join(options.folder, "measured.json"), "w", encoding="utf-8") as stream:
        json.dump({**result, "measured": measured}, stream, indent=1)
    print(report.table(rows))
    print(f"logs and every echo: {options.folder}", file=sys.stderr)


if __name__ == "__main__":
    main()
