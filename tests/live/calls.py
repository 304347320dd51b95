# SPDX-License-Identifier: BSD-2-Clause
"""System calls that fail, clocks that jump: tests/support/failing_calls.c under a running program.

A `Calls` is one program's page of rules; its environment makes the program obey them.
"""

import errno
import mmap
import os
import pathlib
import shutil
import struct

import live

LIBRARY = "/usr/local/lib/failing_calls.so"
NAMES = (
    "send_udp", "send_tcp", "sendmmsg", "recv_udp", "recv_tcp", "recvmmsg", "accept", "connect",
    "socket", "read", "write", "fsync", "rename", "open", "close", "epoll_wait",
)  # fmt: skip
RULES_AT, RULE_SIZE = 16, 48
SHORT = -1
FOREVER = 1 << 40


def number_of(error):
    """Of an error's name."""
    return SHORT if error == "SHORT" else getattr(errno, error)


def prepare():
    shutil.copy2(live.BUILD / "tests/support/libfailing_calls.so", LIBRARY)


class Calls:
    """The page and what stands in it; nothing fails and no clock is shifted at first."""

    def __init__(self, name):
        self.path = pathlib.Path(f"/tmp/calls-{name}")
        self.path.write_bytes(bytes(mmap.PAGESIZE))
        self.path.chmod(0o666)
        with open(self.path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    def environment(self, **more):
        options = os.environ["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
        return {
            "PATH": os.environ["PATH"], "LD_PRELOAD": LIBRARY, "FAILING_CALLS": str(self.path),
            "ASAN_OPTIONS": options, **more,
        }  # fmt: skip

    def _at(self, call):
        return RULES_AT + NAMES.index(call) * RULE_SIZE

    def fail(self, call, error, per_mille=1000, count=FOREVER, first=0):
        """From its call number `first` on; an `error` of SHORT makes it do little."""
        at = self._at(call)
        struct.pack_into("=qqqqqq", self.page, at, error, 0, first, count, 0, 0)
        struct.pack_into("=q", self.page, at + 8, per_mille)

    def mend(self):
        for call in NAMES:
            struct.pack_into("=q", self.page, self._at(call) + 8, 0)

    def seen(self, call):
        return struct.unpack_from("=q", self.page, self._at(call) + 32)[0]

    def failed(self, call):
        return struct.unpack_from("=q", self.page, self._at(call) + 40)[0]

    def shift(self, wall_s=0.0, boot_s=0.0):
        """How far the clocks are off from now on: the wall's, and the one that counts sleep."""
        struct.pack_into("=qq", self.page, 0, int(wall_s * 1e6), int(boot_s * 1e6))
