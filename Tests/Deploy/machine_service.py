"""Deploy/systemd: what systemd's own tools say of the unit, in a root of its own."""

import configparser
import os
import re
import shutil
import subprocess
import tempfile

from report import check, drain_timeout, skip, unknown_options

UNIT = "repartee@.service"
# Of 10, as `systemd-analyze security` reckons: 0 is confined from everything.
MOST_EXPOSED = 1.5
MOST_EXPOSED_WITH_GPU = 2.0


def analyze(root, *arguments):
    return subprocess.run(["systemd-analyze", arguments[0], "--root=" + root, *arguments[1:]], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def make_root(root):
    """A tree with systemd's own units, ours, and a program in place of the binary."""
    system = root + "/etc/systemd/system"
    for folder in (system, root + "/usr/lib", root + "/opt/repartee", root + "/etc/repartee"):
        os.makedirs(folder)
    shutil.copytree("/usr/lib/systemd/system", root + "/usr/lib/systemd/system", symlinks=True)
    os.symlink("usr/lib", root + "/lib")
    shutil.copy("/bin/true", root + "/opt/repartee/repartee")
    shutil.copy("Deploy/systemd/" + UNIT, system)
    return system


def exposure(root):
    done = analyze(root, "security", "--offline=yes", "repartee@serve.service")
    level = re.search(r"exposure level for .*: ([0-9.]+)", done.stdout)
    return float(level[1]) if level else 10.0


def checks():
    if not shutil.which("systemd-analyze"):
        skip("the systemd unit", "there is no systemd")
        return
    with tempfile.TemporaryDirectory() as root:
        system = make_root(root)
        for instance in ("serve", "serve-asr", "serve-tts", "serve-llm"):
            done = analyze(root, "verify", "repartee@%s.service" % instance)
            check("systemd takes repartee@%s" % instance, done.returncode == 0 and not done.stdout.strip(), done.stdout)
        level = exposure(root)
        check("it is exposed by %.1f of 10" % level, level <= MOST_EXPOSED, level)
        os.mkdir(system + "/repartee@.service.d")
        shutil.copy("Deploy/systemd/gpu.conf", system + "/repartee@.service.d")
        done = analyze(root, "verify", "repartee@serve.service")
        level = exposure(root)
        check("with a GPU by %.1f" % level, done.returncode == 0 and not done.stdout.strip() and level <= MOST_EXPOSED_WITH_GPU, done.stdout)
        with open(system + "/" + UNIT, "a", encoding="utf-8") as file:
            file.write("[Service]\nRestrt=always\n")
        check("a wrong key is found", "Restrt" in analyze(root, "verify", "repartee@serve.service").stdout)
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read("Deploy/systemd/" + UNIT)
    service = unit["Service"]
    check("it is killed after it has drained", int(service["TimeoutStopSec"]) >= drain_timeout("Deploy/docker/agent.yaml") + 30)
    with open("Deploy/systemd/serve.env", encoding="utf-8") as file:
        options = re.search(r"^OPTIONS=(.*)$", file.read(), re.M)[1]
    unknown = unknown_options(["serve", *options.split()])
    check("the binary knows the options of serve.env", not unknown, unknown)
