# SPDX-License-Identifier: BSD-2-Clause
"""When upstream fails: RFC 8767 (old answers) and 9520 (failures)."""

import time

import conformance_wire as wire
from conformance import check, count_calmly, expect_rcode, send_udp, upstream
from conformance_upstream import ADDRESS, answer_usually
from live import expect, expect_equal, wait_until


def count(name, server, qtype=None):
    return len(upstream(server).asked(name, qtype))


def expect_kept(name, what):
    """It fails, and goes on failing without a question: asked for half a second, lest a busy
    machine makes a whole one of it."""
    expect_rcode(send_udp(wire.ask(name)), wire.SERVFAIL, what)
    failed_at = time.monotonic()
    before = count_calmly(name, "failing")
    while time.monotonic() - failed_at < 0.5:
        expect_rcode(send_udp(wire.ask(name)), wire.SERVFAIL, f"{what}, again")
        expect_equal(count(name, "failing"), before, f"questions within a second, {what}")
        time.sleep(0.05)


@check("9520", "3.2", "a failure is remembered for a second at least: libc's next try asks nobody")
def failures_are_kept():
    for rcode in (wire.SERVFAIL, wire.REFUSED):
        name = f"fails{rcode}.failing.example"
        upstream("failing").on(name, lambda asked, r=rcode: asked.denial(r))
        expect_kept(name, f"rcode {rcode}")


@check("9520", "3.2", "a failure is remembered for its type alone")
def failures_are_told_apart():
    upstream("failing").on("apart.failing.example", lambda asked: (
        asked.address() if asked.qtype == wire.A else asked.denial(wire.SERVFAIL)))
    name = "apart.failing.example"
    expect_rcode(send_udp(wire.ask(name, wire.MX)), wire.SERVFAIL, "MX")
    expect_equal(send_udp(wire.ask(name)).types(), [wire.A], "the address beside it")


@check("9520", "3.2", "a failure is not remembered for long: what works again is found", slow=True)
def failures_end():
    name = "mended.failing.example"
    broken = [True]
    upstream("failing").on(name, lambda asked: (
        asked.denial(wire.SERVFAIL) if broken[0] else asked.address()))
    expect_rcode(send_udp(wire.ask(name)), wire.SERVFAIL, "a server that fails")
    broken[0] = False
    wait_until(lambda: send_udp(wire.ask(name)).rcode == wire.NOERROR, "the answer", 15)


@check("9520", "3.2", "silence of upstream is a failure like any other, told in time", slow=True)
def silence_is_a_failure():
    upstream("silent").usual = lambda asked: None
    name = "a.silent.example"
    started = time.monotonic()
    reply = expect_rcode(send_udp(wire.ask(name, edns=wire.opt())), wire.SERVFAIL, "silence")
    expect(time.monotonic() - started < 5, "it took longer than libc waits")
    expect(reply.option(wire.EDE), "no extended error for silence")
    before = count(name, "silent")
    expect_rcode(send_udp(wire.ask(name)), wire.SERVFAIL, "the next try")
    expect_equal(count(name, "silent"), before, "questions of the next try")


@check("9520", "3.1", "one server is asked a bounded number of times for a question", slow=True,
       document="three times, and once more if it answers something else at once")
def servers_are_not_pestered():
    for number in range(20):  # A server whose speed is known is asked again the soonest.
        send_udp(wire.ask(f"warm{number}.mute.example"))
    counts = []
    # On a busy machine the server may seem to have been away altogether, and then all begins anew.
    while len(counts) < 3 and not any(1 <= one <= 4 for one in counts):
        name = f"b{len(counts)}.mute.example"
        upstream("mute").on(name, lambda asked: None)
        expect_rcode(send_udp(wire.ask(name)), wire.SERVFAIL, "silence")
        counts.append(count(name, "mute"))
    expect(any(1 <= one <= 4 for one in counts), f"{counts} questions to who is silent")
    name = "often.failing.example"
    upstream("failing").on(name, lambda asked: asked.denial(wire.SERVFAIL))
    expect_rcode(send_udp(wire.ask(name)), wire.SERVFAIL, "a server that fails")
    expect(1 <= count(name, "failing") <= 3, f"{count(name, 'failing')} questions to who fails")


