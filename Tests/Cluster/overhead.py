"""What HAProxy adds to the way to a worker: the round trip of a message, and the time until a call begins."""

import time

from call import Call
from report import quantile

ROUNDS = 2000
STARTS = 100


async def run(cluster, report):
    name, direct_place = next(iter(cluster.workers.items()))
    direct = await Call.open(direct_place)
    through = await Call.open(cluster.edge)
    trips = {"direct": [], "through HAProxy": []}
    for _ in range(ROUNDS):
        # In turns, so that what else the machine does touches both alike.
        trips["direct"].append(await direct.ping())
        trips["through HAProxy"].append(await through.ping())
    await direct.bye()
    await through.bye()
    report.check("every message is answered", all(all(values) for values in trips.values()))
    figures = table(trips, report, "round trip", 1)
    added = [figures["through HAProxy"][place] - figures["direct"][place] for place in range(2)]
    report.measured("HAProxy adds %.3f ms to the median, %.3f ms to p99" % tuple(added))
    report.check("HAProxy adds less than 1 ms to the median and less than 5 ms to p99", added[0] < 1 and added[1] < 5, added)
    starts = {"direct": [], "through HAProxy": []}
    for number in range(STARTS):
        if number % 5 == 0:
            # A place is free only once the session has cleaned up.
            await cluster.whole()
        for kind, place in (("direct", direct_place), ("through HAProxy", cluster.edge)):
            began = time.monotonic()
            call = await Call.open(place)
            starts[kind].append(time.monotonic() - began)
            await call.bye()
    table(starts, report, "start of a call", 2)


def table(samples, report, what, digits):
    figures = {}
    for kind, values in samples.items():
        figures[kind] = [1000 * quantile(values, share) for share in (0.5, 0.99)]
        report.measured("%s, %s: p50 %.*f ms, p99 %.*f ms (n = %d)" % (
            what, kind, digits + 1, figures[kind][0], digits + 1, figures[kind][1], len(values)))
    return figures
