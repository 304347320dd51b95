# SPDX-License-Identifier: BSD-2-Clause
"""A running mxcache whose upstream server lies: over UDP, over TCP and over TLS.

What is tried is a selection of what tests/sim/liar.c tries on the resolver alone, and what only
sockets can do: forgeries from other addresses and ports, replies of 64 KiB, and what they cost.
"""

import os
import pathlib
import socket
import struct

import conformance_wire as wire
import live
from conformance import send_tcp
from conformance_upstream import (
    ADDRESS, CERTIFICATE, TLS_NAME, Upstream, certificate_make)
from live import expect, expect_equal

EVIL = b"\xcb\x00\x71\x42"  # 203.0.113.66: where it is seen, a lie was believed.
ZONES = ("udp.example", "tcp.example", "tls.example")
CHAIN_MAX = 11
REPLY_CPU_MAX_MS = 100.0  # With sanitizers, on a busy machine.

CONF = f"""
listen = 127.0.0.1
upstreams = 127.0.0.2
control_socket = {live.SOCKET}
metrics_listen =
list_tests = no
ahead = no
asks_max = 3
try_timeout = 400ms
ttl_max = 1h
[upstream stream]
servers = 127.0.0.3
[zone tcp.example]
upstream = stream
[upstream hidden]
servers = 127.0.0.4@853#{TLS_NAME}
[zone tls.example]
upstream = hidden
"""

programs = {}
upstreams = {}


class StreamUpstream(Upstream):
    """By UDP it says no more than that it will not fit."""

    def _answer(self, data, protocol, source, send, close=None):
        if protocol == "udp":
            asked = wire.Message(data)
            flags = wire.QR | wire.RD | wire.RA | wire.TC
            send(wire.message(flags, asked.questions, ident=asked.id))
            return
        super()._answer(data, protocol, source, send, close)


def programs_run():
    certificate_make()
    upstreams["udp.example"] = Upstream("127.0.0.2", False)
    upstreams["tcp.example"] = StreamUpstream("127.0.0.3", False)
    upstreams["tls.example"] = Upstream("127.0.0.4", True)
    environment = dict(os.environ, SSL_CERT_FILE=str(CERTIFICATE))
    programs["mxcache"] = live.Daemon("mxcache", CONF, env=environment).wait_ready()


def zone_of(name):
    return ".".join(name.split(".")[-2:])


def ask(name, qtype=wire.A):
    """By TCP, so that everything fits."""
    reply = send_tcp(wire.ask(name, qtype, edns=wire.opt()))
    expect(reply is not None, f"{name}: no answer")
    return reply


def lie_about(name, lie):
    """What a client is told while upstream lies about the name."""
    upstreams[zone_of(name)].on(name, lie)
    return ask(name)


def truth_about(name, what):
    """The server is asked, and its answer given: nothing was known of the name before."""
    reply = ask(name)
    expect_equal((reply.rcode, reply.data(wire.A)), (wire.NOERROR, [ADDRESS]), f"{name}, {what}")
    expect(upstreams[zone_of(name)].asked(name), f"{name} was answered without asking, {what}")


def expect_nothing_of(reply, data, what):
    expect(data not in reply.bytes, f"{what}: the client was told the lie: {reply.bytes.hex()}")


# ---- Forgeries: the true reply comes later, and wins ----

def send_from(source, asked, message):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(source)
        sock.sendto(message, asked.source)


FORGERIES = ("id", "id", "spelling", "name", "type", "class", "no reply", "opcode",
             "two questions", "no question", "cut", "nothing")


def forgeries(asked):
    """Replies that anybody on the net could send."""
    swapped = asked.question[:-4].swapcase() + asked.question[-4:]
    record = asked.own(wire.A, EVIL)
    return (
        asked.address(EVIL, ident=asked.id ^ 1),
        asked.address(EVIL, ident=(asked.id + 256) % 65536),
        asked.address(EVIL, question=swapped),
        asked.address(EVIL, question=wire.question("other.udp.example")),
        asked.address(EVIL, question=asked.question[:-4] + b"\0\x1c\0\1"),
        asked.address(EVIL, question=asked.question[:-4] + b"\0\1\0\3"),
        asked.address(EVIL, flags=wire.RD | wire.RA),
        asked.address(EVIL, flags=wire.QR | wire.RD | wire.RA | 5 << 11),
        wire.message(wire.QR | wire.RA, [asked.question] * 2, ([record], (), ()), asked.id),
        wire.message(wire.QR | wire.RA, [], ([record], (), ()), asked.id),
        asked.address(EVIL)[:20],
        b"",
    )


def forgeries_lose():
    for number, what in enumerate(FORGERIES):
        name = f"f{number}-forged-name-with-letters.udp.example"

        def lie(asked, number=number):
            if asked.name == asked.key:  # Asked anew in small letters, as SECURITY.md says.
                return asked.address()
            return [forgeries(asked)[number], 0.03, asked.address()]

        expect_equal(lie_about(name, lie).data(wire.A), [ADDRESS], f"{name}: {what}")
        expect_nothing_of(ask(name), EVIL, name)


