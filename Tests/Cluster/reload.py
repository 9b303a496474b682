"""A new HAProxy takes over: calls stay, and calls can begin at every moment."""

import asyncio
import time

from call import Call, end_all, open_many

RELOADS = 3


def processes(cluster):
    return int(next(line for line in cluster.haproxy("show info").splitlines() if line.startswith("Pid:")).split()[1])


async def run(cluster, report):
    calls, *_ = await open_many([cluster.edge] * 6)
    outcomes = []
    stop = asyncio.Event()
    stream = asyncio.create_task(keep_starting(cluster, outcomes, stop))
    for _ in range(RELOADS):
        before = processes(cluster)
        await cluster.run("reload")
        taken = await cluster.until(lambda: answers_anew(cluster, before), 20, 0.05)
        report.measured("the new process answers after %.2f s" % (taken if taken is not None else -1))
        await asyncio.sleep(1)
        slots = cluster.slots()
        report.check("it knows the workers", set(slots) == set(cluster.workers) and all(slot["mode"] == "ready" for slot in slots.values()), slots)
    stop.set()
    await stream
    failed = [outcome for outcome in outcomes if outcome is not None]
    report.measured("%d starts meanwhile, %d failed" % (len(outcomes), len(failed)))
    report.check("no start failed", outcomes and not failed, [repr(failure) for failure in failed[:5]])
    report.check("no call was lost", all(await asyncio.gather(*(call.ping() for call in calls))))
    held = len(cluster._family(cluster.pid("haproxy")))
    await end_all(calls)
    left = await cluster.until(lambda: len(cluster._family(cluster.pid("haproxy"))) == 2, 20)
    report.measured("%d processes while the calls lived, 2 of them %.1f s after the last" % (held, left if left is not None else -1))
    report.check("processes that were replaced end with their last call", left is not None)


def answers_anew(cluster, before):
    try:
        return processes(cluster) != before
    except OSError:
        return False


async def keep_starting(cluster, outcomes, stop):
    while not stop.is_set():
        began = time.monotonic()
        try:
            call = await Call.open(cluster.edge)
            await call.bye()
            outcomes.append(None)
        except Exception as error:
            outcomes.append(error)
        await asyncio.sleep(max(0, 0.05 - (time.monotonic() - began)))
