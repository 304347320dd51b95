# SPDX-License-Identifier: BSD-2-Clause
"""TCP: RFC 1035 section 4.2.2, 7766 and 9210."""

import socket
import struct
import time

import conformance_wire as wire
from conformance import Line, check, expect_rcode, frame, send_tcp, send_udp, upstream
from live import expect, expect_equal

ZONE = "stream.example"
NAME = "www." + ZONE
LATE = 0.3  # Seconds that a slow answer takes.


def slow(name, pause=LATE):
    upstream().on(name, lambda asked: [pause, asked.address()])


@check("8906", "3.1.5", "what is answered by UDP is answered by TCP")
def tcp_is_as_udp():
    for qtype in (wire.A, wire.MX, wire.ANY, wire.UNKNOWN):
        for edns in (None, wire.opt()):
            message = wire.ask(NAME, qtype, edns=edns)
            udp, tcp = send_udp(message), send_tcp(message)
            expect_equal((udp.rcode, udp.types()), (tcp.rcode, tcp.types()), f"type {qtype}")


@check("9210", "4.1", "TCP may come first, without a question by UDP before")
def tcp_comes_first():
    expect_equal(send_tcp(wire.ask("first." + ZONE)).types(), [wire.A], "answers by TCP alone")


@check("9210", "3", "a cut reply of upstream is asked for again by TCP", udp=True)
def cut_replies_are_asked_by_tcp():
    def answer(asked):
        if asked.protocol == "udp":
            return asked.address(b"\6\6\6\6", flags=wire.QR | wire.TC | wire.RD | wire.RA)
        return asked.address(b"\1\1\1\1")

    upstream().on("cut." + ZONE, answer)
    for _ in range(2):
        reply = send_udp(wire.ask("cut." + ZONE))
        expect_equal(reply.data(wire.A), [b"\1\1\1\1"], "the address")
        expect(not reply.flags & wire.TC, "TC of upstream is handed on")
    protocols = dict.fromkeys(asked.protocol for asked in upstream().asked("cut." + ZONE))
    expect_equal(list(protocols), ["udp", "tcp"], "how upstream was asked")


@check("2181", "9", "records of a cut reply are not cached, nor given to clients", udp=True)
def cut_replies_are_not_kept():
    def answer(asked):
        if asked.protocol == "udp":
            return asked.address(b"\6\6\6\6", flags=wire.QR | wire.TC | wire.RD | wire.RA)
        return None if len(upstream("failing").asked(asked.key)) < 20 else asked.address()

    upstream("failing").on("half.failing.example", answer)
    reply = send_udp(wire.ask("half.failing.example"))
    expect_equal(reply.data(wire.A), [], "addresses from a cut reply")


@check("1035", "4.2.2", "a connection carries many questions, one after another")
def lines_are_used_again():
    with Line() as line:
        for ident in range(50):
            line.send(wire.ask(f"w{ident % 5}." + ZONE, ident=ident))
            expect_equal(line.receive().id, ident, "the id")


@check("7766", "6.2.1.1", "questions may be sent without waiting for answers")
def questions_are_pipelined():
    with Line() as line:
        line.send(*(wire.ask(f"p{n}." + ZONE, ident=n) for n in range(100)))
        ids = sorted(line.receive().id for _ in range(100))
    expect_equal(ids, list(range(100)), "the ids of the answers")


@check("7766", "7", "a slow answer does not hold up the others; each has its own question")
def answers_overtake():
    slow("slow1." + ZONE, 5 * LATE)
    with Line() as line:
        line.send(*(wire.ask(f"{name}." + ZONE, ident=n)
                    for n, name in enumerate(("slow1", "quick1", "quick2"))))
        replies = [line.receive() for _ in range(3)]
    expect_equal(replies[2].id, 0, "the last answer, which should be the slow one's")
    for reply in replies:
        name = ("slow1", "quick1", "quick2")[reply.id]
        expect_equal(reply.questions, [wire.question(f"{name}." + ZONE)], "the question")


