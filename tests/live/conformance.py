# SPDX-License-Identifier: BSD-2-Clause
"""What the conformance checks share: their list, the programs, and asking in every way."""

import collections
import concurrent.futures
import os
import socket
import struct
import time
import traceback

import live
from conformance_upstream import CERTIFICATE, TLS_NAME, Upstream
from conformance_wire import Message

PATIENCE = 10.0  # Seconds for an answer: only a matter of a slow machine.
SILENCE = 0.5  # Seconds in which an answer that must not come would have come.

# All that the checks are asked over. They run beside one another, so each has addresses of its own.
Variant = collections.namedtuple("Variant", "name listen place workers is_tls")
VARIANTS = {
    "ipv4": Variant("ipv4", "127.0.0.1", "127.0.0.", 1, False),
    "ipv6": Variant("ipv6", "::1", "fd00::", 2, False),
    "workers": Variant("workers", "127.0.3.1", "127.0.3.", 4, False),
    "tls": Variant("tls", "127.0.4.1", "127.0.4.", 1, True),
}

# Servers that misbehave have zones of their own, lest they spoil the others' answers.
UPSTREAMS = ("usual", "trusted", "failing", "fading", "plain", "cookie", "silent", "mute", "line",
             "away", "idle")

Check = collections.namedtuple(
    "Check", "rfc section sentence function is_slow is_udp document")

checks = []
upstreams = {}
variant = VARIANTS["ipv4"]


def check(rfc, section, sentence, slow=False, udp=False, document=None):
    """Names a check. Slow ones, which wait for time to pass, run beside the others; `udp` says
    that upstream has to be asked by UDP for it; `document` says where it is written what we do on
    purpose, where the RFC leaves or wants it otherwise."""

    def add(function):
        checks.append(Check(rfc, section, sentence, function, slow, udp, document))
        return function

    return add


def upstream(name="usual"):
    return upstreams[name]


def count_calmly(name, server_name="usual", qtype=None):
    """How often upstream was asked, once nothing more comes: on a busy machine a question may be
    asked twice, and the second time arrive when the first has been answered."""
    found = None
    while found != (found := len(upstream(server_name).asked(name, qtype))):
        time.sleep(0.15)
    return found


def variant_now():
    return variant


def place(number):
    """An address on the upstreams' side."""
    return f"{variant.place}{number}"


def conf():
    port = f"@853#{TLS_NAME}" if variant.is_tls else ""
    servers = {name: place(n) + port for n, name in enumerate(UPSTREAMS, start=2)}
    # What is asked in clear elsewhere than on this host is to be trusted on purpose only.
    trust = "yes" if variant.is_tls or place(1).startswith("127.") else "insecurely"
    text = f"""
listen = {variant.listen}
upstreams = {servers["usual"]}
control_socket = {control_socket()}
workers = {variant.workers}
tcp_idle = 1s
udp_answer_max = 1232
metrics_listen =
list_tests = no
ahead = no
"""
    for name in UPSTREAMS[1:]:
        text += f"[upstream {name}]\nservers = {servers[name]}\n"
        text += f"trust_ad = {trust}\n" if name == "trusted" else ""
        text += f"[zone {name}.example]\nupstream = {name}\n"
    return text


def control_socket():
    return f"{live.SOCKET}.{variant.name}"


def programs_start(name):
    global variant  # pylint: disable=global-statement
    variant = VARIANTS[name]
    for number, server in enumerate(UPSTREAMS, start=2):
        if ":" in place(number):
            live.run_quietly("addresses", "ip", "address", "add", place(number), "dev", "lo",
                             "nodad")
        upstreams[server] = Upstream(place(number), variant.is_tls)
    return live.Daemon(
        f"mxcache-{name}", conf(), server=(variant.listen, 53),
        env=dict(os.environ, SSL_CERT_FILE=str(CERTIFICATE)),
    ).wait_ready()


def family():
    return socket.AF_INET6 if ":" in variant.listen else socket.AF_INET


def udp_open(patience=PATIENCE):
    sock = socket.socket(family(), socket.SOCK_DGRAM)
    sock.settimeout(patience)
    return sock


def server():
    return (variant.listen, 53)


def send_udp(message, patience=PATIENCE):
    """One datagram, and what comes back; None for silence."""
    with udp_open(patience) as sock:
        sock.connect(server())
        sock.send(message)
        try:
            return Message(sock.recv(65535))
        except TimeoutError:
            return None


def send_udp_all(messages, patience=PATIENCE):
    """Many datagrams at once, and the replies by id, until all have come or none does."""
    replies = {}
    with udp_open(patience) as sock:
        sock.connect(server())
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
        self.sock = socket.create_connection(server(), PATIENCE)
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


def in_order(found):
    """The checks by RFC and section."""
    return sorted(found, key=lambda row: (int(row.rfc), [int(n) for n in row.section.split(".")]))


def rows():
    """The checks as rows of the table in doc/reliability.md."""
    for row in in_order(checks):
        told = [row.document] if row.document else []
        told += ["upstream by UDP"] if row.is_udp else []
        told = f" ({'; '.join(told)})" if told else ""
        yield f"| {row.rfc} | {row.section} | {row.sentence}{told} |"


def _play(row):
    try:
        row.function()
        return None
    except Exception:  # pylint: disable=broad-except
        return traceback.format_exc()


def run_all(names=()):
    """Runs each check, failed ones too; prints what went wrong. `names` of functions: only they."""
    started = time.monotonic()
    wanted = [row for row in checks if not (row.is_udp and variant.is_tls)]
    wanted = [row for row in wanted if not names or row.function.__name__ in names]
    quick = [row for row in wanted if not row.is_slow]
    slow = [row for row in wanted if row.is_slow]
    with concurrent.futures.ThreadPoolExecutor(len(slow) or 1) as pool:
        waiting = {row: pool.submit(_play, row) for row in slow}
        results = {row: _play(row) for row in quick}
        results.update((row, future.result()) for row, future in waiting.items())
    failed = [row for row in in_order(wanted) if results[row]]
    for row in failed:
        print(f"---- {variant.name}: RFC {row.rfc} {row.section} {row.sentence}\n{results[row]}")
    errors = [error for one in upstreams.values() for error in one.errors]
    print("".join(f"---- upstream: {error}" for error in errors), end="")
    print(f"{variant.name}: {len(wanted)} checks in {time.monotonic() - started:.1f} s, "
          f"{len(failed)} failed")
    live.expect(not errors, f"{len(errors)} questions that a rule did not understand")
    live.expect(not failed, f"{len(failed)} of {len(wanted)} conformance checks failed")
