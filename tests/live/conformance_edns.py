# SPDX-License-Identifier: BSD-2-Clause
"""Extensions: RFC 3225, 6891 and 8914."""

import struct
import time

import conformance_wire as wire
from conformance import (
    check, expect_rcode, send_tcp, send_udp, send_udp_all, server, udp_open, upstream,
)
from conformance_upstream import ADDRESS
from live import expect, expect_equal

ZONE = "edns.example"
NAME = "www." + ZONE


MANY_KINDS = ((NAME, wire.RD), ("localhost", wire.RD), ("x.invalid", 0), (NAME, wire.RD | 5 << 11))


@check("6891", "6.1.1", "one OPT in the answer if there was one in the question")
def opt_answers_opt():
    for name, flags in MANY_KINDS:
        for send in (send_udp, send_tcp):
            reply = send(wire.ask(name, flags=flags, edns=wire.opt()))
            expect_equal(len(reply.opts), 1, f"OPT records for {name}, flags {flags:#x}")


@check("6891", "7", "no OPT in the answer if there was none in the question")
def no_opt_unasked():
    for name, flags in MANY_KINDS:
        for send in (send_udp, send_tcp):
            reply = send(wire.ask(name, flags=flags))
            expect_equal(reply.additional, [], f"additional records for {name} without OPT")


@check("6891", "7", "an OPT that is wrong gets FORMERR, with the question and an OPT")
def wrong_opts_are_told():
    wrong = [
        wire.opt(options=b"\0"), wire.opt(options=wire.option(wire.UNKNOWN, b"abc")[:-1]),
        wire.opt(options=wire.option(wire.UNKNOWN) + b"\0\1\xff\xff"),
        wire.opt(owner=wire.to_wire("opt." + ZONE)), [wire.opt(), wire.opt()],
        [wire.opt(), wire.record("x", wire.A, ADDRESS), wire.opt(options=b"\0\0\0")],
    ]
    for number, edns in enumerate(wrong):
        for send in (send_udp, send_tcp):
            reply = expect_rcode(send(wire.ask(NAME, edns=edns)), wire.FORMERR, f"OPT {number}")
            expect_equal((len(reply.opts), reply.questions), (1, [wire.question(NAME)]),
                         f"OPT records and question for OPT {number}")
            expect_equal((reply.opts[0][0], reply.opts[0][2] & 0xFFFFFF, reply.opts[0][3]),
                         (".", 0, b""), "name, version, flags and options of the answer's OPT")
    reply = send_udp(wire.ask(NAME, edns=wire.opt(flags=wire.DO, options=b"\0")))
    expect_equal(reply.opts and reply.opts[0][2] & wire.DO, wire.DO, "DO in the answer")


@check("6891", "7", "a cut answer has its question and an OPT")
def cut_answers_have_an_opt():
    fill("cutopt." + ZONE, 10)
    for size in (512, 1232):
        reply = send_udp(wire.ask("cutopt." + ZONE, wire.TXT, edns=wire.opt(size)))
        expect(reply.flags & wire.TC, f"2 kB fit into {size} octets")
        expect_equal((len(reply.opts), reply.questions),
                     (1, [wire.question("cutopt." + ZONE, wire.TXT)]), "OPT records and question")


@check("6891", "6.1.2", "the OPT of an answer has the root's name and version 0")
def opt_is_right():
    for name in (NAME, "localhost"):
        opt = send_udp(wire.ask(name, edns=wire.opt())).opts[0]
        expect_equal(opt[0], ".", "the owner of the OPT")
        expect_equal(opt[2] >> 16 & 0xFF, 0, "its version")
        expect(opt[4] >= 512, f"its payload size {opt[4]}")


