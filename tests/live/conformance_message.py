# SPDX-License-Identifier: BSD-2-Clause
"""The form of messages: RFC 1035, 2181 (names), 3597, 4343, 9619."""

import struct

import conformance_wire as wire
from conformance import (
    SILENCE, Line, check, count_calmly, expect_rcode, expect_silence, send_tcp, send_udp,
    send_udp_all, server, udp_open, upstream,
)
from conformance_upstream import ADDRESS
from live import expect, expect_equal

ZONE = "message.example"
# Four labels of 63, 63, 63 and 61 octets make 255 with their lengths and the root.
LONGEST = "a" * 63 + "." + "b" * 63 + "." + "c" * 63 + "." + "d" * 61


def is_header_plain(reply, what):
    expect(reply.flags & wire.QR, f"{what}: QR is not set")
    expect(not reply.flags & wire.Z, f"{what}: Z is set")
    expect_equal(reply.opcode, 0, f"{what}: opcode")


@check("1035", "4.1.1", "the id of a question is the id of its answer")
def ids_are_copied():
    for ident in (0, 1, 0x00FF, 0xFF00, 0xFFFF):
        for send in (send_udp, send_tcp):
            reply = send(wire.ask("ids." + ZONE, ident=ident))
            expect_equal(reply.id, ident, f"the id by {send.__name__}")


@check("1035", "4.1.1", "an answer has QR, RA, no AA, no Z; RD as it was asked")
def header_is_right():
    for name in ("header." + ZONE, "header." + ZONE, "localhost"):
        for flags in (wire.RD, wire.RD | wire.Z, wire.RD | wire.AA | wire.TC | wire.RA):
            reply = expect_rcode(send_udp(wire.ask(name, flags=flags)), wire.NOERROR, name)
            is_header_plain(reply, name)
            expect(reply.flags & wire.RA, "RA is not set")
            expect(reply.flags & wire.RD, "RD is not copied")
            expect(not reply.flags & (wire.AA if name != "localhost" else 0), "AA is set")
            expect(not reply.flags & wire.TC, "TC is set")
    reply = send_udp(wire.ask("header." + ZONE, flags=0))
    expect(not reply.flags & wire.RD, "RD is set in the answer to a question without")


@check("1034", "3.7", "the question is repeated octet by octet, its case too")
def question_is_copied():
    for name in ("CaSe." + ZONE, "case.MESSAGE.example", "cAse." + ZONE):
        reply = send_udp(wire.ask(name))
        expect_equal(reply.questions, [wire.question(name)], "the question in the answer")


@check("4343", "3", "names are compared without regard to case")
def case_is_one():
    before = None
    for name in ("Folded." + ZONE, "fOLDED." + ZONE.upper(), "folded." + ZONE):
        expect_equal(send_udp(wire.ask(name)).types(), [wire.A], f"answers for {name}")
        before = before or count_calmly(name)
    expect_equal(count_calmly("folded." + ZONE), before, "questions sent upstream")


@check("1035", "4.1.1", "a message with QR set is never answered")
def responses_are_dropped():
    for flags in (wire.QR, wire.QR | wire.RD | wire.RA, wire.QR | 0x2000 | 1):
        expect_silence(wire.ask("qr." + ZONE, flags=flags), "a response")
    with Line() as line:
        line.send(wire.ask("qr." + ZONE, flags=wire.QR | wire.RD, ident=1),
                  wire.ask("qr." + ZONE, ident=2))
        reply = line.receive()
    expect(reply is None or reply.id == 2, "a response by TCP was answered")


@check("8906", "3.1.4", "opcodes other than QUERY get NOTIMP, with their opcode")
def opcodes_are_refused():
    messages = [wire.ask("op." + ZONE, flags=op << 11 | wire.RD, ident=op) for op in range(1, 16)]
    replies = send_udp_all(messages)
    for op in range(1, 16):
        reply = expect_rcode(replies.get(op), wire.NOTIMP, f"opcode {op}")
        expect_equal(reply.opcode, op, "the opcode of the answer")
    for op in (1, 2, 4, 5, 6, 15):
        head = wire.message(op << 11)
        reply = expect_rcode(send_udp(head), wire.NOTIMP, f"a header of opcode {op} alone")
        expect_equal((reply.counts, reply.flags & (wire.AA | wire.TC | wire.RD | wire.AD)),
                     ([0, 0, 0, 0], 0), "records, AA, TC, RD and AD")


