#!/usr/bin/env python3
"""What Pipecat 1.14 reads in scenario files, as the JSON that `repartee eval script --parse` prints; or a comparison of both.

usage: normalise.py FILE…                      prints what Pipecat reads
       normalise.py --compare BINARY FILE…     prints every file that both do not read alike; ends with 1 if there is one

Needs pipecat-ai 1.14.0 (scripts/pipecat-environment has it).
"""

import dataclasses
import json
import os
import subprocess
import sys
import warnings

from loguru import logger
from pipecat.evals.scenario import EvalScenarioFile, EvalScriptScenario

warnings.simplefilter("ignore")
logger.remove()


def scenario(value):
    if not isinstance(value, EvalScriptScenario):
        return {"name": value.name, "simulation": True}
    fields = dataclasses.asdict(value)
    del fields["source_path"]
    return fields


def load(path):
    file = EvalScenarioFile.load(path)
    return {"name": file.name, "path": path, "scenarios": [scenario(value) for value in file]}


def relative(file):
    """The file with its paths from its own folder on."""
    folder = os.path.dirname(os.path.realpath(file["path"]))
    for value in file["scenarios"]:
        for turn in value.get("turns", []):
            for key in ("audio", "image"):
                if turn[key]:
                    turn[key] = os.path.relpath(os.path.realpath(turn[key]), folder)
    return file


def compare(binary, paths):
    different = compared = refused = 0
    for path in paths:
        try:
            theirs = load(path)
        except ValueError as error:
            theirs = None
            reason = error
        done = subprocess.run([binary, "eval", "script", "--parse", path], capture_output=True, text=True, check=False)
        if theirs is None:
            refused += 1
            if done.returncode == 0:
                different += 1
                print("%s: Pipecat refuses it (%s), and Repartee reads it" % (path, reason))
            continue
        if done.returncode != 0:
            different += 1
            print("%s: Pipecat reads it, and Repartee says: %s" % (path, done.stderr.strip()))
            continue
        ours = json.loads(done.stdout)[0]
        compared += len(theirs["scenarios"])
        # JSON has one kind of number and no tuples.
        theirs, ours = json.loads(json.dumps(relative(theirs))), relative(ours)
        if ours != theirs:
            different += 1
            print("%s is read differently:\n  Pipecat:  %s\n  Repartee: %s" % (path, json.dumps(theirs), json.dumps(ours)))
    print("%d files, %d scenarios read, %d files refused by Pipecat, %d different" % (len(paths), compared, refused, different))
    return 1 if different else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--compare"]:
        sys.exit(compare(sys.argv[2], sys.argv[3:]))
    print(json.dumps([relative(load(path)) for path in sys.argv[1:]], indent=1, sort_keys=True))
