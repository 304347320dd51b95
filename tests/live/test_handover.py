# SPDX-License-Identifier: BSD-2-Clause
"""Restarts under load, with a service manager that keeps the sockets: no question is lost.

The clients ask whether or not anybody answers, wait as libc does (5 s, two tries), and count
every answer that is missing, repeated for, SERVFAIL or wrong, and every connection that is refused
or closed without an answer. HANDOVER_QUESTIONS and HANDOVER_RATE set how many, and how many a
second.
"""

import collections
import errno
import os
import select
import signal
import socket
import struct
import threading
import time

import dnswire
import live
import manager
from live import expect, expect_equal, wait_until

SERVER = ("127.0.0.1", 53)
SECOND = ("127.0.0.7", 53)
UPSTREAM = "127.0.0.2@53"
QUESTIONS = int(os.environ.get("HANDOVER_QUESTIONS", "100000"))
RATE = float(os.environ.get("HANDOVER_RATE", "6000"))
SO_RCVBUFFORCE = 33  # Not in the standard library.
HOSTS = 200
SOCKETS = 16
OUTSTANDING_MAX = 3000
TRIES, TRY_S = 2, 5.0  # As libc.
UNKNOWN_EVERY = 8  # Each so many-th question is new, and waits for upstream.

ZONE = """
example.org. 3600 SOA ns.example.org. host.example.org. 1 3600 900 604800 300
far.example.org. 300 A 192.0.2.9
!delay far.example.org. 40ms
stalled.example.org. 300 A 192.0.2.10
!delay stalled.example.org. 1500ms
""" + "".join(f"h{n}.example.org. 3600 A 192.0.2.{n}\n" for n in range(HOSTS))

house = manager.Manager()
Question = collections.namedtuple("Question", "number tries due bytes")


def question_of(number):
    if number % UNKNOWN_EVERY == 0:
        return f"u{number}.far.example.org", dnswire.NXDOMAIN
    return f"h{number * 7919 % HOSTS}.example.org", dnswire.NOERROR


class Crowd(threading.Thread):
    """Many clients over UDP, at a steady rate."""

    def __init__(self, count):
        super().__init__(daemon=True)
        self.count, self.failures, self.answered, self.late = count, collections.Counter(), 0, 0.0
        self.waiting, self.sent_at = {}, {}
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(SOCKETS)]
        self.poll = select.epoll()
        for sock in self.sockets:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
            sock.connect(SERVER)
            self.poll.register(sock.fileno(), select.EPOLLIN)
        self.by_fd = {sock.fileno(): sock for sock in self.sockets}

    def send(self, number, tries):
        sock = self.sockets[number % SOCKETS]
        ident = number // SOCKETS & 0xFFFF
        name, _ = question_of(number)
        now = time.monotonic()
        self.waiting[sock.fileno(), ident] = (number, tries, now + TRY_S)
        self.sent_at.setdefault(number, now)
        try:
            sock.send(dnswire.query(name, "A", ident))
        except OSError as error:
            self.failures[f"send: {errno.errorcode[error.errno]}"] += 1

    def receive(self, sock):
        while True:
            try:
                message = sock.recv(4096)
            except BlockingIOError:
                return
            except OSError as error:
                self.failures[f"receive: {errno.errorcode[error.errno]}"] += 1
                continue
            ident, flags = struct.unpack_from(">HH", message)
            number, _, _ = self.waiting.pop((sock.fileno(), ident), (None, 0, 0))
            if number is None:
                self.failures["an answer that nobody waits for"] += 1
                continue
            self.answered += 1
            self.late = max(self.late, time.monotonic() - self.sent_at.pop(number))
            rcode = flags & 0xF
            if rcode != question_of(number)[1]:
                self.failures[f"rcode {rcode}"] += 1

    def repeat(self):
        now = time.monotonic()
        for key, (number, tries, due) in list(self.waiting.items()):
            if due > now:
                continue
            del self.waiting[key]
            self.failures["no answer in 5 s"] += 1
            if tries < TRIES:
                self.send(number, tries + 1)

    def run(self):
        started, asked, looked = time.monotonic(), 0, 0.0
        while asked < self.count or self.waiting:
            now = time.monotonic()
            wanted = min(self.count, int((now - started) * RATE))
            while asked < wanted and len(self.waiting) < OUTSTANDING_MAX:
                self.send(asked, 1)
                asked += 1
            for fd, _ in self.poll.poll(0.005):
                self.receive(self.by_fd[fd])
            if now - looked > 0.5:
                looked = now
                self.repeat()


class Streams(threading.Thread):
    """Clients over TCP, a connection for each question, as libc does it."""

    def __init__(self):
        super().__init__(daemon=True)
        self.failures, self.answered, self.must_end = collections.Counter(), 0, False

    def run(self):
        number = 0
        while not self.must_end:
            number += 1
            name, rcode = question_of(number)
            try:
                with dnswire.Stream(SERVER) as stream:
                    stream.send(dnswire.query("t" + name, "A"))
                    answer = stream.receive()
                expect_equal(answer.rcode, dnswire.NXDOMAIN, f"the rcode of {name} ({rcode})")
                self.answered += 1
            except (OSError, live.Failure) as error:
                self.failures[repr(error)] += 1


def conf(workers=2, listen="127.0.0.1", more=""):
    path = live.LOGS / "mxcache.conf"
    path.write_text(
        f"listen = {listen}\nupstreams = {UPSTREAM}\ncontrol_socket = {live.SOCKET}\n"
        f"workers = {workers}\nsnapshot_file = /var/lib/mxcache/handover.snapshot\n"
        f"log_level = info\n{more}"
    )
    return ("mxcache", live.MXCACHE, "serve", "-c", path)