@check("7766", "8", "a message may be divided between segments at every octet")
def segments_end_anywhere():
    first, second = wire.ask(NAME, ident=1), wire.ask("w1." + ZONE, edns=wire.opt(), ident=2)
    data = frame(first) + frame(second)
    with Line() as line:
        for at in range(1, len(data)):
            line.sock.sendall(data[:at])
            time.sleep(0.002)
            line.sock.sendall(data[at:])
            ids = sorted(line.receive().id for _ in range(2))
            expect_equal(ids, [1, 2], f"the ids of the answers, divided at octet {at}")


@check("7766", "8", "a message may come octet by octet")
def octets_come_alone():
    with Line() as line:
        for octet in frame(wire.ask(NAME, ident=7)):
            line.sock.sendall(bytes([octet]))
            time.sleep(0.001)
        expect_equal(line.receive().id, 7, "the id")


@check("1035", "4.2.2", "by TCP an answer has up to 65535 octets, and no TC")
def long_answers_pass():
    text = b"".join(b"\xff" + bytes([65 + n % 26]) * 255 for n in range(62))
    records = lambda asked: [asked.own(wire.TXT, bytes([5]) + b"%05d" % n + text)
                             for n in range(4)]

    def answer(asked):
        if asked.protocol == "udp":
            return asked.reply(flags=wire.QR | wire.TC | wire.RD | wire.RA)
        return asked.reply(records(asked))

    upstream().on("huge." + ZONE, answer)
    reply = expect_rcode(send_tcp(wire.ask("huge." + ZONE, wire.TXT)), wire.NOERROR, "64 KiB")
    expect_equal(len(reply.answers), 4, "records")
    expect(len(reply.bytes) > 60000 and not reply.flags & wire.TC, f"{len(reply.bytes)} octets")
    reply = send_udp(wire.ask("huge." + ZONE, wire.TXT, edns=wire.opt(65535)))
    expect(reply.flags & wire.TC, "64 KiB by UDP without TC")


@check("1035", "4.2.2", "wrong messages get FORMERR by TCP, and the line goes on or is closed")
def wrong_messages_are_met():
    for wrong in (wire.ask(NAME)[:20], wire.message(), wire.ask(NAME, flags=wire.QR)):
        with Line() as line:
            line.send(wrong, wire.ask(NAME, ident=9))
            replies = [line.receive()]
            if replies[0] and replies[0].id != 9:
                expect_rcode(replies[0], wire.FORMERR, f"{wrong!r}")
                replies.append(line.receive())
            expect(replies[-1] is None or replies[-1].id == 9, "an answer to something else")


@check("1035", "4.2.2", "frames of 0, 1 and 11 octets, and of 65535, do no harm")
def odd_frames_are_met():
    for size in (0, 1, 11):
        with Line() as line:
            line.send(b"x" * size)
            line.receive()
    with Line() as line:
        line.sock.sendall(b"\xff\xff" + b"y" * 70000)
        line.sock.settimeout(0.2)
        try:
            line.receive()
        except TimeoutError:
            pass
    expect_equal(send_tcp(wire.ask(NAME)).types(), [wire.A], "answers afterwards")


@check("7766", "6.2.4", "a client that closes with questions open harms nobody")
def closed_lines_are_forgotten():
    slow("gone." + ZONE)
    for linger in (struct.pack("ii", 1, 0), struct.pack("ii", 0, 0)):
        with Line() as line:
            line.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            line.send(wire.ask("gone." + ZONE))
            time.sleep(0.05)
    expect_equal(send_udp(wire.ask("gone." + ZONE)).types(), [wire.A], "the answer for another")


@check("7766", "6.2.3", "an idle line is closed after tcp_idle, not before, and by FIN", slow=True)
def idle_lines_are_closed():
    with Line() as line:
        line.send(wire.ask(NAME))
        line.receive()
        started = time.monotonic()
        expect_equal(line.sock.recv(1), b"", "what comes on an idle line")
        elapsed = time.monotonic() - started
    expect(0.9 < elapsed < 8, f"closed after {elapsed:.2f} s instead of 1 s")


