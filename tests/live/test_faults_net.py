# SPDX-License-Identifier: BSD-2-Clause
"""Upstreams that stop, crawl and break off, a network that goes, clients who mean harm.

Every question is answered within 5 s, and afterwards all is as before.
"""

import os
import pathlib
import random
import resource
import signal
import socket
import struct
import threading
import time

import dnswire
import faults
import live
from faults import FIRST, SECOND, SERVER, conf, stat, wait_stat
from live import expect, expect_equal, wait_until

PAUSE = faults.choose(2.0, 20.0)
FLOOD = float(os.environ.get("CHAOS_FLOOD", faults.choose(4.0, 600.0)))
STREAMS = 10_000
SERVER6 = ("::1", 53)
HOST = ("192.0.2.25", 53)
AWAY = "198.51.100.53"  # An upstream whose network goes down.
CUTTER = ("127.0.0.4", 53)
TXT = " ".join('"' + "x" * 200 + '"' for _ in range(15))
programs = {}


def programs_start():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    soft = min(hard, STREAMS + 1000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    zone = faults.ZONE + f"big.example.org. 3600 TXT {TXT}\n"
    live.run_quietly("setup", "ip", "address", "add", f"{AWAY}/32", "dev", "lo")
    programs["first"] = live.Upstream("first", zone, FIRST, f"{AWAY}@53")
    programs["second"] = live.Upstream("second", zone, SECOND)


def start(name, *arguments):
    daemon = live.Daemon(name, *arguments).wait_ready()
    faults.expect_hosts(range(faults.HOSTS))
    return daemon


def end(daemon):
    faults.expect_whole(daemon)
    expect_equal(daemon.stop(), 0, f"the exit status of {daemon.name}")


def wait_for_a_new_name():
    def resolves():
        faults.Crowd.serial += 1
        name = f"u{faults.Crowd.serial}.example.org"
        try:
            answer = dnswire.ask_udp(SERVER, name, "A", timeout=faults.PATIENCE)
        except TimeoutError:  # What a flood has left in the socket is answered first.
            return False
        return answer.rcode == dnswire.NXDOMAIN

    wait_until(resolves, "a new name to be resolved")


def stopped_upstreams_keep_nobody_waiting():
    daemon = start("stopped", conf(f"{FIRST} {SECOND}", path=""))
    crowd = faults.Crowd()
    for name in ("first", "second", "first"):
        programs[name].signal(signal.SIGSTOP)
        time.sleep(PAUSE / 3)
        programs[name].signal(signal.SIGCONT)
    crowd.expect_served("one of two upstreams stopped by turns")
    crowd = faults.Crowd(must_resolve=False)
    for name in ("first", "second"):
        programs[name].signal(signal.SIGSTOP)
    time.sleep(max(PAUSE, 5.0))
    for name in ("first", "second"):
        programs[name].signal(signal.SIGCONT)
    wait_for_a_new_name()
    crowd.expect_served("both upstreams stopped")
    end(daemon)


def crawling_upstreams_are_waited_for():
    daemon = start("crawling", conf(FIRST, path=""))
    crowd = faults.Crowd(count=2)
    names = [f"c{number}.slow.example.org" for number in range(100)]
    for name in names:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(SERVER)
            sock.send(dnswire.query(name, "A"))
    began = time.monotonic()
    for name in names:
        answer = dnswire.ask_udp(SERVER, name, "A", timeout=5.0)
        expect(answer.rcode in (dnswire.NXDOMAIN, dnswire.SERVFAIL), f"{name}: {answer.rcode}")
    expect(time.monotonic() - began < 10.0, "answers that take 1.5 s took 10 s")
    crowd.expect_served("an upstream that takes 1.5 s for others")
    end(daemon)


class Cutter:
    """Sends everybody to TCP, and breaks off there: in the length, the header, or the records."""

    def __init__(self):
        self.cuts = 0
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for sock in (self.udp, self.tcp):
            sock.bind(CUTTER)
        self.tcp.listen(128)
        for loop in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=loop, daemon=True).start()

    def serve_udp(self):
        while True:
            message, peer = self.udp.recvfrom(4096)
            self.udp.sendto(message[:2] + b"\x83\x80" + message[4:], peer)

    def serve_tcp(self):
        while True:
            sock, _ = self.tcp.accept()
            threading.Thread(target=self.cut, args=(sock,), daemon=True).start()

    def cut(self, sock):
        with sock:
            message = sock.recv(4096)[2:]
            reply = message[:2] + b"\x81\x80" + message[4:]
            whole = struct.pack(">H", len(reply) + 100) + reply
            self.cuts += 1
            if whole:
                sock.sendall(whole[: random.randrange(len(whole))])
            if random.random() < 0.5:
                linger = struct.pack("ii", 1, 0)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def answers_cut_in_the_middle_are_asked_elsewhere():
    cutter = Cutter()
    where = f"{CUTTER[0]}@{CUTTER[1]}"
    daemon = live.Daemon("cut", conf(f"{where} {FIRST}", path="")).wait_ready()
    crowd = faults.Crowd()
    time.sleep(PAUSE)
    crowd.expect_served("one of two upstreams breaks off in mid-answer")
    expect(cutter.cuts > 10, f"only {cutter.cuts} answers were cut")
    end(daemon)
    daemon = live.Daemon("cut-alone", conf(where, path="")).wait_ready()
    for number in range(5):
        began = time.monotonic()
        answer = dnswire.ask_udp(SERVER, f"k{number}.example.org", "A", timeout=5.0)
        expect_equal(answer.rcode, dnswire.SERVFAIL, "the answer when every one is cut")
        expect(time.monotonic() - began < 5.0, "it took too long")
    print(f"  {cutter.cuts} answers were cut")
    end(daemon)


