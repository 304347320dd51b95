# SPDX-License-Identifier: BSD-2-Clause
"""DNSSEC as a forwarder that does not validate sees it: RFC 4035 and 6840."""

import conformance_wire as wire
from conformance import check, expect_rcode, send_tcp, send_udp, upstream
from conformance_upstream import ADDRESS
from live import expect, expect_equal

ZONE = "dnssec.example"
TRUSTED = "trusted.example"
SIGNED = wire.QR | wire.RD | wire.RA | wire.AD
DS, NSEC, DNSKEY = 43, 47, 48
SIGNATURE = b"\0\1\x0d\2\0\0\1\x2c" + b"\x70\0\0\0" + b"\x60\0\0\0" + b"\x12\x34"


def answer_signed(asked):
    wants = asked.message.opts and asked.message.opts[0][2] & wire.DO
    signature = SIGNATURE + wire.to_wire(asked.zone) + b"s" * 64
    extra = [asked.own(wire.RRSIG, signature)] if wants else []
    return asked.reply([asked.own(wire.A, ADDRESS), *extra], flags=SIGNED)


def rules_set(name):
    for server in ("usual", "trusted"):
        upstream(server).on(name, answer_signed)
    return name


@check("4035", "3.2.1", "signatures for who sets DO, and for nobody else")
def signatures_follow_do():
    name = rules_set("signed." + ZONE)
    for _ in range(2):
        for send in (send_udp, send_tcp):
            reply = send(wire.ask(name, edns=wire.opt(flags=wire.DO)))
            expect_equal(reply.types(), [wire.A, wire.RRSIG], "answers with DO")
            expect_equal(send(wire.ask(name, edns=wire.opt())).types(), [wire.A], "without DO")
            expect_equal(send(wire.ask(name)).types(), [wire.A], "answers without an OPT")


@check("4035", "3.2.1", "signatures that upstream sends unasked are stripped without DO")
def signatures_are_stripped():
    data = SIGNATURE + wire.to_wire(ZONE) + b"s" * 64
    upstream().on("unasked." + ZONE, lambda asked: asked.reply(
        [asked.own(wire.A, ADDRESS), asked.own(wire.RRSIG, data)]))
    for _ in range(2):
        expect_equal(send_udp(wire.ask("unasked." + ZONE)).types(), [wire.A], "answers")


@check("4035", "3.2.1", "RRSIG, NSEC, DNSKEY and DS are given to who asks for them, DO or not")
def signatures_are_given_when_asked():
    records = {
        wire.RRSIG: SIGNATURE + wire.to_wire(ZONE) + b"s" * 64,
        NSEC: wire.to_wire("z." + ZONE) + b"\0\1\x40",
        DNSKEY: b"\1\1\3\x0d" + b"k" * 64,
        DS: b"\x12\x34\x0d\2" + b"d" * 32,
    }
    upstream().on("asked." + ZONE, lambda asked: asked.reply(
        [asked.own(asked.qtype, records[asked.qtype])]))
    for qtype, data in records.items():
        for _ in range(2):
            reply = send_udp(wire.ask("asked." + ZONE, qtype))
            expect_equal(reply.data(qtype), [data], f"the record of type {qtype}")


@check("4035", "3.1.1", "what fits only without its signatures is cut for who sets DO")
def signatures_are_not_left_out():
    long = SIGNATURE + wire.to_wire(ZONE) + b"s" * 512
    name = "signedlong." + ZONE
    upstream().on(name, lambda asked: asked.reply(
        [asked.own(wire.A, ADDRESS), asked.own(wire.RRSIG, long)]))
    for _ in range(2):
        reply = send_udp(wire.ask(name, edns=wire.opt(512, flags=wire.DO)))
        expect(reply.flags & wire.TC and not reply.answers, "not cut, or some records all the same")
        reply = send_tcp(wire.ask(name, edns=wire.opt(512, flags=wire.DO)))
        expect_equal(reply.types(), [wire.A, wire.RRSIG], "answers by TCP")


@check("4035", "3.2.1", "DO of a client goes upstream")
def do_goes_upstream():
    name = rules_set("do." + ZONE)
    send_udp(wire.ask(name, edns=wire.opt(flags=wire.DO)))
    expect(upstream().asked(name)[0].message.opts[0][2] & wire.DO, "DO is not set upstream")


