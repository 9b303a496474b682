"""Five of a hundred packets are lost between all hosts: no call is, and none fails to begin."""

import asyncio
import itertools
import time

from call import end_all, open_many
from link import Fault
from report import quantile

LOSS = 0.05
SECONDS = 30


async def run(cluster, report):
    hosts = ["people", "edge", "redis", *cluster.workers]
    for one, other in itertools.combinations(hosts, 2):
        cluster.network.fault(one, other, Fault(loss=LOSS))
    lost, failed = cluster.network.lost, cluster.failed_checks()
    try:
        calls, refusals, failures = await open_many([cluster.edge] * 9)
        report.check("nine calls begin", len(calls) == 9, (refusals, failures))
        trips, down = [], 0
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            trips += await asyncio.gather(*(call.ping() for call in calls))
            down += sum(not slot["up"] for slot in (await asyncio.to_thread(cluster.slots)).values())
            more, refusals, failures = await open_many([cluster.edge])
            if not more:
                report.check("a call begins", False, (refusals, failures))
            await end_all(more)
            await asyncio.sleep(0.1)
        report.measured("%d packets lost; %d round trips, p50 %.1f ms, p99 %.0f ms" % (
            cluster.network.lost - lost, len(trips), 1000 * quantile([trip for trip in trips if trip], 0.5),
            1000 * quantile([trip for trip in trips if trip], 0.99)))
        report.measured("%d of the edge's checks failed" % (cluster.failed_checks() - failed))
        report.check("every message is answered", all(trips), sum(trip is None for trip in trips))
        report.check("no worker is given up", down == 0, down)
        report.check("no call is lost", all(call.is_open for call in calls))
        await end_all(calls)
    finally:
        cluster.network.heal()
