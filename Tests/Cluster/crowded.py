"""A worker dies while all others are full: its callers are told to wait, and come back once there is room."""

from call import Call, Lost, Refused, end_all, open_many
from talk import come_back

VICTIM = "w2"


async def run(cluster, report):
    room = {name: int(cluster.metrics(name)["voice_sessions_capacity"]) for name in cluster.workers}
    call = await Call.open(cluster.workers[VICTIM])
    others, refusals, failures = await open_many(
        [place for name, place in cluster.workers.items() if name != VICTIM for _ in range(room[name])])
    report.check("all others are full", not refusals and not failures, (refusals, failures))
    cluster.kill(VICTIM)
    await call.wait_closed(10)
    answers = []
    for _ in range(3):
        try:
            early = await Call.open(cluster.edge, call.way_back)
            answers.append("begun")
            await early.drop()
        except Refused as refusal:
            answers.append(refusal.status or refusal.code)
        except Lost as loss:
            answers.append(repr(loss))
    report.measured("while there is no room: %s" % answers)
    report.check("no room is 503, however often one asks", answers == [503] * 3, answers)
    await end_all([others.pop()])
    back = await come_back(cluster, call, limit=10)
    report.check("with room the way back is still good", back is not None and back.session == call.session,
                 getattr(call, "trouble", None))
    await end_all(others + ([back] if back else []))
    await cluster.run("restart", VICTIM)
