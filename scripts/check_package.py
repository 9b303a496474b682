"""Checks what the compiler does not: imports carry an access level, are declared, and point to lower layers; every
target is compiled with the strict settings.

usage: python3 scripts/check_package.py
"""

import glob
import json
import os
import re
import subprocess
import sys

# The layers of docs and Package.swift, lowest first; a target depends on lower layers only, never on a sibling.
LAYERS = [
    {"CLlama", "CKernels", "CFlite", "CPocketSphinx", "COpus", "CSRTP", "COpenSSL"},
    {"VoiceCore"},
    {"WebRTC", "Audio", "Inference", "WebSocketClient", "YAMLReading", "WebClient", "Redis", "ServerPool"},
    {"Transports", "SpeechRecognition", "LanguageModels", "Tools", "SpeechSynthesis", "TurnDetection", "Cluster"},
    {"Conversation"},
    {"VoiceServer", "Simulation", "Evaluation"},
    {"Repartee"},
    {"Program", "HomeAssistant"},
]
# Targets in C, which have C's settings.
IN_C = {"CKernels"}
# Beside the layers: test support, allowed to see the words.
BESIDE = {"VoiceTesting": {"VoiceCore"}}

# Modules that come with the toolchain or the system.
PLATFORM = {
    "Swift", "_Concurrency", "CoreFoundation", "Foundation", "FoundationEssentials", "FoundationNetworking", "Glibc", "Musl", "Darwin",
    "Dispatch", "Synchronization", "Observation", "RegexBuilder", "Testing", "Accelerate", "AVFoundation", "os",
}

IMPORT = re.compile(r"^\s*(?:@[\w()]+\s+)*(public|package|internal|fileprivate|private)?\s*import\s+"
                    r"(?:(?:struct|class|enum|protocol|func|var|let|typealias|actor)\s+)?(\w+)")


def manifest():
    done = subprocess.run(["swift", "package", "dump-package"], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def dependencies(target):
    """The names of the modules that a target declares."""
    names = set()
    for dependency in target["dependencies"]:
        for kind in ("byName", "target", "product"):
            if kind in dependency:
                names.add(dependency[kind][0])
    return names


def folder(target):
    root = "Tests" if target["type"] == "test" else "Sources"
    return target.get("path") or os.path.join(root, target["name"])


def import_problems(target):
    allowed = dependencies(target) | PLATFORM | {target["name"]}
    for path in sorted(glob.glob(os.path.join(folder(target), "**", "*.swift"), recursive=True)):
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                match = IMPORT.match(line)
                if not match:
                    continue
                access, module = match.groups()
                if not access:
                    yield "%s:%d: the import of %s has no access level" % (path, number, module)
                if module not in allowed:
                    yield "%s:%d: %s is imported but not a dependency of %s" % (path, number, module, target["name"])


def layer_problems(target):
    rank = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    name = target["name"]
    own = {dependency for dependency in dependencies(target) if dependency in rank or dependency in BESIDE}
    if name in BESIDE:
        wrong = own - BESIDE[name]
    elif name in rank:
        wrong = {other for other in own if rank.get(other, len(LAYERS)) >= rank[name]}
    else:
        yield "%s is in no layer: add it to scripts/check_package.py" % name
        return
    for other in sorted(wrong):
        yield "%s depends on %s, which is not in a lower layer" % (name, other)


def setting_problems(target):
    given = json.dumps(target["settings"])
    for wanted in ("treatAllWarnings", "ExistentialAny", "InternalImportsByDefault", "MemberImportVisibility",
                   "NonisolatedNonsendingByDefault", "swiftLanguageMode"):
        if wanted not in given:
            yield "%s is compiled without %s" % (target["name"], wanted)


def c_setting_problems(target):
    given = json.dumps(target["settings"])
    for wanted in ("-Wall", "-Wextra", "-Werror"):
        if wanted not in given:
            yield "%s is compiled without %s" % (target["name"], wanted)


def main():
    found = []
    for target in manifest()["targets"]:
        if target["type"] not in ("test", "system"):
            found += layer_problems(target)
        if target["type"] != "system":
            found += import_problems(target)
            found += c_setting_problems(target) if target["name"] in IN_C else setting_problems(target)
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