@check("6891", "6.1.1", "two OPT records get FORMERR")
def two_opts_are_refused():
    for send in (send_udp, send_tcp):
        twice = [wire.opt(), wire.opt()]
        expect_rcode(send(wire.ask(NAME, edns=twice)), wire.FORMERR, "two OPTs")
        apart = [wire.opt(), wire.record("x", wire.A, b"\1\2\3\4"), wire.opt(512)]
        expect_rcode(send(wire.ask(NAME, edns=apart)), wire.FORMERR, "two OPTs, one between")


@check("6891", "6.1.1", "the OPT may stand anywhere in the additional section")
def opt_stands_anywhere():
    other = wire.record("other." + ZONE, wire.A, b"\1\2\3\4")
    for extra in ([other, wire.opt()], [wire.opt(), other], [other, wire.opt(), other]):
        reply = expect_rcode(send_udp(wire.ask(NAME, edns=extra)), wire.NOERROR, "an OPT")
        expect_equal(len(reply.opts), 1, "OPT records in the answer")


@check("6891", "6.1.1", "an OPT outside the additional section gets FORMERR or is passed over")
def opt_elsewhere_is_met():
    for place in range(2):
        sections = tuple([wire.opt()] if place == at else [] for at in range(3))
        message = wire.message(questions=[wire.question(NAME)], sections=sections)
        reply = send_udp(message)
        expect(reply and reply.rcode in (wire.NOERROR, wire.FORMERR), f"an OPT in section {place}")
        expect_equal(reply.bytes.count(wire.UNKNOWN.to_bytes(2, "big")), 0, "records echoed")


@check("6891", "6.1.2", "an OPT with another name than the root's gets FORMERR")
def opt_owner_is_checked():
    owned = wire.opt(owner=wire.to_wire("opt." + ZONE))
    expect_rcode(send_udp(wire.ask(NAME, edns=owned)), wire.FORMERR, "an OPT with a name")


@check("6891", "7", "options that do not fit into the OPT get FORMERR")
def options_are_checked():
    for options in (b"\0", b"\xff\0\0", wire.option(wire.UNKNOWN, b"abc")[:-1],
                    struct.pack(">HH", wire.UNKNOWN, 65535) + b"x"):
        edns = wire.opt(options=options)
        expect_rcode(send_udp(wire.ask(NAME, edns=edns)), wire.FORMERR, f"options {options!r}")


@check("6891", "6.1.2", "unknown options are ignored, and not sent back")
def unknown_options_are_ignored():
    for options in (wire.option(wire.UNKNOWN), wire.option(wire.UNKNOWN, b"x" * 400),
                    b"".join(wire.option(65001 + n, b"y") for n in range(50))):
        reply = send_udp(wire.ask(NAME, edns=wire.opt(options=options)))
        expect_rcode(reply, wire.NOERROR, "unknown options")
        expect_equal([c for c, _ in reply.options if c >= wire.UNKNOWN], [], "options sent back")


@check("6891", "6.1.3", "versions above 0 get BADVERS, in an OPT of version 0, and no answer")
def versions_are_refused():
    versions = (*range(1, 8), 100, 255)
    replies = send_udp_all([wire.ask(NAME, edns=wire.opt(version=v), ident=v) for v in versions])
    for version in versions:
        reply = expect_rcode(replies.get(version), wire.BADVERS, f"version {version}")
        expect_equal(reply.opts[0][2] >> 16 & 0xFF, 0, "the version of the answer")
        expect_equal(reply.answers, [], "records")
    reply = send_tcp(wire.ask(NAME, edns=wire.opt(version=1)))
    expect_rcode(reply, wire.BADVERS, "version 1 by TCP")
    odd = wire.opt(version=1, flags=0x7FFF, options=wire.option(wire.UNKNOWN, b"z"))
    expect_rcode(send_udp(wire.ask(NAME, edns=odd)), wire.BADVERS, "version 1, flags, options")


@check("6891", "6.1.4", "unknown flags are ignored, and zero in the answer")
def unknown_flags_are_ignored():
    for flags in (1, 0x4000, 0x7FFF):
        reply = expect_rcode(send_udp(wire.ask(NAME, edns=wire.opt(flags=flags))),
                             wire.NOERROR, f"flags {flags:#x}")
        expect_equal(reply.opts[0][2] & 0x7FFF, 0, "the flags of the answer")


