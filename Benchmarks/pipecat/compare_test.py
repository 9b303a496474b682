"""Tests of what decides the figures; standard library only.

usage: python3 Benchmarks/pipecat/compare_test.py
"""

import array
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import player  # noqa: E402
import questions  # noqa: E402
import report  # noqa: E402


def pcm(*parts):
    """16-bit audio of (samples, amplitude) parts."""
    return array.array("h", [amplitude for count, amplitude in parts for _ in range(count)]).tobytes()


class PlayerTests(unittest.TestCase):
    def test_silence_before_the_first_sound_counts(self):
        loudspeaker = player.Player()
        loudspeaker.take(pcm((1_600, 0), (160, 501)), 10.0)
        self.assertAlmostEqual(loudspeaker.onset(9.0), 10.1)
        self.assertAlmostEqual(loudspeaker.silent_since(), 10.11, places=3)

    def test_audio_that_comes_early_waits_for_its_turn(self):
        loudspeaker = player.Player()
        loudspeaker.take(pcm((3_200, 0)), 10.0)
        loudspeaker.take(pcm((160, 1_000)), 10.01)
        self.assertAlmostEqual(loudspeaker.onset(9.0), 10.2)
        self.assertEqual(loudspeaker.pending(10.11), 1_600)

    def test_audio_that_comes_late_is_played_at_once(self):
        loudspeaker = player.Player()
        loudspeaker.take(pcm((160, 0)), 10.0)
        loudspeaker.take(pcm((160, 1_000)), 11.0)
        self.assertAlmostEqual(loudspeaker.onset(9.0), 11.0)

    def test_what_is_at_the_threshold_is_not_audible(self):
        loudspeaker = player.Player()
        loudspeaker.take(pcm((160, 500), (160, -500)), 10.0)
        self.assertIsNone(loudspeaker.onset(0))
        self.assertFalse(loudspeaker.heard_between(0, 100))

    def test_only_sound_after_the_question_is_its_answer(self):
        loudspeaker = player.Player()
        loudspeaker.take(pcm((160, 1_000)), 10.0)
        loudspeaker.take(pcm((160, 1_000)), 12.0)
        self.assertAlmostEqual(loudspeaker.onset(11.0), 12.0)
        self.assertTrue(loudspeaker.heard_between(9.9, 10.5))
        self.assertFalse(loudspeaker.heard_between(10.5, 11.5))

    def test_a_cut_silences_what_was_not_played(self):
        loudspeaker = player.Player()
        loudspeaker.take(pcm((16_000, 0), (16_000, 1_000)), 10.0)
        loudspeaker.cut(10.5)
        self.assertIsNone(loudspeaker.onset(9.0))
        loudspeaker.take(pcm((160, 1_000)), 10.6)
        self.assertAlmostEqual(loudspeaker.onset(9.0), 10.6)


class ReportTests(unittest.TestCase):
    @staticmethod
    def results(*values):
        """None is no answer, "early" a false start."""
        return [{"v2v_ms": None if value == "early" else value, "false_start": value == "early"} for value in values]

    def test_percentiles_lie_between_values(self):
        self.assertEqual(report.percentile(0.5, [4, 1, 3, 2]), 2.5)
        self.assertAlmostEqual(report.percentile(0.9, range(11)), 9)
        self.assertEqual(report.percentile(0.9, [7]), 7)
        self.assertIsNone(report.percentile(0.5, []))

    def test_ratios_and_counts(self):
        pipecat = self.results(1_000, 4_000, 1_200, None)
        ours = self.results(500, 800, "early", 600)
        rows = report.summarise([{"pipecat": pipecat, "ours": ours}])
        self.assertEqual([row["side"] for row in rows], ["pipecat", "ours"])
        mine = rows[1]
        self.assertEqual((mine["questions"], mine["false_starts"], mine["unanswered"]), (4, 1, 0))
        self.assertEqual(rows[0]["unanswered"], 1)
        self.assertEqual(mine["v2v_ms"], {"n": 3, "min": 500, "p50": 600, "p90": 760, "max": 800})
        self.assertAlmostEqual(mine["ratio_of_p50"], 600 / 1_200)
        # Questions that both answered: 500 of 1000, 800 of 4000.
        self.assertAlmostEqual(mine["median_ratio"], 0.35)
        # Of these Pipecat answered one without its wait of 3 s.
        self.assertEqual(mine["prompt_v2v_ms"]["n"], 1)
        self.assertAlmostEqual(mine["prompt_ratio_of_p50"], 0.5)

    def test_rounds_are_taken_together_and_apart(self):
        rounds = [{"pipecat": self.results(1_000, 1_200)}, {"pipecat": self.results(2_000, 2_200)}]
        row = report.summarise(rounds)[0]
        self.assertEqual(row["p50_of_rounds_ms"], [1_100, 2_100])
        self.assertEqual(row["v2v_ms"]["p50"], 1_600)

    def test_a_question_that_was_disturbed_on_one_side_is_left_out_on_all(self):
        pipecat, ours = self.results(1_000, 2_000, 3_000), self.results(100, 200, 300)
        for result, cores in zip(pipecat + ours, [0.1, 0.5, 0.2, 0.0, 0.0, 0.3]):
            result["other_cores"] = cores
        quiet = report.undisturbed([{"pipecat": pipecat, "ours": ours}])[0]
        self.assertEqual([result["v2v_ms"] for result in quiet["pipecat"]], [1_000])
        self.assertEqual([result["v2v_ms"] for result in quiet["ours"]], [100])

    def test_a_side_that_never_answers_has_a_row(self):
        rows = report.summarise([{"pipecat": self.results(1_000), "ours": self.results(None)}])
        self.assertNotIn("ratio_of_p50", rows[1])
        self.assertEqual(len(report.table(rows).splitlines()), 4)


class QuestionTests(unittest.TestCase):
    def test_the_texts_are_those_of_the_v2v_benchmark(self):
        texts = questions.texts()
        self.assertEqual(len(set(texts)), 20)
        self.assertEqual(texts[0], "What is the capital of France")
        self.assertTrue(all(len(short) < len(long) for short, long in zip(texts[::2], texts[1::2])))


if __name__ == "__main__":
    unittest.main()
