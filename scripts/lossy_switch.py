#!/usr/bin/env python3
"""Joins hosts of their own by lines that delay, lose and break, in user space: it needs no netem.

    ip netns exec SWITCH lossy_switch.py SPACE...

Every network namespace named gets a device eth0; the first has the address 10.99.0.1, the next
10.99.0.2, and so on. What it reads, line by line:

    line HOST MILLISECONDS PERCENT   delay each way by so much, and lose so much of what passes
    down HOST, up HOST               break the line, mend it

Hosts count from 0. When its input ends, so does it, and says what passed and what was lost. Needs
root and /dev/net/tun. Which packets are lost follows from a seed and the order of packets.
"""

import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
# A line holds no more than this; what comes then is lost, as in a router.
PACKETS_WAITING_MAX = 2000


class Line:
    """One host's end: its device, and what is wrong with its line."""

    def __init__(self, number, space):
        self.device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        # Devices are made in the switch's own namespace, under names of their own, and moved.
        name = f"port{number}"
        fcntl.ioctl(self.device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
        for command in (
            f"ip link set {name} netns {space} name eth0",
            f"ip -n {space} address add 10.99.0.{number + 1}/24 dev eth0",
            f"ip -n {space} link set lo up",
            f"ip -n {space} link set eth0 up",
        ):
            subprocess.run(command.split(), check=True)
        self.is_up, self.seconds, self.loss = True, 0.0, 0.0


class Switch:
    """Takes packets from lines and gives them to others, late or never."""

    def __init__(self, spaces):
        self.lines = [Line(number, space) for number, space in enumerate(spaces)]
        self.chance = random.Random(1)
        self.waiting = []
        self.passed = self.lost = 0

    def take(self, source):
        """Reads what a host sends and decides what becomes of it."""
        while True:
            try:
                packet = os.read(source.device, 65536)
            except BlockingIOError:
                return
            if len(packet) < 20 or packet[0] >> 4 != 4:
                continue
            number = packet[19] - 1
            if packet[16:19] != bytes([10, 99, 0]) or not 0 <= number < len(self.lines):
                continue
            ends = (source, self.lines[number])
            is_lost = any(not end.is_up or self.chance.random() < end.loss for end in ends)
            if is_lost or len(self.waiting) >= PACKETS_WAITING_MAX * len(self.lines):
                self.lost += 1
                continue
            at = time.monotonic() + sum(end.seconds for end in ends)
            order = self.passed
            self.passed += 1
            heapq.heappush(self.waiting, (at, order, number, packet))

    def deliver(self):
        """Hands over what has waited long enough; answers how long the next has to wait."""
        while self.waiting:
            at, _, number, packet = self.waiting[0]
            left = at - time.monotonic()
            if left > 0:
                return left
            heapq.heappop(self.waiting)
            try:
                os.write(self.lines[number].device, packet)
            except OSError:
                self.lost += 1
        return None

    def obey(self, words):
        """One line of input."""
        line = self.lines[int(words[1])]
        if words[0] == "line":
            line.seconds, line.loss = float(words[2]) / 1000, float(words[3]) / 100
        else:
            line.is_up = words[0] == "up"

    def run(self):
        """Works until the input ends."""
        by_device = {line.device: line for line in self.lines}
        text = b""
        while True:
            ready, _, _ = select.select([0, *by_device], [], [], self.deliver())
            for device in ready:
                if device != 0:
                    self.take(by_device[device])
                    continue
                read = os.read(0, 4096)
                if not read:
                    return
                text += read
                *whole, text = text.split(b"\n")
                for words in whole:
                    self.obey(words.decode().split())


if __name__ == "__main__":
    switch = Switch(sys.argv[1:])
    print("ready", flush=True)
    switch.run()
    print(f"passed {switch.passed} lost {switch.lost}", flush=True)