@check("6891", "6.1.3", "an extended rcode in a question is ignored")
def extended_rcode_is_ignored():
    reply = send_udp(wire.ask(NAME, edns=wire.opt(extended=0xFF)))
    expect_rcode(reply, wire.NOERROR, "an extended rcode in a question")


@check("3225", "3", "DO is copied into the answer")
def do_is_copied():
    for name in (NAME, "localhost", "nothing." + ZONE):
        for flags in (0, wire.DO):
            reply = send_udp(wire.ask(name, edns=wire.opt(flags=flags)))
            expect_equal(reply.opts[0][2] & wire.DO, flags, f"DO in the answer for {name}")


def fill(name, strings):
    text = b"".join(b"\xc8" + bytes([65 + n % 26]) * 200 for n in range(strings))
    upstream().on(name, lambda asked: asked.reply([asked.own(wire.TXT, text)]))


def fill_to(name, size):
    """The answer to TXT of this name will have exactly `size` octets, without an OPT."""
    rest = size - len(wire.ask(name, wire.TXT)) - 12
    text = b"".join(bytes([len(part)]) + part
                    for part in (b"x" * min(255, rest - at - 1) for at in range(0, rest, 256)))
    upstream().on(name, lambda asked: asked.reply([asked.own(wire.TXT, text)]))


@check("1035", "4.2.1", "by UDP without an OPT at most 512 octets, with TC when cut")
def size_without_opt():
    for size in (511, 512, 513, 560, 1000):
        fill_to(f"long{size}." + ZONE, size)
        reply = send_udp(wire.ask(f"long{size}." + ZONE, wire.TXT))
        expect(len(reply.bytes) <= 512, f"{len(reply.bytes)} octets without an OPT")
        expect_equal(bool(reply.flags & wire.TC), size > 512, f"TC for {size} octets")
        expect_equal(bool(reply.answers), size <= 512, f"answers for {size} octets")
    fill("long." + ZONE, 4)
    reply = send_tcp(wire.ask("long." + ZONE, wire.TXT))
    expect(not reply.flags & wire.TC and reply.answers, "TCP does not give the whole answer")


@check("6891", "6.2.3", "payload sizes below 512 are taken for 512")
def small_sizes_are_512():
    fill("fit." + ZONE, 2)  # 440 octets: more than the sizes announced, less than 512.
    for size in (0, 1, 100, 300, 511, 512):
        reply = send_udp(wire.ask("fit." + ZONE, wire.TXT, edns=wire.opt(size)))
        expect(not reply.flags & wire.TC, f"cut at a payload size of {size}")
        expect_equal(reply.types(), [wire.TXT], f"answers at a payload size of {size}")


@check("6891", "6.2.3", "no answer is larger than the client's payload size")
def sizes_are_kept():
    fill("big." + ZONE, 10)
    fill("middle." + ZONE, 4)
    for size in (512, 700, 800, 1200, 1232, 4096, 65535):
        for name in ("middle." + ZONE, "big." + ZONE):
            reply = send_udp(wire.ask(name, wire.TXT, edns=wire.opt(size)))
            expect(len(reply.bytes) <= size, f"{len(reply.bytes)} octets for {size}")
            expect(bool(reply.flags & wire.TC) != bool(reply.answers), "neither whole nor cut")
            expect_equal(len(reply.opts), 1, "OPT records in the answer")


@check("6891", "6.2.3", "a client's payload size holds for its question, and no longer")
def sizes_are_forgotten():
    fill("forgotten." + ZONE, 4)
    with udp_open() as sock:
        sock.connect(server())
        for edns, fits in ((wire.opt(), True), (None, False), (wire.opt(512), False),
                           (wire.opt(4096), True), (None, False)):
            sock.send(wire.ask("forgotten." + ZONE, wire.TXT, edns=edns))
            reply = wire.Message(sock.recv(65535))
            expect_equal((bool(reply.answers), bool(reply.flags & wire.TC)), (fits, not fits),
                         "answers, and TC")