@check("9619", "4", "QDCOUNT 2 gets FORMERR")
def two_questions_are_refused():
    two = [wire.question("one." + ZONE), wire.question("two." + ZONE)]
    for send in (send_udp, send_tcp):
        expect_rcode(send(wire.message(questions=two)), wire.FORMERR, "two questions")
    expect_rcode(send_udp(wire.message(questions=two[:1] * 2)), wire.FORMERR, "a question twice")
    expect_rcode(send_udp(wire.message(questions=two[:1], counts=(65535, 0, 0, 0))),
                 wire.FORMERR, "QDCOUNT 65535")


@check("1035", "4.1.2", "QDCOUNT 0 gets FORMERR")
def no_question_is_refused():
    for send in (send_udp, send_tcp):
        expect_rcode(send(wire.message()), wire.FORMERR, "no question")
    with_opt = wire.message(sections=((), (), [wire.opt()]))
    expect_rcode(send_udp(with_opt), wire.FORMERR, "no question, with an OPT")


@check("7873", "5.4", "a question for a cookie alone (QDCOUNT 0) gets FORMERR",
       document="no cookies are given to clients")
def cookie_questions_are_refused():
    extra = wire.opt(options=wire.option(wire.COOKIE, b"12345678"))
    reply = send_udp(wire.message(sections=((), (), [extra])))
    expect_rcode(reply, wire.FORMERR, "a cookie and no question")


@check("1035", "4.1.1", "counts that promise more than there is get FORMERR")
def counts_are_checked():
    for counts in ((1, 1, 0, 0), (1, 0, 1, 0), (1, 0, 0, 1), (1, 0, 0, 65535), (1, 65535, 0, 0)):
        message = wire.message(questions=[wire.question("counts." + ZONE)], counts=counts)
        expect_rcode(send_udp(message), wire.FORMERR, f"counts {counts}")


@check("1035", "2.3.4", "a name of 255 octets is asked, and answered")
def longest_names_pass():
    expect_equal(len(wire.to_wire(LONGEST)), 255, "octets of the longest name")
    for send in (send_udp, send_tcp):
        reply = expect_rcode(send(wire.ask(LONGEST)), wire.NOERROR, "255 octets")
        expect_equal(reply.types(), [wire.A], "its answers")
    expect(upstream().asked(LONGEST), "the longest name did not get upstream")
    many = ".".join("x" * 127)
    expect_rcode(send_udp(wire.ask(many)), wire.NOERROR, "127 labels")


@check("1035", "2.3.4", "a name of more than 255 octets gets FORMERR")
def longer_names_are_refused():
    for name in ("e" + LONGEST[:63] + "." + LONGEST, LONGEST + "d", ".".join("x" * 128)):
        if len(name.split(".")[0]) > 63:
            name = name[1:]
        expect_rcode(send_udp(wire.ask(name)), wire.FORMERR, f"{len(name) + 2} octets")


@check("1035", "2.3.4", "a label of 63 octets is asked, and answered")
def longest_labels_pass():
    reply = expect_rcode(send_udp(wire.ask("l" * 63 + "." + ZONE)), wire.NOERROR, "63 octets")
    expect_equal(reply.types(), [wire.A], "its answers")


@check("1035", "4.1.4", "label types 01 and 10, which are reserved, get FORMERR")
def label_types_are_refused():
    for kind in (0x40, 0x41, 0x7F, 0x80, 0xBF):
        name = bytes([kind]) + b"a" * (kind & 63) + wire.to_wire(ZONE)
        message = wire.message(questions=[wire.question(name)])
        expect_rcode(send_udp(message), wire.FORMERR, f"a label of type {kind:#x}")


@check("1035", "4.1.4", "a pointer that is no prior name gets FORMERR")
def pointers_are_checked():
    for name in (b"\xc0\x0c", b"\xc0\x0e", b"\xc0\xff", b"\xff\xff", b"\1a\xc0\x0c",
                 b"\1a\xc0\x0e", b"\1a\xc0\x10"):
        message = wire.message(questions=[wire.question(name)])
        for send in (send_udp, send_tcp):
            expect_rcode(send(message), wire.FORMERR, f"the name {name!r}")


