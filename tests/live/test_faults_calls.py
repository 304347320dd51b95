# SPDX-License-Identifier: BSD-2-Clause
"""System calls on sockets that fail: sending, receiving, accepting, opening, connecting.

No crash, no question lost beyond what the failure explains, and afterwards all is as before.
"""

import errno
import random
import socket
import ssl
import threading
import time

import calls
import dnswire
import faults
import live
import test_tls
from calls import Calls
from faults import FIRST, SERVER, conf, stat
from live import expect, expect_equal, wait_until

SEND_ERRORS = ("ENOBUFS", "EAGAIN", "EMSGSIZE", "ENETUNREACH", "EPERM", "EINTR", "SHORT")
UPSTREAM_FAULTS = {
    "send_udp": ("ENOBUFS", "EAGAIN", "EMSGSIZE", "ENETUNREACH", "EHOSTUNREACH", "EPERM",
                 "ECONNREFUSED", "EINTR"),
    "recv_udp": ("ENOMEM", "EINTR", "ECONNREFUSED", "EHOSTUNREACH"),
    "socket": ("EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EACCES"),
    "connect": ("ENETUNREACH", "EADDRNOTAVAIL", "EAGAIN", "EPERM"),
    "recvmmsg": ("EINTR", "ENOMEM", "EAGAIN", "ENOBUFS", "SHORT"),
    "epoll_wait": ("EINTR",),
}  # fmt: skip
ACCEPT_ERRORS = (
    "ECONNABORTED", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EINTR", "EPERM", "EPROTO",
)  # fmt: skip
FEW = faults.choose(15, 500)
PER_MILLE = faults.choose(300, 100)  # Six failures in a row are a SERVFAIL, as they should.
programs = {}


def programs_start():
    calls.prepare()
    big = " ".join('"' + "x" * 200 + '"' for _ in range(15))
    zone = faults.ZONE + "".join(f"big{n}.example.org. 1 TXT {big}\n" for n in range(50))
    programs["first"] = live.Upstream("first", zone, FIRST)


def start(name, text=None, **environment):
    """A daemon with all hosts cached, and its page of rules."""
    rules = Calls(name)
    text = conf(path="") if text is None else text
    daemon = live.Daemon(name, text, env=rules.environment(**environment)).wait_ready()
    faults.expect_hosts(range(faults.HOSTS))
    return daemon, rules


def end(daemon, rules):
    rules.mend()
    expect_new_names_resolve("afterwards", 5)
    faults.expect_hosts(range(faults.HOSTS))
    faults.expect_whole(daemon)
    expect_equal(daemon.stop(), 0, f"the exit status of {daemon.name}")


def ask_new_name(limit=faults.PATIENCE):
    faults.Crowd.serial += 1
    return dnswire.ask_udp(SERVER, f"u{faults.Crowd.serial}.example.org", "A", timeout=limit)


def expect_new_names_resolve(what, count=FEW):
    slowest = 0.0
    for _ in range(count):
        began = time.monotonic()
        expect_equal(ask_new_name().rcode, dnswire.NXDOMAIN, f"a new name, {what}")
        slowest = max(slowest, time.monotonic() - began)
    return slowest


def answers_that_cannot_be_sent_are_counted():
    daemon, rules = start("unsent")
    crowd, unsent = faults.Crowd(count=8, patience=2.0), 0
    for name in SEND_ERRORS:
        before, count = stat(daemon, "udp_unsent"), faults.choose(3, 100)
        rules.fail("sendmmsg", calls.number_of(name), 50, count)
        wait_until(lambda: rules.failed("sendmmsg") == count, f"{count} times {name}")
        lost = stat(daemon, "udp_unsent") - before
        unsent += lost
        expect((lost > 0) == (name not in ("EINTR", "SHORT")), f"{lost} unsent answers: {name}")
    crowd.end()
    print(f"  {crowd.tell()}; {unsent} answers the kernel did not take")
    expect_equal(dict(crowd.failures), {"TimeoutError": unsent}, "what went wrong")
    end(daemon, rules)


def failing_calls_toward_upstream_are_tried_again():
    daemon, rules = start("upstream")
    lost = stat(daemon, "upstream_lost")
    for call, names in UPSTREAM_FAULTS.items():
        slowest = 0.0
        for name in faults.choose(random.sample(names, min(3, len(names))), names):
            crowd = faults.Crowd(count=2)
            rules.fail(call, calls.number_of(name), PER_MILLE)
            # Called when a socket has failed, and with it goes whoever waits there.
            fails_alone = call not in ("socket", "connect")
            if not fails_alone:
                rules.fail("send_udp", errno.EPERM, PER_MILLE)
            slowest = max(slowest, expect_new_names_resolve(f"{call} with {name}"))
            rules.mend()
            crowd.expect_served(f"{call} with {name}")
            if fails_alone and name in ("ENOMEM", "ENOBUFS", "EINTR", "SHORT"):
                expect_equal(stat(daemon, "upstream_lost"), lost, f"lines lost by {call}, {name}")
            lost = stat(daemon, "upstream_lost")
            expect(rules.failed(call) > 0, f"{call} was not called")
        print(f"  {call}: the slowest new name took {slowest:.2f} s")
    end(daemon, rules)


