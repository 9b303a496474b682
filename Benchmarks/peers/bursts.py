"""The microphone's sound, with a tone every second or so, and where such tones are in what comes back. Standard library only.

A tone says by its pitch which of the last eight it is, so an echo that is seconds late is still found to be that one's.
"""

import math
import random

RATE = 48_000
FRAME = RATE // 50
# The pitches in Hz: whole numbers of periods in 20 ms, so that over a whole frame none of them is heard in another.
TONES = [500 + 200 * number for number in range(8)]
TONE_S = 0.06
# Of 32768: the tones, what speech is brought to between them, and what only a tone exceeds, in both directions.
LOUD = 16_000
SPEECH = 3_000
THRESHOLD = 6_000
# A pitch is told where it has this share of a frame's energy; a whole frame of it has all.
CLEAR = 0.3
# So many quiet frames must come before a tone counts as new.
QUIET_FRAMES = 4


def plan(seconds, seed=1):
    """Tones as (first sample, pitch): each begins with a frame, 1.0 to 1.4 s after the one before."""
    chance = random.Random(seed)
    tones, frame = [], 50
    while frame + 25 < seconds * 50:
        tones.append((frame * FRAME, TONES[len(tones) % len(TONES)]))
        frame += 50 + chance.randrange(21)
    return tones


def tone(pitch):
    """The samples of a tone; it begins and ends within 1 ms."""
    count, edge = int(TONE_S * RATE), RATE // 1_000
    return [int(LOUD * min(1, (index + 1) / edge, (count - index) / edge) * math.sin(2 * math.pi * pitch * index / RATE))
            for index in range(count)]


def microphone(speech, seconds):
    """So many seconds: speech, again and again and brought to one loudness, with tones in gaps of 0.16 s."""
    loudest = max(map(abs, speech))
    samples = [speech[index % len(speech)] * SPEECH // loudest for index in range(seconds * RATE)]
    for first, pitch in plan(seconds):
        sound = tone(pitch)
        samples[first - 2 * FRAME:first + 6 * FRAME] = [0] * 8 * FRAME
        samples[first:first + len(sound)] = sound
    return samples


def strongest(energies, whole):
    """Of the energies of all pitches in a frame that has this energy as a whole, the pitch that is clearly heard, or None."""
    energy, pitch = max(zip(energies, TONES))
    return pitch if whole and energy / whole >= CLEAR else None


class Listener:
    """Finds tones in frames of sound that come one after the other.

    Of a frame it is told where it first exceeds the threshold (None for nowhere) and its pitch. A tone is reported with the frame
    behind the one in which it begins, as (what was said of its first frame, the place in it, pitch): that frame is all tone.
    """

    def __init__(self):
        self._quiet = QUIET_FRAMES
        self._begun = None

    @property
    def wants_pitch(self):
        """True when the next frame's pitch will be used."""
        return self._begun is not None

    def take(self, label, place, pitch=None):
        begun, self._begun = self._begun, None
        if place is None:
            self._quiet += 1
        else:
            if self._quiet >= QUIET_FRAMES:
                self._begun = (label, place)
            self._quiet = 0
        return (*begun, pitch) if begun and pitch else None


def matched(sent, heard, patience):
    """For each tone that was sent, as (time, place, pitch), the time to the first packet with its echo, and to the echo
    itself, as if each packet was spoken and played in the moment it left and came; None when none came within `patience`.

    Times in seconds; places in samples. An echo belongs to the latest tone of its pitch before it, and the first one counts.
    """
    found = [None] * len(sent)
    for time, place, pitch in heard:
        before = [index for index, (left, _, own) in enumerate(sent) if own == pitch and 0 < time - left <= patience]
        if before and found[before[-1]] is None:
            left, origin, _ = sent[before[-1]]
            found[before[-1]] = (time - left, time - left + (place - origin) / RATE)
    return found
