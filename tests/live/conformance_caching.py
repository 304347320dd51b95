# SPDX-License-Identifier: BSD-2-Clause
"""What is remembered, and for how long: RFC 1035, 2181, 2308, 8020, 8482, 8906."""

import struct
import time

import conformance_wire as wire
from conformance import (
    check, count_calmly, expect_rcode, send_tcp, send_udp, send_udp_all, upstream,
)
from conformance_upstream import ADDRESS
from live import expect, expect_equal, wait_until

ZONE = "caching.example"
NEGATIVE_MAX = 3600  # mxcache.conf: negative_ttl_max
TTL_MAX = 86400  # mxcache.conf: ttl_max


def count(name, server="usual", qtype=None):
    return len(upstream(server).asked(name, qtype))


@check("1035", "3.2.1", "an answer is given again without asking, its TTL counted down", slow=True)
def ttls_count_down():
    name = "down." + ZONE
    first = send_udp(wire.ask(name)).ttls(wire.A)[0]
    expect(295 <= first <= 300, f"a fresh TTL of {first} for 300")
    before = count_calmly(name)
    time.sleep(2.1)
    second = send_udp(wire.ask(name)).ttls(wire.A)[0]
    expect(2 <= first - second <= 9, f"TTL {first}, two seconds later {second}")
    expect_equal(count_calmly(name), before, "questions upstream")


@check("1035", "3.2.1", "an answer is not given as fresh after its TTL", slow=True)
def ttls_end():
    name = "short." + ZONE
    upstream().on(name, lambda asked: asked.address(bytes([count(name)] * 4), ttl=1))
    expect_equal(send_udp(wire.ask(name)).data(wire.A), [b"\1\1\1\1"], "the first answer")
    time.sleep(2.2)
    before = count(name)
    expect(send_udp(wire.ask(name)).data(wire.A) != [b"\1\1\1\1"] or before > 1, "an old answer")
    expect(count(name) > 1, "nobody was asked after the TTL")


@check("1035", "3.2.1", "a TTL of 0 is for the question under way only")
def zero_ttls_are_not_kept():
    name = "zero." + ZONE
    upstream().on(name, lambda asked: asked.address(ttl=0))
    for _ in range(3):
        before = count_calmly(name)
        expect_equal(send_udp(wire.ask(name)).ttls(wire.A), [0], "the TTL")
        expect(count(name) > before, "nobody was asked")


@check("8767", "4", "a TTL of 2^31 and more is a long one, and bounded like those",
       document="mxcache.conf: ttl_max")
def huge_ttls_are_bounded():
    for number, ttl in enumerate((0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)):
        name = f"huge{number}." + ZONE
        upstream().on(name, lambda asked, ttl=ttl: asked.address(ttl=ttl))
        for _ in range(2):
            found = send_udp(wire.ask(name)).ttls(wire.A)
            expect(len(found) == 1 and TTL_MAX - 60 <= found[0] <= TTL_MAX,
                   f"TTL {found} for {ttl:#x}")


@check("2181", "8", "no TTL in an answer has its highest bit set")
def ttls_are_31_bits():
    name = "sign." + ZONE
    upstream().on(name, lambda asked: asked.reply(
        (), [wire.soa(ZONE, 0xFFFFFFFF, 0xFFFFFFFF)], rcode=wire.NXDOMAIN))
    for _ in range(2):
        for flags in (0, wire.DO):
            found = send_udp(wire.ask(name, edns=wire.opt(flags=flags))).ttls(wire.SOA)
            expect(len(found) == 1 and found[0] < 1 << 31, f"TTL {found}")


@check("2181", "5.2", "differing TTLs in a set become the least of them")
def sets_have_one_ttl():
    name = "set." + ZONE
    upstream().on(name, lambda asked: asked.reply(
        [asked.own(wire.A, bytes([n] * 4), ttl) for n, ttl in ((1, 300), (2, 60), (3, 9000))]))
    for _ in range(2):
        ttls = send_udp(wire.ask(name)).ttls(wire.A)
        expect(len(ttls) == 3 and len(set(ttls)) == 1 and ttls[0] <= 60, f"TTLs {ttls}")


