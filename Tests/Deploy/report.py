"""What all checks share: lines of the report, the settings that they compare with, the program's options."""

import os
import re
import subprocess

import yaml

BINARY = os.environ.get("REPARTEE", ".build/release/repartee")
# After drain_timeout_s the server says goodbye, for so long at most (VoiceServer.Configuration.goodbyeTimeout).
GOODBYE = 10
results = []
helps = {}


def check(name, claim, detail=""):
    results.append(bool(claim))
    print("%s  %s%s" % ("pass" if claim else "FAIL", name, "" if claim else "\n      " + str(detail)[:1500]), flush=True)


def skip(name, reason):
    print("skip  %s: %s" % (name, reason), flush=True)


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


def drain_timeout(path):
    """For how long the server of these settings drains, goodbye included."""
    return load(path).get("server", {}).get("drain_timeout_s", 3600) + GOODBYE


def unknown_options(arguments):
    """Those of a command line, without the program's name, that the binary does not know."""
    command = arguments[0]
    if command not in helps:
        done = subprocess.run([BINARY, command, "--help"], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        helps[command] = done.stdout if done.returncode == 0 and "USAGE: repartee " + command in done.stdout else None
    if helps[command] is None:
        return [command]
    known = set(re.findall(r"--[a-z][a-z-]*", helps[command]))
    return [word for word in (argument.split("=")[0] for argument in arguments[1:])
            if word.startswith("--") and word not in known]
