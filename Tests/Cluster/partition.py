"""A worker is cut off: its callers go on elsewhere, and when it is back it knows that they have. Then only Redis is."""

import asyncio
import time

from call import end_all, open_many
from link import CUT
from talk import begin, come_back, log_of

ISLAND = "w2"


async def run(cluster, report):
    await cut_off(cluster, report)
    await cluster.whole()
    await without_redis(cluster, report)


async def cut_off(cluster, report):
    calls = await begin(cluster, 6, report)
    mine = [call for call in calls if call.worker == ISLAND]
    others = [call for call in calls if call.worker != ISLAND]
    report.check("some are at the worker that is cut off", mine)
    await cluster.until(lambda: all(len(log_of(cluster, call.session)) >= 2 for call in mine), 5)
    began = time.monotonic()
    for other in ("people", "edge", "redis", "w1", "w3"):
        cluster.network.fault(ISLAND, other, CUT)
    try:
        # Talking, as people do: what they send is not acknowledged.
        await asyncio.gather(*(call.ping(limit=20) for call in mine))
        await asyncio.gather(*(call.wait_closed(20) for call in mine))
        report.measured("their connections ended after %s s" % ", ".join(
            "%.1f" % ((call.ended or 0) - began) for call in mine))
        report.check("the edge ends them within 15 s", all(call.ended and call.ended - began < 15 for call in mine))
        backs = [back for back in await asyncio.gather(*(come_back(cluster, call) for call in mine)) if back]
        report.measured("back after %s s more" % ", ".join("%.2f" % back.waited for back in backs))
        report.check("all come back into their conversations", sorted(back.session for back in backs) == sorted(call.session for call in mine),
                     [getattr(call, "trouble", None) for call in mine])
        answers = await asyncio.gather(*(back.say("Which number did I say?") for back in backs))
        report.check("and are answered there", all(answer is not None for answer in answers), answers)
        report.check("the others' calls live", all(await asyncio.gather(*(call.ping() for call in others))))
    finally:
        cluster.network.heal()
    healed = time.monotonic()

    def has_let_go():
        return cluster.metrics(ISLAND).get("voice_sessions_active") == 0

    let_go = await cluster.until(has_let_go, 30)
    report.measured("the worker that was cut off let go of them %.1f s after it was back" % (let_go if let_go is not None else -1))
    report.check("it lets go of conversations that others have", let_go is not None, cluster.metrics(ISLAND))
    report.check("who came back stays", all(await asyncio.gather(*(back.ping() for back in backs))))
    logs = {back.session: [text for role, text in log_of(cluster, back.session) if role == "user"] for back in backs}
    report.check("what was said is written once, in order", all(
        logs[call.session] == [call.said, "Which number did I say?"] for call in mine), logs)
    known = await cluster.until(lambda: cluster.slots()[ISLAND]["up"], 30)
    report.measured("and had its place at the edge again %.1f s after it was back" % (time.monotonic() - healed))
    report.check("it has its place at the edge again", known is not None)
    await end_all(others + backs)


async def without_redis(cluster, report):
    calls, *_ = await open_many([cluster.edge] * 6)
    cluster.network.fault(ISLAND, "redis", CUT)
    try:
        await asyncio.sleep(15)
        alive = await asyncio.gather(*(call.ping() for call in calls))
        report.check("a worker without Redis loses no call", all(alive), alive)
        slots = cluster.slots()
        report.check("the edge keeps a worker that it reaches", slots.get(ISLAND, {}).get("up"), slots)
        more, refusals, failures = await open_many([cluster.edge] * 6)
        report.measured("starts meanwhile: %d begun, %d refused, %d failed" % (len(more), len(refusals), len(failures)))
        report.check("calls begin", len(more) + len(refusals) == 6 and more, failures)
        await end_all(more)
    finally:
        cluster.network.heal()
    await asyncio.sleep(5)
    report.check("afterwards all is as before", all(await asyncio.gather(*(call.ping() for call in calls))))
    await end_all(calls)
