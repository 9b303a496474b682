"""Workers are 200 ms away, each way: calls begin, go on and are found."""

import asyncio

from call import end_all, open_many
from link import Fault

DELAY = 0.2


async def run(cluster, report):
    for name in cluster.workers:
        for other in ("edge", "redis"):
            cluster.network.fault(name, other, Fault(delay=DELAY))
    try:
        # What is known by now is of the network before.
        await asyncio.sleep(5)
        calls, refusals, failures = await open_many([cluster.edge] * 9)
        report.check("nine calls begin", len(calls) == 9, (refusals, failures))
        trips = [trip for _ in range(10) for trip in await asyncio.gather(*(call.ping() for call in calls))]
        report.check("every message is answered", all(trips), trips)
        report.measured("round trips from %.0f to %.0f ms" % (1000 * min(trips), 1000 * max(trips)))
        report.check("the delay is there", min(trips) >= 2 * DELAY)
        answers = await asyncio.gather(*(call.say("Hello.") for call in calls[:3]))
        report.check("conversations go on", all(answer is not None for answer in answers), answers)
        report.check("the edge knows all workers", all(slot["up"] for slot in cluster.slots().values()), cluster.slots())
        await end_all(calls)
    finally:
        cluster.network.heal()