@check("2181", "5", "a record that upstream sends twice is given once")
def records_are_given_once():
    name = "once." + ZONE
    data = [bytes([n] * 4) for n in range(1, 21)]
    upstream().on(name, lambda asked: asked.reply(
        [asked.own(wire.A, one) for one in data + data[:5]]))
    for _ in range(2):
        expect_equal(send_udp(wire.ask(name)).data(wire.A), data, "the set")


@check("2181", "5.1", "a set is given whole, or TC is set")
def sets_are_whole():
    for size in (20, 29, 30, 60, 90):
        name = f"whole{size}." + ZONE
        data = [bytes([n] * 4) for n in range(1, size + 1)]
        upstream().on(name, lambda asked, d=data: asked.reply(
            [asked.own(wire.A, one) for one in d]))
        for edns in (None, wire.opt(), wire.opt(700)):
            reply = send_udp(wire.ask(name, edns=edns))
            is_whole = reply.data(wire.A) == data
            expect(bool(reply.flags & wire.TC) != is_whole, f"{size} records: neither whole nor TC")
        expect_equal(send_tcp(wire.ask(name)).data(wire.A), data, "the set by TCP")


@check("2181", "5.5", "a set stands once in an answer, however often upstream repeats it")
def sets_stand_once():
    name = "everywhere." + ZONE

    def answer(asked):
        record = wire.soa(name) if asked.qtype == wire.SOA else asked.own(asked.qtype, ADDRESS)
        return asked.reply([record], [record], [record])

    upstream().on(name, answer)
    for qtype in (wire.A, wire.SOA):
        for _ in range(2):
            reply = send_udp(wire.ask(name, qtype))
            found = [r[1] for r in reply.answers + reply.authority + reply.additional]
            expect_equal(found, [qtype], "records in all sections")


@check("2181", "5.3.1", "signatures sent along with an answer do not answer for all signatures")
def signatures_sent_along_are_not_the_set():
    name = "signatures." + ZONE
    covers = [struct.pack(">H", qtype) + bytes(16) + wire.to_wire(ZONE) + b"s" * 32
              for qtype in (wire.A, wire.TXT)]

    def answer(asked):
        if asked.qtype == wire.RRSIG:
            return asked.reply([asked.own(wire.RRSIG, data) for data in covers])
        return asked.reply([asked.own(wire.A, ADDRESS), asked.own(wire.RRSIG, covers[0])])

    upstream().on(name, answer)
    for qtype in (wire.A, wire.RRSIG, wire.A, wire.RRSIG):
        reply = send_udp(wire.ask(name, qtype, edns=wire.opt(flags=wire.DO)))
        expect_equal(reply.data(wire.RRSIG), covers if qtype == wire.RRSIG else covers[:1],
                     f"signatures for type {qtype}")


@check("2181", "5.4", "what a reply says is not mixed with what an earlier one has said", slow=True)
def sets_are_not_merged():
    name = "merged." + ZONE
    first, second = [b"\1\1\1\1", b"\2\2\2\2"], [b"\3\3\3\3"]
    given = [first]
    upstream().on(name, lambda asked: asked.reply(
        [asked.own(wire.A, one, 1) for one in given[0]]))
    target = "both." + ZONE
    for number in range(2):
        upstream().on(f"alias{number}.merged." + ZONE, lambda asked, n=number: asked.reply(
            [asked.own(wire.CNAME, wire.to_wire(target)),
             wire.record(target, wire.A, bytes([n] * 4))]))
    expect_equal(send_udp(wire.ask(name)).data(wire.A), first, "the first set")
    for number in (0, 1, 0, 1):
        reply = send_udp(wire.ask(f"alias{number}.merged." + ZONE))
        expect_equal(reply.data(wire.A), [bytes([number] * 4)], f"by alias {number}")
    given[0] = second
    time.sleep(2.2)
    expect_equal(send_udp(wire.ask(name)).data(wire.A), second, "the set that replaced it")


@check("1035", "7.4", "what has been asked about a name with * is no answer for others")
def stars_do_not_expand():
    top = "star." + ZONE
    upstream().on("*." + top, lambda asked: asked.address(b"\6\6\6\6"))
    for name, data in (("*." + top, b"\6\6\6\6"), ("x." + top, ADDRESS), ("*.x." + top, ADDRESS)):
        for _ in range(2):
            expect_equal(send_udp(wire.ask(name)).data(wire.A), [data], f"the address of {name}")