@check("8906", "3.2.7", "by TCP no payload size bounds an answer")
def sizes_are_for_datagrams():
    fill("streamed." + ZONE, 20)
    for size in (0, 512, 1232):
        reply = send_tcp(wire.ask("streamed." + ZONE, wire.TXT, edns=wire.opt(size)))
        expect_equal((reply.types(), reply.flags & wire.TC), ([wire.TXT], 0), f"size {size}")


@check("6891", "6.2.4", "no answer by UDP is larger than 1232 octets",
       document="mxcache.conf: udp_answer_max")
def sizes_are_bounded():
    fill("big." + ZONE, 10)
    for size in (1233, 4096, 65535):
        reply = send_udp(wire.ask("big." + ZONE, wire.TXT, edns=wire.opt(size)))
        expect(reply.flags & wire.TC and len(reply.bytes) <= 1232, f"size {size}")


@check("6891", "6.1.1", "nothing of the client's OPT is forwarded; ours is one, version 0, no Z")
def opt_is_not_forwarded():
    secret = wire.option(wire.UNKNOWN, b"not for others") + wire.option(8, b"\0\1\x18\0\1\2\3")
    send_udp(wire.ask("hop." + ZONE, edns=wire.opt(4000, flags=0x7FFF, options=secret)))
    asked = upstream().asked("hop." + ZONE)
    expect(asked, "the question did not get upstream")
    for one in asked:
        expect_equal(len(one.message.opts), 1, "OPT records sent upstream")
        expect(b"not for others" not in one.message.bytes, "a client's option got upstream")
        expect_equal([c for c, _ in one.message.options if c == 8], [], "client's subnet upstream")
        expect_equal(one.message.opts[0][2] & 0x00FF7FFF, 0, "version and Z flags upstream")
        expect(one.message.opts[0][4] >= 512, "the payload size sent upstream")


@check("6891", "6.2.1", "an OPT of upstream is not cached, nor given to clients")
def opt_of_upstream_stays_there():
    odd = wire.opt(4321, flags=0x1234, options=wire.option(wire.UNKNOWN, b"from afar"))
    upstream().on("afar." + ZONE, lambda asked: asked.address(edns=odd))
    for _ in range(2):
        reply = send_udp(wire.ask("afar." + ZONE, edns=wire.opt()))
        expect(b"from afar" not in reply.bytes, "an option of upstream got to the client")
        expect_equal(reply.opts[0][2], 0, "flags of the OPT")
        expect_equal(send_udp(wire.ask("afar." + ZONE)).additional, [], "OPT records unasked")


@check("6891", "6.1.2", "unknown options of upstream are ignored")
def unknown_options_of_upstream_are_ignored():
    many = b"".join(wire.option(65001 + n, bytes(n)) for n in range(20))
    for number, options in enumerate((wire.option(wire.UNKNOWN), wire.option(0, b"x"), many)):
        name = f"options{number}." + ZONE
        upstream().on(name, lambda asked, o=options: asked.address(edns=wire.opt(options=o)))
        reply = send_udp(wire.ask(name, edns=wire.opt()))
        expect_equal((reply.data(wire.A), reply.options), ([ADDRESS], []), "address and options")


@check("6891", "6.2.6", "a client's question and the one to upstream are transactions of their own")
def transactions_are_separate():
    sizes = set()
    for number, edns in enumerate((None, wire.opt(512), wire.opt(4096, flags=1))):
        name = f"separate{number}." + ZONE
        reply = send_udp(wire.ask(name, edns=edns))
        expect_equal(len(reply.opts), int(edns is not None), "OPT records in the answer")
        opts = upstream().asked(name)[0].message.opts
        expect_equal(len(opts), 1, "OPT records upstream")
        sizes.add(opts[0][4])
    expect_equal(len(sizes), 1, "payload sizes that upstream was told")


