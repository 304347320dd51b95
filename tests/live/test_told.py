# SPDX-License-Identifier: BSD-2-Clause
"""Who is told of every question: the query log, and a real collector of dnstap."""

import pathlib
import re
import shutil
import signal
import struct
import sys

import dnswire
import live
from live import expect, expect_equal, wait_until

DEBS = pathlib.Path(sys.argv[3])
SERVER = ("127.0.0.1", 53)
FOLDER = pathlib.Path("/var/log/mxcache")
LOG = FOLDER / "questions.log"
TAP = pathlib.Path("/run/mxcache/dnstap.sock")
FRAMES = pathlib.Path("/tmp/live/frames.fstrm")
ZONE = """example.org. 3600 SOA ns.example.org. host.example.org. 1 3600 900 604800 300
example.org. 3600 MX 10 mail.example.org.
mail.example.org. 3600 A 192.0.2.7
"""
CONFIG = f"""listen = 127.0.0.1
upstreams = 127.0.0.2@53
control_socket = {live.SOCKET}
user = mxcache
ahead = no
list_tests = no
"""
programs = {}


def ask(name, kind, **options):
    return dnswire.ask_udp(SERVER, name, kind, timeout=10, **options)


def lines(path=LOG):
    """The pairs of each line that names something asked here."""
    pairs = [dict(pair.split("=", 1) for pair in line.split()) for line in live.read_log(path).splitlines()]
    return [line for line in pairs if line.get("name") != "localhost."]


def start(name, more="", log=LOG):
    if "daemon" in programs:
        programs["daemon"].stop()
    programs["daemon"] = live.Daemon(
        name, f"{CONFIG}query_log = {log}\n{more}"
    ).wait_ready()
    return programs["daemon"]


