"""Tests of what decides the figures; standard library only.

usage: python3 Benchmarks/peers/compare_test.py
"""

import math
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bursts  # noqa: E402
import report  # noqa: E402
import servers  # noqa: E402


def place_and_pitch(frame):
    """As `sound.heard`, without numpy."""
    def energy(pitch):
        angles = [2 * math.pi * pitch * index / bursts.RATE for index in range(len(frame))]
        return sum(sum(sample * part(angle) for sample, angle in zip(frame, angles)) ** 2
                   for part in (math.cos, math.sin)) * 2 / len(frame)

    place = next((index for index, sample in enumerate(frame) if abs(sample) > bursts.THRESHOLD), None)
    pitch = None if place is None else bursts.strongest([energy(pitch) for pitch in bursts.TONES], sum(sample**2 for sample in frame))
    return place, pitch


def heard(samples, delay=0):
    """What a listener finds in samples that are so many late: (frame, place, pitch)."""
    samples, listener = [0] * delay + samples, bursts.Listener()
    frames = [samples[first:first + bursts.FRAME] for first in range(0, len(samples) - bursts.FRAME + 1, bursts.FRAME)]
    found = (listener.take(number, *place_and_pitch(frame)) for number, frame in enumerate(frames))
    return [tone for tone in found if tone]


class BurstTests(unittest.TestCase):
    def setUp(self):
        speech = [(index * 7_919) % 20_001 - 10_000 for index in range(9_600)]
        self.samples = bursts.microphone(speech, 16)

    def test_every_tone_is_found_where_it_begins_and_nothing_else_is(self):
        found = heard(self.samples)
        self.assertGreater(len(found), 9)
        self.assertEqual([(frame * bursts.FRAME, pitch) for frame, _, pitch in found], bursts.plan(16))
        self.assertTrue(all(place < 48 for _, place, _ in found))

    def test_a_tone_that_begins_within_a_frame_is_found_there(self):
        delay = 700
        for (first, pitch), (frame, place, own) in zip(bursts.plan(16), heard(self.samples, delay)):
            self.assertEqual(own, pitch)
            self.assertLess(abs(frame * bursts.FRAME + place - first - delay), 48)

    def test_a_pitch_that_is_not_clear_is_none(self):
        self.assertEqual(bursts.strongest([0, 1, 0, 0, 0, 0, 0, 0], 1), 700)
        self.assertIsNone(bursts.strongest([0, 1, 0, 0, 0, 0, 0, 0], 4))
        self.assertIsNone(bursts.strongest([0] * 8, 0))

    def test_tones_begin_with_frames_and_are_more_than_a_second_apart(self):
        firsts = [first for first, _ in bursts.plan(60)]
        self.assertTrue(all(first % bursts.FRAME == 0 for first in firsts))
        gaps = [(later - first) / bursts.RATE for first, later in zip(firsts, firsts[1:])]
        self.assertTrue(1.0 <= min(gaps) and max(gaps) <= 1.4)

    def test_an_echo_belongs_to_the_latest_tone_of_its_pitch(self):
        sent = [(1.0, 300, 500), (2.0, 300, 700), (10.6, 300, 500)]
        found = bursts.matched(sent, [(2.1, 780, 700), (10.7, 300, 500)], patience=3)
        self.assertIsNone(found[0])
        self.assertAlmostEqual(found[1][0], 0.1)
        self.assertAlmostEqual(found[1][1], 0.11)
        self.assertAlmostEqual(found[2][0], 0.1)

    def test_an_echo_that_is_too_late_is_none_and_of_two_the_first_counts(self):
        self.assertEqual(bursts.matched([(1.0, 0, 500)], [(4.1, 0, 500)], patience=3), [None])
        found = bursts.matched([(1.0, 0, 500)], [(1.2, 0, 500), (1.4, 0, 500)], patience=3)
        self.assertAlmostEqual(found[0][0], 0.2)


def measured(server, sessions, echoes, cpu, memory):
    return {"server": server, "sessions": sessions, "echoes": echoes, "cpu": cpu, "rss_mb": memory, "idle_mb": 10,
            "packets_per_s": [50] * sessions, "client_cores": 0.1, "lag_p99_ms": 1, "other_cores": 0}


class ReportTests(unittest.TestCase):
    def test_percentiles_lie_between_values(self):
        self.assertEqual(report.percentile(0.5, [4, 1, 3, 2]), 2.5)
        self.assertAlmostEqual(report.percentile(0.9, [0, 10]), 9)
        self.assertIsNone(report.percentile(0.5, []))
        self.assertEqual(report.figures([]), {"n": 0, "min": 0, "p50": 0, "p90": 0, "p99": 0, "max": 0})

    def test_a_row_takes_echoes_of_all_rounds_and_medians_of_the_rest(self):
        rounds = [measured("repartee", 2, [[10, 9], None], 0.02, 30), measured("repartee", 2, [[30, 31], [20, 20]], 0.06, 31),
                  measured("repartee", 2, [[50, 50]], 0.04, 60)]
        row = report.row("repartee", 2, rounds)
        self.assertEqual((row["round_trip_ms"]["n"], row["round_trip_ms"]["p50"], row["lost"]), (4, 25, 1))
        self.assertEqual(row["p50_of_rounds_ms"], [10, 25, 50])
        self.assertAlmostEqual(row["cpu_per_session"], 0.02)
        self.assertEqual(row["rss_mb"], 31)

    def test_memory_of_a_session_is_the_slope(self):
        rows = report.summarise([measured("repartee", 1, [], 0, 31), measured("repartee", 16, [], 0, 46),
                                 measured("pipecat", 1, [], 0, 130)])
        self.assertAlmostEqual(report.memory_per_session(rows, "repartee"), 1)
        self.assertIsNone(report.memory_per_session(rows, "pipecat"))

    def test_ratios_are_of_equal_numbers_of_sessions(self):
        rows = report.summarise([measured("repartee", 1, [[50, 40]], 0.02, 1), measured("repartee", 4, [[50, 50]], 0.04, 1),
                                 measured("pipecat", 1, [[200, 160]], 0.16, 1)])
        self.assertEqual(report.ratios(rows), [{"sessions": 1, "cpu": 0.125, "round_trip": 0.25, "sound": 0.25}])
        self.assertIn("0.25 of its round trip", report.table(rows))

    def test_a_server_that_never_answered_has_no_ratio(self):
        rows = report.summarise([measured("repartee", 1, [[50, 40]], 0.01, 1), measured("pipecat", 1, [None], 0.1, 1)])
        self.assertIsNone(report.ratios(rows)[0]["round_trip"])
        self.assertIn("- of its round trip", report.table(rows))


class ProcessTests(unittest.TestCase):
    def test_times_of_ps_are_seconds(self):
        self.assertAlmostEqual(servers.seconds("0:01.25"), 1.25)
        self.assertAlmostEqual(servers.seconds("01:02:03"), 3_723)
        self.assertAlmostEqual(servers.seconds("1-00:00:01"), 86_401)

    def test_a_process_says_what_it_uses(self):
        class Here(servers.Server):
            def __init__(self):
                self._process = type("Process", (), {"pid": os.getpid()})

        before, memory = Here().usage()
        while Here().usage()[0] < before + 0.05:
            pass
        self.assertTrue(1 < memory < 1_000)


if __name__ == "__main__":
    unittest.main(verbosity=1)