@check("1035", "4.1.4", "a pointer in a record of a question is followed or refused, not fatal")
def pointers_in_records_are_met():
    good = wire.record(b"\xc0\x0c", wire.A, b"\1\2\3\4")
    for owner in (b"\xc0\x0c", b"\xc0\x00", b"\xc0\x25", b"\1a\xc0\x0c", b"\xc0"):
        record = owner + good[2:]
        for place in range(3):
            sections = tuple([record] if place == at else [] for at in range(3))
            message = wire.message(questions=[wire.question("ptr." + ZONE)], sections=sections)
            reply = send_udp(message)
            expect(reply and reply.rcode in (wire.NOERROR, wire.FORMERR), f"{owner!r} at {place}")


@check("1035", "4.1", "octets behind the last record get an answer or FORMERR, not silence")
def trailing_bytes_are_met():
    for rest in (b"\0", b"\0" * 100, b"\xff" * 11, wire.opt()):
        for edns in (None, wire.opt()):
            for send in (send_udp, send_tcp):
                reply = send(wire.ask("trailing." + ZONE, edns=edns) + rest)
                expect(reply is not None, f"{len(rest)} octets behind the message: no answer")
                expect(reply.rcode in (wire.NOERROR, wire.FORMERR), f"rcode {reply.rcode}")


@check("1035", "4.1.1", "a message cut at any length gets FORMERR; less than a header nothing")
def cut_messages_are_met():
    whole = wire.ask("cut." + ZONE, edns=wire.opt(options=wire.option(wire.UNKNOWN, b"xyz")))
    cuts = [struct.pack(">H", size) + whole[2:size] for size in range(12, len(whole))]
    replies = send_udp_all(cuts)
    for size in range(12, len(whole)):
        expect_rcode(replies.get(size), wire.FORMERR, f"the first {size} of {len(whole)} octets")
    shorts = [whole[:size] for size in range(1, 12)]
    expect_equal(send_udp_all(shorts, SILENCE), {}, "answers to less than a header")


@check("2181", "11", "any octet may be in a label")
def labels_are_octets():
    labels = [(bytes(range(at, min(at + 60, 256))), b"binary", b"example")
              for at in range(0, 256, 60)]
    labels += [(b"a.b", b"binary", b"example"), (b"a\0b", b"binary", b"example"), (b" \\\"",)]
    for name in labels:
        message = wire.message(questions=[wire.question(wire.to_wire(name))])
        reply = expect_rcode(send_udp(message), wire.NOERROR, repr(name))
        expect_equal(reply.questions, [wire.question(wire.to_wire(name))], "the question")
        expect_equal(reply.types(), [wire.A], f"answers for {name!r}")


@check("2181", "11", "a dot within a label does not divide it")
def dots_in_labels_are_no_dots():
    def answer(asked):
        dotted = asked.question.startswith(b"\3")
        return asked.address(b"\1\1\1\1" if dotted else b"\2\2\2\2")

    upstream().on("x.y.dots.example", answer)
    for name, data in (((b"x.y", b"dots", b"example"), b"\1\1\1\1"),
                       ((b"x", b"y", b"dots", b"example"), b"\2\2\2\2")):
        reply = send_udp(wire.message(questions=[wire.question(wire.to_wire(name))]))
        expect_equal(reply.data(wire.A), [data], f"the address of {name!r}")


@check("3597", "3", "records of unknown types come through octet by octet")
def unknown_types_pass():
    for number, data in enumerate((b"", b"\xc0\x0c\0\xff", bytes(range(256)) * 4)):
        name = f"unknown{number}." + ZONE
        upstream().on(name, lambda asked, d=data: asked.reply([asked.own(asked.qtype, d)]))
        for _ in range(2):
            reply = send_tcp(wire.ask(name, wire.UNKNOWN))
            expect_equal(reply.data(wire.UNKNOWN), [data], f"the data of {name}")