@check("1034", "4.3.1", "without RD what is known is answered, and nobody is asked")
def rd_is_needed_for_asking():
    name = "unasked." + ZONE
    for send in (send_udp, send_tcp):
        reply = send(wire.ask(name, flags=0))
        expect(reply is not None, "no answer without RD")
        expect_equal((reply.answers, reply.flags & wire.RD), ([], 0), "answers and RD")
    expect_equal(count_calmly(name), 0, "questions upstream")
    send_udp(wire.ask(name))
    before = count_calmly(name)
    reply = expect_rcode(send_udp(wire.ask(name, flags=0)), wire.NOERROR, "what is known")
    expect_equal(reply.types(), [wire.A], "answers without RD")
    expect_equal(count_calmly(name), before, "questions upstream")


@check("2308", "5", "NXDOMAIN is remembered for all types, with its SOA")
def denials_are_kept():
    name = "none." + ZONE
    upstream().on(name, lambda asked: asked.denial(wire.NXDOMAIN))
    before = None
    for qtype in (wire.A, wire.A, wire.TXT, wire.MX, wire.AAAA):
        reply = expect_rcode(send_udp(wire.ask(name, qtype)), wire.NXDOMAIN, f"type {qtype}")
        expect_equal([r[1] for r in reply.authority], [wire.SOA], "the authority section")
        before = before or count_calmly(name)
    expect_equal(count_calmly(name), before, "questions upstream")


@check("2308", "5", "no such record is remembered for its type alone")
def empty_answers_are_kept():
    name = "empty." + ZONE
    before = None
    for _ in range(2):
        reply = expect_rcode(send_udp(wire.ask(name, wire.MX)), wire.NOERROR, "no MX")
        expect_equal((reply.answers, [r[1] for r in reply.authority]), ([], [wire.SOA]), "MX")
        expect_equal(send_udp(wire.ask(name)).types(), [wire.A], "the address")
        before = before or count_calmly(name)
    expect_equal(count_calmly(name), before, "questions upstream")


@check("2308", "5", "a denial lives for the lesser of the SOA's TTL and MINIMUM")
def denials_have_their_ttl():
    for number, (ttl, minimum) in enumerate(((300, 60), (60, 300), (9999999, 9999999))):
        name = f"negative{number}." + ZONE
        upstream().on(name, lambda asked, t=ttl, m=minimum: asked.reply(
            (), [wire.soa(ZONE, t, m)], rcode=wire.NXDOMAIN))
        for _ in range(2):
            found = send_udp(wire.ask(name)).ttls(wire.SOA)[0]
            wanted = min(ttl, minimum, NEGATIVE_MAX)
            expect(wanted - 5 <= found <= wanted, f"TTL {found} for {ttl} and {minimum}")


@check("2308", "6", "the SOA of a remembered denial has its TTL counted down", slow=True)
def denials_count_down():
    name = "aging." + ZONE
    upstream().on(name, lambda asked: asked.denial(wire.NXDOMAIN))
    first = send_udp(wire.ask(name)).ttls(wire.SOA)[0]
    time.sleep(2.1)
    second = send_udp(wire.ask(name)).ttls(wire.SOA)[0]
    expect(2 <= first - second <= 9, f"TTL {first}, two seconds later {second}")


@check("2308", "5", "a denial without an SOA is not remembered for long")
def denials_without_soa_are_not_kept():
    for rcode in (wire.NOERROR, wire.NXDOMAIN):
        name = f"nosoa{rcode}.failing.example"
        upstream("failing").on(name, lambda asked, r=rcode: asked.reply(rcode=r))
        reply = send_udp(wire.ask(name))
        expect(reply is not None and not reply.answers, "answers to a denial")
        expect(all(ttl <= 60 for ttl in reply.ttls(wire.SOA)), "an SOA made up for long")
    again = lambda: send_udp(wire.ask(name)) and count(name, "failing") > 2
    wait_until(again, "a new question about a denial without an SOA", 12)


