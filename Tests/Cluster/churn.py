"""A thousand calls come and go: memory, descriptors and threads stay where they were."""

import asyncio
import time

from call import Call, Lost, Refused

WARM_UP = 200
CYCLES = 1000
AT_ONCE = 8


async def cycles(cluster, count):
    turn = asyncio.Semaphore(AT_ONCE)
    failures, refusals = [], 0

    async def one():
        nonlocal refusals
        async with turn:
            while True:
                try:
                    call = await Call.open(cluster.edge)
                    break
                except Refused:
                    # A place is free only once the session before has cleaned up.
                    refusals += 1
                    await asyncio.sleep(0.2)
                except Lost as error:
                    return failures.append(error)
            if await call.ping() is None:
                failures.append("no answer")
            await call.bye()

    await asyncio.gather(*(one() for _ in range(count)))
    return failures, refusals


async def run(cluster, report):
    watched = ["haproxy", "bridge", *cluster.workers]
    failures, _ = await cycles(cluster, WARM_UP)
    await cluster.whole()
    before = {name: cluster.usage(name) for name in watched}
    began = time.monotonic()
    more, refusals = await cycles(cluster, CYCLES)
    failures += more
    report.measured("%d calls in %.0f s; %d times there was no room yet" % (CYCLES, time.monotonic() - began, refusals))
    await cluster.whole()
    await asyncio.sleep(2)
    after = {name: cluster.usage(name) for name in watched}
    report.check("all %d calls began and ended" % (WARM_UP + CYCLES), not failures, [repr(failure) for failure in failures[:5]])
    for name in watched:
        grown = {key: after[name][key] - before[name][key] for key in after[name]}
        report.measured("%-8s %.1f MB (%+.1f), %d descriptors (%+d), %d threads (%+d)" % (
            name, after[name]["mb"], grown["mb"], after[name]["descriptors"], grown["descriptors"],
            after[name]["threads"], grown["threads"]))
        report.check("%s keeps its descriptors and threads" % name, grown["descriptors"] <= 2 and grown["threads"] <= 2, grown)
        # 4 KiB a call would be a leak of everything that a session allocates.
        report.check("%s keeps its memory" % name, grown["mb"] < 4, grown)