@check("3597", "4", "names in data that upstream has compressed are still right for the client")
def compressed_data_is_mended():
    def answer(asked):
        zone_at = 12 + len("srv") + 1
        target = b"\4host" + struct.pack(">H", 0xC000 | zone_at)
        data = {wire.SRV: struct.pack(">HHH", 1, 2, 25), wire.MX: struct.pack(">H", 10)}
        other = wire.record("a-longer-owner." + ZONE, wire.A, b"\1\2\3\4")
        return asked.reply([asked.own(asked.qtype, data[asked.qtype] + target)], (), [other])

    upstream().on("srv." + ZONE, answer)
    for qtype, at in ((wire.SRV, 6), (wire.MX, 2)):
        for _ in range(2):
            reply = send_udp(wire.ask("srv." + ZONE, qtype))
            expect_equal(reply.types(), [qtype], "the answers")
            start, end = reply.answers[0][5], reply.answers[0][5] + len(reply.answers[0][3])
            found, stop = wire.dnswire.read_name(reply.bytes, start + at)
            expect_equal((found.lower(), stop), (f"host.{ZONE}.", end), f"target, type {qtype}")
            compressed = any(size & 0xC0 for size in reply.answers[0][3][at : at + 1])
            expect(qtype == wire.MX or not compressed, "a name in SRV is compressed")


@check("1035", "4.1.1", "every class other than IN gets NOTIMP or REFUSED, not silence")
def classes_are_answered():
    classes = (0, 2, 3, 4, 5, 254, 255, 256, wire.UNKNOWN, 65535)
    messages = [wire.ask("class." + ZONE, qclass=c, ident=c) for c in classes]
    replies = send_udp_all(messages)
    for number in classes:
        expect(number in replies, f"class {number}: no answer")
        expect_equal(replies[number].answers, [], f"records for class {number}")
        expect(replies[number].rcode in (wire.NOTIMP, wire.REFUSED), f"class {number}: rcode")


@check("1035", "3.1", "the root is a name like any other")
def the_root_is_asked():
    for send in (send_udp, send_tcp):
        reply = expect_rcode(send(wire.ask(b"\0", wire.NS)), wire.NOERROR, "the root")
        expect_equal(reply.questions, [wire.question(b"\0", wire.NS)], "the question")


@check("1035", "4.1.4", "a pointer into the header is no name, whatever the header looks like")
def pointers_into_the_header_are_refused():
    for at in range(12):
        name = struct.pack(">H", 0xC000 | at)
        for ident in (0, 0x0161):  # As labels: the root, and "a".
            message = wire.message(questions=[wire.question(name)], ident=ident)
            expect_rcode(send_udp(message), wire.FORMERR, f"a pointer to octet {at}")


@check("1035", "4.1.4", "pointers in a circle, forward or beyond the end are no name: FORMERR")
def circles_are_refused():
    for name in (b"\xc0\x0e\xc0\x0c", b"\1a\xc0\x10\xc0\x0e", b"\xc0\x10\xc0\x0c\1a\0",
                 b"\xc0\x0d", b"\1a\1b\xc0\x0e", b"\xc3\xff", b"\xff\xff", b"\xc0"):
        for rest in (struct.pack(">HH", 1, 1), b""):
            message = wire.message(questions=[name + rest])
            for send in (send_udp, send_tcp):
                expect_rcode(send(message), wire.FORMERR, f"the name {name!r}")


@check("1035", "4.1.4", "pointers of upstream's are followed backwards, and in no other direction",
       slow=True)
def pointers_of_upstream_are_met():
    def answer(asked):
        here = 12 + len(asked.question) + 12 + 2  # Where the name in the data begins.
        # What the header says at its octet 8, the count of a section, would be the root.
        aims = {"self": here, "forward": here + 2, "beyond": 0x3FFF, "header": 8}
        data = struct.pack(">HH", 10, 0xC000 | aims[asked.key[:-17]])
        return asked.reply([asked.own(wire.MX, data)], (), [asked.own(wire.A, ADDRESS)])

    for name in ("self", "forward", "beyond", "header"):
        upstream("failing").on(name + ".failing.example", answer)
        reply = send_udp(wire.ask(name + ".failing.example", wire.MX))
        expect(reply is not None, f"no answer after a pointer to {name}")
        expect_equal(reply.data(wire.MX), [], f"records from a pointer to {name}")

    def answer_well(asked):
        zone_at = 12 + len("many") + 1
        target = b"\3aim" + struct.pack(">H", 0xC000 | zone_at)
        owner_at = 12 + len(asked.question) + 12
        return asked.reply([
            asked.own(wire.CNAME, target),
            wire.record(struct.pack(">H", 0xC000 | owner_at), wire.A, b"\1\1\1\1")])

    upstream().on("many." + ZONE, answer_well)
    reply = send_udp(wire.ask("many." + ZONE))
    expect_equal(reply.data(wire.A), [b"\1\1\1\1"], "the address behind two pointers")