@check("2308", "2.1", "an alias to a name that does not exist: both are told")
def aliases_to_nothing():
    name = "alias." + ZONE
    upstream().on(name, lambda asked: asked.reply(
        [asked.own(wire.CNAME, wire.to_wire("gone." + ZONE))], [wire.soa(ZONE)],
        rcode=wire.NXDOMAIN))
    for _ in range(2):
        reply = expect_rcode(send_udp(wire.ask(name)), wire.NXDOMAIN, name)
        expect_equal(reply.types(), [wire.CNAME], "answers")


@check("8020", "2", "nothing is below a name that does not exist; nobody is asked")
def denials_cut_the_tree():
    top = "nothing." + ZONE
    upstream().on(top, lambda asked: asked.denial(wire.NXDOMAIN))
    send_udp(wire.ask(top))
    for name in ("a." + top, "b.a." + top, "c.b.a." + top):
        expect_rcode(send_udp(wire.ask(name)), wire.NXDOMAIN, name)
        expect_equal(count(name), 0, f"questions upstream about {name}")


@check("8020", "3.1", "a name without records has names below it all the same")
def empty_names_do_not_cut():
    top = "hollow." + ZONE
    upstream().on(top, lambda asked: asked.denial())
    send_udp(wire.ask(top))
    expect_equal(send_udp(wire.ask("leaf." + top)).types(), [wire.A], "answers below")


@check("8482", "4.2", "ANY gets a HINFO of its own, and is not asked upstream")
def any_is_answered_small():
    name = "any." + ZONE
    for send in (send_udp, send_tcp):
        reply = expect_rcode(send(wire.ask(name, wire.ANY)), wire.NOERROR, "ANY")
        expect_equal(reply.data(wire.HINFO), [b"\7RFC8482\0"], "the HINFO")
        expect_equal((len(reply.answers), reply.flags & wire.TC), (1, 0), "records and TC")
    expect_equal(count(name), 0, "questions upstream")
    expect_equal(send_udp(wire.ask(name)).types(), [wire.A], "answers after ANY")
    reply = send_udp(wire.ask(name, wire.HINFO))
    expect_equal(reply.answers, [], "HINFO asked for by name, after ANY")


@check("8906", "3.1.2", "every type gets an answer, known or not, or one for transfers and keys")
def types_are_answered():
    types = [*range(0, 280), 32768, 32769, wire.UNKNOWN, 65534, 65535]
    replies = send_udp_all([wire.ask("types." + ZONE, t, ident=t) for t in types])
    expect_equal([t for t in types if t not in replies], [], "types without an answer")
    for qtype in types:
        expect_equal(replies[qtype].questions, [wire.question("types." + ZONE, qtype)], "question")
    for qtype in (1000, wire.UNKNOWN, 65534):
        reply = send_tcp(wire.ask("types." + ZONE, qtype, edns=wire.opt(flags=wire.DO)))
        expect_rcode(reply, wire.NOERROR, f"type {qtype}")


@check("8906", "3.1.3", "every combination of flags gets an answer")
def flags_are_answered():
    bits = (wire.AA, wire.TC, wire.RD, wire.RA, wire.Z, wire.AD, wire.CD)
    every = [sum(bit for at, bit in enumerate(bits) if n >> at & 1) for n in range(128)]
    messages = [wire.ask("flags." + ZONE, flags=f, ident=n) for n, f in enumerate(every)]
    replies = send_udp_all(messages)
    expect_equal([f"{f:#x}" for n, f in enumerate(every) if n not in replies], [], "silence")
    for n, flags in enumerate(every):
        if flags & wire.RD:
            expect_rcode(replies[n], wire.NOERROR, f"flags {flags:#x}")


@check("1035", "4.1.1", "an rcode in a question is ignored")
def rcodes_in_questions_are_ignored():
    for rcode in (1, 3, 5, 15):
        reply = send_udp(wire.ask("rcode." + ZONE, flags=wire.RD | rcode))
        expect_rcode(reply, wire.NOERROR, f"a question with rcode {rcode}")


