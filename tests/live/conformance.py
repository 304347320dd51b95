# SPDX-License-Identifier: BSD-2-Clause
"""What the conformance checks share: their list, the programs, and asking in every way."""

import collections
import concurrent.futures
import socket
import struct
import time
import traceback

import live
from conformance_upstream import Upstream
from conformance_wire import Message

SERVER = ("127.0.0.1", 53)
PATIENCE = 10.0  # Seconds for an answer: only a matter of a slow machine.
SILENCE = 0.5  # Seconds in which an answer that must not come would have come.

# Servers that misbehave have zones of their own, lest they spoil the others' answers.
CONF = f"""
listen = 127.0.0.1
upstreams = 127.0.0.2
control_socket = {live.SOCKET}
tcp_idle = 1s
udp_answer_max = 1232
metrics_listen =
list_tests = no
ahead = no
[upstream trusted]
servers = 127.0.0.3
trust_ad = yes
[zone trusted.example]
upstream = trusted
[upstream failing]
servers = 127.0.0.4
[zone failing.example]
upstream = failing
[upstream fading]
servers = 127.0.0.5
[zone fading.example]
upstream = fading
[upstream plain]
servers = 127.0.0.6
[zone plain.example]
upstream = plain
[upstream cookie]
servers = 127.0.0.7
[zone cookie.example]
upstream = cookie
[upstream silent]
servers = 127.0.0.8
[zone silent.example]
upstream = silent
[upstream mute]
servers = 127.0.0.9
[zone mute.example]
upstream = mute
"""

Check = collections.namedtuple("Check", "rfc section sentence function is_slow document")

checks = []
upstreams = {}


def check(rfc, section, sentence, slow=False, document=None):
    """Names a check. Slow ones, which wait for time to pass, run beside the others; `document`
    says where it is written what we do on purpose, where the RFC leaves or wants it otherwise."""

    def add(function):
        checks.append(Check(rfc, section, sentence, function, slow, document))
        return function

    return add


def upstream(name="usual"):
    return upstreams[name]


def programs_start():
    names = ("usual", "trusted", "failing", "fading", "plain", "cookie", "silent", "mute")
    for number, name in enumerate(names, start=2):
        upstreams[name] = Upstream(f"127.0.0.{number}")
    return live.Daemon("mxcache", CONF).wait_ready()


def send_udp(message, patience=PATIENCE):
    """One datagram, and what comes back; None for silence."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(patience)
        sock.connect(SERVER)
        sock.send(message)
        try:
            return Message(sock.recv(65535))
        except TimeoutError:
            return None


def send_udp_all(messages, patience=PATIENCE):
    """Many datagrams at once, and the replies by id, until all have come or none does."""
    replies = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(patience)
        sock.connect(SERVER)
        for start in range(0, len(messages), 32):
            batch = messages[start : start + 32]
            for message in batch:
                sock.send(message)
            try:
                for _ in batch:
                    reply = Message(sock.recv(65535))
                    replies[reply.id] = reply
            except TimeoutError:
                continue
    return replies


class Line:
    """A TCP connection to mxcache."""

    def __init__(self):
        self.sock = socket.create_connection(SERVER, PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, *messages):
        self.sock.sendall(b"".join(frame(message) for message in messages))

    def _read(self, size):
        data = b""
        while len(data) < size:
            piece = self.sock.recv(size - len(data))
            if not piece:
                return None
            data += piece
        return data

    def receive(self):
        """The next message, or None when the connection has been closed."""
        try:
            size = self._read(2)
            data = size and self._read(struct.unpack(">H", size)[0])
        except ConnectionResetError:
            return None
        return Message(data) if data else None


def frame(message):
    return struct.pack(">H", len(message)) + message


def send_tcp(message):
    with Line() as line:
        line.send(message)
        return line.receive()


def expect_rcode(reply, rcode, what):
    live.expect(reply is not None, f"{what}: no answer")
    live.expect_equal(reply.rcode, rcode, f"the rcode for {what}")
    return reply


def expect_silence(message, what):
    reply = send_udp(message, SILENCE)
    live.expect(reply is None, f"{what} was answered: {reply and reply.bytes!r}")


def in_order():
    """The checks by RFC and section."""
    return sorted(checks, key=lambda row: (int(row.rfc), [int(n) for n in row.section.split(".")]))


def rows():
    """The checks as rows of the table in doc/reliability.md."""
    for row in in_order():
        told = f" ({row.document})" if row.document else ""
        yield f"| {row.rfc} | {row.section} | {row.sentence}{told} |"


def _play(row):
    try:
        row.function()
        return None
    except Exception:  # pylint: disable=broad-except
        return traceback.format_exc()


def run_all():
    """Runs each check, failed ones too; prints the table, then what went wrong."""
    started = time.monotonic()
    quick = [row for row in checks if not row.is_slow]
    slow = [row for row in checks if row.is_slow]
    with concurrent.futures.ThreadPoolExecutor(len(slow) or 1) as pool:
        waiting = {row: pool.submit(_play, row) for row in slow}
        results = {row: _play(row) for row in quick}
        results.update((row, future.result()) for row, future in waiting.items())
    for row in in_order():
        told = f"  [{row.document}]" if row.document else ""
        verdict = "FAILED" if results[row] else "ok"
        print(f"{verdict:6}  RFC {row.rfc} {row.section:8} {row.sentence}{told}")
    failed = [row for row in checks if results[row]]
    for row in failed:
        print(f"---- RFC {row.rfc} {row.section} {row.sentence}\n{results[row]}")
    errors = [error for server in upstreams.values() for error in server.errors]
    print("".join(f"---- upstream: {error}" for error in errors))
    print(f"{len(checks)} checks in {time.monotonic() - started:.1f} s, {len(failed)} failed")
    live.expect(not errors, f"{len(errors)} questions that a rule did not understand")
    live.expect(not failed, f"{len(failed)} of {len(checks)} conformance checks failed")
