# SPDX-License-Identifier: BSD-2-Clause
"""Whom mxcache believes: RFC 5452, 1035 section 7.3 and 2181 section 5.4.1."""

import struct

import conformance_wire as wire
from conformance import (
    check, expect_rcode, place, send_udp, send_udp_all, server, udp_open, upstream, variant_now,
)
from conformance_upstream import ADDRESS
from live import expect, expect_equal

ZONE = "forgery.example"
LIE = b"\6\6\6\6"


def expect_passed_over(name, lie):
    """A lie first, the truth 50 ms later: the truth must be what the client gets, twice."""
    upstream().on(name, lambda asked: [*lie(asked), 0.05, asked.address()])
    for _ in range(2):
        reply = expect_rcode(send_udp(wire.ask(name)), wire.NOERROR, name)
        expect_equal(reply.data(wire.A), [ADDRESS], f"the address of {name}")


@check("5452", "9.1", "a reply with another id is not taken")
def ids_are_compared():
    lies = (1, 0x8000, 0xFFFF, 0x0100)
    expect_passed_over("id." + ZONE, lambda asked: [
        asked.address(LIE, ident=asked.id ^ bit) for bit in lies])


@check("5452", "9.1", "a reply with another name in the question is not taken")
def names_are_compared():
    def lie(asked):
        for name in ("eame", "name.name", ""):
            other = wire.question((name + "." + ZONE).lstrip("."))
            record = wire.record("name." + ZONE, wire.A, LIE)
            yield asked.reply([record], question=other)

    expect_passed_over("name." + ZONE, lie)


@check("5452", "9.1", "a reply with another type or class in the question is not taken")
def types_are_compared():
    expect_passed_over("type." + ZONE, lambda asked: [
        asked.address(LIE, question=asked.question[:-4] + struct.pack(">HH", *kind))
        for kind in ((wire.AAAA, 1), (wire.MX, 1), (wire.A, 3), (wire.A, 255))])


@check("5452", "9.1", "a reply without a question, or with two, is not taken")
def questions_are_counted():
    def lie(asked):
        record = wire.record("count." + ZONE, wire.A, LIE)
        flags = wire.QR | wire.RD | wire.RA
        for questions in ([], [asked.question] * 2):
            yield wire.message(flags, questions, ([record], (), ()), asked.id)

    expect_passed_over("count." + ZONE, lie)


@check("5452", "9.1", "a reply in another spelling than was sent is not taken", udp=True,
       document="more than is demanded, SECURITY.md: 0x20; asked anew in small letters, once")
def spelling_is_compared():
    def lie(asked):
        if asked.name == asked.key:
            return []
        spelled = asked.question[:-4].swapcase() + asked.question[-4:]
        return [asked.address(LIE, question=spelled)]

    name = "a-name-with-many-letters-to-spell." + ZONE
    expect_passed_over(name, lie)
    expect(any(asked.name != asked.key for asked in upstream().asked(name)), "no letter is big")


@check("1035", "7.3", "a question is not taken for a reply")
def questions_are_no_replies():
    expect_passed_over("noqr." + ZONE, lambda asked: [
        asked.address(LIE, flags=wire.RD | wire.RA)])


@check("1035", "7.3", "a reply of another opcode is not taken")
def opcodes_are_compared():
    expect_passed_over("opcode." + ZONE, lambda asked: [
        asked.address(LIE, flags=wire.QR | wire.RD | 4 << 11)])


@check("5452", "9.1", "a reply from another address or port is not taken", udp=True)
def sources_are_compared():
    def lie(asked):
        for source in ((place(3), 0), (place(2), 0), (server()[0], 0)):
            with udp_open() as sock:
                sock.bind(source)
                sock.sendto(asked.address(LIE), asked.source)
        return []

    expect_passed_over("source." + ZONE, lie)