@check("2308", "5", "a denial is not given after its TTL", slow=True)
def denials_end():
    for rcode in (wire.NOERROR, wire.NXDOMAIN):
        name = f"over{rcode}." + ZONE
        upstream().on(name, lambda asked, r=rcode: (
            asked.address() if count(asked.key) > 1
            else asked.reply((), [wire.soa(ZONE, 300, 1)], rcode=r)))
        expect_rcode(send_udp(wire.ask(name)), rcode, "the denial")
    time.sleep(2.2)
    for rcode in (wire.NOERROR, wire.NXDOMAIN):
        reply = send_udp(wire.ask(f"over{rcode}." + ZONE))
        expect_equal(reply.types(), [wire.A], f"answers after the end of a denial, rcode {rcode}")


@check("2308", "2.2", "an alias to a name without such a record: the alias and the SOA")
def aliases_to_hollow_names():
    name = "hollowed." + ZONE
    upstream().on(name, lambda asked: asked.reply(
        [asked.own(wire.CNAME, wire.to_wire("bare." + ZONE))], [wire.soa(ZONE)]))
    before = None
    for _ in range(2):
        reply = expect_rcode(send_udp(wire.ask(name, wire.MX)), wire.NOERROR, name)
        expect_equal((reply.types(), [r[1] for r in reply.authority]), ([wire.CNAME], [wire.SOA]),
                     "answers and authority")
        before = before or count_calmly(name)
    expect_equal(count_calmly(name), before, "questions upstream")


@check("8020", "2", "NXDOMAIN behind an alias denies the alias's target, not the alias")
def aliases_do_not_cut():
    top = "link." + ZONE
    upstream().on(top, lambda asked: asked.reply(
        [asked.own(wire.CNAME, wire.to_wire("lost." + ZONE))], [wire.soa(ZONE)],
        rcode=wire.NXDOMAIN))
    expect_rcode(send_udp(wire.ask(top)), wire.NXDOMAIN, top)
    reply = expect_rcode(send_udp(wire.ask("below." + top)), wire.NOERROR, "a name below the alias")
    expect_equal(reply.types(), [wire.A], "its answers")


@check("1034", "3.6.2", "an alias is followed from every type, but for the question about itself")
def aliases_stand_for_all_types():
    name = "anytype." + ZONE
    target = wire.to_wire("aim." + ZONE)

    def answer(asked):
        link = asked.own(wire.CNAME, target)
        if asked.qtype == wire.CNAME:
            return asked.reply([link])
        data = {wire.A: ADDRESS, wire.TXT: b"\2ok"}[asked.qtype]
        return asked.reply([link, wire.record(target, asked.qtype, data)])

    upstream().on(name, answer)
    for qtype, types in ((wire.A, [wire.A, wire.CNAME]), (wire.TXT, [wire.CNAME, wire.TXT]),
                         (wire.CNAME, [wire.CNAME])):
        for _ in range(2):
            reply = send_udp(wire.ask(name, qtype))
            expect_equal(reply.types(), sorted(types), f"answers for type {qtype}")


@check("8906", "6", "what is cached does not hide a question's version, DO, size, flags or case")
def whole_answers_fit_their_question():
    name = "Whole-Answer." + ZONE
    for _ in range(2):
        reply = expect_rcode(send_udp(wire.ask(name, edns=wire.opt())), wire.NOERROR, "version 0")
        expect_equal(reply.opts[0][2] & wire.DO, 0, "DO")
        reply = send_udp(wire.ask(name, edns=wire.opt(version=1)))
        expect_rcode(reply, wire.BADVERS, "version 1, cached")
        reply = send_udp(wire.ask(name, edns=wire.opt(flags=wire.DO)))
        expect(reply.opts[0][2] & wire.DO, "DO is not in the answer")
        for send in (send_tcp, send_udp):
            reply = send(wire.ask(name.lower()))
            expect_equal((reply.questions, reply.additional), ([wire.question(name.lower())], []),
                         "question and additional records")
        for flags in (0, wire.RD, wire.CD, wire.RD | wire.AD, wire.RD | wire.CD):
            reply = send_udp(wire.ask(name, flags=flags))
            expect_equal(reply.flags & (wire.RD | wire.CD | wire.AD), flags & (wire.RD | wire.CD),
                         f"RD, CD and AD for {flags:#x}")


