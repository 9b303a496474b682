"""Requests of a session go to its worker, all others to whoever has most room; nothing secret is in the log."""

import asyncio
import json

from call import Call, Lost, Refused, end_all, open_many

TOKEN = "kept-out-of-logs"


async def run(cluster, report):
    calls, refusals, failures = await open_many([cluster.edge] * 9)
    report.check("nine calls begin", len(calls) == 9, (refusals, failures))
    spread = {name: sum(call.worker == name for call in calls) for name in cluster.workers}
    report.measured("nine calls: %s" % spread)
    report.check("they are spread evenly", set(spread.values()) == {3}, spread)
    for call in calls:
        await end_all([call])
    before = len(cluster.log("haproxy"))
    for name in cluster.workers:
        for _ in range(3):
            # It is no session, but it names a worker.
            cluster.ask(cluster.edge, "/sessions/%s.nobody/api/offer?token=%s" % (name, TOKEN), "POST", "{}",
                        {"Content-Type": "application/json"})
    slots = {name: slot["slot"] for name, slot in cluster.slots().items()}

    def lines():
        return [line for line in cluster.log("haproxy")[before:].splitlines() if "/sessions/" in line]

    await cluster.until(lambda: len(lines()) >= 9, 5)
    served = {name: {line.split()[3] for line in lines() if "/sessions/%s." % name in line} for name in slots}
    report.measured("requests of sessions: %s" % served)
    report.check("each reaches the worker that it names", all(served[name] == {"workers/" + slot} for name, slot in slots.items()), served)
    report.check("the log has no query", TOKEN not in cluster.log("haproxy"))
    for path in ("/metrics", "/reservations"):
        report.check("%s is not for people" % path, cluster.ask(cluster.edge, path)[0] == 404)
    report.check("/ready at the edge says that there is room", cluster.ask(cluster.edge, "/ready")[0] == 200)
    report.check("a session of nobody is refused", await is_refused(cluster.edge, "/sessions/w9.nobody/ws?token=" + TOKEN))
    await started(cluster, report)


async def is_refused(place, path):
    try:
        call = await Call.open(place, path)
    except (Lost, Refused):
        return True
    await call.bye()
    return False


async def started(cluster, report):
    """`POST /start` reserves a place, and the session's address leads there."""
    status, _, text = await asyncio.to_thread(
        cluster.ask, cluster.edge, "/start", "POST", "{}", {"Content-Type": "application/json"})
    report.measured("POST /start: %d %s" % (status, text.strip()[:300]))
    report.check("POST /start names a session", status == 200 and "." in json.loads(text or "{}").get("sessionId", ""), text)
