# SPDX-License-Identifier: BSD-2-Clause
"""Cookies and keepalive: RFC 7828 and 7873."""

import conformance_wire as wire
from conformance import Line, check, expect_rcode, send_udp, upstream
from conformance_upstream import ADDRESS, answer_usually
from live import expect, expect_equal

ZONE = "cookie.example"
NAME = "www.edns.example"
BADCOOKIE = 23


@check("7873", "5.2", "a client's cookie, of a wrong length too, is no obstacle and gets none back")
def cookies_are_ignored():
    for size in (0, 1, 7, 8, 9, 15, 16, 24, 40, 41, 100):
        edns = wire.opt(options=wire.option(wire.COOKIE, b"c" * size))
        reply = expect_rcode(send_udp(wire.ask(NAME, edns=edns)), wire.NOERROR, f"{size} octets")
        expect_equal(reply.types(), [wire.A], "answers")
        expect_equal(reply.option(wire.COOKIE), None, "the cookie in the answer")


def with_cookie(asked, data, address=ADDRESS):
    return asked.address(address, edns=wire.opt(options=wire.option(wire.COOKIE, data)))


def answer_with_cookie(asked):
    sent = asked.message.option(wire.COOKIE)
    if sent is None:
        return answer_usually(asked)  # Probes carry none.
    return with_cookie(asked, sent[:8] + b"serverck")


@check("7873", "5.3", "a reply with a wrong cookie, or one of a wrong length, is dropped", udp=True)
def wrong_cookies_are_dropped():
    def lies(sent):
        yield bytes(octet ^ 0xFF for octet in sent[:8]) + b"serverck"
        yield from (sent[:8] + b"x" * size for size in (1, 7, 33))
        yield sent[:7]
        yield b""

    def answer(asked):
        lie = list(lies(asked.message.option(wire.COOKIE)))[int(asked.key[5])]
        if len(upstream("cookie").asked(asked.key)) > 1:
            return [0.3, answer_with_cookie(asked)]
        return [with_cookie(asked, lie, b"\6\6\6\6"), 0.05, answer_with_cookie(asked)]

    upstream("cookie").usual = answer_with_cookie
    for number in range(6):
        # Whether the server is known to have cookies or not: each worker learns it by itself.
        name = f"wrong{number}.cookie.example"
        upstream("cookie").on(name, answer)
        expect_equal(send_udp(wire.ask(name, ident=number)).data(wire.A), [ADDRESS], name)


@check("7873", "5.1", "the server cookie that came is sent back, with the same client cookie",
       udp=True)
def server_cookies_return():
    upstream("cookie").usual = answer_with_cookie
    sent = []
    for name in ("back1.cookie.example", "back2.cookie.example"):
        send_udp(wire.ask(name, ident=8))  # The same worker.
        sent.append(upstream("cookie").asked(name)[0].message.option(wire.COOKIE))
    expect(sent[0] and len(sent[0]) >= 8, "no client cookie is sent")
    expect_equal(sent[1], sent[0][:8] + b"serverck", "the cookie of the second question")


@check("7873", "5.3", "a reply without the cookie that its server used to send is dropped",
       udp=True)
def missing_cookies_are_missed():
    def answer(asked):
        if len(upstream("cookie").asked(asked.key)) > 1:
            return [0.3, answer_with_cookie(asked)]
        return [asked.address(b"\6\6\6\6", edns=edns(asked)), 0.05, answer_with_cookie(asked)]

    upstream("cookie").usual = answer_with_cookie
    send_udp(wire.ask("known.cookie.example", ident=12))
    for number, edns in enumerate((lambda _: None, lambda _: wire.opt())):
        name = f"missing{number}.cookie.example"
        upstream("cookie").on(name, answer)
        expect_equal(send_udp(wire.ask(name, ident=12)).data(wire.A), [ADDRESS], name)


@check("7873", "5.3", "BADCOOKIE: asked again with the new server cookie; then by TCP", udp=True)
def refused_cookies_are_renewed():
    def refuse(asked):
        if asked.protocol != "udp" or (asked.message.option(wire.COOKIE)[8:] == b"freshone"
                                       and asked.key.startswith("once")):
            return answer_with_cookie(asked)
        data = asked.message.option(wire.COOKIE)[:8] + b"freshone"
        opt = wire.opt(options=wire.option(wire.COOKIE, data), extended=BADCOOKIE >> 4)
        return asked.reply(rcode=BADCOOKIE & 15, edns=opt)

    upstream("cookie").usual = answer_with_cookie
    for name, protocols in (("once", ["udp"]), ("never", ["udp", "tcp"])):
        name += ".renewed.cookie.example"
        upstream("cookie").on(name, refuse)
        expect_equal(send_udp(wire.ask(name, ident=16)).data(wire.A), [ADDRESS], name)
        asked = upstream("cookie").asked(name)
        expect_equal(list(dict.fromkeys(one.protocol for one in asked)), protocols,
                     f"how {name} was asked")
        sent = [one.message.option(wire.COOKIE)[8:] for one in asked if one.protocol == "udp"]
        expect(b"freshone" in sent, f"the server cookies that came back: {sent}")


