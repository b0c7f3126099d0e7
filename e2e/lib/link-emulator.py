"""A point-to-point link between two network namespaces with one-way delay, loss, rate and a bounded queue.

netem is missing from many kernels that run CI, so packets pass this process: one TUN device in each namespace,
one queue per direction. Started by link-emulator.ts: `python3 link-emulator.py JSON`. Prints one JSON line when
the link is up; each line of stdin changes settings or asks for counters; ends with its stdin. Needs CAP_NET_ADMIN
and CAP_SYS_ADMIN. No jitter and no reordering: packets leave in the order in which they came. Standard library only.
"""
import collections
import ctypes
import fcntl
import json
import os
import random
import select
import struct
import subprocess
import sys
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x1001
# Packets read from one device before the other is looked at.
READ_BATCH = 64
# What may be on the way in one direction when no rate bounds it: more than any test's bandwidth-delay product.
MAX_IN_FLIGHT_BYTES = 64 << 20


class Direction:
    """The way from one device to the other; times are seconds of the monotonic clock."""

    def __init__(self, settings, seed):
        self.settings = dict(settings)
        self.random = random.Random(seed)
        self.packets = collections.deque()
        self.in_flight_bytes = 0
        self.sender_free_at = 0.0
        self.last_due_at = 0.0
        self.counters = {"sent": 0, "lost": 0, "overflowed": 0, "maxWaitingBytes": 0}

    def accept(self, packet, now):
        """Queues a packet, or drops it by chance or because the queue is full."""
        if self.random.random() * 100 < self.settings["lossPercent"]:
            self.counters["lost"] += 1
            return
        bytes_per_second = self.settings["rateMbit"] * 125_000
        start = max(now, self.sender_free_at)
        waiting_bytes = (start - now) * bytes_per_second if bytes_per_second else 0
        if waiting_bytes + len(packet) > self.settings["queueBytes"] or self.in_flight_bytes > MAX_IN_FLIGHT_BYTES:
            self.counters["overflowed"] += 1
            return
        self.counters["maxWaitingBytes"] = max(self.counters["maxWaitingBytes"], round(waiting_bytes + len(packet)))
        self.sender_free_at = start + (len(packet) / bytes_per_second if bytes_per_second else 0)
        # A delay that was lowered meanwhile must not let packets overtake.
        self.last_due_at = max(self.last_due_at, self.sender_free_at + self.settings["delayMs"] / 1000)
        self.packets.append((self.last_due_at, packet))
        self.in_flight_bytes += len(packet)

    def release(self, now, device):
        """Writes every packet that is due."""
        while self.packets and self.packets[0][0] <= now:
            _, packet = self.packets.popleft()
            self.in_flight_bytes -= len(packet)
            try:
                os.write(device, packet)
                self.counters["sent"] += 1
            except OSError:
                # The namespace's interface is down or its queue full: the packet is lost, as on any link.
                self.counters["overflowed"] += 1

    def next_due_at(self):
        return self.packets[0][0] if self.packets else None


def enter_namespace(name):
    libc = ctypes.CDLL("libc.so.6", use_errno=True)
    handle = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        if libc.setns(handle, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter the namespace {name}")
    finally:
        os.close(handle)


def open_device(end, device_name, mtu):
    """Opens a TUN device inside the namespace of one end, with its address and its peer's."""
    enter_namespace(end["namespace"])
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22s", device_name.encode(), IFF_TUN_NO_PI, b""))
    for command in (
        ["ip", "addr", "add", end["address"], "peer", end["peerAddress"], "dev", device_name],
        ["ip", "link", "set", device_name, "mtu", str(mtu), "txqueuelen", "10000", "up"],
    ):
        subprocess.run(command, check=True)
    return device


def obey(line, directions):
    """Carries out one line of stdin: new settings per direction, or a question for the counters."""
    command = json.loads(line)
    for name, direction in directions.items():
        direction.settings.update(command.get(name, {}))
    answer({"event": "counters", **{name: one.counters for name, one in directions.items()}})


def answer(value):
    print(json.dumps(value), flush=True)


def read_packets(device, direction):
    for _ in range(READ_BATCH):
        try:
            packet = os.read(device, 65_535)
        except BlockingIOError:
            return
        direction.accept(packet, time.monotonic())


def run(config):
    left = open_device(config["left"], config["deviceName"], config["mtu"])
    right = open_device(config["right"], config["deviceName"], config["mtu"])
    directions = {
        "leftToRight": Direction(config["leftToRight"], config["seed"]),
        "rightToLeft": Direction(config["rightToLeft"], config["seed"] + 1),
    }
    ways = [(left, right, directions["leftToRight"]), (right, left, directions["rightToLeft"])]
    control = sys.stdin.fileno()
    pending = b""
    answer({"event": "ready"})
    while True:
        due = [at for at in (way.next_due_at() for _, _, way in ways) if at is not None]
        timeout = max(0, min(due) - time.monotonic()) if due else None
        readable, _, _ = select.select([left, right, control], [], [], timeout)
        if control in readable:
            chunk = os.read(control, 65_536)
            if not chunk:
                return
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                obey(line, directions)
        for source, target, way in ways:
            if source in readable:
                read_packets(source, way)
            way.release(time.monotonic(), target)


if __name__ == "__main__":
    run(json.loads(sys.argv[1]))