@check("1035", "7.3", "a reply that is cut short or no message at all is not taken")
def scraps_are_dropped():
    expect_passed_over("scrap." + ZONE, lambda asked: [
        asked.address(LIE)[:11], b"", b"x", asked.address(LIE)[:12], bytes(512)])


@check("5452", "9.2", "questions leave from many ports above 1023, with ids that do not follow",
       udp=True)
def ports_and_ids_vary():
    names = [f"vary{n}." + ZONE for n in range(64)]
    send_udp_all([wire.ask(name, ident=n) for n, name in enumerate(names)])
    asked = [upstream().asked(name)[0] for name in names]
    ports = {one.source[1] for one in asked if one.protocol == "udp"}
    expect(len(ports) >= 30, f"{len(ports)} ports for 64 questions")
    expect(min(ports) > 1023, f"port {min(ports)}")
    expect(max(ports) - min(ports) > 20000, f"ports from {min(ports)} to {max(ports)} only")
    ids = [one.id for one in asked]
    steps = {(b - a) % 65536 for a, b in zip(ids, ids[1:])}
    expect(len(set(ids)) >= 60 and len(steps) >= 55, f"ids {ids[:8]}...")
    expect(max(ids) - min(ids) > 30000, f"ids from {min(ids)} to {max(ids)} only")
    expect([one.id for one in asked] != list(range(64)), "the client's ids are used upstream")


@check("5452", "9.1", "a reply to another port than the question's is not taken", udp=True)
def ports_are_compared():
    names = [f"near{n}." + ZONE for n in range(24)]
    send_udp_all([wire.ask(name, ident=n) for n, name in enumerate(names)])
    ports = {one.source for name in names for one in upstream().asked(name)}
    expect(len(ports) > 8, f"{len(ports)} ports to send lies to")

    def lie(asked):
        for port in ports - {asked.source}:
            upstream().udp.sendto(asked.address(LIE), port)
        return []

    expect_passed_over("port." + ZONE, lie)


@check("5452", "5", "equal questions of many clients are not many questions upstream",
       document="mxcache.conf: asks_max, however slow; ARCHITECTURE.md: once for each worker")
def equal_questions_are_one():
    name = "birthday." + ZONE
    upstream().on(name, lambda asked: [0.3, asked.address()])
    replies = send_udp_all([wire.ask(name, ident=n) for n in range(32)])
    expect_equal(len(replies), 32, "answers")
    asked = len(upstream().asked(name))
    expect(asked <= 6 * variant_now().workers, f"{asked} questions upstream")


def expect_not_kept(victim, what):
    reply = send_udp(wire.ask(victim))
    expect_equal(reply.data(wire.A), [ADDRESS], f"the address of {victim}, {what}")


@check("2181", "5.4.1", "records that were not asked for answer no later question")
def strangers_are_not_kept():
    victims = [f"victim{n}." + ZONE for n in range(3)]
    lies = [wire.record(victim, wire.A, LIE) for victim in victims]
    upstream().on("trojan." + ZONE, lambda asked: asked.reply(
        [asked.own(wire.A, ADDRESS), lies[0]], [lies[1]], [lies[2]]))
    reply = send_udp(wire.ask("trojan." + ZONE))
    expect_equal(reply.data(wire.A), [ADDRESS], "the answer")
    for victim in victims:
        expect_not_kept(victim, "sent along with another answer")


@check("5452", "6", "servers and addresses sent along do not take over a zone")
def delegations_are_not_kept():
    upstream().on("takeover." + ZONE, lambda asked: asked.address(
        authority=()) if asked.qtype != wire.A else asked.reply(
            [asked.own(wire.A, ADDRESS)],
            [wire.record(ZONE, wire.NS, wire.to_wire("ns." + ZONE))],
            [wire.record("ns." + ZONE, wire.A, b"\x7f\0\0\x63")]))
    send_udp(wire.ask("takeover." + ZONE))
    expect_not_kept("ns." + ZONE, "sent as glue")
    expect_not_kept("after." + ZONE, "after a delegation to somebody else")