@check("7873", "4.1", "each server gets a client cookie of its own", udp=True)
def client_cookies_differ():
    names = (("usual", "which.edns.example"), ("failing", "which.failing.example"))
    for _, name in names:
        send_udp(wire.ask(name, ident=20))
    sent = [upstream(at).asked(name)[0].message.option(wire.COOKIE)[:8] for at, name in names]
    expect(sent[0] != sent[1], "two servers got the same client cookie")


@check("7828", "3.3.1", "keepalive by UDP is ignored")
def keepalive_by_udp_is_ignored():
    for data in (b"", b"\0\1", b"xyz"):
        edns = wire.opt(options=wire.option(wire.KEEPALIVE, data))
        reply = expect_rcode(send_udp(wire.ask(NAME, edns=edns)), wire.NOERROR, "keepalive")
        expect_equal(reply.option(wire.KEEPALIVE), None, "keepalive in a datagram")


@check("7828", "3.3.2", "keepalive by TCP: a time of two octets or none, and the line goes on")
def keepalive_by_tcp_is_met():
    with Line() as line:
        for _ in range(2):
            line.send(wire.ask(NAME, edns=wire.opt(options=wire.option(wire.KEEPALIVE))))
            reply = expect_rcode(line.receive(), wire.NOERROR, "keepalive")
            told = reply.option(wire.KEEPALIVE)
            expect(told is None or len(told) == 2, f"keepalive {told!r}")
        line.send(wire.ask(NAME))
        expect_equal(line.receive().additional, [], "additional records without an OPT")


@check("7828", "3.2.1", "no keepalive in questions by UDP", udp=True)
def keepalive_is_not_sent_by_udp():
    send_udp(wire.ask("keep1.edns.example", edns=wire.opt(
        options=wire.option(wire.KEEPALIVE))))
    asked = upstream().asked("keep1.edns.example")[0].message
    expect_equal(asked.option(wire.KEEPALIVE), None, "keepalive in a question")


@check("7828", "3.2.2", "keepalive in a reply by UDP is ignored; by TCP or TLS it does no harm")
def keepalive_of_upstream_is_met():
    for number, data in enumerate((b"\0\1", b"\0\0", b"", b"xyz")):
        name = f"kept{number}.edns.example"
        edns = wire.opt(options=wire.option(wire.KEEPALIVE, data))
        upstream().on(name, lambda asked, e=edns: asked.address(edns=e))
        reply = send_udp(wire.ask(name, edns=wire.opt()))
        expect_equal(reply.data(wire.A), [ADDRESS], f"the address, keepalive {data!r}")
        expect_equal(reply.option(wire.KEEPALIVE), None, "keepalive of upstream handed on")


@check("7873", "5.3", "of several cookies in a reply the first one counts", udp=True)
def first_cookies_count():
    def told(asked, data, *parts):
        sent = asked.message.option(wire.COOKIE)[:8]
        cookies = {"right": sent + b"serverck", "wrong": b"notyours" + b"serverck"}
        options = b"".join(wire.option(wire.COOKIE, cookies[part]) for part in parts)
        return asked.address(data, edns=wire.opt(options=options))

    upstream("cookie").usual = answer_with_cookie
    upstream("cookie").on("first1.cookie.example", lambda asked: told(
        asked, b"\1\1\1\1", "right", "wrong"))
    # A second message for it gets nothing: what came late would bring an old cookie to other checks.
    upstream("cookie").on("first2.cookie.example", lambda asked: (
        None if len(upstream("cookie").asked(asked.key)) > 1
        else [told(asked, b"\6\6\6\6", "wrong", "right"), 0.05,
              told(asked, b"\1\1\1\1", "right")]))
    for name in ("first1", "first2"):
        reply = send_udp(wire.ask(name + ".cookie.example", ident=28))
        expect_equal(reply.data(wire.A), [b"\1\1\1\1"], f"the address of {name}")


@check("7873", "5.3", "a cookie that comes with an error is kept as well", udp=True)
def cookies_of_errors_are_kept():
    upstream("cookie").usual = answer_with_cookie
    for rcode in (wire.NXDOMAIN, wire.SERVFAIL):
        fresh = b"errorck%d" % rcode
        upstream("cookie").on(f"error{rcode}.cookie.example", lambda asked, f=fresh, r=rcode:
                              asked.denial(r, edns=wire.opt(options=wire.option(
                                  wire.COOKIE, asked.message.option(wire.COOKIE)[:8] + f))))
        name = f"error{rcode}.cookie.example"
        expect_rcode(send_udp(wire.ask(name, ident=32)), rcode, name)
        send_udp(wire.ask(f"after{rcode}.cookie.example", ident=32))
        asked = upstream("cookie").asked(f"after{rcode}.cookie.example")[0]
        expect_equal(asked.message.option(wire.COOKIE)[8:], fresh, f"the cookie after {rcode}")