def forgeries_from_elsewhere_lose():
    for number, source in enumerate((("127.0.0.99", 53), ("127.0.0.2", 0), ("127.0.0.3", 0))):
        name = f"elsewhere{number}.udp.example"

        def lie(asked, source=source):
            send_from(source, asked, asked.address(EVIL))
            return [0.03, asked.address()]

        expect_equal(lie_about(name, lie).data(wire.A), [ADDRESS], f"{name}: from {source}")
        expect_nothing_of(ask(name), EVIL, name)


def guesses_at_the_port_lose():
    """All ids but the right one, as fast as they go, at the very port that is open."""
    name = "guessed.udp.example"

    def lie(asked):
        if len(upstreams[zone_of(name)].asked(name)) == 1:
            wrong = [(asked.id + step) % 65536 for step in range(1, 65536, 37)]
            return [*(asked.address(EVIL, ident=guess) for guess in wrong), asked.address()]
        return asked.address()

    expect_equal(lie_about(name, lie).data(wire.A), [ADDRESS], f"{name}: 1,800 guesses")
    expect_nothing_of(ask(name), EVIL, name)


# ---- Lies of the server itself, by each way ----

def links(first, count, zone):
    names = [first] + [f"c{n}.{zone}" for n in range(1, count + 1)]
    return names, [wire.record(a, wire.CNAME, wire.to_wire(b)) for a, b in zip(names, names[1:])]


def gifts(zone):
    """Records that nobody asked for, the first ones of names that are asked about later."""
    servers = wire.to_wire("ns.evil.test")
    return [
        wire.record(f"victim.{zone}", wire.A, EVIL),
        wire.record(f"victim.{zone}", wire.CNAME, wire.to_wire("evil.test")),
        wire.record(zone, wire.NS, servers),
        wire.record(zone, 39, wire.to_wire("evil.test")),
        wire.record(f"ns.{zone}", wire.A, EVIL),
        wire.record("example", wire.NS, servers),
        wire.record(".", wire.NS, servers),
    ]


def lies_about_others(zone):
    """Lies beside a true answer, or instead of one: name and rule."""
    given = gifts(zone)
    yield "answer", lambda asked: asked.reply([*given, asked.own(wire.A, ADDRESS)])
    yield "authority", lambda asked: asked.reply([asked.own(wire.A, ADDRESS)], given)
    yield "additional", lambda asked: asked.reply([asked.own(wire.A, ADDRESS)], (), given)
    yield "nothing-else", lambda asked: asked.reply(given, given, given)
    yield "referral", lambda asked: asked.reply((), given[2:], given[:2])
    yield "denied", lambda asked: asked.reply(
        given, [wire.soa(f"victim.{zone}", 3600, 3600)], rcode=wire.NXDOMAIN)
    yield "alias", lambda asked: asked.reply(
        [asked.own(wire.CNAME, wire.to_wire(f"victim.{zone}")), given[0]])
    yield "alias-denied", lambda asked: asked.reply(
        [asked.own(wire.CNAME, wire.to_wire(f"victim.{zone}"))], [wire.soa(zone)],
        rcode=wire.NXDOMAIN)
    yield "class", lambda asked: asked.reply(
        [wire.record(b"\xc0\x0c", wire.A, EVIL, 300, 3)])
    yield "tsig", lambda asked: asked.reply(
        [asked.own(wire.A, ADDRESS)], (), [wire.record("key", 250, bytes(60), 0, 255), given[0]])
    yield "opts", lambda asked: asked.reply([asked.own(wire.A, EVIL)], (), [wire.opt()] * 2)
    yield "opt-in-answer", lambda asked: asked.reply([wire.opt(), asked.own(wire.A, EVIL)])
    yield "counts", lambda asked: wire.message(
        wire.QR | wire.RA, [asked.question], ([asked.own(wire.A, EVIL)], (), ()), asked.id,
        (1, 65535, 65535, 65535))
    yield "pointer", lambda asked: asked.reply([wire.record(b"\xc0\xff", wire.A, EVIL)])
    yield "loop", lambda asked: asked.reply([asked.own(wire.CNAME, b"\xc0\x0c")])


def other_names_are_never_answered():
    for zone in ZONES:
        for kind, lie in lies_about_others(zone):
            name = f"{kind}.{zone}"
            reply = lie_about(name, lie)
            if kind != "alias":  # Of which the forged end belongs to what was asked.
                expect_nothing_of(reply, EVIL, f"{name}")
            expect(len(reply.answers) <= 2, f"{name}: {len(reply.answers)} records")
        for victim in (f"victim.{zone}", f"ns.{zone}", f"new.{zone}", f"below.victim.{zone}"):
            truth_about(victim, "after the lies")