@check("2181", "4.1", "an answer comes from the address that was asked")
def answers_come_from_where_asked():
    with udp_open() as sock:
        sock.sendto(wire.ask("from." + ZONE), server())
        _, source = sock.recvfrom(65535)
    expect_equal(source[0], server()[0], "where the answer came from")


@check("2181", "4.2", "an answer comes from the port that was asked, to the port that asked")
def answers_go_where_asked_from():
    with udp_open() as first, udp_open() as second:
        for ident, sock in enumerate((first, second, first, second)):
            sock.sendto(wire.ask("port." + ZONE, ident=ident), server())
        for sock, idents in ((first, [0, 2]), (second, [1, 3])):
            found = [sock.recvfrom(65535) for _ in idents]
            expect_equal({source[1] for _, source in found}, {server()[1]}, "where they came from")
            expect_equal(sorted(wire.Message(data).id for data, _ in found), idents, "answers")


@check("3597", "6", "data of unknown types that differ in case alone are two records")
def unknown_data_is_octets():
    data = [wire.to_wire("A.b"), wire.to_wire("a.B"), wire.to_wire("a.b")]
    upstream().on("octets." + ZONE, lambda asked: asked.reply(
        [asked.own(wire.UNKNOWN, one) for one in data]))
    for _ in range(2):
        reply = send_udp(wire.ask("octets." + ZONE, wire.UNKNOWN))
        expect_equal(reply.data(wire.UNKNOWN), sorted(data), "the data")


@check("4343", "4.1", "names in data keep the case in which they came",
       document="ARCHITECTURE.md: but for what they share with the question")
def case_is_kept():
    targets = {wire.CNAME: "TarGet.Other.TesT.NeT", wire.MX: "MaiL.Test.NET"}
    for qtype, target in targets.items():
        head = struct.pack(">H", 10) if qtype == wire.MX else b""
        name = f"kept{qtype}." + ZONE
        upstream().on(name, lambda asked, d=head + wire.to_wire(target): asked.reply(
            [asked.own(asked.qtype, d)]))
        for _ in range(2):
            reply = send_udp(wire.ask(name, qtype))
            start = reply.answers[0][5] + len(head)
            found, _ = wire.dnswire.read_name(reply.bytes, start)
            expect_equal(found, target + ".", f"the name in the data, type {qtype}")


@check("1035", "3.1", "only letters have two cases: [ and {, or octets 0xDD and 0xFD, differ")
def only_letters_have_case():
    def answer(asked):
        return asked.address(asked.question[1:2] * 4)

    for pair in (b"[{", b"@`", b"^~", b"\xdd\xfd", b"\xc0\xe0"):
        for _ in range(2):
            for octet in pair:
                labels = (bytes([octet]), b"case", b"message", b"example")
                upstream().on(".".join(label.decode("latin-1") for label in labels), answer)
                reply = send_udp(wire.ask(wire.to_wire(labels)))
                expect_equal(reply.data(wire.A), [bytes([octet] * 4)], f"octet {octet:#x}")


# What the data of a record is made of: names, and octets between them. Names of the first kind may
# be compressed, those of the second one never.
NAME = object()
WELL_KNOWN = {
    2: (NAME,), 5: (NAME,), 6: (NAME, NAME, bytes(20)), 7: (NAME,), 8: (NAME,), 9: (NAME,),
    12: (NAME,), 14: (NAME, NAME), 15: (b"\0\5", NAME),
}
YOUNGER = {
    17: (NAME, NAME), 18: (b"\0\1", NAME), 21: (b"\0\1", NAME), 26: (b"\0\1", NAME, NAME),
    33: (bytes(6), NAME), 35: (bytes(4) + b"\1u\3sip\0", NAME), 36: (b"\0\1", NAME), 39: (NAME,),
    47: (NAME, b"\0\1\x40"),
}