@check("4035", "3.2.2", "CD is copied into the answer, and goes upstream")
def cd_is_copied():
    for flags in (wire.RD, wire.RD | wire.CD):
        name = rules_set(f"cd{flags}." + ZONE)
        for _ in range(2):
            reply = send_udp(wire.ask(name, flags=flags))
            expect_equal(reply.flags & wire.CD, flags & wire.CD, "CD in the answer")
        asked = upstream().asked(name)[0].message
        expect_equal(asked.flags & wire.CD, flags & wire.CD, "CD upstream")
    reply = send_udp(wire.ask("localhost", flags=wire.RD | wire.CD))
    expect(reply.flags & wire.CD, "CD is not copied into an answer of our own")


@check("4035", "3.2.2", "what CD got is not given to who did not set it")
def cd_is_kept_apart():
    def bogus(asked):
        if asked.message.flags & wire.CD:
            return asked.address()
        return asked.denial(wire.SERVFAIL)

    upstream("failing").on("bogus.failing.example", bogus)
    reply = send_udp(wire.ask("bogus.failing.example", flags=wire.RD | wire.CD))
    expect_equal(reply.types(), [wire.A], "answers with CD")
    reply = send_udp(wire.ask("bogus.failing.example"))
    expect_rcode(reply, wire.SERVFAIL, "a bogus name without CD")
    expect_equal(reply.answers, [], "answers without CD")


@check("4035", "4.6", "AD is never set on the word of an upstream that is not trusted",
       document="README: With DANE")
def ad_is_not_believed():
    name = rules_set("ad." + ZONE)
    for _ in range(2):
        for edns in (None, wire.opt(), wire.opt(flags=wire.DO)):
            for flags in (wire.RD, wire.RD | wire.AD, wire.RD | wire.AD | wire.CD):
                reply = send_udp(wire.ask(name, flags=flags, edns=edns))
                expect(not reply.flags & wire.AD, f"AD is set, flags {flags:#x}")


@check("6840", "5.8", "AD from a trusted upstream for who sets DO or AD, and nobody else",
       document="README: With DANE")
def ad_is_given_to_who_asks():
    name = rules_set("www." + TRUSTED)
    for _ in range(2):
        for flags, edns, wants in ((wire.RD, None, False), (wire.RD, wire.opt(), False),
                                   (wire.RD | wire.AD, None, True),
                                   (wire.RD | wire.AD, wire.opt(), True),
                                   (wire.RD, wire.opt(flags=wire.DO), True)):
            reply = send_udp(wire.ask(name, flags=flags, edns=edns))
            expect_equal(bool(reply.flags & wire.AD), wants, f"AD, flags {flags:#x}, {edns}")


@check("4035", "3.2.3", "AD only if the trusted upstream has set it")
def ad_is_not_invented():
    upstream("trusted").on("insecure." + TRUSTED, lambda asked: asked.address())
    for _ in range(2):
        reply = send_udp(wire.ask("insecure." + TRUSTED, flags=wire.RD | wire.AD,
                                  edns=wire.opt(flags=wire.DO)))
        expect(not reply.flags & wire.AD, "AD is set for what is not signed")


@check("6840", "5.6", "DO in a reply of upstream, or its lack, means nothing")
def do_of_upstream_is_ignored():
    signature = SIGNATURE + wire.to_wire(ZONE) + b"s" * 64
    for flags in (0, wire.DO):
        name = f"reply{flags}." + ZONE
        upstream().on(name, lambda asked, f=flags: asked.reply(
            [asked.own(wire.A, ADDRESS), asked.own(wire.RRSIG, signature)], edns=wire.opt(flags=f)))
        for _ in range(2):
            reply = send_udp(wire.ask(name, edns=wire.opt(flags=wire.DO)))
            expect_equal((reply.types(), reply.opts[0][2]), ([wire.A, wire.RRSIG], wire.DO),
                         f"answers and flags with DO, {flags:#x} upstream")
            reply = send_udp(wire.ask(name, edns=wire.opt()))
            expect_equal((reply.types(), reply.opts[0][2]), ([wire.A], 0),
                         f"answers and flags without DO, {flags:#x} upstream")


@check("6840", "5.7", "AD in a question does no harm")
def ad_in_questions_is_met():
    reply = send_udp(wire.ask("adq." + ZONE, flags=wire.RD | wire.AD))
    expect_equal(reply.types(), [wire.A], "answers")


@check("4035", "3.1.6", "an answer made in the house has no AD")
def local_answers_have_no_ad():
    for name in ("localhost", "x.invalid"):
        reply = send_udp(wire.ask(name, flags=wire.RD | wire.AD, edns=wire.opt(flags=wire.DO)))
        expect(not reply.flags & wire.AD, f"AD for {name}")