def chains_are_cut():
    for zone in ZONES:
        for count in (1, 10, CHAIN_MAX, CHAIN_MAX + 1, 30, 300):
            name = f"chain{count}.{zone}"

            def lie(asked, count=count, name=name, zone=zone):
                names, records = links(name, count, zone)
                return asked.reply([*records, wire.record(names[-1], wire.A, ADDRESS)])

            reply = lie_about(name, lie)
            wanted = count + 1 if count <= CHAIN_MAX else 0
            expect_equal(len(reply.answers), wanted, f"records of {name}")
            expect_equal(reply.rcode, wire.NOERROR if wanted else wire.SERVFAIL, f"{name}")
        for count in (1, 2, 5, 20):
            name = f"round{count}.{zone}"

            def turn(asked, count=count, name=name, zone=zone):
                names, records = links(name, count, zone)
                return asked.reply([*records, wire.record(names[-1], wire.CNAME, b"\xc0\x0c")])

            expect_equal(lie_about(name, turn).rcode, wire.SERVFAIL, f"{name}")


def ttls_are_bounded():
    for number, ttl in enumerate((0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)):
        for zone in ZONES:
            name = f"ttl{number}.{zone}"
            reply = lie_about(name, lambda asked, ttl=ttl: asked.address(ttl=ttl))
            expect(max(reply.ttls(wire.A)) <= 3600, f"{name}: a TTL of {reply.ttls(wire.A)}")


# ---- Floods, and what they cost ----

def flood_of(records, section):
    sections = [(), (), ()]
    sections[section] = records

    def lie(asked):
        return wire.message(wire.QR | wire.RD | wire.RA, [asked.question], sections, asked.id)

    return lie


def tower(asked):
    """Pointers that lead to pointers, and 3,000 names that begin at their top."""
    start = len(asked.question) + 12 + 11
    blob, below = b"\0", start
    for _ in range(60):
        here = start + len(blob)
        blob += struct.pack(">H", 0xC000 | below)
        below = here
    record = struct.pack(">H", 0xC000 | below) + struct.pack(">HHIH", wire.A, 1, 300, 4) + EVIL
    records = [wire.record(b"\0", 65281, blob)] + [record] * 3000
    return wire.message(wire.QR | wire.RD | wire.RA, [asked.question], (records, (), ()), asked.id)


def full(record):
    """As many as 64 KiB hold."""
    return [record] * ((65535 - 100) // len(record))


def floods():
    numbered = [struct.pack(">HHHIH", 0xC00C, wire.A, 1, 300, 4) + struct.pack(">I", n)
                for n in range(4000)]
    proofs = [wire.record(f"h{n}.example", 50, bytes((1, 0, 0, 10, 1, 0, 12)) + bytes(12))
              for n in range(1400)]
    denials = [wire.record(f"h{n}.example", 47, b"\1z\0\0\1\x40") for n in range(2000)]
    strangers = [wire.record(f"n{n}", wire.A, EVIL) for n in range(3000)]
    chain = [wire.record(f"c{n}", wire.CNAME, wire.to_wire(f"c{n + 1}")) for n in range(2000)]
    return {
        "an ordinary reply": lambda asked: asked.address(),
        "4,000 addresses of the name": flood_of(numbered, 0),
        "one address 4,000 times": flood_of(full(numbered[0])[:4000], 0),
        "3,000 addresses of other names": flood_of(strangers, 0),
        "3,000 of them, additional": flood_of(strangers, 2),
        "1,400 NSEC3": flood_of(proofs, 1),
        "2,000 NSEC": flood_of(denials, 1),
        "2,000 aliases": flood_of(chain, 0),
        "a text of 64 KiB": lambda asked: asked.reply(
            [asked.own(wire.TXT, (b"\xff" + b"x" * 255) * 254)]),
        "a tower of pointers": tower,
        "64 KiB of zeros behind": lambda asked: asked.address() + bytes(65000),
    }


def cpu_ms(pid):
    """Spent by all threads so far."""
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e6


def floods_are_cheap():
    pid = programs["mxcache"].process.pid
    for number, (what, lie) in enumerate(floods().items()):
        count = 20
        zone = "tcp.example"
        names = [f"flood{number}-{n}.{zone}" for n in range(count)]
        for name in names:
            upstreams[zone].on(name, lie)
        before = cpu_ms(pid)
        replies = [ask(name, wire.TXT if "text" in what else wire.A) for name in names]
        asked = sum(len(upstreams[zone].asked(name)) for name in names)
        spent = (cpu_ms(pid) - before) / asked
        print(f"        {spent:6.2f} ms a reply: {what} ({len(replies[0].bytes)} bytes given)")
        expect(spent < REPLY_CPU_MAX_MS, f"{what}: {spent:.1f} ms of CPU a reply")
    truth_about("victim0.tcp.example", "after the floods")


def daemon_is_well():
    errors = [error for server in upstreams.values() for error in server.errors]
    expect(not errors, f"rules that failed: {errors}")
    for zone in ZONES:
        truth_about(f"at-last.{zone}", "at the end")
    expect_equal(programs["mxcache"].stop(), 0, "the exit status after TERM")


if __name__ == "__main__":
    live.run(
        programs_run,
        forgeries_lose,
        forgeries_from_elsewhere_lose,
        guesses_at_the_port_lose,
        other_names_are_never_answered,
        chains_are_cut,
        ttls_are_bounded,
        floods_are_cheap,
        daemon_is_well,
    )