def without_a_way_out_what_is_cached_is_answered():
    daemon, rules = start("cut-off")
    for name in faults.choose(("ENETUNREACH",), ("ENETUNREACH", "ENOBUFS", "EPERM")):
        rules.fail("send_udp", calls.number_of(name))
        began = time.monotonic()
        expect_equal(ask_new_name().rcode, dnswire.SERVFAIL, f"a new name, all sends with {name}")
        took = time.monotonic() - began
        faults.expect_hosts(range(faults.HOSTS), 1.0)
        rules.mend()
        began = time.monotonic()
        wait_until(lambda: ask_new_name().rcode == dnswire.NXDOMAIN, "a new name", 5.0)
        print(f"  {name}: SERVFAIL after {took:.1f} s, well {time.monotonic() - began:.1f} s after")
    end(daemon, rules)


def clients_wait_while_accepting_fails():
    text = conf(path="").replace("metrics_listen =", "metrics_listen = 127.0.0.1@9153")
    daemon, rules = start("accept", text)
    for name in ACCEPT_ERRORS:
        rules.fail("accept", calls.number_of(name), 500)
        for number in range(faults.choose(2, 50)):
            answer = dnswire.ask_tcp(SERVER, f"h{number}.example.org", "A")
            expect_equal(answer.addresses(), [f"192.0.2.{number}"], f"by TCP, {name}")
            expect(stat(daemon, "questions") > 0, f"no numbers by the control socket, {name}")
            with socket.create_connection(("127.0.0.1", 9153), timeout=5.0) as sock:
                sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                expect(sock.recv(64).startswith(b"HTTP/1.1 200"), f"no metrics, {name}")
        expect(rules.failed("accept") > 0, f"accepting never met {name}")
    end(daemon, rules)


def ask_tcp_often(count):
    """How many connections broke; whatever is answered is right."""
    broken = 0
    for number in range(count):
        number %= 50
        try:
            answer = dnswire.ask_tcp(SERVER, f"big{number}.example.org", "TXT")
        except ConnectionError:
            broken += 1
            continue
        expect_equal(answer.rcode, dnswire.NOERROR, f"the answer for big{number}")
        expect_equal(len(answer.data("TXT")[0]), 15 * 201, f"the text of big{number}")
    return broken


def front_start():
    test_tls.certificate_make()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(test_tls.CERTIFICATE, test_tls.KEY)
    listener = socket.create_server(test_tls.FRONT)
    threading.Thread(target=test_tls.front_serve, args=(listener, context), daemon=True).start()


def streams_that_stutter_lose_nothing():
    """Clients by TCP, upstream by TCP because its answers are large, and by TLS."""
    front_start()
    tls = conf(f"{test_tls.FRONT[0]}#{test_tls.NAME}", path="")
    for name, text in (("tcp", conf(path="")), ("tls", tls)):
        daemon, rules = start(name, text, SSL_CERT_FILE=str(test_tls.CERTIFICATE))
        for error in ("SHORT", "EINTR", "EAGAIN"):
            for call in ("send_tcp", "recv_tcp"):
                rules.fail(call, calls.number_of(error), 500)
            expect_equal(ask_tcp_often(FEW), 0, f"broken connections, {name}, {error}")
            expect_new_names_resolve(f"{name}, {error}", 10)
            expect(rules.failed("send_tcp") > 0, f"{name}: nothing was sent")
            expect(rules.failed("recv_tcp") > 0, f"{name}: nothing was received")
        for error in ("ECONNRESET", "ETIMEDOUT", "ENOBUFS"):
            rules.mend()
            for call in ("send_tcp", "recv_tcp"):
                rules.fail(call, calls.number_of(error), 50, faults.choose(3, 50))
            broken = ask_tcp_often(FEW)
            failed = rules.failed("send_tcp") + rules.failed("recv_tcp")
            expect(broken <= failed, f"{broken} connections broke by {failed} failures")
        end(daemon, rules)


if __name__ == "__main__":
    live.run(
        programs_start,
        answers_that_cannot_be_sent_are_counted,
        failing_calls_toward_upstream_are_tried_again,
        without_a_way_out_what_is_cached_is_answered,
        clients_wait_while_accepting_fails,
        streams_that_stutter_lose_nothing,
    )
