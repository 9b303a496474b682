"""More callers than places: exactly as many calls as there is room, and no place that nobody gets.

60 call at once where 30 can be held. Then workers are filled past the edge, where HAProxy counts nothing, as WebRTC does.
"""

import asyncio

from call import end_all, open_many
from cluster import FULL

CALLERS = 60


async def run(cluster, report):
    capacity = sum(int(cluster.metrics(name)["voice_sessions_capacity"]) for name in cluster.workers)
    peak = {}
    watching = asyncio.create_task(watch(cluster, peak))
    calls, refusals, failures = await open_many([cluster.edge] * CALLERS)
    report.measured("%d callers, room for %d: %d calls, %d refusals (%s), %d failures" % (
        CALLERS, capacity, len(calls), len(refusals), kinds(refusals), len(failures)))
    report.check("as many calls as there is room, and all others refused",
                 (len(calls), len(refusals)) == (capacity, CALLERS - capacity), [repr(failure) for failure in failures])
    report.check("who is refused with a status is told when to come back",
                 all(refusal.retry_after for refusal in refusals if refusal.status), refusals)
    await asyncio.sleep(1)
    report.check("all calls are alive", all(await asyncio.gather(*(call.ping() for call in calls))))
    watching.cancel()
    report.measured("most at a worker: %s" % peak)
    report.check("no worker ever held more than it may", all(most <= capacity / len(cluster.workers) for most in peak.values()), peak)
    await end_all(calls)
    await cluster.whole()
    await fill_past_the_edge(cluster, report)


async def watch(cluster, peak):
    while True:
        for name, active in (await asyncio.to_thread(cluster.active)).items():
            peak[name] = max(peak.get(name, 0), active or 0)
        await asyncio.sleep(0.1)


async def fill_past_the_edge(cluster, report):
    """All workers but one are full with calls that did not come through the edge."""
    *full, free = cluster.workers
    room = {name: int(cluster.metrics(name)["voice_sessions_capacity"]) for name in cluster.workers}
    direct, refusals, failures = await open_many([cluster.workers[name] for name in full for _ in range(room[name])])
    report.check("workers can be filled directly", not refusals and not failures, (refusals, failures))
    known = await cluster.until(lambda: all(cluster.slots()[name]["weight"] == FULL for name in full), 10)
    report.measured("the edge knows after %.1f s" % (known if known is not None else -1))
    report.check("the edge learns who is full within 3 s", known is not None and known < 3)
    calls, refusals, failures = await open_many([cluster.edge] * room[free])
    report.measured("%d full of %d, room for %d: %d calls, %d refusals, %d failures" % (
        len(full), len(cluster.workers), room[free], len(calls), len(refusals), len(failures)))
    report.check("callers find the room that is left", len(calls) == room[free] and {call.worker for call in calls} == {free},
                 (refusals, failures))
    await end_all(direct + calls)


def kinds(refusals):
    found = sorted({"HTTP %s" % refusal.status if refusal.status else "close %s" % refusal.code for refusal in refusals})
    return ", ".join(found) or "none"
