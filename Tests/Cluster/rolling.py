"""All workers are restarted one after the other, twice, under a stream of new calls: no start fails and no call is lost."""

import asyncio

from call import Call

ROUNDS = 2
# Half of the places of two workers of capacity 10, while the third restarts.
PER_SECOND = 10
SECONDS = 1


async def run(cluster, report):
    outcomes = []
    stop = asyncio.Event()
    stream = asyncio.create_task(keep_calling(cluster, outcomes, stop))
    for name in list(cluster.workers) * ROUNDS:
        await cluster.run("restart", name)
        await asyncio.sleep(1)
    stop.set()
    await stream
    failed = [outcome for outcome in outcomes if outcome is not None]
    report.measured("%d restarts, %d calls, %d failed" % (len(cluster.workers) * ROUNDS, len(outcomes), len(failed)))
    report.check("no start failed and no call was lost", outcomes and not failed, [repr(failure) for failure in failed[:5]])


async def keep_calling(cluster, outcomes, stop):
    async with asyncio.TaskGroup() as group:
        while not stop.is_set():
            group.create_task(short_call(cluster, outcomes))
            await asyncio.sleep(1 / PER_SECOND)


async def short_call(cluster, outcomes):
    try:
        call = await Call.open(cluster.edge)
        await asyncio.sleep(SECONDS)
        alive = await call.ping() is not None
        await call.bye()
        outcomes.append(None if alive else "lost with %s" % call.code)
    except Exception as error:
        outcomes.append(error)
