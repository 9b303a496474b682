"""Two gateways are asked for one session at the same time: it has one owner afterwards.

First with one token, of which only one may make use. Then with two, both good: the later claim has the session, and the earlier
connection is told that it goes on elsewhere.
"""

import asyncio
import json

from call import Call, Lost, Refused

ROUNDS = 10
CONTINUED_ELSEWHERE = 4001


async def run(cluster, report):
    await with_one_token(cluster, report)
    await with_two_tokens(cluster, report)


async def with_one_token(cluster, report):
    first, second, *_ = cluster.workers.values()
    winners = []
    for _ in range(ROUNDS):
        call = await Call.open(cluster.edge)
        way_back = call.way_back
        await call.drop()
        backs = await attempts((first, way_back), (second, way_back))
        winners.append(sum(back.session == call.session for back in backs))
        for back in backs:
            await back.bye()
    report.measured("one token, %d rounds: %s came in" % (ROUNDS, winners))
    report.check("a token is good for once, wherever it is shown", winners == [1] * ROUNDS, winners)


async def with_two_tokens(cluster, report):
    first, second, *_ = cluster.workers.values()
    owners, ends = [], []
    for _ in range(ROUNDS):
        session, token = await start(cluster)
        name = session.split(".")[0]
        call = await Call.open(cluster.workers[name], "/sessions/%s/ws" % session)
        await call.drop()
        backs = await attempts((first, call.way_back), (second, "/sessions/%s/ws?token=%s" % (session, token)))
        await cluster.until(lambda: sum(back.is_open for back in backs) <= 1, 5)
        owners.append(sum(back.is_open for back in backs))
        ends += [back.code for back in backs if not back.is_open]
        for back in backs:
            await back.bye()
    report.measured("two tokens, %d rounds: %s owners; the others were closed with %s" % (ROUNDS, owners, sorted(set(ends))))
    report.check("never two owners, and never none", owners == [1] * ROUNDS, owners)
    report.check("who lost it is told that it goes on elsewhere", set(ends) <= {CONTINUED_ELSEWHERE}, ends)


async def start(cluster):
    """A session with a place kept, and the token that lets it begin later as well."""
    _, _, text = await asyncio.to_thread(
        cluster.ask, cluster.edge, "/start", "POST", json.dumps({"transport": "websocket"}), {"Content-Type": "application/json"})
    answer = json.loads(text)
    return answer["sessionId"], answer["token"]


async def attempts(*ways):
    """Those that came in, of connections that are opened at the same time."""
    outcomes = await asyncio.gather(*(Call.open(place, path) for place, path in ways), return_exceptions=True)
    for outcome in outcomes:
        if not isinstance(outcome, (Call, Lost, Refused)):
            raise outcome
    return [outcome for outcome in outcomes if isinstance(outcome, Call)]