@check("8906", "7", "a name that does not exist is NXDOMAIN for unknown types, others are empty")
def unknown_types_are_denied():
    upstream().on("denied." + ZONE, lambda asked: asked.denial(wire.NXDOMAIN))
    reply = send_udp(wire.ask("denied." + ZONE, 1000))
    expect_rcode(reply, wire.NXDOMAIN, "an unknown type of a name that does not exist")
    reply = expect_rcode(send_udp(wire.ask("there." + ZONE, 1000)), wire.NOERROR, "an unknown type")
    expect_equal(reply.answers, [], "answers")


@check("2308", "2.1", "NXDOMAIN is one, whatever stands in the authority section")
def denials_come_in_kinds():
    zone = "failing.example"
    servers = [wire.record(zone, wire.NS, wire.to_wire("ns." + zone))]
    glue = [wire.record("ns." + zone, wire.A, ADDRESS)]
    for number, authority in enumerate(([*servers, wire.soa(zone)], [wire.soa(zone)], [], servers)):
        name = f"kind{number}.failing.example"
        upstream("failing").on(name, lambda asked, a=authority: asked.reply(
            (), a, glue, rcode=wire.NXDOMAIN))
        expect_rcode(send_udp(wire.ask(name)), wire.NXDOMAIN, f"NXDOMAIN of type {number + 1}")


@check("2308", "2.2", "name servers without an SOA are a referral, with one or none no such record")
def referrals_are_no_denials():
    zone = "failing.example"
    servers = [wire.record(zone, wire.NS, wire.to_wire("ns." + zone))]
    glue = [wire.record("ns." + zone, wire.A, ADDRESS)]
    for number, (authority, rcode) in enumerate((
            (servers, wire.SERVFAIL), ([*servers, wire.soa(zone)], wire.NOERROR),
            ([wire.soa(zone)], wire.NOERROR), ([], wire.NOERROR))):
        name = f"referred{number}.failing.example"
        upstream("failing").on(name, lambda asked, a=authority: asked.reply((), a, glue))
        reply = expect_rcode(send_udp(wire.ask(name)), rcode, name)
        expect_equal((reply.answers, reply.additional), ([], []), "records")


@check("2308", "3", "denials made in the house have an SOA")
def local_denials_have_an_soa():
    for name, qtype, rcode in (("x.invalid", wire.A, wire.NXDOMAIN),
                               ("localhost", wire.MX, wire.NOERROR)):
        for send in (send_udp, send_tcp):
            reply = expect_rcode(send(wire.ask(name, qtype)), rcode, name)
            expect_equal([r[1] for r in reply.authority], [wire.SOA], f"authority for {name}")


@check("8020", "2", "below a name that does not exist a denial has its proof for who sets DO")
def cut_denials_are_proved():
    top = "unproved." + ZONE
    nsec = wire.to_wire("z." + ZONE) + b"\0\1\x40"

    def answer(asked):
        wants = asked.message.opts and asked.message.opts[0][2] & wire.DO
        proof = [wire.record(top, 47, nsec)] if wants else []
        return asked.reply((), [wire.soa(ZONE), *proof], rcode=wire.NXDOMAIN)

    for name in (top, "a." + top, "b.a." + top):
        upstream().on(name, answer)
    for flags in (0, wire.DO):
        for name in (top, "a." + top, "b.a." + top):
            reply = send_udp(wire.ask(name, edns=wire.opt(flags=flags)))
            expect_rcode(reply, wire.NXDOMAIN, name)
            expect_equal(47 in [r[1] for r in reply.authority], bool(flags), f"a proof for {name}")


@check("2181", "10.1", "of two aliases at one name, or an alias beside data, never both are given")
def aliases_stand_alone():
    one, other = wire.to_wire("one." + ZONE), wire.to_wire("other." + ZONE)
    upstream("failing").on("two.failing.example", lambda asked: asked.reply(
        [asked.own(wire.CNAME, one), asked.own(wire.CNAME, other),
         wire.record(one, wire.A, ADDRESS), wire.record(other, wire.A, ADDRESS)]))
    expect_equal(send_udp(wire.ask("two.failing.example")).answers, [], "answers with two aliases")
    upstream("failing").on("beside.failing.example", lambda asked: asked.reply(
        [asked.own(wire.CNAME, one), asked.own(wire.A, ADDRESS)]))
    types = send_udp(wire.ask("beside.failing.example")).types()
    expect(types in ([], [wire.A], [wire.CNAME]), f"answers with data beside an alias: {types}")
