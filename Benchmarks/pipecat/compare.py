"""Pipecat and Repartee on the same questions, in turn, on one machine. `run` sets up what this needs; README.md explains it."""

import argparse
import asyncio
import json
import os
import platform
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import caller  # noqa: E402
import questions  # noqa: E402
import report  # noqa: E402
import sides  # noqa: E402
from measuring import busy_time  # noqa: E402

# What a side has to finish a conversation before it is suspended.
TEARDOWN_S = 1.0
ATTEMPTS = 3


async def measure(side, block):
    """One conversation with a side that is otherwise suspended; returns its results and what the side and the client used."""
    def own_times():
        return side.processor_time(), sum(os.times()[:2])

    side.resume()
    began, before = time.monotonic(), own_times()
    try:
        results, late_s = await caller.converse(
            side.url, side.make_wire(), block, lambda: busy_time() - sum(own_times()))
        seconds = time.monotonic() - began
        server, client = [(after - earlier) / seconds for earlier, after in zip(before, own_times())]
        await asyncio.sleep(TEARDOWN_S)
    finally:
        side.suspend()
    return results, {"seconds": round(seconds, 1), "side_cores": round(server, 3), "client_cores": round(client, 3),
                     "microphone_late_ms": round(late_s * 1000, 1)}


async def measure_in_peace(side, block):
    """As `measure`; once more, and then once again, when other programs disturbed it. The last time counts."""
    for attempt in range(1, ATTEMPTS + 1):
        results, state = await measure(side, block)
        if not any(report.is_disturbed(result) for result in results):
            break
    return results, {"attempts": attempt, **state}


async def compare(options):
    asked = questions.spoken(options.speech, options.repartee)[options.first:][:options.questions]
    running = []
    try:
        for name in options.sides:
            make = sides.pipecat if name == "pipecat" else lambda *rest, policy=name: sides.repartee(policy, *rest)
            running.append(make(options.out, options))
            await measure(running[-1], asked[:1])  # the first conversation of a process is not counted
        rounds, machine = [], []
        for number in range(options.rounds):
            results = {side.name: [] for side in running}
            for start in range(0, len(asked), options.block):
                turn = (number + start // options.block) % len(running)
                for side in running[turn:] + running[:turn]:
                    said, state = await measure_in_peace(side, asked[start:start + options.block])
                    results[side.name] += said
                    machine.append({"side": side.name, "round": number, **state})
                    for result in said:
                        print(f"{side.name:12} {result['v2v_ms'] or '-':>8}  {result['text'][:40]:40}  heard: {result['heard']}",
                              file=sys.stderr, flush=True)
            rounds.append(results)
        return rounds, machine
    finally:
        for side in running:
            side.end()


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as stream:
        names = [line.split(":", 1)[1].strip() for line in stream if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores"


def main():
    parser = argparse.ArgumentParser(prog="run", description="Pipecat and Repartee on the same questions, in turn.")
    parser.add_argument("--sides", default="pipecat,interleaved,speculative", type=lambda text: text.split(","),
                        help="what is compared, the first being the measure: pipecat, or a policy of Repartee")
    parser.add_argument("--questions", type=int, default=20, help="questions of each round, up to 20")
    parser.add_argument("--first", type=int, default=0, help="the first of them, from 0")
    parser.add_argument("--rounds", type=int, default=2, help="how often each side is asked all of them")
    parser.add_argument("--block", type=int, default=5, help="questions of one conversation; then the next side has its turn")
    parser.add_argument("--threads", type=int, default=2, help="threads of Pipecat's language model; Repartee takes 2 on two cores")
    parser.add_argument("--recognizer", default="pocketsphinx", help="of both sides: pocketsphinx or starter-en")
    parser.add_argument("--system-prompt", default="Answer in one short sentence.")
    parser.add_argument("--max-tokens", type=int, default=32)
    parser.add_argument("--repartee", required=True, help="the release binary")
    parser.add_argument("--llama-server", required=True)
    parser.add_argument("--language-model", required=True, help="a GGUF file, the same for both")
    parser.add_argument("--speech", required=True, help="a folder for the spoken questions")
    parser.add_argument("--out", required=True, help="a folder for results and logs")
    options = parser.parse_args()
    if not 0 <= options.first < 20 or options.questions < 1:
        parser.error("--first is from 0 to 19 and --questions at least 1")
    os.makedirs(options.out, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that no suspended process stays behind
    rounds, machine = asyncio.run(compare(options))
    rows = report.summarise(rounds)
    result = {"when": time.strftime("%F %T %Z"), "processor": processor(), "python": platform.python_version(),
              "options": vars(options), "summary": rows, "machine": machine, "rounds": rounds}
    path = os.path.join(options.out, "results.json")
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(result, stream, indent=1)
    print(report.table(rows))
    print(f"the microphone was at most {max(state['microphone_late_ms'] for state in machine)} ms late; results: {path}",
          file=sys.stderr)


if __name__ == "__main__":
    main()