def questions_stand_in_the_log():
    FOLDER.mkdir()
    shutil.chown(FOLDER, "mxcache", "mxcache")
    live.Upstream("upstream", ZONE, "127.0.0.2@53")
    start("log")
    ask("example.org", "MX")
    ask("example.org", "MX")
    dnswire.ask_tcp(SERVER, "mail.example.org", "A")
    ask("gone.example.org", "A")
    ask("2.0.0.127.s3cretkey.zen.dq.spamhaus.net", "A")
    wait_until(lambda: len(lines()) == 5, "five lines")
    miss, hit, tcp, gone, listed = lines()
    expect_equal((miss["name"], miss["type"], miss["class"]), ("example.org.", "MX", "mx"), "what")
    expect_equal((miss["outcome"], miss["upstream"]), ("miss", "127.0.0.2@53"), "the first")
    expect_equal((hit["outcome"], hit.get("upstream"), hit["rcode"]), ("hit", None, "NOERROR"), "a hit")
    expect(int(hit["wait_us"]) < 1_000_000, f"the wait of a hit: {hit}")
    expect(re.fullmatch(r"127\.0\.0\.1@\d+", hit["client"]), f"the client: {hit}")
    expect(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", hit["time"]), f"the time: {hit}")
    expect_equal((tcp["transport"], hit["transport"]), ("tcp", "udp"), "the transports")
    expect_equal(gone["rcode"], "NXDOMAIN", "a name that is not there")
    expect_equal(listed["name"], "?.*.zen.dq.spamhaus.net.", "a list's subject and key")
    expect_equal(LOG.stat().st_mode & 0o777, 0o640, "who may read it")


def logrotate_loses_nothing():
    moved = FOLDER / "questions.log.1"
    LOG.rename(moved)
    ask("example.org", "MX")
    programs["daemon"].signal(signal.SIGHUP)
    programs["daemon"].wait_for_output("reloaded: ")
    wait_until(LOG.exists, "a new file")
    ask("example.org", "MX")
    wait_until(lambda: len(lines()) + len(lines(moved)) == 7, "seven lines in both files")
    expect(len(lines()) >= 1, "the last one is in the new file")


def names_are_shown_where_they_may_be():
    LOG.unlink()
    start("names", "query_log_names = yes\n")
    ask("2.0.0.127.s3cretkey.zen.dq.spamhaus.net", "A")
    programs["daemon"].stop()
    expect_equal([line["name"] for line in lines()], ["2.0.0.127.*.zen.dq.spamhaus.net."], "names")


def a_full_disk_delays_no_answer():
    daemon = start("full", log="/dev/full")
    for _ in range(20):
        expect(ask("example.org", "MX"), "an answer")
    daemon.wait_for_output("query_log_unwritten: ")
    daemon.wait_for_output('error="No space left on device"')
    wait_until(lambda: daemon.stats()["metrics"]["query_log_lost"] >= 20, "the count of lost lines")


def frames(path):
    """The data frames of a Frame Streams file: control frames have a length of 0 before them."""
    data, at, found = path.read_bytes(), 0, []
    while at + 4 <= len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        at += 4
        if size == 0:
            (size,) = struct.unpack(">I", data[at : at + 4])
            at += 4 + size
            continue
        found.append(data[at : at + size])
        at += size
    return found


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields(data):
    at, found = 0, {}
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 5:
            found[tag >> 3] = struct.unpack("<I", data[at : at + 4])[0]
            at += 4
            continue
        value, at = varint(data, at)
        if tag & 7 == 2:
            value, at = data[at : at + value], at + value
        found[tag >> 3] = value
    return found


def dnstap_reaches_a_real_collector():
    version = live.client("--version").stdout
    if "dnstap built in" not in version:
        # A build without libfstrm says so, and refuses the setting.
        config = live.LOGS / "dnstap.conf"
        config.write_text(CONFIG + f"dnstap = {TAP}\n")
        result = live.client("check", config)
        expect_equal(result.returncode, 2, "check's verdict on a setting that is not built in")
        expect("built without libfstrm" in result.stdout + result.stderr, "the reason is told")
        return
    if not shutil.which("fstrm_capture"):
        needed = ("fstrm-bin_*.deb", "libfstrm0_*.deb", "libevent-2.1-7_*.deb")
        live.unpack("fstrm-unpack", *(deb for name in needed for deb in DEBS.glob(name)))
    start("dnstap", f"dnstap = {TAP}\n")
    ask("example.org", "MX")  # Nobody listens yet, and nobody waits for that.
    collector = live.Program(
        "fstrm_capture", "fstrm_capture", "-t", "protobuf:dnstap.Dnstap", "-u", TAP, "-w", FRAMES, "-dddd"
    )
    wait_until(TAP.exists, "the collector's socket")
    shutil.chown(TAP, "mxcache", "mxcache")
    collector.wait_for_output("START", 1)
    ask("mail.example.org", "A")
    ask("mail.example.org", "A")
    dnswire.ask_tcp(SERVER, "gone.example.org", "A")
    programs["daemon"].stop()
    programs.pop("daemon")
    collector.signal(signal.SIGTERM)
    collector.wait()
    told = [fields(frame) for frame in frames(FRAMES)]
    expect(told, "frames")
    for frame in told:
        expect_equal((frame[1], frame[15]), (b"mail.example.com", 1), "identity and type of a frame")
    messages = [fields(frame[14]) for frame in told]
    asked = [message for message in messages if message[1] == 5]
    answered = [message for message in messages if message[1] == 6]
    name = b"\x04mail\x07example\x03org\0"
    expect_equal(len([m for m in asked if name in m[10]]), 2, "questions for the A record")
    replies = [m for m in answered if name in m[14]]
    expect_equal(len(replies), 2, "answers with the A record")
    expect(all(m[14].endswith(bytes([192, 0, 2, 7])) for m in replies), "the address is in them")
    expect_equal({m[3] for m in answered if b"\x04gone" in m[14]}, {2}, "TCP is told as TCP")
    expect_equal({m[4] for m in asked}, {bytes([127, 0, 0, 1])}, "the client")


live.run(
    questions_stand_in_the_log,
    logrotate_loses_nothing,
    names_are_shown_where_they_may_be,
    a_full_disk_delays_no_answer,
    dnstap_reaches_a_real_collector,
)
