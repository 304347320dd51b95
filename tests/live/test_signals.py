# SPDX-License-Identifier: BSD-2-Clause
"""How mxcache starts, reloads and ends: signals, exit codes, and what it says about trouble."""

import itertools
import signal
import socket

import dnswire
import live
from live import expect, expect_equal, wait_until

SERVER = ("127.0.0.1", 53)
BLUE = "127.0.0.2@53"
GREEN = "127.0.0.3@53"
LATE = ("198.51.100.77", "2001:db8:7::77")
EX_UNAVAILABLE, EX_NOPERM, EX_CONFIG = 69, 77, 78

ZONE = """
example.org. 3600 SOA ns.example.org. host.example.org. 1 3600 900 604800 300
slow.example.org. 300 A 192.0.2.9
!delay slow.example.org. 1s
!drop silent.example.org.
"""

programs = {}
names = (f"n{number}.example.org" for number in itertools.count())


def zone(address):
    """A world in which n0 to n999 have that address."""
    return ZONE + "".join(f"n{number}.example.org. 300 A {address}\n" for number in range(1000))


def conf(upstream, more=""):
    return f"listen = 127.0.0.1\nupstreams = {upstream}\ncontrol_socket = {live.SOCKET}\n{more}"


def fresh_address():
    """The address of a name that nobody has asked for yet: tells which upstream is in use."""
    return dnswire.ask_udp(SERVER, next(names), "A").addresses()


def rewrite(text):
    programs["mxcache"].config.write_text(text)


def programs_start():
    programs["blue"] = live.Upstream("blue", zone("192.0.2.1"), BLUE)
    programs["green"] = live.Upstream("green", zone("192.0.2.2"), GREEN)
    programs["mxcache"] = live.Daemon("mxcache", conf(BLUE)).wait_ready()
    expect_equal(fresh_address(), ["192.0.2.1"], "the answer of the first upstream")


def hangup_takes_the_new_file():
    kept = next(names)
    dnswire.ask_udp(SERVER, kept, "A")
    rewrite(conf(GREEN))
    programs["mxcache"].signal(signal.SIGHUP)
    wait_until(lambda: fresh_address() == ["192.0.2.2"], "the second upstream to be in use")
    addresses = dnswire.ask_udp(SERVER, kept, "A").addresses()
    expect_equal(addresses, ["192.0.2.1"], "what was in the cache before the reload")


def hangup_refuses_a_bad_file():
    rewrite(conf(BLUE, "answer_deadline = soon\n"))
    programs["mxcache"].signal(signal.SIGHUP)
    programs["mxcache"].wait_for_output(f"{programs['mxcache'].config}:4:")
    expect_equal(fresh_address(), ["192.0.2.2"], "the answer after a bad reload")


def reload_command_says_what_happened():
    result = live.client("reload", "-s", live.SOCKET)
    expect(result.returncode != 0, f"reload of a bad file went well: {result.stdout}")
    expect("soon" in result.stdout + result.stderr, f"reload does not name it: {result}")
    rewrite(conf(BLUE))
    result = live.client("reload", "-s", live.SOCKET)
    expect_equal(result.returncode, 0, f"the status of reload ({result.stderr})")
    wait_until(lambda: fresh_address() == ["192.0.2.1"], "the first upstream to be in use again")


def port_taken_names_the_owner():
    config = conf(BLUE).replace(live.SOCKET, "/run/mxcache/second.sock")
    second = live.Daemon("second", config)
    expect_equal(second.wait(), EX_UNAVAILABLE, "the exit status when the port is taken")
    owner = f"`mxcache` (process {programs['mxcache'].process.pid})"
    expect(owner in second.output(), f"{owner} is not named: {second.output()}")


def no_right_is_explained():
    config = conf(BLUE, "user =\n").replace(live.SOCKET, "/tmp/unprivileged.sock")
    config = config.replace("listen = 127.0.0.1", "listen = 127.0.0.5")
    program = live.Daemon("unprivileged", config, user="nobody", extra_groups=())
    expect_equal(program.wait(), EX_NOPERM, "the exit status without the right to bind")
    expect("CAP_NET_BIND_SERVICE" in program.output(), f"no remedy: {program.output()}")


