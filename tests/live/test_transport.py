# SPDX-License-Identifier: BSD-2-Clause
"""mxcache over UDP and TCP, IPv4 and IPv6, with real sockets, dig and the scripted upstream."""

import socket
import subprocess

import dnswire
import live
from live import expect, expect_equal

UPSTREAM = "127.0.0.2@53"
SERVER = ("127.0.0.1", 53)
SERVER6 = ("::1", 53)

CONF = f"""
listen = 127.0.0.1 ::1
upstreams = {UPSTREAM}
control_socket = {live.SOCKET}
"""

# About 700 bytes: too long for a client without EDNS, not for one with it.
MEDIUM = "medium.example.com. 300 TXT " + " ".join(f'"{letter * 200}"' for letter in "abc") + "\n"
MANY = "".join(f"many{n}.example.com. 300 A 203.0.113.{n}\n" for n in range(1, 101))
SLOW = "slow2.example.com. 300 A 203.0.113.2\n!delay slow2.example.com. 500ms\n"

programs = {}


def programs_start():
    world = (live.SOURCE / "tests/support/small_mail_world.zone").read_text()
    programs["upstream"] = live.Upstream("upstream", world + MEDIUM + MANY + SLOW, UPSTREAM)
    programs["mxcache"] = live.Daemon("mxcache", CONF).wait_ready()


def every_transport_answers():
    for server in (SERVER, SERVER6):
        for ask in (dnswire.ask_udp, dnswire.ask_tcp):
            answer = ask(server, "www.example.org", "A")
            expect_equal(answer.addresses(), ["192.0.2.80"], f"{ask.__name__} at {server[0]}")
            expect(answer.recursion, "RA is not set, and libc takes the server for a lame one")


def second_question_stays_here():
    before = programs["upstream"].questions("mx1.example.org. A\n")
    for _ in range(3):
        dnswire.ask_udp(SERVER, "mx1.example.org", "A")
    after = programs["upstream"].questions("mx1.example.org. A\n")
    expect_equal(after - before, 1, "questions sent upstream for three of a client")


def question_is_repeated_as_spelled():
    for name in ("wWw.eXamPle.oRg", "WWW.example.ORG"):
        answer = dnswire.ask_udp(SERVER, name, "A")
        expect_equal(answer.questions, [(name + ".", (1, 1))], "the question in the answer")


def negative_answers_carry_the_soa():
    answer = dnswire.ask_udp(SERVER, "no-such-name.example.org", "A")
    expect_equal(answer.rcode, dnswire.NXDOMAIN, "rcode of a name that does not exist")
    expect_equal([r[:2] for r in answer.authority], [("example.org.", 6)], "its authority section")
    answer = dnswire.ask_udp(SERVER, "www.example.org", "MX")
    expect_equal((answer.rcode, answer.answers), (dnswire.NOERROR, []), "a name without MX")
    expect_equal([r[1] for r in answer.authority], [6], "its authority section")


def size_follows_the_client():
    answer = dnswire.ask_udp(SERVER, "medium.example.com", "TXT")
    expect(answer.is_cut and len(answer.bytes) <= 512, "a long answer without EDNS is not cut")
    answer = dnswire.ask_udp(SERVER, "medium.example.com", "TXT", edns=1232)
    expect(not answer.is_cut and len(answer.bytes) > 512, "EDNS 1232 does not get 700 bytes")
    expect(answer.edns_size is not None, "no OPT in the answer to a question with OPT")
    answer = dnswire.ask_udp(SERVER, "long.example.com", "TXT", edns=4096)
    expect(answer.is_cut and len(answer.bytes) <= 1232, "udp_answer_max does not hold")
    answer = dnswire.ask_tcp(SERVER, "long.example.com", "TXT")
    expect(not answer.is_cut and len(answer.bytes) > 1232, "TCP does not give the whole answer")


def truncated_upstream_is_asked_again():
    answer = dnswire.ask_udp(SERVER, "cut.example.com", "TXT")
    expect_equal(len(answer.answers), 1, "answers to what upstream cuts over UDP")
    for protocol in ("udp", "tcp"):
        count = programs["upstream"].questions(f"{protocol} cut.example.com. TXT\n")
        expect_equal(count, 1, f"questions sent upstream over {protocol}")


