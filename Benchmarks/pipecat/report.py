"""Figures of the comparison: percentiles, ratios, spread.

usage: report.py [--undisturbed] FILE…

Several runs' JSON files are taken as one. With --undisturbed a question counts only if it was not disturbed on any side.
"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from measuring import percentile  # noqa: E402

# Pipecat ends a turn that Smart Turn called incomplete after 3 s of silence, so an answer within less was to a turn that
# was called complete at once.
FALLBACK_MS = 3_000
# A question counts as disturbed when programs that are not measured took more than this, in cores, until the answer began.
DISTURBED_CORES = 0.2


def figures(values):
    """n, min, p50, p90 and max of milliseconds."""
    if not values:
        return {"n": 0}
    return {"n": len(values), "min": min(values), "p50": percentile(0.5, values), "p90": percentile(0.9, values),
            "max": max(values)}


def answered(results):
    return [result["v2v_ms"] for result in results if result["v2v_ms"] is not None]


def is_disturbed(result):
    return result["other_cores"] > DISTURBED_CORES


def undisturbed(rounds):
    """The rounds without the questions that were disturbed on any side."""
    def keeps(each, index):
        return not any(is_disturbed(results[index]) for results in each.values())

    return [{side: [result for index, result in enumerate(results) if keeps(each, index)] for side, results in each.items()}
            for each in rounds]


def summarise(rounds):
    """A row for each side. `rounds` is a list of {side: [result of question 0, …]}, the sides the same in each; the first
    side is what the others are compared with."""
    sides = list(rounds[0])
    baseline = [result["v2v_ms"] for each in rounds for result in each[sides[0]]]
    rows = []
    for side in sides:
        results = [result for each in rounds for result in each[side]]
        own = [result["v2v_ms"] for result in results]
        pairs = [(mine, other) for mine, other in zip(own, baseline) if mine is not None and other is not None]
        prompt = [(mine, other) for mine, other in pairs if other < FALLBACK_MS]
        row = {
            "side": side, "questions": len(results), "false_starts": sum(result["false_start"] for result in results),
            "unanswered": sum(result["v2v_ms"] is None and not result["false_start"] for result in results),
            "v2v_ms": figures(answered(results)),
            "prompt_v2v_ms": figures([mine for mine, _ in prompt]),
            "p50_of_rounds_ms": [percentile(0.5, answered(each[side])) for each in rounds],
        }
        if pairs:
            row["ratio_of_p50"] = row["v2v_ms"]["p50"] / percentile(0.5, [value for value in baseline if value is not None])
            row["median_ratio"] = percentile(0.5, [mine / other for mine, other in pairs])
        if prompt:
            row["prompt_ratio_of_p50"] = row["prompt_v2v_ms"]["p50"] / percentile(0.5, [other for _, other in prompt])
        rows.append(row)
    return rows


def table(rows):
    """The rows as a Markdown table."""
    def cells(values):
        return "| " + " | ".join(values) + " |"

    def number(value, digits=0):
        return "-" if value is None else f"{value:.{digits}f}"

    lines = [
        cells(["V2V, ms", "questions", "answered", "false starts", "min", "p50", "p90", "max", "p50 of the rounds", "p50 / Pipecat's",
               "question by question", "answered at once: n", "p50", "p50 / Pipecat's"]),
        "|" + "---|" * 14,
    ]
    for row in rows:
        all_of_them, prompt = row["v2v_ms"], row["prompt_v2v_ms"]
        lines.append(cells(
            [row["side"], str(row["questions"]), str(all_of_them["n"]), str(row["false_starts"])]
            + [number(all_of_them.get(key)) for key in ("min", "p50", "p90", "max")]
            + [", ".join(number(value) for value in row["p50_of_rounds_ms"]), number(row.get("ratio_of_p50"), 2),
               number(row.get("median_ratio"), 2), str(prompt["n"]), number(prompt.get("p50")),
               number(row.get("prompt_ratio_of_p50"), 2)]))
    return "\n".join(lines)


def main():
    rounds, paths = [], [argument for argument in sys.argv[1:] if argument != "--undisturbed"]
    for path in paths:
        with open(path, encoding="utf-8") as stream:
            rounds += json.load(stream)["rounds"]
    if not rounds:
        sys.exit(__doc__)
    print(table(summarise(undisturbed(rounds) if "--undisturbed" in sys.argv else rounds)))


if __name__ == "__main__":
    main()
