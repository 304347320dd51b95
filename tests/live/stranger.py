# SPDX-License-Identifier: BSD-2-Clause
"""Another host, one cable away: a network namespace of its own behind a veth pair.

It asks as any host does, sends whole frames that no kernel would, and sees every frame that comes
back.
"""

import ctypes
import os
import select
import socket
import struct
import subprocess
import threading
import time

import live
from live import expect, wait_until

OURS, THEIRS = "198.51.100.1", "198.51.100.9"
OURS6, THEIRS6 = "2001:db8:7::1", "2001:db8:7::9"
NEW_NETWORK = 0x40000000  # CLONE_NEWNET
ETHERTYPES = {socket.AF_INET: 0x0800, socket.AF_INET6: 0x86DD}
ALL_FRAMES = 3  # ETH_P_ALL

_libc = ctypes.CDLL(None, use_errno=True)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(source, source_port, target, payload, port=53):
    """A UDP datagram from IP header to payload, with whatever addresses."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    ends = socket.inet_pton(family, source) + socket.inet_pton(family, target)
    size = 8 + len(payload)
    pseudo = ends + struct.pack(">II", size, socket.IPPROTO_UDP)
    udp = struct.pack(">HHHH", source_port, port, size, 0) + payload
    udp = udp[:6] + struct.pack(">H", checksum(pseudo + udp) or 0xFFFF) + payload
    if family == socket.AF_INET6:
        return struct.pack(">IHBB", 6 << 28, size, socket.IPPROTO_UDP, 64) + ends + udp
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + size, 7, 0, 64, socket.IPPROTO_UDP, 0) + ends
    return head[:10] + struct.pack(">H", checksum(head)) + ends + udp


def is_from_53(frame):
    """Does it carry what a DNS server says, or how it opens a line? An ICMP error does not."""
    ethertype, = struct.unpack_from(">H", frame, 12)
    if ethertype == 0x0800:
        protocol, at = frame[23], 14 + (frame[14] & 0xF) * 4
    elif ethertype == 0x86DD:
        protocol, at = frame[20], 54
    else:
        return False
    if protocol not in (socket.IPPROTO_UDP, socket.IPPROTO_TCP):
        return False
    if struct.unpack_from(">H", frame, at)[0] != 53:
        return False
    # Of TCP only what carries data.
    return protocol == socket.IPPROTO_UDP or len(frame) - at - (frame[at + 12] >> 4) * 4 > 0


class Stranger:
    def __init__(self):
        self.holder = subprocess.Popen(
            ("unshare", "--net", "sleep", "infinity"), stdin=subprocess.DEVNULL
        )
        own = os.readlink("/proc/self/ns/net")
        there = f"/proc/{self.holder.pid}/ns/net"
        wait_until(lambda: os.readlink(there) != own, "a network of the stranger's own")
        self.network = os.open(there, os.O_RDONLY | os.O_CLOEXEC)
        live.run_quietly("stranger", "sh", "-ec", f"""
            ip link add mx0 type veth peer name far0
            ip link set far0 netns {self.holder.pid}
            ip address add {OURS}/24 dev mx0
            ip -6 address add {OURS6}/64 dev mx0 nodad
            ip link set mx0 up
            nsenter --net=/proc/{self.holder.pid}/ns/net sh -ec '
                ip link set lo up
                ip address add {THEIRS}/24 dev far0
                ip -6 address add {THEIRS6}/64 dev far0 nodad
                ip link set far0 up'
        """)
        self.hardware = self.hardware_of("mx0"), self.inside(lambda: self.hardware_of("far0"))
        self.wire = self.inside(self.open_wire)

    @staticmethod
    def hardware_of(link):
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
            sock.bind((link, 0))
            return sock.getsockname()[4]

    @staticmethod
    def open_wire():
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_FRAMES))
        sock.bind(("far0", ALL_FRAMES))
        return sock

    def inside(self, function):
        """What `function` returns when it is called there: a socket stays of that network."""
        result = []

        def run():
            expect(_libc.setns(self.network, NEW_NETWORK) == 0, "no way into the other network")
            try:
                result.append(function())
            except OSError as error:
                result.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        if isinstance(result[0], OSError):
            raise result[0]
        return result[0]

    def put(self, *packets):
        """On the wire, as they are."""
        ours, theirs = self.hardware
        for bytes_ in packets:
            family = socket.AF_INET6 if bytes_[0] >> 4 == 6 else socket.AF_INET
            self.wire.send(ours + theirs + struct.pack(">H", ETHERTYPES[family]) + bytes_)

    def frames(self, patience):
        """What has come, and comes in that time."""
        found, end = [], time.monotonic() + patience
        while select.select([self.wire], [], [], max(0.0, end - time.monotonic()))[0]:
            frame, (_, _, way, *_) = self.wire.recvfrom(65535)
            if way != socket.PACKET_OUTGOING:
                found.append(frame)
        return found