def stream_is_pipelined_and_out_of_order():
    with dnswire.Stream(SERVER) as stream:
        stream.send(
            dnswire.query("slow.example.com", "A", ident=1),
            dnswire.query("www.example.org", "A", ident=2),
            dnswire.query("mx2.example.org", "A", ident=3),
        )
        order = [stream.receive().id for _ in range(3)]
    expect_equal(sorted(order), [1, 2, 3], "ids of the answers")
    expect_equal(order[-1], 1, "the last answer, which should be the slow one's")


def stream_carries_many_questions():
    with dnswire.Stream(SERVER) as stream:
        numbers = range(1, 101)
        stream.send(*(dnswire.query(f"many{n}.example.com", "A", ident=n) for n in numbers))
        answers = {answer.id: answer for answer in (stream.receive() for _ in numbers)}
    for number in numbers:
        found = answers[number].addresses()
        expect_equal(found, [f"203.0.113.{number}"], f"the answer to question {number}")


def question_may_come_in_pieces():
    message = dnswire.query("www.example.org", "A")
    framed = len(message).to_bytes(2, "big") + message
    with dnswire.Stream(SERVER) as stream:
        stream.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in framed:
            stream.sock.sendall(bytes([byte]))
        expect_equal(stream.receive().addresses(), ["192.0.2.80"], "the answer")


def equal_questions_share_one_fetch():
    """Counted in fetches: one fetch may ask twice when the server is slower than usual."""
    before = programs["mxcache"].stats()
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(20)]
    for number, sock in enumerate(sockets):
        sock.settimeout(dnswire.TIMEOUT)
        sock.connect(SERVER)
        sock.send(dnswire.query("slow2.example.com", "A", ident=number))
    for number, sock in enumerate(sockets):
        answer = dnswire.Answer(sock.recv(4096))
        expect_equal((answer.id, answer.addresses()), (number, ["203.0.113.2"]), "an answer")
        sock.close()
    after = programs["mxcache"].stats()
    fetches = after["metrics"]["fetches"] - before["metrics"]["fetches"]
    expect_equal(fetches, 1, "fetches for one question of twenty clients")
    joined = after["classes"]["a"]["joined"] - before["classes"]["a"]["joined"]
    expect_equal(joined, 19, "clients that joined it")


def garbage_is_survived():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(SERVER)
        for size in (0, 1, 11, 12, 13, 40, 511, 4096):
            sock.send(bytes((size * 37 + at * 101) & 0xFF for at in range(size)))
    for data in (b"\0\0", b"\0\1x", b"\xff\xff" + b"x" * 100):
        with dnswire.Stream(SERVER) as stream:
            stream.sock.sendall(data)
    answer = dnswire.ask_udp(SERVER, "www.example.org", "A")
    expect_equal(answer.addresses(), ["192.0.2.80"], "the answer after garbage")


def dig(*arguments):
    result = subprocess.run(
        ("dig", *arguments), capture_output=True, text=True, timeout=live.LIMIT, check=False
    )
    expect(result.returncode == 0, f"dig {' '.join(arguments)}: {result.stdout}{result.stderr}")
    return result.stdout


def dig_is_content():
    for server in ("@127.0.0.1", "@::1"):
        found = sorted(dig(server, "MX", "example.org", "+short").split("\n"))
        expect_equal(found, ["", "10 mx1.example.org.", "20 mx2.example.org."], "dig MX")
    text = dig("@127.0.0.1", "TXT", "long.example.com")
    expect("Truncated, retrying in TCP mode" in text, f"dig was not sent to TCP: {text}")
    expect("The sixth and last string." in text, f"dig has not the whole answer: {text}")
    for text in (text, dig("@127.0.0.1", "+tcp", "nope.example.org")):
        expect("WARNING" not in text and "Warning" not in text, f"dig warns: {text}")


def daemon_ends_well():
    expect_equal(programs["mxcache"].stop(), 0, "the exit status after TERM")


if __name__ == "__main__":
    live.run(
        programs_start,
        every_transport_answers,
        second_question_stays_here,
        question_is_repeated_as_spelled,
        negative_answers_carry_the_soa,
        size_follows_the_client,
        truncated_upstream_is_asked_again,
        stream_is_pipelined_and_out_of_order,
        stream_carries_many_questions,
        question_may_come_in_pieces,
        equal_questions_share_one_fetch,
        garbage_is_survived,
        dig_is_content,
        daemon_ends_well,
    )
