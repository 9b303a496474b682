"""What both comparisons measure with. Standard library only."""

import os


def percentile(share, values):
    """Between two values in proportion, as `ConversationReport.Spread.percentile`; None without values."""
    ordered = sorted(values)
    if not ordered:
        return None
    rank = share * (len(ordered) - 1)
    low = int(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)


def busy_time():
    """Seconds of processor time that the machine has spent or a hypervisor has taken away; None where it does not say."""
    try:
        with open("/proc/stat", encoding="utf-8") as stream:
            user, nice, system, _idle, _wait, interrupt, soft, steal, *_ = map(int, stream.readline().split()[1:])
    except OSError:
        return None
    return (user + nice + system + interrupt + soft + steal) / os.sysconf("SC_CLK_TCK")