@check("8767", "4", "an expired answer is given when upstream fails, its TTL above 0", slow=True)
def stale_answers_are_given():
    name = "old.fading.example"
    upstream("fading").on(name, lambda asked: asked.address(ttl=1))
    send_udp(wire.ask(name))
    upstream("fading").on(name, lambda asked: asked.denial(wire.SERVFAIL))
    time.sleep(2.2)
    reply = expect_rcode(send_udp(wire.ask(name, edns=wire.opt())), wire.NOERROR, "stale")
    expect_equal(reply.data(wire.A), [ADDRESS], "the expired address")
    expect(0 < reply.ttls(wire.A)[0] <= 30, f"TTL {reply.ttls(wire.A)}")
    expect(count(name, "fading") > 1, "it was given before upstream was asked")
    code = reply.option(wire.EDE)
    expect_equal(code and code[:2], b"\0\3", "the extended error, which should be Stale Answer")


@check("8767", "4", "a denial ends what it denies: NXDOMAIN is not answered with old data",
       slow=True)
def denials_replace_stale_answers():
    name = "denied.fading.example"
    upstream("fading").on(name, lambda asked: asked.address(ttl=1))
    send_udp(wire.ask(name))
    upstream("fading").on(name, lambda asked: asked.denial(wire.NXDOMAIN))
    time.sleep(2.2)
    expect_rcode(send_udp(wire.ask(name)), wire.NXDOMAIN, "a name that has gone")


@check("8767", "5", "upstream that answers in time is preferred to what is stale", slow=True)
def fresh_answers_win():
    name = "moved.fading.example"
    upstream("fading").on(name, lambda asked: asked.address(ttl=1))
    send_udp(wire.ask(name))
    upstream("fading").on(name, lambda asked: [0.02, asked.address(b"\7\7\7\7")])
    time.sleep(2.2)
    expect_equal(send_udp(wire.ask(name)).data(wire.A), [b"\7\7\7\7"], "the address")


@check("9520", "3.2", "FORMERR, NOTIMP, loops and broken records are remembered failures, too",
       slow=True)
def every_failure_is_kept():
    rules = {
        "formerr": lambda asked: asked.reply(rcode=wire.FORMERR),
        "notimp": lambda asked: asked.reply(rcode=wire.NOTIMP),
        "loop": lambda asked: asked.reply([asked.own(wire.CNAME, wire.to_wire(asked.key))]),
        "broken": lambda asked: asked.address()[:-3],
    }
    for kind, rule in rules.items():
        name = f"{kind}.kept.failing.example"
        upstream("failing").on(name, rule)
        expect_kept(name, kind)


@check("8767", "5", "when upstream is silent an expired answer comes within 1.8 seconds", slow=True)
def stale_answers_are_quick():
    name = "hushed.fading.example"
    upstream("fading").on(name, lambda asked: asked.address(ttl=1))
    send_udp(wire.ask(name))
    upstream("fading").on(name, lambda asked: None)
    time.sleep(2.2)
    started = time.monotonic()
    reply = expect_rcode(send_udp(wire.ask(name)), wire.NOERROR, "an expired name")
    expect(time.monotonic() - started < 1.8, f"it took {time.monotonic() - started:.1f} s")
    expect_equal(reply.data(wire.A), [ADDRESS], "the expired address")


@check("8767", "4", "an empty answer, too, ends what it denies", slow=True)
def empty_answers_replace_stale_ones():
    name = "emptied.fading.example"
    upstream("fading").on(name, lambda asked: asked.address(ttl=1))
    send_udp(wire.ask(name))
    upstream("fading").on(name, lambda asked: asked.denial())
    time.sleep(2.2)
    reply = expect_rcode(send_udp(wire.ask(name)), wire.NOERROR, "a name that has lost its address")
    expect_equal(reply.answers, [], "answers")


