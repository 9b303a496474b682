"""An ideal loudspeaker: plays what arrives at once and without a buffer, and knows when each sample was heard."""

import array

RATE = 16_000
# `SpeechEdge.audible` of Repartee: a sample whose magnitude exceeds this can be heard.
AUDIBLE = 500


def first_audible(samples):
    """The index of the first audible sample, or None."""
    return next((index for index, sample in enumerate(samples) if abs(sample) > AUDIBLE), None)


def last_audible(samples):
    """The index of the last audible sample, or None."""
    index = first_audible(reversed(samples))
    return None if index is None else len(samples) - 1 - index


class Player:
    """Times are seconds of any one clock."""

    def __init__(self):
        self._free = 0.0        # when the last sample will have been played
        self._sounds = []       # (first, last) audible moment of each message that has sound
        self.played = 0         # samples of the running reply handed over so far

    def take(self, pcm, now):
        """Queues 16-bit audio that has arrived `now`."""
        samples = array.array("h", pcm)
        start = max(now, self._free)
        self._free = start + len(samples) / RATE
        self.played += len(samples)
        first = first_audible(samples)
        if first is not None:
            self._sounds.append((start + first / RATE, start + last_audible(samples) / RATE))

    def cut(self, now):
        """Forgets what has not been played."""
        self._free = min(self._free, now)
        self._sounds = [(first, min(last, now)) for first, last in self._sounds if first < now]

    def begin(self):
        """A new reply begins."""
        self.played = 0

    def pending(self, now):
        """Samples that have arrived and have not been played."""
        return max(0, round((self._free - now) * RATE))

    def heard_between(self, start, end):
        """Whether anything was audible in the interval."""
        return any(first < end and last >= start for first, last in self._sounds)

    def onset(self, after):
        """The first audible moment after a time, or None."""
        return min((first for first, _ in self._sounds if first > after), default=None)

    def silent_since(self):
        """The last audible moment so far."""
        return max((last for _, last in self._sounds), default=float("-inf"))