def names_of(workers, *hosts):
    return sorted(
        f"{protocol}-{index}-{host}@53"
        for protocol in ("udp", "tcp") for index in range(workers) for host in hosts
    )  # fmt: skip


def starts_and_stores():
    live.Upstream("upstream", ZONE, UPSTREAM)
    house.start(*conf())
    wait_until(lambda: len(house.store) == 4, "the sockets in the store")
    expect_equal(sorted(house.store), names_of(2, "127.0.0.1"), "what is stored")


def no_question_is_lost():
    crowd, streams = Crowd(QUESTIONS), Streams()
    crowd.start()
    streams.start()
    changes = (
        {}, {}, {"workers": 3}, {"workers": 1}, {}, {"listen": "127.0.0.1 127.0.0.7"}, {},
        {"workers": 2},
    )  # fmt: skip
    at = 0
    while crowd.is_alive():
        crowd.join(1.5)
        if crowd.is_alive():
            house.restart(*conf(**changes[at % len(changes)]))
            at += 1
    streams.must_end = True
    streams.join()
    print(
        f"{crowd.answered} of {crowd.count} questions by UDP and {streams.answered} by TCP were"
        f" answered in {at} restarts; the longest answer took {crowd.late * 1000:.0f} ms, the"
        f" longest restart {max(house.gaps, default=0) * 1000:.0f} ms"
    )
    expect(at >= 3, f"only {at} restarts; raise HANDOVER_QUESTIONS")
    expect_equal(dict(crowd.failures), {}, "what went wrong by UDP")
    expect_equal(dict(streams.failures), {}, "what went wrong by TCP")
    expect_equal(crowd.answered, QUESTIONS, "answers")


def what_arrives_while_nobody_runs_is_answered():
    for kill in (signal.SIGTERM, signal.SIGKILL):
        house.restart(*conf())
        dnswire.ask_udp(SERVER, "h1.example.org", "A")
        house.service.signal(kill)
        house.service.wait()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(dnswire.TIMEOUT)
            sock.connect(SERVER)
            sock.send(dnswire.query("h2.example.org", "A"))
            with dnswire.Stream(SERVER) as stream:
                stream.send(dnswire.query("h3.example.org", "A"))
                house.start(*conf())
                expect_equal(stream.receive().addresses(), ["192.0.2.3"], "the answer by TCP")
            answer = dnswire.Answer(sock.recv(4096))
        expect_equal(answer.addresses(), ["192.0.2.2"], "the answer by UDP")


def closes_what_is_not_wanted():
    house.restart(*conf(listen="127.0.0.1 127.0.0.7"))
    expect_equal(dnswire.ask_udp(SECOND, "h4.example.org", "A").addresses(), ["192.0.2.4"], "it")
    wanted = names_of(3, "127.0.0.1") + names_of(2, "127.0.0.7")
    wait_until(lambda: sorted(house.store) == sorted(wanted), f"{wanted} in the store")
    house.restart(*conf())
    house.service.wait_for_output('name="udp-0-127.0.0.7@53"')
    wait_until(lambda: sorted(house.store) == names_of(3, "127.0.0.1"), "only these stored")
    try:
        answer = dnswire.ask_udp(SECOND, "h5.example.org", "A", timeout=2.0)
        expect(False, f"an address that is not listened on gave {answer.rcode}")
    except ConnectionRefusedError:
        pass


def strangers_are_closed():
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind(("127.0.0.9", 53))
    house.store["udp-9-127.0.0.1@53"] = os.dup(stranger.fileno())
    house.store["other"] = os.open("/dev/null", os.O_RDONLY)
    house.restart(*conf())
    house.service.wait_for_output('name="udp-9-127.0.0.1@53" why="it is not what its name says"')
    house.service.wait_for_output('name="other" why="it is no listening socket of ours"')
    wait_until(lambda: sorted(house.store) == names_of(3, "127.0.0.1"), "only ours stored")
    expect_equal(dnswire.ask_udp(SERVER, "h6.example.org", "A").addresses(), ["192.0.2.6"], "it")


def socket_unit_is_shared():
    """Sockets of root, as a socket unit makes them: two workers read the same ones."""
    expect_equal(house.service.stop(), 0, "the exit status")
    for fd in house.store.values():
        os.close(fd)
    house.store.clear()
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        sock = socket.socket(socket.AF_INET, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(SERVER)
        if kind == socket.SOCK_STREAM:
            sock.listen(16)
        house.store[f"mxcache{kind}.socket"] = sock.detach()
    command = conf()
    house.start("unit", "setpriv", "--reuid=mxcache", "--regid=mxcache", "--clear-groups",
                "--ambient-caps=+net_bind_service", "--inh-caps=+net_bind_service", "--",
                *command[1:])  # fmt: skip
    house.service.wait_for_output("the workers share a socket", 2)
    for ident in range(20):
        answer = dnswire.ask_udp(SERVER, f"h{ident}.example.org", "A", ident=ident)
        expect_equal(answer.addresses(), [f"192.0.2.{ident}"], "the answer by UDP")
        with dnswire.Stream(SERVER) as stream:
            stream.send(dnswire.query(f"h{ident}.example.org", "A"))
            expect_equal(stream.receive().addresses(), [f"192.0.2.{ident}"], "the answer by TCP")
    expect_equal(len(house.store), 2, "descriptors in the store")
    expect_equal(house.service.stop(), 0, "the exit status")


if __name__ == "__main__":
    live.run(
        starts_and_stores,
        no_question_is_lost,
        what_arrives_while_nobody_runs_is_answered,
        closes_what_is_not_wanted,
        strangers_are_closed,
        socket_unit_is_shared,
    )