def the_network_goes_and_comes():
    daemon = start("away", conf(f"{AWAY}@53", path=""))
    for _ in range(faults.choose(1, 20)):
        crowd = faults.Crowd(must_resolve=False)
        live.run_quietly("setup", "ip", "address", "del", f"{AWAY}/32", "dev", "lo")
        time.sleep(PAUSE)
        live.run_quietly("setup", "ip", "address", "add", f"{AWAY}/32", "dev", "lo")
        began = time.monotonic()
        wait_for_a_new_name()
        print(f"  new names resolve {time.monotonic() - began:.1f} s after the network is back")
        crowd.expect_served("the network down and back")
    end(daemon)


def open_streams(count, first_bytes, server):
    """As many connections as there may be, each having sent that."""
    streams = []
    for number in range(count):
        sock = socket.socket(dnswire.family_of(server), socket.SOCK_STREAM)
        streams.append(sock)
        if server == SERVER:
            sock.bind((f"127.0.1.{number % 250 + 1}", 0))
        sock.settimeout(1.0)
        try:
            sock.connect(server)
            sock.send(first_bytes)
        except OSError:
            pass
    return streams


def trickle(streams):
    """One more byte from each that is still there: not enough for a question."""
    for sock in streams:
        try:
            sock.send(b"\0")
        except OSError:
            pass


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def open_halves(count):
    """Connections that are never finished: the first packet only, from where nobody answers."""
    there = socket.inet_aton(HOST[0])
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        for number in range(count):
            here = socket.inet_aton(f"203.0.113.{number % 250 + 1}")
            port = 1024 + number // 250
            segment = struct.pack(">HHIIBBHHH", port, 53, number, 0, 5 << 4, 2, 65535, 0, 0)
            pseudo = here + there + struct.pack(">BBH", 0, socket.IPPROTO_TCP, len(segment))
            segment = segment[:16] + struct.pack(">H", checksum(pseudo + segment)) + segment[18:]
            ip = struct.pack(
                ">BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, socket.IPPROTO_TCP, 0, here, there
            )
            raw.sendto(ip + segment, (HOST[0], 0))


def count_halves():
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[3] == "03" for line in lines)  # SYN_RECV


def expect_answer_by_tcp(what, limit, server=SERVER):
    """How long it took."""
    began = time.monotonic()

    def answers():
        try:
            with dnswire.Stream(server, timeout=2.0) as stream:
                stream.send(dnswire.query("h9.example.org", "A"))
                return stream.receive().addresses() == ["192.0.2.9"]
        except OSError:
            return False

    wait_until(answers, f"an answer by TCP, {what}", limit)
    return time.monotonic() - began