@check("7766", "3", "a line with a question open is not idle", slow=True)
def waiting_lines_stay():
    slow("patient." + ZONE, 1.7)
    with Line() as line:
        line.send(wire.ask("patient." + ZONE))
        reply = line.receive()
    expect(reply is not None, "closed with a question open")


@check("1035", "4.2.2", "a second line is served while the first is held up")
def lines_are_independent():
    with Line() as first, Line() as second:
        first.sock.sendall(frame(wire.ask(NAME))[:9])
        second.send(wire.ask(NAME))
        expect_equal(second.receive().types(), [wire.A], "answers on the second line")


@check("7766", "6.2.3", "who sends octet by octet gains no time: a message has to be whole in 10 s",
       slow=True)
def trickles_are_ended():
    with Line() as line:
        started = time.monotonic()
        try:
            for octet in frame(wire.ask(NAME, edns=wire.opt(options=wire.option(100, b"x" * 99)))):
                line.sock.sendall(bytes([octet]))
                time.sleep(0.1)
        except OSError:
            pass
        elapsed = time.monotonic() - started
    expect(elapsed < 14, f"after {elapsed:.1f} s the line is still open")


@check("1035", "4.2.2", "who closes its half after asking still gets its answers")
def half_closed_lines_are_answered():
    slow("halved." + ZONE)
    with Line() as line:
        line.send(wire.ask("halved." + ZONE, ident=1), wire.ask(NAME, ident=2))
        line.sock.shutdown(socket.SHUT_WR)
        replies = [line.receive(), line.receive()]
    expect_equal(sorted(reply.id for reply in replies if reply), [1, 2], "the ids of the answers")


@check("7766", "5", "an answer comes on the line of its question, and on no other")
def answers_stay_on_their_line():
    names = [f"own{n}." + ZONE for n in range(8)]
    for name in names:
        slow(name, 0.1)
    lines = [Line() for _ in names]
    for line, name in zip(lines, names):
        line.send(wire.ask(name, ident=7))
    for line, name in zip(lines, names):
        reply = line.receive()
        expect_equal((reply.id, reply.questions), (7, [wire.question(name)]), f"on {name}'s line")
        line.sock.close()


@check("7766", "8", "length and message of an answer come in one piece")
def answers_come_in_one_piece():
    with Line() as line:
        line.send(wire.ask(NAME))
        data = line.sock.recv(65535)
    expect_equal(len(data), 2 + struct.unpack(">H", data[:2])[0], "octets of the first piece")


@check("9210", "3", "no question is refused for the transport by which it comes")
def transports_are_equal():
    upstream().on("unnamed." + ZONE, lambda asked: asked.denial(wire.NXDOMAIN))
    for name, qtype in ((NAME, wire.A), ("unnamed." + ZONE, wire.A), (NAME, wire.MX),
                        ("localhost", wire.A), ("x.invalid", wire.TXT), (NAME, 252)):
        for flags in (0, wire.RD, wire.RD | wire.CD):
            message = wire.ask(name, qtype, flags=flags)
            udp, tcp = send_udp(message), send_tcp(message)
            expect_equal((udp.rcode, udp.types(), udp.flags), (tcp.rcode, tcp.types(), tcp.flags),
                         f"{name}, type {qtype}, flags {flags:#x}")


@check("1123", "6.1.3.2", "by UDP it goes on while lines are held up")
def lines_do_not_hold_up_datagrams():
    slow("held." + ZONE, 3.0)
    lines = [Line() for _ in range(40)]
    for number, line in enumerate(lines):
        data = frame(wire.ask("held." + ZONE))
        line.sock.sendall(data[: number % 20] if number % 2 else data)
    for number in range(20):
        started = time.monotonic()
        expect_equal(send_udp(wire.ask(f"free{number % 4}." + ZONE)).types(), [wire.A], "answers")
        expect(time.monotonic() - started < 2.5, "a datagram waited for a line")
    for line in lines:
        line.sock.close()
