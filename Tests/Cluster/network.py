"""The cluster on hosts of its own, one for each part: network namespaces (link.py)."""

import asyncio
import os
import secrets
import signal
import subprocess
import tempfile
import time

import link
from cluster import Cluster

WORKERS = ["w1", "w2", "w3"]
PORT = 7860


class NetworkCluster(Cluster):
    """What scripts/cluster starts, but each part on a host of its own."""

    def __init__(self, folder, network):
        super().__init__(folder)
        self.network = network
        self._processes = {}

    def start(self, name, host, *command, **environment):
        log = open(os.path.join(self.folder, name + ".log"), "w", encoding="utf-8")
        self._processes[name] = subprocess.Popen(
            self.network.command(host, *command), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=dict(os.environ, **environment))
        with open(os.path.join(self.folder, name + ".pid"), "w", encoding="utf-8") as file:
            file.write(str(self._processes[name].pid))

    def up(self, options):
        """`options` are of all workers."""
        place = self.network.address
        binary = os.environ.get("REPARTEE", ".build/release/repartee")
        self.addresses = {"redis": "redis://%s:6379" % place("redis"), "edge": "%s:8080" % place("edge")}
        self.addresses |= {"worker_" + name: "%s:%d" % (place(name), PORT) for name in WORKERS}
        state = os.path.join(self.folder, "edge")
        os.makedirs(state)
        for file, text in (("workers.map", ""), ("servers.state", "1\n")):
            with open(os.path.join(state, file), "w", encoding="utf-8") as empty:
                empty.write(text)
        self.start("redis", "redis", "redis-server", "--bind", place("redis"), "--protected-mode", "no", "--save", "",
                   "--dir", self.folder)
        secret = secrets.token_hex(32)
        for name in WORKERS:
            self.start(name, name, binary, "serve", "--host", place(name), "--port", str(PORT), "--insecure-public",
                       "--cluster", self.addresses["redis"], "--worker", name, "--worker-address", self.workers[name], *options,
                       REPARTEE_CLUSTER_SECRET=secret)
        self.start("haproxy", "edge", "haproxy", "-W", "-f", "Deploy/haproxy/haproxy.cfg",
                   REPARTEE_EDGE_HTTP=self.edge, REPARTEE_EDGE_STATE=state, REPARTEE_EDGE_SOCKET=state + "/admin.sock",
                   REPARTEE_EDGE_LOG="stderr", REPARTEE_EDGE_LOG_FORMAT="raw")
        self.start("bridge", "edge", binary, "edge", "--cluster", self.addresses["redis"], "--haproxy", state + "/admin.sock",
                   "--state", state)

    def down(self):
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def play_in_namespaces(names, options, report):
    import checks

    reason = link.why_not()
    if reason:
        print("skipped: no hosts can be made here: %s" % reason)
        return
    # People are in our own namespace: the callers are in this process.
    network = link.Network(["people", "edge", "redis", *WORKERS])
    with tempfile.TemporaryDirectory(prefix="cluster-") as folder:
        cluster = NetworkCluster(folder, network)
        try:
            began = time.monotonic()
            cluster.up(options)
            report.measured("hosts and parts made after %.1f s" % (time.monotonic() - began))
            asyncio.run(checks.play(names, cluster, report))
        finally:
            if report.failed:
                for name in ["bridge", "haproxy", *WORKERS]:
                    print("--- end of %s.log\n%s" % (name, cluster.log(name)[-1000:]))
            cluster.down()
            network.close()