@check("1035", "7.4", "an answer about another name, without an alias to it, is no answer")
def other_owners_are_no_answer():
    upstream().on("owner." + ZONE, lambda asked: asked.reply(
        [wire.record("stranger." + ZONE, wire.A, LIE)]))
    reply = send_udp(wire.ask("owner." + ZONE))
    expect_equal(reply.answers, [], "answers")
    expect_not_kept("stranger." + ZONE, "sent as an answer about another name")


@check("1034", "3.6.2", "aliases are followed in order, the address comes last")
def aliases_are_followed():
    def answer(asked):
        names = ["alias." + ZONE, "second." + ZONE, "third." + ZONE]
        links = [wire.record(a, wire.CNAME, wire.to_wire(b)) for a, b in zip(names, names[1:])]
        return asked.reply([wire.record(names[2], wire.A, ADDRESS), *reversed(links)])

    upstream().on("alias." + ZONE, answer)
    reply = send_udp(wire.ask("alias." + ZONE))
    expect_equal([r[1] for r in reply.answers], [wire.CNAME, wire.CNAME, wire.A], "the chain")


@check("1034", "5.2.2", "an alias loop, or a chain without an end, is told as a failure")
def loops_are_ended():
    def loop(asked):
        other = wire.to_wire("loop2.failing.example")
        back = wire.record("loop2.failing.example", wire.CNAME, wire.to_wire(asked.key))
        return asked.reply([asked.own(wire.CNAME, other), back])

    upstream("failing").on("loop.failing.example", loop)
    reply = send_udp(wire.ask("loop.failing.example"))
    expect_rcode(reply, wire.SERVFAIL, "a loop")
    expect_equal(reply.answers, [], "answers to a loop")

    def chain(asked):
        names = [asked.key] + [f"c{n}.failing.example" for n in range(40)]
        links = [wire.record(a, wire.CNAME, wire.to_wire(b)) for a, b in zip(names, names[1:])]
        return asked.reply([*links, wire.record(names[-1], wire.A, LIE)])

    upstream("failing").on("chain.failing.example", chain)
    reply = send_udp(wire.ask("chain.failing.example", edns=wire.opt()))
    expect_rcode(reply, wire.SERVFAIL, "a chain of 40")
    expect_equal(reply.answers, [], "answers to a chain of 40")


@check("7766", "7", "replies of upstream by UDP, too, may come in another order", udp=True)
def datagrams_may_overtake():
    names = [f"late{n}." + ZONE for n in range(12)]
    for number, name in enumerate(names):
        upstream().on(name, lambda asked, n=number: [0.3 - n * 0.02, asked.address(bytes([n] * 4))])
    replies = send_udp_all([wire.ask(name, ident=n) for n, name in enumerate(names)])
    expect_equal(sorted(replies), list(range(12)), "questions with an answer")
    for number in range(12):
        expect_equal(replies[number].data(wire.A), [bytes([number] * 4)], f"address {number}")


@check("1123", "6.1.2.3", "what a question to upstream has no use for is zero, as asked or not")
def questions_to_upstream_are_plain():
    for number, flags in enumerate((0, wire.AA | wire.TC | wire.RA | wire.Z | wire.AD | 15)):
        name = f"unused{number}." + ZONE
        extra = [wire.record("x." + ZONE, wire.TXT, b"\4seen")]
        send_udp(wire.ask(name, flags=wire.RD | flags, edns=[*extra, wire.opt(flags=0x7FFF)]))
        for asked in upstream().asked(name):
            expect_equal(asked.message.flags, wire.RD, "the flags of a question")
            expect_equal((asked.message.counts[:3], len(asked.message.additional)), ([1, 0, 0], 1),
                         "records")
            expect_equal(asked.message.opts[0][2], 0, "the OPT's version, rcode and flags")