def never_read():
    """Asks for much, reads nothing."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(SERVER)
    sock.setblocking(False)
    question = dnswire.query("big.example.org", "TXT")
    try:
        for _ in range(20_000):
            sock.send(struct.pack(">H", len(question)) + question)
    except BlockingIOError:
        pass
    return sock


def hold_connections(count, first_bytes, what, server):
    """Somebody who asks is answered at once, by UDP and by TCP, however many hold connections."""
    crowd = faults.Crowd(count=2)
    streams = open_streams(count, first_bytes, server)
    slowest = 0.0
    for _ in range(faults.choose(3, 20)):
        trickle(streams if first_bytes else [])
        for place in (SERVER, SERVER6):
            slowest = max(slowest, expect_answer_by_tcp(f"{count} connections, {what}", 5.0, place))
    crowd.expect_served(f"{count} connections, {what}")
    print(f"  {what}: the slowest answer by TCP meanwhile took {slowest:.2f} s")
    for sock in streams:
        sock.close()
    expect_answer_by_tcp("when they have gone", 15.0)


def clients_that_hold_connections_hold_up_nobody():
    text = conf(FIRST, path="").replace("listen = 127.0.0.1", "listen = 127.0.0.1 ::1")
    daemon = start("held", text)
    before_mb, before = faults.resident_mb(daemon), faults.descriptors(daemon)
    mutes = [never_read() for _ in range(20)]
    count = faults.choose(STREAMS // 16, STREAMS)
    hold_connections(count, b"", "idle", SERVER)
    hold_connections(count, b"\x0f", "half a length", SERVER)
    hold_connections(count, b"\x0f\xffabc", "slow", SERVER)
    hold_connections(count, b"\x0f\xffabc", "slow, by IPv6", SERVER6)
    wait_stat(daemon, "tcp_closed_unread", 20)
    for sock in mutes:
        sock.close()
    wait_until(lambda: faults.descriptors(daemon) <= before + 8, "the descriptors to be closed")
    after_mb = faults.resident_mb(daemon)
    print(f"  {before_mb:.1f} MB before, {after_mb:.1f} MB after")
    expect(after_mb < before_mb + 256 * 0.3 + 24, "memory has grown")
    end(daemon)


def half_open_connections_hold_up_nobody():
    more = f"allow = 127.0.0.0/8 {HOST[0]}\n"
    text = conf(FIRST, more, path="").replace("listen = 127", f"listen = {HOST[0]} 127")
    daemon = start("half-open", text)
    crowd = faults.Crowd(count=2)
    live.run_quietly("setup", "ip", "route", "add", "203.0.113.0/24", "dev", "lo")
    open_halves(STREAMS)
    halves = count_halves()
    expect(halves > 100, f"only {halves} half-open connections")
    took = max(expect_answer_by_tcp("half-open connections", 5.0, HOST) for _ in range(20))
    print(f"  {STREAMS} first packets, {halves} half-open connections: {took:.2f} s by TCP")
    crowd.expect_served("half-open connections")
    end(daemon)


def flood_of_names(mark, seconds, pause=0.0):
    """In a process of its own: distinct names, 64 at a time."""
    child = os.fork()
    if child:
        return child
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect(SERVER)
    message = bytearray(dnswire.query(f"f00000000-{mark}.example.org", "A"))
    number, stop = 0, time.monotonic() + seconds
    while time.monotonic() < stop:
        for _ in range(64):
            number += 1
            message[14:22] = b"%08x" % number
            try:
                sock.send(message)
            except OSError:
                pass
        time.sleep(pause)
    pathlib.Path("/tmp/flood-count").write_text(str(number))
    os._exit(0)


def ask_politely(child, limit):
    """Cached questions, until the flood has ended: how long they took, how many were lost."""
    times, lost, number = [], 0, 0
    while os.waitpid(child, os.WNOHANG)[0] == 0:
        number = (number + 1) % faults.HOSTS
        began = time.monotonic()
        try:
            faults.expect_hosts((number,), limit)
            times.append(time.monotonic() - began)
        except TimeoutError:
            lost += 1
    times.sort()
    sent = int(pathlib.Path("/tmp/flood-count").read_text())
    return sent, times, lost


def tell_flood(daemon, seconds, result):
    sent, times, lost = result
    shown = times or [0.0]
    print(
        f"  {sent / seconds:.0f} new names a second for {seconds:.0f} s; a polite client:"
        f" {len(times)} cached answers, {lost} lost, half within"
        f" {1e3 * shown[len(shown) // 2]:.1f} ms, 99 % within"
        f" {1e3 * shown[len(shown) * 99 // 100]:.1f} ms; {faults.resident_mb(daemon):.1f} MB"
    )


def count_kept():
    """Mail names that are answered at once although upstream is silent."""
    programs["first"].signal(signal.SIGSTOP)
    kept = []
    for number in range(faults.HOSTS):
        answer = dnswire.ask_udp(SERVER, f"h{number}.example.org", "A", timeout=5.0)
        kept += [number] if answer.addresses() == [f"192.0.2.{number}"] else []
    programs["first"].signal(signal.SIGCONT)
    return kept


def a_flood_of_names_leaves_the_mail_names():
    daemon = start("flooded", conf(FIRST, "cache_size = 4M\n", path=""))
    for _ in range(3):
        faults.expect_hosts(range(faults.HOSTS))
    result = ask_politely(flood_of_names("paced", 3.0, 0.1), faults.PATIENCE)
    tell_flood(daemon, 3.0, result)
    expect_equal(result[2], 0, "cached questions without an answer in a flood that can be served")
    tell_flood(daemon, 1.0, ask_politely(flood_of_names("warm", 1.0), 0.5))
    warm_mb = faults.resident_mb(daemon)
    tell_flood(daemon, FLOOD, ask_politely(flood_of_names("flood", FLOOD), 0.5))
    expect(stat(daemon, "questions_shed") > 0, "new questions go before cached answers in a flood")
    wait_stat(daemon, "udp_shut_out", 1)
    wait_for_a_new_name()
    expect(faults.resident_mb(daemon) < warm_mb + 24, "memory has grown")
    kept = count_kept()
    print(f"  {len(kept)} of {faults.HOSTS} mail names are still cached")
    expect(len(kept) >= 0.95 * faults.HOSTS, f"only {kept} are left")
    end(daemon)


if __name__ == "__main__":
    live.run(
        programs_start,
        stopped_upstreams_keep_nobody_waiting,
        crawling_upstreams_are_waited_for,
        answers_cut_in_the_middle_are_asked_elsewhere,
        the_network_goes_and_comes,
        clients_that_hold_connections_hold_up_nobody,
        half_open_connections_hold_up_nobody,
        a_flood_of_names_leaves_the_mail_names,
    )