@check("7830", "3", "padding of any octets is taken, and none is sent back in clear")
def padding_is_taken():
    for number, data in enumerate((b"", bytes(100), b"\xff" * 50, bytes(range(256)))):
        name = f"padded{number}." + ZONE
        padding = wire.option(wire.PADDING, data)
        upstream().on(name, lambda asked, p=padding: asked.address(edns=wire.opt(options=p)))
        for send in (send_udp, send_tcp):
            reply = send(wire.ask(name, edns=wire.opt(options=padding)))
            expect_equal((reply.data(wire.A), reply.option(wire.PADDING)), ([ADDRESS], None),
                         f"address and padding, {len(data)} octets")


@check("6891", "6.2.2", "a reply without an OPT is taken, though the question had one")
def replies_may_lack_opt():
    upstream().on("noopt." + ZONE, lambda asked: asked.address(edns=None))
    for _ in range(2):
        reply = send_udp(wire.ask("noopt." + ZONE, edns=wire.opt()))
        expect_equal((reply.data(wire.A), len(reply.opts)), ([ADDRESS], 1), "address, OPT records")


@check("6891", "7", "a server that answers FORMERR to an OPT is asked without one")
def old_servers_are_asked_plainly():
    def answer(asked):
        if asked.message.opts:
            return asked.reply(rcode=wire.FORMERR, edns=None)
        return asked.address()

    upstream("plain").usual = answer
    for name in ("one.plain.example", "two.plain.example"):
        reply = expect_rcode(send_udp(wire.ask(name, edns=wire.opt())), wire.NOERROR, name)
        expect_equal(reply.types(), [wire.A], "answers")


def expect_ede(reply, what):
    data = reply.option(wire.EDE)
    expect(data is not None and len(data) >= 2, f"{what}: no extended error")
    data[2:].decode("utf-8")
    expect(not data.endswith(b"\0"), f"{what}: the text ends with NUL")
    return struct.unpack(">H", data[:2])[0]


@check("8914", "2", "an extended error has a code and UTF-8 text; none without an OPT")
def errors_are_explained():
    rule = lambda asked: asked.denial(wire.SERVFAIL)
    upstream("failing").on("why.failing.example", rule)
    reply = send_udp(wire.ask("why.failing.example", edns=wire.opt()))
    expect_rcode(reply, wire.SERVFAIL, "a server that fails")
    expect_ede(reply, "SERVFAIL")
    reply = send_udp(wire.ask("why.failing.example"))
    expect_equal(reply.additional, [], "additional records without an OPT")


@check("8914", "3", "an extended error of upstream does not change the rcode")
def errors_do_not_decide():
    for number, code in enumerate((0, 4, 15, 30, 49152, 65535)):
        ede = wire.opt(options=wire.option(wire.EDE, struct.pack(">H", code) + b"told"))
        upstream().on(f"ede{number}." + ZONE, lambda asked, e=ede: asked.address(edns=e))
        reply = send_udp(wire.ask(f"ede{number}." + ZONE, edns=wire.opt()))
        expect_rcode(reply, wire.NOERROR, f"extended error {code}")
        expect_equal(reply.types(), [wire.A], "answers")


@check("6891", "6.1.3", "an extended rcode of upstream is not taken for the plain one below it")
def extended_rcode_of_upstream():
    rule = lambda asked: asked.address(b"\6\6\6\6", edns=wire.opt(extended=1))
    upstream("failing").on("badvers.failing.example", rule)
    started = time.monotonic()
    reply = send_udp(wire.ask("badvers.failing.example", edns=wire.opt()))
    expect_rcode(reply, wire.SERVFAIL, "BADVERS of upstream")
    expect(time.monotonic() - started < 5, "it took longer than libc waits")


