"""Redis stands still for ten seconds: calls go on, and afterwards all is as before."""

import asyncio
import signal
import time

from call import Call, Lost, Refused, end_all
from talk import begin, come_back, log_of

OUTAGE = 10


async def run(cluster, report):
    calls = await begin(cluster, 6, report)
    slots = cluster.slots()
    cluster.signal("redis", signal.SIGSTOP)
    began = time.monotonic()
    starts = []
    try:
        while time.monotonic() - began < OUTAGE:
            starts.append(await start(cluster))
            await asyncio.sleep(0.5)
        alive = await asyncio.gather(*(call.ping() for call in calls))
    finally:
        cluster.signal("redis", signal.SIGCONT)
    report.measured("starts meanwhile: %d begun, %d refused, %d failed; slowest %.2f s" % (
        sum(kind == "begun" for kind, _ in starts), sum(kind == "refused" for kind, _ in starts),
        sum(kind == "failed" for kind, _ in starts), max(seconds for _, seconds in starts)))
    report.check("no call was lost", all(alive), alive)
    report.check("who calls meanwhile hears yes or no within 5 s", all(kind != "failed" and seconds < 5 for kind, seconds in starts), starts)
    report.check("the edge forgets nobody", {name: slot["slot"] for name, slot in cluster.slots().items()}
                 == {name: slot["slot"] for name, slot in slots.items()} and all(slot["up"] for slot in cluster.slots().values()),
                 cluster.slots())
    answers = await asyncio.gather(*(call.say("Are you there?") for call in calls))
    report.check("conversations go on", all(answer is not None for answer in answers), answers)
    again = await cluster.until(lambda: cluster.redis("PING") == "PONG", 10)
    report.check("Redis is back", again is not None)

    def is_written():
        return all(("user", "Are you there?") in log_of(cluster, call.session) for call in calls)

    written = await cluster.until(is_written, 10)
    report.measured("what was said is in Redis %.1f s later" % (written if written is not None else -1))
    report.check("what was said is in Redis", written is not None)
    call = calls.pop()
    await call.drop()
    back = await come_back(cluster, call)
    report.check("people come back into their conversations", back is not None and back.session == call.session)
    report.check("nobody was put out by another owner", all(await asyncio.gather(*(call.ping() for call in calls))))
    await end_all(calls + ([back] if back else []))


async def start(cluster):
    began = time.monotonic()
    try:
        call = await Call.open(cluster.edge, limit=10)
        await call.bye()
        kind = "begun"
    except Refused:
        kind = "refused"
    except Lost:
        kind = "failed"
    return kind, time.monotonic() - began
