"""The cluster under test, by way of scripts/cluster."""

import asyncio
import csv
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time

# HAProxy's weight of a worker with all places free is 256, or a little less while its engines are busy.
EMPTY = 200
# And of one without any, as long as another has some.
FULL = 0


class Cluster:
    """Redis, HAProxy, the bridge and the workers, each a process that a test may do anything to."""

    def __init__(self, folder):
        self.folder = folder
        self.addresses = {}

    # MARK: the script

    def script(self, *arguments, limit=300):
        """Runs scripts/cluster; its output. A failure is an error with what it said."""
        environment = dict(os.environ, REPARTEE_CLUSTER=self.folder)
        done = subprocess.run(["scripts/cluster", *arguments], env=environment, capture_output=True, text=True, timeout=limit,
                              check=False)
        if done.returncode != 0:
            raise RuntimeError("scripts/cluster %s: %s" % (" ".join(arguments), done.stderr.strip()))
        return done.stdout

    async def run(self, *arguments):
        return await asyncio.to_thread(self.script, *arguments)

    def up(self, *options):
        self.script("up", *options)
        with open(os.path.join(self.folder, "addresses"), encoding="utf-8") as lines:
            self.addresses = dict(line.rstrip("\n").split("=", 1) for line in lines)

    # MARK: who is there

    @property
    def edge(self):
        return self.addresses["edge"]

    @property
    def workers(self):
        """The workers' names and addresses."""
        return {key[len("worker_"):]: value for key, value in self.addresses.items() if key.startswith("worker_")}

    def pid(self, name):
        with open(os.path.join(self.folder, name + ".pid"), encoding="utf-8") as file:
            return int(file.read())

    def lives(self, name):
        try:
            with open("/proc/%d/stat" % self.pid(name), encoding="utf-8") as file:
                return file.read().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            return False

    def signal(self, name, number):
        os.kill(self.pid(name), number)

    def kill(self, name):
        self.signal(name, signal.SIGKILL)

    def log(self, name):
        with open(os.path.join(self.folder, name + ".log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    # MARK: questions

    @staticmethod
    def ask(place, path, method="GET", body=None, headers=None, limit=10):
        """Status, headers and content over HTTP; status 0 if nobody answers."""
        connection = http.client.HTTPConnection(place, timeout=limit)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return 0, {}, ""
        finally:
            connection.close()

    def metrics(self, name):
        """What a worker says at /metrics, labels within the names."""
        figures = {}
        for line in self.ask(self.workers[name], "/metrics")[2].splitlines():
            if line and not line.startswith("#"):
                key, value = line.rsplit(" ", 1)
                figures[key] = float(value)
        return figures

    def active(self):
        """Conversations of each worker that lives."""
        return {name: self.metrics(name).get("voice_sessions_active") for name in self.workers if self.lives(name)}

    def haproxy(self, command):
        """The answer of HAProxy's runtime API."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(os.path.join(self.folder, "edge", "admin.sock"))
            connection.sendall(command.encode() + b"\n")
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
        return b"".join(parts).decode()

    def failed_checks(self):
        """How many of the edge's checks of workers failed so far."""
        rows = csv.DictReader(self.haproxy("show stat").lstrip("# ").splitlines())
        return sum(int(row["chkfail"] or 0) for row in rows if row["pxname"] == "workers" and row["svname"] != "BACKEND")

    def slots(self):
        """For each worker, the state of its slot in words: address, whether its check passes, what was asked for."""
        lines = self.haproxy("show servers state workers").splitlines()
        columns = lines[1][2:].split()
        rows = {}
        for line in lines[2:]:
            if line:
                row = dict(zip(columns, line.split()))
                rows[row["srv_name"]] = row
        slots = {}
        for line in self.haproxy("show map %s/edge/workers.map" % self.folder).splitlines():
            if line:
                _, worker, slot = line.split()
                row = rows[slot]
                asked = int(row["srv_admin_state"])
                mode = "maint" if asked & 0x23 else "drain" if asked & 0x18 else "ready"
                slots[worker] = {"slot": slot, "mode": mode, "up": row["srv_op_state"] in ("2", "3"),
                                 "weight": int(row["srv_uweight"]), "place": "%s:%s" % (row["srv_addr"], row["srv_port"])}
        return slots

    def redis(self, *arguments):
        """An answer of Redis, as JSON says it."""
        host, port = self.addresses["redis"].removeprefix("redis://").split(":")
        command = ["redis-cli", "--json", "-h", host, "-p", port, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        return json.loads(done.stdout)

    # MARK: waiting

    @staticmethod
    async def until(claim, limit, pause=0.1):
        """Seconds until a claim holds; None if it does not in time."""
        began = time.monotonic()
        while time.monotonic() - began < limit:
            if await asyncio.to_thread(claim):
                return time.monotonic() - began
            await asyncio.sleep(pause)
        return None

    async def whole(self, limit=120):
        """Waits until every worker takes conversations, has none and is known at the edge; else an error."""

        def is_whole():
            try:
                slots = self.slots()
            except OSError:
                return False
            return all(self.ask(place, "/ready")[0] == 200 and name in slots and slots[name]["mode"] == "ready"
                       and slots[name]["up"] and slots[name]["weight"] > EMPTY
                       for name, place in self.workers.items()) and not any(self.active().values())

        if await self.until(is_whole, limit, 0.3) is None:
            raise RuntimeError("the cluster is not whole: %s, %s" % (self.active(), self.slots()))

    # MARK: what a process uses

    def usage(self, name):
        """Resident MB, open descriptors and threads of a process and its children."""
        total = {"mb": 0.0, "descriptors": 0, "threads": 0}
        for pid in self._family(self.pid(name)):
            try:
                with open("/proc/%d/status" % pid, encoding="utf-8") as file:
                    status = file.read()
                total["mb"] += int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024
                total["threads"] += int(re.search(r"Threads:\s+(\d+)", status).group(1))
                total["descriptors"] += len(os.listdir("/proc/%d/fd" % pid))
            except (OSError, AttributeError):
                continue
        return total

    @staticmethod
    def _family(pid):
        found = [pid]
        for parent in found:
            try:
                for task in os.listdir("/proc/%d/task" % parent):
                    with open("/proc/%d/task/%s/children" % (parent, task), encoding="utf-8") as file:
                        found += [int(child) for child in file.read().split()]
            except OSError:
                continue
        return found