def shaped(shape, name):
    return b"".join(name if piece is NAME else piece for piece in shape)


@check("3597", "4", "compressed names in the data of every type that had them are read")
def compressed_names_are_read():
    for qtype, shape in (WELL_KNOWN | YOUNGER).items():
        name = f"pointers{qtype}." + ZONE
        target = wire.to_wire("host.far." + name)

        # The pointer leads to the owner of a record that no answer needs.
        def answer(asked, shape=shape):
            pointer = struct.pack(">H", 0xC000 | 12 + len(asked.question))
            return asked.reply([
                wire.record("far." + asked.key, wire.TXT, b"\4lost"),
                asked.own(asked.qtype, shaped(shape, b"\4host" + pointer))])

        upstream().on(name, answer)
        for _ in range(2):
            reply = send_udp(wire.ask(name, qtype))
            expect_equal(reply.types(), [qtype], f"answers for type {qtype}")
            expect_equal(reply.expanded(0, [p if p is not NAME else None for p in shape]),
                         shaped(shape, target).lower(), f"the data of type {qtype}")


@check("3597", "4", "names in data are compressed in the types of RFC 1035 only")
def younger_types_are_not_compressed():
    for qtype, shape in YOUNGER.items():
        name = f"plain{qtype}." + ZONE
        data = shaped(shape, wire.to_wire("host." + name))
        upstream().on(name, lambda asked, d=data: asked.reply([asked.own(asked.qtype, d)]))
        for _ in range(2):
            found = send_udp(wire.ask(name, qtype)).data(qtype)
            expect_equal(found, [data], f"the data of type {qtype}")


@check("3597", "3", "names in data that may not be compressed keep their case, come what may")
def case_of_younger_types_is_kept():
    for qtype, shape in YOUNGER.items():
        name = f"spelled{qtype}." + ZONE
        data = shaped(shape, wire.to_wire("HoSt." + name.swapcase()))
        upstream().on(name, lambda asked, d=data: asked.reply([asked.own(asked.qtype, d)]))
        for spelling in (name, name.upper()):
            found = send_udp(wire.ask(spelling, qtype)).data(qtype)
            expect_equal(found, [data], f"the data of type {qtype}, asked as {spelling}")


@check("1035", "6.4", "an inverse question gets NOTIMP")
def inverse_questions_are_refused():
    records = [wire.record(b"\0", wire.A, ADDRESS)]
    for questions in ([], [wire.question("inverse." + ZONE)]):
        message = wire.message(1 << 11, questions, (records, (), ()))
        for send in (send_udp, send_tcp):
            reply = expect_rcode(send(message), wire.NOTIMP, "an inverse question")
            expect_equal((reply.opcode, reply.answers), (1, []), "opcode and answers")


@check("1123", "6.1.2.4", "names in an answer are compressed")
def answers_are_compressed():
    name = "compressed." + ZONE
    hosts = [f"mx{n:02}." + name for n in range(20)]
    upstream().on(name, lambda asked: asked.reply(
        [wire.record(name, wire.MX, b"\0\5" + wire.to_wire(host)) for host in hosts]))
    for _ in range(2):
        reply = send_udp(wire.ask(name, wire.MX))
        expect_equal(len(reply.answers), len(hosts), "records within 512 octets")
        # Owner and target end in a pointer each.
        most = len(wire.ask(name, wire.MX)) + len(hosts) * (12 + 2 + 5 + 2)
        expect(len(reply.bytes) <= most, f"{len(reply.bytes)} octets")


@check("6891", "5", "binary labels are not passed on, neither a client's nor upstream's")
def binary_labels_are_not_passed():
    binary = b"\x41\x10\xab\xcd" + wire.to_wire("failing.example")
    reply = send_udp(wire.message(questions=[wire.question(binary)]))
    expect_rcode(reply, wire.FORMERR, "a question about a binary label")
    for number, target in enumerate((binary, b"\3abc" + binary)):
        name = f"binary{number}.failing.example"
        upstream("failing").on(name, lambda asked, t=target: asked.reply(
            [asked.own(wire.MX, b"\0\1" + t)]))
        reply = expect_rcode(send_udp(wire.ask(name, wire.MX)), wire.SERVFAIL, name)
        expect_equal(reply.answers, [], "answers")
