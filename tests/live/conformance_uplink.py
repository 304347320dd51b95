# SPDX-License-Identifier: BSD-2-Clause
"""What upstream gets to see on a line, TCP or TLS: RFC 7766 and 9210."""

import struct

import conformance_wire as wire
from conformance import (
    check, expect_rcode, send_tcp, send_udp, send_udp_all, upstream, variant_now,
)
from conformance_upstream import ADDRESS
from live import expect, expect_equal, wait_until

ZONE = "line.example"
LIE = b"\6\6\6\6"


def on_line(name, rule):
    """The rule is for what comes on a line; by UDP everything is cut."""

    def answer(asked):
        if asked.protocol == "udp":
            return asked.reply(flags=wire.QR | wire.TC | wire.RD | wire.RA)
        return rule(asked)

    upstream("line").on(name, answer)
    return name


def asked_on_line(name):
    return [asked for asked in upstream("line").asked(name) if asked.protocol != "udp"]


def expect_address(name, data=ADDRESS):
    reply = expect_rcode(send_udp(wire.ask(name)), wire.NOERROR, name)
    expect_equal(reply.data(wire.A), [data], f"the address of {name}")


@check("7766", "7", "on a line to upstream a reply with another id, name or type is not taken")
def replies_are_matched_on_lines():
    lies = (
        lambda asked: asked.address(LIE, ident=asked.id ^ 1),
        lambda asked: asked.address(LIE, question=wire.question("other." + ZONE)),
        lambda asked: asked.address(LIE, question=asked.question[:-4] + b"\0\x1c\0\1"),
        lambda asked: asked.address(LIE, flags=wire.RD),
    )
    for number, lie in enumerate(lies):
        name = on_line(f"lie{number}." + ZONE, lambda asked, told=lie: [
            told(asked), 0.05, asked.address()])
        for _ in range(2):
            expect_address(name)


@check("7766", "7", "replies of upstream that come in another order each find their question")
def replies_may_overtake():
    names = [f"order{n}." + ZONE for n in range(12)]
    for number, name in enumerate(names):
        on_line(name, lambda asked, n=number: [0.3 - n * 0.02, asked.address(bytes([n] * 4))])
    replies = send_udp_all([wire.ask(name, ident=n) for n, name in enumerate(names)])
    for number in range(len(names)):
        expect(number in replies, f"no answer to question {number}")
        expect_equal(replies[number].data(wire.A), [bytes([number] * 4)], f"address {number}")


@check("7766", "6.2.1", "questions under way on one line have ids of their own")
def ids_on_lines_differ():
    names = [f"idle{n}." + ZONE for n in range(24)]
    for name in names:
        on_line(name, lambda asked: [0.3, asked.address()])
    send_udp_all([wire.ask(name, ident=n) for n, name in enumerate(names)])
    asked = [one for name in names for one in asked_on_line(name)]
    seen = [(one.source, one.id) for one in asked]
    expect_equal(len(set(seen)), len(seen), "ids that differ on their line")


@check("7766", "6.2.2", "one line for each worker carries all questions, also those under way")
def lines_are_few():
    before = upstream("line").lines
    names = [f"few{n}." + ZONE for n in range(32)]
    for name in names:
        on_line(name, lambda asked: [0.2, asked.address()])
    replies = send_udp_all([wire.ask(name, ident=n) for n, name in enumerate(names)])
    expect_equal(len(replies), len(names), "answers")
    opened = upstream("line").lines - before
    expect(opened <= 4 + 2 * variant_now().workers, f"{opened} lines for {len(names)} questions")


@check("7766", "6.2.4", "what a line that upstream closes has not answered is asked again")
def lost_questions_are_asked_again():
    def answer(asked):
        return [None] if len(asked_on_line(asked.key)) == 1 else asked.address()

    def answer_half(asked):
        whole = asked.address()
        cut = bytearray(struct.pack(">H", len(whole)) + whole[:-3])
        return [cut, None] if len(asked_on_line(asked.key)) == 1 else whole

    for name, rule in (("closed", answer), ("halfway", answer_half)):
        expect_address(on_line(f"{name}." + ZONE, rule))


@check("7766", "8", "a reply of upstream may be divided anywhere, and come with the next one")
def replies_may_be_divided():
    def answer(asked):
        whole = asked.address()
        data = bytearray(struct.pack(">H", len(whole)) + whole)
        at = int(asked.key[3 : asked.key.index(".")])
        return [data[:at], 0.01, data[at:]]

    for at in (1, 2, 3, 13, 14, 40):
        expect_address(on_line(f"cut{at}." + ZONE, answer))

    def answer_all(asked):
        held.append(asked.address())
        if len(held) < 4:
            return None
        return [bytearray(b"".join(struct.pack(">H", len(one)) + one for one in held))]

    held = []
    names = [f"same{n}." + ZONE for n in range(4)]
    for name in names:
        on_line(name, answer_all)
    # All on one line: of one worker.
    idents = [n * 12 for n in range(4)]
    replies = send_udp_all([wire.ask(name, ident=n) for n, name in zip(idents, names)])
    expect_equal(sorted(replies), idents, "questions whose answers came in one piece")


@check("7766", "8", "length and message of a question leave in one piece")
def questions_leave_in_one_piece():
    expect_address(on_line("piece." + ZONE, lambda asked: asked.address()))
    expect_equal(upstream("line").pieces, 0, "questions whose length came alone")


@check("7830", "6", "questions are padded over TLS, and never in clear")
def questions_are_padded_when_hidden():
    name = on_line("padded." + ZONE, lambda asked: asked.address())
    expect_address(name)
    for asked in upstream("line").asked(name):
        padding = asked.message.option(wire.PADDING)
        expect_equal(padding is not None, asked.protocol == "tls", f"padding by {asked.protocol}")
        if padding is not None:
            expect_equal(len(asked.message.bytes) % 128, 0, "octets beyond a whole block")
            expect_equal(padding.strip(b"\0"), b"", "what stands in the padding")


@check("9210", "3", "an answer of 60 kilobytes comes through from end to end")
def large_replies_pass():
    text = b"".join(b"\xff" + bytes([65 + n % 26]) * 255 for n in range(58))
    on_line("large." + ZONE, lambda asked: asked.reply(
        [asked.own(wire.TXT, b"\1%d" % n + text) for n in range(4)]))
    reply = send_tcp(wire.ask("large." + ZONE, wire.TXT))
    expect_equal((len(reply.answers), reply.flags & wire.TC), (4, 0), "records and TC")


@check("7766", "6.2.1", "a line to upstream is used again")
def lines_to_upstream_are_kept():
    for number in range(6):
        name = on_line(f"again{number}." + ZONE, lambda asked: asked.address())
        send_udp(wire.ask(name, ident=24))
    sources = {asked_on_line(f"again{n}." + ZONE)[0].source for n in range(6)}
    expect(len(sources) <= 3, f"{len(sources)} lines for six questions")


@check("7766", "6.2.3", "a line to upstream that is idle is closed after ten seconds", slow=True)
def idle_lines_to_upstream_are_closed():
    def answer(asked):
        if asked.protocol == "udp":
            return asked.reply(flags=wire.QR | wire.TC | wire.RD | wire.RA)
        return asked.address()

    upstream("idle").usual = answer
    expect_equal(send_udp(wire.ask("once.idle.example")).data(wire.A), [ADDRESS], "the address")
    expect(upstream("idle").open_lines > 0, "a line is closed at once")
    wait_until(lambda: upstream("idle").open_lines == 0, "the end of an idle line", 25)
