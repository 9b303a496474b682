"""A worker drains: it loses no call and takes none; past the deadline it says goodbye and closes with 1012."""

import asyncio
import signal

from call import Call, end_all, open_many

VICTIM = "w1"


async def run(cluster, report):
    calls, *_ = await open_many([cluster.edge] * 9)
    mine = [call for call in calls if call.worker == VICTIM]
    report.check("some calls are at the worker that drains", mine)
    cluster.signal(VICTIM, signal.SIGTERM)
    noticed = await cluster.until(lambda: cluster.slots()[VICTIM]["mode"] == "drain", 5, 0.05)
    report.measured("drained at the edge after %.2f s" % (noticed if noticed is not None else -1))
    report.check("the edge knows within 2 s", noticed is not None and noticed < 2)
    report.check("it says that it drains", cluster.ask(cluster.workers[VICTIM], "/ready")[0] == 404)
    fresh, refusals, failures = await open_many([cluster.edge] * 6)
    report.check("new calls go elsewhere", len(fresh) == 6 and all(call.worker != VICTIM for call in fresh),
                 (refusals, failures, [call.worker for call in fresh]))
    report.check("no call was lost", all(await asyncio.gather(*(call.ping() for call in calls))))
    answers = await asyncio.gather(*(call.say("Hello.") for call in mine))
    report.check("conversations go on there", all(answer is not None for answer in answers), answers)
    await end_all(calls + fresh)
    ended = await cluster.until(lambda: not cluster.lives(VICTIM), 10)
    report.measured("it ended %.1f s after its last call" % (ended if ended is not None else -1))
    report.check("it ends when its last call is over", ended is not None)
    await cluster.run("restart", VICTIM)
    await cluster.whole()
    await past_the_deadline(cluster, report)


async def past_the_deadline(cluster, report):
    call = await Call.open(cluster.workers[VICTIM])
    heard = call.audio_bytes
    cluster.signal(VICTIM, signal.SIGTERM)
    closed = await call.wait_closed(60)
    goodbye = [message for message in call.messages if message["type"] == "agent_transcript" and message["final"]]
    report.measured("closed with %s after %d bytes of goodbye: %s" % (
        call.code, call.audio_bytes - heard, [message["heard"] for message in goodbye]))
    report.check("past the deadline a call is closed with 1012", closed and call.code == 1012, call.code)
    report.check("after a goodbye that can be heard", call.audio_bytes > heard and goodbye, goodbye)
    report.check("and the worker ends", await cluster.until(lambda: not cluster.lives(VICTIM), 10) is not None)
    await cluster.run("restart", VICTIM)
