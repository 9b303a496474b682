"""Hosts on this machine, in network namespaces, joined by a network whose faults a test chooses.

Every packet between them passes through this process, by TUN devices, so that no module of the kernel is needed for delay and
loss (tc's netem often is not there).
"""

import collections
import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import subprocess
import threading
import time

# RFC 2544: addresses for tests of networks, which are not in use elsewhere.
SUBNET = "198.18.77.%d"
# linux/if_tun.h
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
MTU = 1500

Fault = collections.namedtuple("Fault", "delay loss", defaults=(0.0, 0.0))
# Nothing gets through.
CUT = Fault(loss=1.0)


def why_not():
    """Why there can be no such network here; None if there can."""
    if not os.path.exists("/dev/net/tun"):
        return "there is no /dev/net/tun"
    if os.geteuid() != 0:
        return "it takes root"
    name = "repartee-%d-try" % os.getpid()
    done = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return "network namespaces cannot be made: " + done.stderr.strip()
    subprocess.run(["ip", "netns", "del", name], check=False)
    return None


class Network:
    """The first host is this process's own namespace; `run` works until `close`."""

    def __init__(self, names, seed=1):
        self._random = random.Random(seed)
        self._faults = {}
        self._devices = {}
        self._addresses = {}
        self._namespaces = {}
        self.lost = 0
        self._stop = threading.Event()
        for number, name in enumerate(names, 1):
            self._add(name, SUBNET % number, None if number == 1 else "repartee-%d-%s" % (os.getpid(), name))
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _add(self, name, address, namespace):
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        interface = "rp%d" % (len(self._devices) + 1)
        fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH14x", interface.encode(), IFF_TUN | IFF_NO_PI))
        inside = []
        if namespace:
            run("ip", "netns", "add", namespace)
            run("ip", "link", "set", interface, "netns", namespace)
            inside = ["-n", namespace]
            run("ip", *inside, "link", "set", "lo", "up")
        run("ip", *inside, "addr", "add", address + "/24", "dev", interface)
        run("ip", *inside, "link", "set", interface, "mtu", str(MTU), "up")
        self._devices[name], self._addresses[name], self._namespaces[name] = device, address, namespace

    def address(self, name):
        return self._addresses[name]

    def command(self, name, *command):
        """A command line that runs a program on a host."""
        return ["ip", "netns", "exec", self._namespaces[name], *command] if self._namespaces[name] else list(command)

    def fault(self, one, other, fault):
        """From now on, both ways."""
        self._faults[(one, other)] = self._faults[(other, one)] = fault

    def heal(self):
        self._faults = {}

    def close(self):
        self._stop.set()
        self._thread.join()
        for device in self._devices.values():
            os.close(device)
        for namespace in filter(None, self._namespaces.values()):
            subprocess.run(["ip", "netns", "del", namespace], check=False)

    def _carry(self):
        names = {device: name for name, device in self._devices.items()}
        homes = {bytes(map(int, address.split("."))): name for name, address in self._addresses.items()}
        waiting, order = [], itertools.count()
        while not self._stop.is_set():
            pause = min(0.1, max(0.0, waiting[0][0] - time.monotonic())) if waiting else 0.1
            for device in select.select(list(names), [], [], pause)[0]:
                packet = receive(device)
                # IPv4 only, RFC 791 section 3.1.
                if not packet or packet[0] >> 4 != 4 or packet[16:20] not in homes:
                    continue
                target = homes[packet[16:20]]
                fault = self._faults.get((names[device], target), Fault())
                if self._random.random() < fault.loss:
                    self.lost += 1
                    continue
                heapq.heappush(waiting, (time.monotonic() + fault.delay, next(order), target, packet))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, target, packet = heapq.heappop(waiting)
                try:
                    os.write(self._devices[target], packet)
                except OSError:
                    # A full queue loses packets, as everywhere.
                    self.lost += 1


def receive(device):
    try:
        return os.read(device, MTU + 4)
    except OSError:
        return b""


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError("%s: %s" % (" ".join(command), done.stderr.strip()))
