"""Conversations with something in them, for steps in which workers die."""

import asyncio
import json
import time

from call import Call, Lost, Refused


async def begin(cluster, count, report, words="My number is %d."):
    """Calls that have said something each, and been answered; with what was said as `call.said`."""
    calls = [await Call.open(cluster.edge) for _ in range(count)]

    async def talk(number, call):
        call.said = words % number
        call.heard = await call.say(call.said)

    await asyncio.gather(*(talk(number, call) for number, call in enumerate(calls)))
    report.check("%d conversations have an answer" % count, all(call.heard is not None for call in calls),
                 [call.heard for call in calls])
    return calls


async def come_back(cluster, call, limit=20):
    """Connects again until it succeeds, as a page would, through the edge; None if it never does."""
    began, path = time.monotonic(), call.way_back
    while time.monotonic() - began < limit:
        try:
            back = await Call.open(cluster.edge, path, limit=5)
        except (Lost, Refused) as error:
            call.trouble = error
            await asyncio.sleep(0.25)
            continue
        back.waited = time.monotonic() - began
        return back
    return None


def log_of(cluster, session):
    """What Redis keeps of a session: role and text of each message."""
    lines = cluster.redis("LRANGE", "repartee:session:%s:log" % session, "0", "-1")
    messages = [json.loads(line) for line in lines]
    return [(message.get("role"), message.get("text") or message.get("content")) for message in messages]