@check("8767", "5", "without RD nothing expired is given, and nobody is asked", slow=True)
def stale_answers_need_rd():
    name = "undesired.fading.example"
    upstream("fading").on(name, lambda asked: asked.address(ttl=1))
    send_udp(wire.ask(name))
    time.sleep(2.2)
    before = count_calmly(name, "fading")
    reply = send_udp(wire.ask(name, flags=0))
    expect(reply is not None, "no answer")
    expect_equal(reply.answers, [], "answers")
    expect_equal(count_calmly(name, "fading"), before, "questions upstream")


@check("1034", "5.2.3", "what fails for a time is told as SERVFAIL, not as a lack of name or data")
def failures_are_no_denials():
    zone = "failing.example"
    rules = {f"rcode{rcode}": lambda asked, r=rcode: asked.reply(rcode=r)
             for rcode in (1, 2, 4, 5, 6, 9, 11, 15)}
    rules["upward"] = lambda asked: asked.reply(
        (), [wire.record(b"\0", wire.NS, wire.to_wire("a.root-servers.net"))])
    rules["downward"] = lambda asked: asked.reply(
        (), [wire.record(asked.key, wire.NS, wire.to_wire("ns." + zone))])
    rules["scrap"] = lambda asked: asked.address()[:-1]
    for kind, rule in rules.items():
        name = f"{kind}.while.failing.example"
        upstream("failing").on(name, rule)
        reply = expect_rcode(send_udp(wire.ask(name, wire.MX)), wire.SERVFAIL, kind)
        expect_equal((reply.answers, reply.authority), ([], []), f"records for {kind}")


@check("1035", "7.3", "a late reply to the first of several tries is used", slow=True)
def late_replies_are_used():
    name = "latecomer.failing.example"
    upstream("failing").on(name, lambda asked: (
        [1.2, asked.address()] if count(name, "failing") == 1 else None))
    reply = expect_rcode(send_udp(wire.ask(name)), wire.NOERROR, "a late reply")
    expect_equal(reply.data(wire.A), [ADDRESS], "the address")


@check("8767", "4", "an rcode other than NOERROR and NXDOMAIN leaves what was known as it is",
       slow=True)
def failures_change_nothing():
    rcodes = (wire.FORMERR, wire.SERVFAIL, wire.NOTIMP, wire.REFUSED, 9)
    for rcode in rcodes:
        name = f"intact{rcode}.fading.example"
        upstream("fading").on(name, lambda asked, r=rcode: (
            asked.address(ttl=1) if count(asked.key, "fading") == 1 else asked.reply(rcode=r)))
        send_udp(wire.ask(name))
    time.sleep(2.2)
    for rcode in rcodes:
        reply = send_udp(wire.ask(f"intact{rcode}.fading.example"))
        expect_equal(reply.data(wire.A), [ADDRESS], f"the expired address after rcode {rcode}")


@check("8767", "5", "after a failed refresh the expired answer is given at once, and nobody asked",
       slow=True)
def failing_servers_are_left_alone():
    name = "resting.fading.example"
    upstream("fading").on(name, lambda asked: (
        asked.address(ttl=1) if count(name, "fading") == 1 else asked.denial(wire.SERVFAIL)))
    send_udp(wire.ask(name))
    time.sleep(2.2)
    expect_equal(send_udp(wire.ask(name)).data(wire.A), [ADDRESS], "the expired address")
    before = count_calmly(name, "fading")
    for _ in range(5):
        time.sleep(0.5)
        expect_equal(send_udp(wire.ask(name)).data(wire.A), [ADDRESS], "the expired address, again")
    expect_equal(count_calmly(name, "fading"), before, "questions upstream")


@check("2308", "7.2", "a server that was dead is found when it is back, long before five minutes",
       slow=True)
def dead_servers_return():
    upstream("away").usual = lambda asked: None
    for number in range(4):
        expect_rcode(send_udp(wire.ask(f"gone{number}.away.example")), wire.SERVFAIL, "silence")
    upstream("away").usual = answer_usually
    names = iter(range(1000))
    wait_until(lambda: send_udp(wire.ask(f"back{next(names)}.away.example")).rcode == wire.NOERROR,
               "an answer of the server that is back", 15)
