"""What holds of many workers behind HAProxy and Redis. `run` starts it."""

import argparse
import asyncio
import importlib
import os
import sys
import tempfile
import time
import traceback

from cluster import Cluster
from report import Report

# In this order; each leaves the cluster as it found it.
STEPS = ["admission", "routing", "race", "crash", "crowded", "draining", "rolling", "outage", "stuck", "reload", "overhead", "churn"]
NETWORK_STEPS = ["delay", "loss", "partition"]
SETTINGS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "settings.yaml")
CAPACITY = 10
# Longer than the shortest call, shorter than a test may take.
DRAIN_TIMEOUT = 20


async def play(names, cluster, report):
    for name in names:
        step = importlib.import_module(name)
        print("--- %s: %s" % (name, step.__doc__.splitlines()[0]), flush=True)
        began = time.monotonic()
        try:
            await cluster.whole()
            await step.run(cluster, report)
        except Exception as error:  # a step that cannot run has failed
            report.check("%s could run to its end" % name, False, repr(error) + "\n" + traceback.format_exc())
        report.measured("%.1f s" % (time.monotonic() - began))


def on_loopback(names, engines, report):
    with tempfile.TemporaryDirectory(prefix="cluster-") as folder:
        cluster = Cluster(folder)
        options = ["--workers", "3", "--capacity", str(CAPACITY), "--config", SETTINGS, "--drain-timeout", str(DRAIN_TIMEOUT),
                   "--engines", engines]
        try:
            began = time.monotonic()
            cluster.up(*options)
            report.measured("three workers, Redis and HAProxy up after %.1f s" % (time.monotonic() - began))
            asyncio.run(play(names, cluster, report))
        finally:
            if report.failed:
                for name in ["bridge", "haproxy", *cluster.workers]:
                    if os.path.exists(os.path.join(folder, name + ".log")):
                        print("--- end of %s.log\n%s" % (name, cluster.log(name)[-1000:]))
            if cluster.addresses:
                cluster.script("down")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--network", action="store_true")
    parser.add_argument("--engines", default="scripted")
    parser.add_argument("steps", nargs="*")
    arguments = parser.parse_args()
    known = NETWORK_STEPS if arguments.network else STEPS
    unknown = [name for name in arguments.steps if name not in known]
    if unknown:
        parser.error("there is no step %s; there are: %s" % (", ".join(unknown), " ".join(known)))
    if arguments.list:
        for name in known:
            print("%-10s %s" % (name, importlib.import_module(name).__doc__.splitlines()[0]))
        return 0
    report = Report()
    names = arguments.steps or known
    if arguments.network:
        import network
        network.play_in_namespaces(names, ["--engines", arguments.engines, "--max-sessions", str(CAPACITY), "--config", SETTINGS], report)
    else:
        on_loopback(names, arguments.engines, report)
    print("%d passed, %d failed" % (report.passed, report.failed))
    return 0 if report.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
