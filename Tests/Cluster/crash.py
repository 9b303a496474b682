"""A worker is killed under load: its callers come back into their conversations elsewhere, the others notice nothing."""

import asyncio
import time

from call import end_all
from talk import begin, come_back, log_of

CALLS = 9
VICTIM = "w2"


async def run(cluster, report):
    calls = await begin(cluster, CALLS, report)
    victims = [call for call in calls if call.worker == VICTIM]
    others = [call for call in calls if call.worker != VICTIM]
    report.check("some are at the worker that dies", victims)
    await cluster.until(lambda: all(len(log_of(cluster, call.session)) >= 2 for call in victims), 5)
    logs = {call.session: log_of(cluster, call.session) for call in victims}
    report.check("what was said is in Redis", all(("user", call.said) in logs[call.session] for call in victims), logs)
    killed = time.monotonic()
    cluster.kill(VICTIM)
    await asyncio.gather(*(call.wait_closed(10) for call in victims))
    report.check("its calls end at once", all(call.ended and call.ended - killed < 2 for call in victims))
    backs = await asyncio.gather(*(come_back(cluster, call) for call in victims))
    report.measured("back after %s s" % ", ".join("%.2f" % (back.waited if back else -1) for back in backs))
    report.check("every caller is back within 5 s", all(back and back.waited < 5 for back in backs),
                 [getattr(call, "trouble", None) for call in victims])
    backs = [back for back in backs if back]
    report.check("in the same session", [back.session for back in backs] == [call.session for call in victims])
    answers = await asyncio.gather(*(back.say("Which number did I say?") for back in backs))
    report.measured("answers: %s" % answers)
    report.check("and is answered there", all(answer is not None for answer in answers), answers)
    await cluster.until(lambda: all(len(log_of(cluster, back.session)) >= 4 for back in backs), 5)
    after = {back.session: log_of(cluster, back.session) for back in backs}
    report.check("the log goes on where it was", all(
        messages[:len(logs[session])] == logs[session] and ("user", "Which number did I say?") in messages
        for session, messages in after.items()), (logs, after))
    report.check("the others' calls live", all(await asyncio.gather(*(call.ping() for call in others))))
    gone = await cluster.until(lambda: not cluster.slots().get(VICTIM, {"up": False})["up"], 10)
    report.measured("HAProxy has given the worker up after %.1f s more" % (gone if gone is not None else -1))
    await end_all(others + backs)
    await cluster.run("restart", VICTIM)
