"""Figures of the comparison: percentiles, medians over rounds, ratios."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from measuring import percentile  # noqa: E402


def median(values):
    """The middle of some values, or None."""
    return percentile(0.5, values)


def figures(values):
    """n, min, p50, p90, p99 and max; zeros without values, as `LatencyFigures`."""
    names = {"min": 0.0, "p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    return {"n": len(values), **{name: percentile(share, values) or 0 for name, share in names.items()}}


def row(server, sessions, rounds):
    """A server with so many sessions, all rounds as one: the echoes of all, and medians of what each round has once."""
    echoes = [echo for each in rounds for echo in each["echoes"]]
    found = [echo for echo in echoes if echo]
    cpu = [each["cpu"] / sessions for each in rounds]
    return {
        "server": server, "sessions": sessions,
        "round_trip_ms": figures([packet for packet, _ in found]),
        "sound_ms": figures([sound for _, sound in found]),
        "cpu_per_session": median(cpu), "rss_mb": median([each["rss_mb"] for each in rounds]),
        "idle_mb": median([each["idle_mb"] for each in rounds]),
        "lost": len(echoes) - len(found), "packets_per_s": median([rate for each in rounds for rate in each["packets_per_s"]]),
        "p50_of_rounds_ms": [median([echo[0] for echo in each["echoes"] if echo]) for each in rounds],
        "cpu_of_rounds": cpu,
        "client_cores": median([each["client_cores"] for each in rounds]),
        "client_lag_p99_ms": max(each["lag_p99_ms"] for each in rounds),
        "other_cores": max(each["other_cores"] for each in rounds),
    }


def summarise(measured):
    """A row for each server and number of sessions, in order. `measured` is a list of rounds' results."""
    keys = list(dict.fromkeys((each["server"], each["sessions"]) for each in measured))
    return [row(server, sessions, [each for each in measured if (each["server"], each["sessions"]) == (server, sessions)])
            for server, sessions in keys]


def memory_per_session(rows, server):
    """MB that a session adds, from the fewest sessions to the most; None with one number of sessions only."""
    own = sorted((row["sessions"], row["rss_mb"]) for row in rows if row["server"] == server)
    if len(own) < 2:
        return None
    (few, low), (many, high) = own[0], own[-1]
    return (high - low) / (many - few)


def ratios(rows, server="repartee", other="pipecat"):
    """For each number of sessions that both served: the first one's processor time and median round trip, as shares of the
    other's."""
    def share(mine, others):
        return mine / others if mine and others else None

    by_key = {(row["server"], row["sessions"]): row for row in rows}
    found = []
    for (name, sessions), mine in by_key.items():
        others = by_key.get((other, sessions))
        if name == server and others:
            found.append({"sessions": sessions, "cpu": share(mine["cpu_per_session"], others["cpu_per_session"]),
                          "round_trip": share(mine["round_trip_ms"]["p50"], others["round_trip_ms"]["p50"]),
                          "sound": share(mine["sound_ms"]["p50"], others["sound_ms"]["p50"])})
    return found


def table(rows):
    """The rows as a Markdown table, and below it what is compared."""
    def cells(values):
        return "| " + " | ".join(values) + " |"

    def number(value, digits=0):
        return "-" if value is None else f"{value:.{digits}f}"

    heading = ["server", "sessions", "n", "lost", "min", "p50", "p90", "p99", "max", "p50 of the rounds", "sound p50",
               "cores a session", "of the rounds", "MB", "packets/s", "client: cores", "lag p99 ms", "other cores"]
    lines = [cells(heading), "|" + "---|" * len(heading)]
    for row in rows:
        packet = row["round_trip_ms"]
        lines.append(cells(
            [row["server"], str(row["sessions"]), str(packet["n"]), str(row["lost"])]
            + [number(packet[key]) for key in ("min", "p50", "p90", "p99", "max")]
            + [", ".join(map(number, row["p50_of_rounds_ms"])), number(row["sound_ms"]["p50"]), number(row["cpu_per_session"], 4),
               ", ".join(number(value, 4) for value in row["cpu_of_rounds"]), number(row["rss_mb"], 1), number(row["packets_per_s"], 1),
               number(row["client_cores"], 2), number(row["client_lag_p99_ms"], 1), number(row["other_cores"], 2)]))
    lines.append("")
    for server in dict.fromkeys(row["server"] for row in rows):
        memory = memory_per_session(rows, server)
        if memory is not None:
            lines.append(f"{server}: {memory:.2f} MB a further session")
    for ratio in ratios(rows):
        lines.append(f"{ratio['sessions']} sessions: {number(ratio['cpu'], 3)} of Pipecat's processor time, "
                     f"{number(ratio['round_trip'], 2)} of its round trip ({number(ratio['sound'], 2)} to the sound)")
    return "\n".join(lines)