@check("8906", "8.2", "flags, options, DO and versions in any company are answered, by UDP and TCP")
def all_of_edns_at_once():
    many = wire.option(3) + wire.option(8, b"\0\1\0\0") + wire.option(100)
    options = (b"", wire.option(100), many)
    for number, data in enumerate(options):
        for flags in (0, 0x40, wire.DO, wire.DO | 0x40):
            for version, rcode in ((0, wire.NOERROR), (1, wire.BADVERS), (255, wire.BADVERS)):
                edns = wire.opt(512, flags=flags, version=version, options=data)
                for send in (send_udp, send_tcp):
                    reply = expect_rcode(send(wire.ask(NAME, edns=edns)), rcode,
                                         f"options {number}, flags {flags:#x}, {version}")
                    opt = reply.opts[0]
                    expect_equal(opt[2] & 0x00FF7FFF, 0, "version and unknown flags")
                    expect_equal([c for c, _ in reply.options if c == 100], [], "option 100")


@check("8906", "3.1.4", "an opcode other than QUERY gets NOTIMP with an OPT of any version, too")
def opcodes_come_before_versions():
    for version in (0, 1):
        message = wire.ask(NAME, flags=15 << 11, edns=wire.opt(version=version))
        reply = send_udp(message)
        expect(reply and reply.rcode in (wire.NOTIMP, wire.BADVERS), f"version {version}")


@check("8914", "3", "several extended errors of upstream, long and short ones, do no harm")
def many_errors_are_met():
    data = (b"", b"\0", b"\0\x0f" + b"long " * 80, b"\xff\xff\xff\xfe", b"\0\0ends with NUL\0")
    for number in range(len(data) + 1):
        told = data[number : number + 1] or data
        edns = wire.opt(options=b"".join(wire.option(wire.EDE, one) for one in told))
        name = f"errors{number}." + ZONE
        upstream().on(name, lambda asked, e=edns: asked.address(edns=e))
        reply = expect_rcode(send_udp(wire.ask(name, edns=wire.opt())), wire.NOERROR, name)
        expect_equal(reply.data(wire.A), [ADDRESS], f"the address, extended errors {number}")


@check("8914", "3", "an extended error gives way to records that need its room", slow=True,
       document="and TC is not set for it, lest the client come by TCP for no more than that")
def errors_give_way():
    name = "tight.fading.example"
    size = 512 - len(wire.ask(name, wire.TXT)) - 12 - 11  # With an OPT, no room for an option.
    text = b"".join(bytes([len(part)]) + part
                    for part in (b"x" * min(255, size - at - 1) for at in range(0, size, 256)))
    upstream("fading").on(name, lambda asked: asked.reply([asked.own(wire.TXT, text, 1)]))
    reply = send_udp(wire.ask(name, wire.TXT, edns=wire.opt(512)))
    expect_equal((len(reply.bytes), reply.types()), (512, [wire.TXT]), "the fresh answer")
    upstream("fading").on(name, lambda asked: asked.denial(wire.SERVFAIL))
    time.sleep(2.2)
    reply = send_udp(wire.ask(name, wire.TXT, edns=wire.opt(512)))
    expect_equal((reply.types(), reply.option(wire.EDE)), ([wire.TXT], None), "the stale answer")
    expect(not reply.flags & wire.TC, "TC is set for an extended error's sake")


@check("8914", "6", "an extended error of upstream alters nothing: a failure and a denial stay one")
def errors_alter_nothing():
    for code in (3, 6, 15, 22):
        ede = wire.opt(options=wire.option(wire.EDE, struct.pack(">H", code) + b"told"))
        for rcode in (wire.SERVFAIL, wire.NXDOMAIN):
            name = f"alters{code}x{rcode}.failing.example"
            upstream("failing").on(name, lambda asked, e=ede, r=rcode: asked.denial(r, edns=e))
            for qtype in (wire.A, wire.TXT):
                reply = expect_rcode(send_udp(wire.ask(name, qtype, edns=wire.opt())), rcode, name)
                expect_equal(reply.answers, [], "answers")