@check("2308", "6", "a denial with DO keeps what proves it")
def proofs_are_kept():
    nsec = wire.to_wire("z." + ZONE) + b"\0\1\x40"

    def answer(asked):
        wants = asked.message.opts and asked.message.opts[0][2] & wire.DO
        proof = [wire.record("no." + ZONE, 47, nsec)] if wants else []
        return asked.reply((), [wire.soa(ZONE), *proof], rcode=wire.NXDOMAIN)

    upstream().on("no." + ZONE, answer)
    for _ in range(2):
        reply = send_udp(wire.ask("no." + ZONE, edns=wire.opt(flags=wire.DO)))
        expect_equal(sorted(r[1] for r in reply.authority), [wire.SOA, 47], "authority with DO")
        reply = send_udp(wire.ask("no." + ZONE))
        expect_equal([r[1] for r in reply.authority], [wire.SOA], "authority without DO")


@check("4035", "4.1", "upstream is told of a size of 1220 octets at least")
def sizes_suit_signatures():
    name = rules_set("size." + ZONE)
    send_udp(wire.ask(name, edns=wire.opt(512, flags=wire.DO)))
    size = upstream().asked(name)[0].message.opts[0][4]
    expect(size >= 1220, f"a size of {size} octets")


@check("4035", "4.6", "AD is clear in questions to an upstream that is not trusted")
def ad_is_not_sent():
    for flags in (wire.RD, wire.RD | wire.AD):
        name = f"adup{flags}." + ZONE
        send_udp(wire.ask(name, flags=flags, edns=wire.opt(flags=wire.DO)))
        for asked in upstream().asked(name):
            expect(not asked.message.flags & wire.AD, "AD is set in a question")


@check("6840", "5.7", "a trusted upstream is asked with AD or DO, lest it keep AD to itself")
def ad_is_asked_for():
    name = rules_set("wanted." + TRUSTED)
    send_udp(wire.ask(name, flags=wire.RD | wire.AD))
    message = upstream("trusted").asked(name)[0].message
    has_do = message.opts and message.opts[0][2] & wire.DO
    expect(message.flags & wire.AD or has_do, "neither AD nor DO in the question")


@check("4035", "3", "an answer of 1220 octets fits into a datagram for who can take it")
def sizes_for_signatures_are_given():
    name = "datagram." + ZONE
    signature = SIGNATURE + wire.to_wire(ZONE)
    rest = 1220 - len(wire.ask(name)) - 16 - 12 - len(signature) - 11
    upstream().on(name, lambda asked: asked.reply(
        [asked.own(wire.A, ADDRESS), asked.own(wire.RRSIG, signature + b"s" * rest)]))
    for _ in range(2):
        reply = send_udp(wire.ask(name, edns=wire.opt(1220, flags=wire.DO)))
        expect_equal((len(reply.bytes), reply.types()), (1220, [wire.A, wire.RRSIG]),
                     "octets and records")


@check("4035", "4.2", "a question for DS goes to the servers of the zone above")
def ds_is_asked_above():
    upstream().on("plain.example", lambda asked: asked.reply(
        [asked.own(DS, b"\x12\x34\x0d\2" + b"d" * 32)]))
    reply = send_udp(wire.ask("plain.example", DS))
    expect_equal(reply.types(), [DS], "answers")
    expect_equal(upstream("plain").asked("plain.example", DS), [], "questions to the zone's own")


@check("4035", "4.6", "CD in a reply of upstream means nothing")
def cd_of_upstream_is_ignored():
    name = "cdreply." + ZONE
    upstream().on(name, lambda asked: asked.address(flags=SIGNED | wire.CD))
    for flags in (wire.RD, wire.RD | wire.CD):
        for _ in range(2):
            reply = expect_rcode(send_udp(wire.ask(name, flags=flags)), wire.NOERROR, name)
            expect_equal(reply.flags & wire.CD, flags & wire.CD, "CD in the answer")


@check("6840", "5.9", "a failure that is remembered without CD is asked anew with CD")
def cd_is_asked_anew():
    name = "anew.failing.example"
    upstream("failing").on(name, lambda asked: (
        asked.address() if asked.message.flags & wire.CD else asked.denial(wire.SERVFAIL)))
    expect_rcode(send_udp(wire.ask(name)), wire.SERVFAIL, "a bogus name without CD")
    reply = send_udp(wire.ask(name, flags=wire.RD | wire.CD))
    expect_equal(reply.types(), [wire.A], "answers with CD")
    expect_rcode(send_udp(wire.ask(name)), wire.SERVFAIL, "without CD again")