def late_addresses_are_served_once_they_are_there():
    """As a VLAN's address that comes up after the start, or an IPv6 address still being tested."""
    config = conf(BLUE).replace(live.SOCKET, "/run/mxcache/late.sock")
    config = config.replace("listen = 127.0.0.1", f"listen = 127.0.0.6 {' '.join(LATE)}")
    program = live.Daemon("late", config, server=("127.0.0.6", 53)).wait_ready()
    for address in LATE:
        expect(f"address={address}@53" in program.output(), f"not named: {program.output()}")
        live.run_quietly("late", "ip", "address", "add", address, "dev", "lo", "nodad")
        for ask in (dnswire.ask_udp, dnswire.ask_tcp):
            answer = ask((address, 53), next(names), "A").addresses()
            expect_equal(answer, ["192.0.2.1"], f"the answer at {address}")
    program.signal(signal.SIGTERM)
    expect_equal(program.wait(), 0, "the exit status")


def nothing_but_missing_addresses_is_refused():
    config = conf(BLUE).replace(live.SOCKET, "/run/mxcache/never.sock")
    program = live.Daemon("never", config.replace("listen = 127.0.0.1", "listen = 198.51.100.78"))
    expect_equal(program.wait(), EX_CONFIG, "the exit status without any address")
    expect("no such address" in program.output(), f"not explained: {program.output()}")


def bad_configuration_names_every_error():
    config = conf(BLUE, "answr_deadline = 4s\ntry_timeout = soon\n")
    program = live.Daemon("bad", config)
    expect_equal(program.wait(), EX_CONFIG, "the exit status with a bad configuration")
    for text in (f"{program.config}:4:", "answer_deadline", f"{program.config}:5:"):
        expect(text in program.output(), f"{text!r} is not in: {program.output()}")


def term_drains():
    mxcache = programs["mxcache"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(dnswire.TIMEOUT)
        sock.connect(SERVER)
        sock.send(dnswire.query("slow.example.org", "A"))
        programs["blue"].wait_for_output("slow.example.org. A")
        mxcache.signal(signal.SIGTERM)
        answer = dnswire.Answer(sock.recv(4096))
    expect_equal(answer.addresses(), ["192.0.2.9"], "the answer that was owed at TERM")
    expect_equal(mxcache.wait(), 0, "the exit status after TERM")


def no_upstream_is_explained():
    empty = live.LOGS / "empty.conf"
    empty.write_text("# no nameserver here\n")
    config = f"listen = 127.0.0.1\nupstreams_file = {empty}\ncontrol_socket = {live.SOCKET}\n"
    program = live.Daemon("without", config)
    expect_equal(program.wait(), EX_CONFIG, "the exit status without any upstream")
    for text in (str(empty), "upstreams = ADDRESS"):
        expect(text in program.output(), f"{text!r} is not in: {program.output()}")


def dead_upstream_gives_servfail_in_time():
    program = live.Daemon("dead", conf("127.0.0.9", "answer_deadline = 2s\n")).wait_ready()
    answer = dnswire.ask_udp(SERVER, "n1.example.org", "A", timeout=4.0)
    expect_equal(answer.rcode, dnswire.SERVFAIL, "the rcode when no server is there")
    expect_equal(program.stop(), 0, "the exit status after TERM")
    program = live.Daemon("silent", conf(BLUE, "answer_deadline = 2s\n")).wait_ready()
    answer = dnswire.ask_udp(SERVER, "silent.example.org", "A", timeout=4.0)
    expect_equal(answer.rcode, dnswire.SERVFAIL, "the rcode when the server is silent")
    program.signal(signal.SIGINT)
    expect_equal(program.wait(), 0, "the exit status after INT")


if __name__ == "__main__":
    live.run(
        programs_start,
        hangup_takes_the_new_file,
        hangup_refuses_a_bad_file,
        reload_command_says_what_happened,
        port_taken_names_the_owner,
        no_right_is_explained,
        late_addresses_are_served_once_they_are_there,
        nothing_but_missing_addresses_is_refused,
        bad_configuration_names_every_error,
        term_drains,
        no_upstream_is_explained,
        dead_upstream_gives_servfail_in_time,
    )
