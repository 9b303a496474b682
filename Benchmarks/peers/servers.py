"""The servers that are compared, each a process of its own, and what such a process uses."""

import os
import socket
import subprocess
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
START_LIMIT_S = 60


def free_port():
    """A port that is free for TCP and UDP."""
    while True:
        with socket.socket() as probe, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            probe.bind(("127.0.0.1", 0))
            try:
                datagrams.bind(probe.getsockname())
            except OSError:
                continue
            return probe.getsockname()[1]


def arguments(side, port, options):
    """How to start a side's server."""
    if side == "repartee":
        return [options.repartee, "bench", "transport", "--serve", str(port)]
    return [sys.executable, os.path.join(HERE, "pipecat_echo.py"), "--port", str(port), "--chunks", str(options.chunks)]


class Server:
    """A server from its start to its end."""

    def __init__(self, side, log, options):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/api/offer"
        with open(log, "wb") as output:
            self._process = subprocess.Popen(
                arguments(side, port, options), stdout=output, stderr=output, env={**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        end = time.monotonic() + START_LIMIT_S
        while True:
            try:
                opener.open(f"http://127.0.0.1:{port}/health", timeout=2).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > end:
                    self.end()
                    raise RuntimeError(f"{side} does not start: see {log}") from None
                time.sleep(0.1)

    def usage(self):
        """Seconds of processor time so far, and resident memory in MB of 10^6 bytes."""
        if os.path.exists("/proc/self/stat"):
            return self._from_proc()
        used, resident = subprocess.run(["ps", "-o", "time=,rss=", "-p", str(self._process.pid)], capture_output=True,
                                        text=True, check=True).stdout.split()
        return seconds(used), int(resident) * 1_024 / 1e6

    def _from_proc(self):
        with open(f"/proc/{self._process.pid}/stat", encoding="utf-8") as stream:
            fields = stream.read().rsplit(")", 1)[1].split()
        used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return used, int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def end(self):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def seconds(text):
    """What `ps` calls a time: 1-02:03:04.56, with the parts before the seconds left out where they are nothing."""
    days, _, clock = text.rpartition("-")
    total = 0.0
    for part in clock.split(":"):
        total = total * 60 + float(part)
    return total + 86_400 * int(days or 0)
