# SPDX-License-Identifier: BSD-2-Clause
"""Who is answered, who may command, and what the daemon itself may do.

The stranger is another host on the same wire; it sends what a kernel would not, and sees every
frame that leaves this host.
"""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import struct
import urllib.request

import dnswire
import faults
import live
import seccomp
import stranger as far
from faults import FILE, SERVER
from live import expect, expect_equal, wait_until
from stranger import OURS, OURS6, THEIRS, THEIRS6

ZONE = faults.ZONE + "".join(f'big.example.org. 300 TXT "{n:03}{"x" * 197}"\n' for n in range(20))
# Not port 53, so that a wildcard does not take it.
UPSTREAM = "127.0.0.2@5301"
QUESTION = dnswire.query("h1.example.org", "A", ident=0x4D58)
LOG = pathlib.Path("/var/log/mxcache/questions.log")
CLOEXEC = 0o2000000
hosts = {}


def config_of(more="", listen=f"127.0.0.1 ::1 {OURS} {OURS6}"):
    config = faults.conf(UPSTREAM, more="metrics_listen = 127.0.0.1@9153\n" + more)
    config = config.replace("metrics_listen =\n", "", 1)
    return config.replace("listen = 127.0.0.1\n", f"listen = {listen}\n", 1)


def start(name, *arguments, **options):
    return live.Daemon(name, config_of(*arguments, **options)).wait_ready()


def count(daemon, *names):
    metrics = daemon.stats()["metrics"]
    return tuple(metrics[name] for name in names)


def ask_far(server, timeout=0.5, over=socket.SOCK_DGRAM):
    """From the stranger by its own kernel; what came back, b"" for nothing."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    sock = hosts["stranger"].inside(lambda: socket.socket(family, over))
    with sock:
        sock.settimeout(timeout)
        sock.connect((server, 53))
        if over == socket.SOCK_STREAM:
            sock.sendall(struct.pack(">H", len(QUESTION)) + QUESTION)
        else:
            sock.send(QUESTION)
        try:
            return sock.recv(4096)
        except (TimeoutError, ConnectionResetError):
            return b""


def answers_on_the_wire(patience=0.3):
    return [frame.hex() for frame in hosts["stranger"].frames(patience) if far.is_from_53(frame)]


def strangers_get_nothing():
    """The default `allow` is this host, though the daemon listens on the wire, too."""
    hosts["stranger"] = far.Stranger()
    hosts["upstream"] = live.Upstream("upstream", ZONE, UPSTREAM)
    daemon = start("default")
    before, = count(daemon, "clients_not_allowed")
    for server in (OURS, OURS6):
        for over in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            expect_equal(ask_far(server, over=over), b"", f"the answer of {server}")
    expect_equal(answers_on_the_wire(), [], "what went out to the stranger")
    expect_equal(count(daemon, "clients_not_allowed")[0] - before, 4, "clients_not_allowed")
    expect_equal(hosts["upstream"].questions("h1.example.org"), 0, "questions upstream")
    for server in (OURS, OURS6):
        expect_equal(dnswire.ask_udp((server, 53), "h1.example.org", "A").rcode, 0, f"ours at {server}")
        expect_equal(dnswire.ask_tcp((server, 53), "h1.example.org", "A").rcode, 0, f"ours at {server}")
    expect_equal(count(daemon, "clients_not_allowed")[0] - before, 4, "clients_not_allowed")
    daemon.stop()


def strangers_who_are_allowed_are_answered():
    """So that silence above means something."""
    daemon = start("allowed", f"allow = 127.0.0.0/8 ::1 {THEIRS} {THEIRS6}\n")
    for server in (OURS, OURS6):
        for over in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            answer = ask_far(server, timeout=live.LIMIT, over=over)
            expect(b"\x4d\x58" in answer[:4], f"an answer of {server}")
    expect(answers_on_the_wire(), "frames of the answers")
    daemon.stop()


def spoofed(target, target6):
    """Questions that claim to come from hosts who may ask, or from nowhere."""
    sources = ("127.0.0.1", OURS, "192.0.2.25", "0.0.0.0", "255.255.255.255", "198.51.100.255",
               "224.0.0.1", "203.0.113.7")
    sources6 = ("::1", OURS6, "::", "ff02::1", "::ffff:127.0.0.1", "2001:db8:8::1")
    return [
        far.packet(source, port, where, QUESTION)
        for those, where in ((sources, target), (sources6, target6))
        for source in those
        for port in (40000, 53, 0)
    ]


def questions_answered(daemon):
    """Without what came back from port 53 to port 53."""
    questions, dropped = count(daemon, "questions", "questions_dropped")
    return questions - dropped


def expect_no_reflection(name, listen, targets, ours):
    """`ours`: so many of the questions do come from the address that they ask, as far as anybody
    can tell; their answers stay here."""
    daemon = start(name, listen=listen)
    before = questions_answered(daemon)
    for target, target6 in targets:
        hosts["stranger"].put(*spoofed(target, target6))
    expect_equal(answers_on_the_wire(), [], f"what went out ({name})")
    # Questions are in order, so all of them have been seen when this one has its answer.
    expect_equal(dnswire.ask_udp(SERVER, "localhost", "A").rcode, 0, "a client of our own")
    print(f"  {name}: {count(daemon, 'clients_not_allowed')[0]} reached it, by default")
    expect_equal(questions_answered(daemon) - before, ours + 1, f"questions taken ({name})")
    daemon.stop()


def kernel(**settings):
    """What a kernel lets in, from everywhere."""
    for link in ("all", "mx0", "lo"):
        for name, value in settings.items():
            pathlib.Path(f"/proc/sys/net/ipv4/conf/{link}/{name}").write_text(str(value))


def nothing_is_reflected():
    """With a kernel that asks no source where it comes from; and one that believes its own
    addresses to stand on the wire, too, where a wildcard listener has no say (SECURITY.md)."""
    own = ((OURS, OURS6),)
    everywhere = (*own, ("198.51.100.255", "ff02::1"), ("255.255.255.255", "ff02::1"),
                  ("224.0.0.1", "ff02::1"))
    kernel(rp_filter=0, accept_local=0)
    expect_no_reflection("wildcard", "0.0.0.0 ::", everywhere, ours=3)
    kernel(accept_local=1)
    expect_no_reflection("addresses", f"127.0.0.1 ::1 {OURS} {OURS6}", own, ours=6)


def broadcasts_are_for_who_is_allowed():
    """A wildcard gets them; others are still not answered, and nothing leaves from them."""
    daemon = start("broadcast", f"allow = 127.0.0.0/8 ::1 {THEIRS} {THEIRS6}\n", listen="0.0.0.0 ::")
    for target in ("198.51.100.255", "255.255.255.255", "ff02::1"):
        source = THEIRS6 if ":" in target else THEIRS
        hosts["stranger"].put(far.packet(source, 40000, target, QUESTION))
    wait_until(lambda: count(daemon, "udp_received")[0] >= 4, "three datagrams to all")
    frames = [frame for frame in hosts["stranger"].frames(0.3) if far.is_from_53(frame)]
    sources = {frame[26:30] if frame[12:14] == b"\x08\0" else frame[22:38] for frame in frames}
    ours = {socket.inet_aton(OURS), socket.inet_pton(socket.AF_INET6, OURS6)}
    expect(sources <= ours, f"answers from {sources}")
    daemon.stop()


def raw_here(*packets):
    """Whole packets by the loopback interface."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind(("lo", 0))
        for bytes_ in packets:
            family = socket.AF_INET6 if bytes_[0] >> 4 == 6 else socket.AF_INET
            sock.send(bytes(12) + struct.pack(">H", far.ETHERTYPES[family]) + bytes_)


def our_own_address_makes_no_loop():
    """A question that seems to come from our own port: the answer reaches us, and ends there."""
    kernel(accept_local=1, route_localnet=1)
    daemon = start("loop")
    names = ("udp_received", "questions", "questions_dropped", "udp_sent", "udp_unsent")
    before = count(daemon, *names)
    raw_here(*(far.packet("127.0.0.1", port, "127.0.0.1", QUESTION) for port in (53, 53, 0)),
             far.packet("::1", 53, "::1", QUESTION))
    wait_until(lambda: count(daemon, "questions_dropped")[0] >= before[2] + 3, "our own answers")
    expect_equal(dnswire.ask_udp(SERVER, "localhost", "A").rcode, 0, "a client of our own")
    grown = tuple(now - then for now, then in zip(count(daemon, *names), before))
    # Four and three answers of our own and the client; port 0 cannot be answered.
    expect_equal(grown, (8, 8, 3, 4, 1), f"what {names} grew by")
    daemon.stop()


def answers_are_bounded():
    """No more than was announced, and never more than udp_answer_max; cut, they carry no records."""
    daemon = start("sizes")
    for announced, most in ((None, 512), (0, 512), (512, 512), (1232, 1232), (4096, 1232), (65535, 1232)):
        answer = dnswire.ask_udp(SERVER, "big.example.org", "TXT", edns=announced)
        expect(len(answer.bytes) <= most, f"{len(answer.bytes)} bytes for who announced {announced}")
        expect(answer.is_cut, f"TC for who announced {announced}")
        asked = len(dnswire.query("big.example.org", "TXT", edns=announced))
        print(f"  asked with {asked} bytes, announced {announced}: {len(answer.bytes)} bytes")
    answer = dnswire.ask_tcp(SERVER, "big.example.org", "TXT")
    expect_equal(len(answer.answers), 20, "records by TCP")
    daemon.stop()


def as_user(name, *groups):
    entry = pwd.getpwnam(name)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": groups}


def try_control(options):
    """How `stats` and `flush` end for that user."""
    results = []
    for command in (("stats",), ("flush", "h1.example.org")):
        program = live.Program("control", live.MXCACHE, *command, "-s", live.SOCKET, **options)
        results.append(program.wait())
    return results


def the_control_socket_is_for_few():
    daemon = start("control")
    ours = pwd.getpwnam("mxcache")
    stat = os.stat(live.SOCKET)
    found = (stat.st_mode & 0o7777, stat.st_uid, stat.st_gid)
    expect_equal(found, (0o660, ours.pw_uid, ours.pw_gid), "mode and owner of the socket")
    expect_equal(try_control({}), [0, 0], "exit codes for root")
    expect_equal(try_control(as_user("mxcache")), [0, 0], "exit codes for the daemon's user")
    expect_equal(try_control(as_user("nobody")), [77, 77], "exit codes for a stranger")
    member = try_control(as_user("nobody", ours.pw_gid))
    expect_equal(member, [0, 77], "exit codes for one whom a supplementary group lets in")
    daemon.stop()


def listening(pid):
    """The addresses of the sockets that take connections, as /proc/net has them."""
    inodes = set()
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(entry)
        except FileNotFoundError:  # Closed since; what takes connections stays.
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in inodes:
                found.add(words[1])
    return found


def the_page_is_for_this_host():
    """Numbers are shown on loopback only, and they are not what a page from elsewhere can read."""
    daemon = start("page")
    at = "0100007F:23C1"  # 127.0.0.1@9153
    others = {address for address in listening(daemon.process.pid) if not address.endswith(":0035")}
    expect_equal(others, {at}, "what else is listened on")
    sock = hosts["stranger"].inside(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    with sock:
        sock.settimeout(2)
        expect(sock.connect_ex((OURS, 9153)) != 0, "the stranger reaches the page")
    for path in ("", "metrics", "healthz"):
        with urllib.request.urlopen(f"http://127.0.0.1:9153/{path}", timeout=live.LIMIT) as page:
            headers = {name.lower(): value for name, value in page.headers.items()}
            expect("access-control-allow-origin" not in headers, f"/{path} is for other origins")
            expect("default-src 'none'" in headers["content-security-policy"], f"/{path}: {headers}")
            expect(b"h1.example.org" not in page.read(), f"a name in /{path}")
    daemon.stop()


def status(daemon):
    text = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    return {key: value.split() for key, _, value in (line.partition(":") for line in text.splitlines())}


def leaky_descriptors(daemon):
    """Those that a program started by the daemon would inherit, but for the first three."""
    found = []
    for entry in pathlib.Path(f"/proc/{daemon.process.pid}/fdinfo").iterdir():
        try:
            text = entry.read_text()
            target = os.readlink(entry.parent.parent / "fd" / entry.name)
        except FileNotFoundError:  # Closed since, and so no leak.
            continue
        flags = next(line for line in text.splitlines() if line.startswith("flags:"))
        if int(entry.name) > 2 and not int(flags.split()[1], 8) & CLOEXEC:
            found.append(target)
    return found


def ask_all_kinds(daemon):
    """What opens descriptors and files: misses, TCP, commands, the page, a reload."""
    faults.expect_hosts(range(20))
    dnswire.ask_tcp(SERVER, "big.example.org", "TXT")
    dnswire.ask_udp(("::1", 53), "silent.example.net", "A")
    live.client("slow", "-s", live.SOCKET)
    live.client("lookup", "--trace", "h3.example.org", "-s", live.SOCKET)
    live.client("flush", "--all", "-s", live.SOCKET)
    urllib.request.urlopen("http://127.0.0.1:9153/metrics", timeout=live.LIMIT).close()
    reloads, = count(daemon, "reloads")
    daemon.signal(signal.SIGHUP)
    faults.wait_stat(daemon, "reloads", reloads + 1)
    faults.expect_hosts(range(20))
    faults.wait_stat(daemon, "snapshots_written", 1)


def root_is_given_up():
    LOG.parent.mkdir()
    shutil.chown(LOG.parent, "mxcache", "mxcache")
    daemon = start("root", f"query_log = {LOG}\nsnapshot_interval = 1s\nworkers = 2\n")
    ask_all_kinds(daemon)
    ours = pwd.getpwnam("mxcache")
    found = status(daemon)
    expect_equal(found["Uid"], [str(ours.pw_uid)] * 4, "users")
    expect_equal(found["Gid"], [str(ours.pw_gid)] * 4, "groups")
    expect_equal(found["Groups"], [str(ours.pw_gid)], "further groups")
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        expect_equal(int(found[name][0], 16), 0, name)
    expect_equal(found["NoNewPrivs"], ["1"], "NoNewPrivs")
    expect_equal(os.stat(f"/proc/{daemon.process.pid}/environ").st_uid, 0, "the owner of its memory")
    expect_equal(leaky_descriptors(daemon), [], "descriptors without CLOEXEC")
    expect_equal(daemon.stop(), 0, "the exit code")
    for path in (FILE, FILE.parent, LOG):
        print(f"  {path}: {path.stat().st_mode & 0o7777:o}")
    expect_equal(FILE.stat().st_mode & 0o7777, 0o600, "the mode of the snapshot")
    expect_equal(LOG.stat().st_mode & 0o7777, 0o640, "the mode of the query log")


# Like the unit: the user from the start, one capability, everything read-only but three folders.
UNIT = """
for folder in /var/lib/mxcache /run/mxcache /var/log/mxcache; do
    mkdir -p $folder && chown mxcache:mxcache $folder && mount --bind $folder $folder
done
mount -o remount,bind,ro /
exec setpriv --reuid mxcache --regid mxcache --clear-groups --no-new-privs \\
    --inh-caps=-all,+net_bind_service --ambient-caps=-all,+net_bind_service \\
    --bounding-set=-all,+net_bind_service "$@"
"""


def the_units_sandbox_is_enough():
    """No write elsewhere, and no system call that the unit's filter does not let through."""
    unit = live.SOURCE / "systemd/mxcache.service"
    left = seccomp.of_unit(unit)
    # The daemon's user may not be able to look into the source tree.
    wrapper = shutil.copy(live.SOURCE / "tests/live/seccomp.py", live.LOGS)
    unit = shutil.copy(unit, live.LOGS)
    expect("sendmmsg" in left and "ptrace" not in left, f"an odd filter: {len(left)} calls")
    config = live.LOGS / "unit.conf"
    config.write_text(config_of(f"query_log = {LOG}\nsnapshot_interval = 1s\nworkers = 2\n"))
    daemon = live.Daemon.__new__(live.Daemon)
    daemon.server = SERVER
    live.Program.__init__(
        daemon, "unit", "unshare", "--mount", "sh", "-ec", UNIT, "sh", "python3",
        wrapper, unit, live.MXCACHE, "serve", "-c", config,
        env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"),  # Looking for leaks takes ptrace(2).
    )
    daemon.wait_ready()
    found = status(daemon)
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd"):
        expect_equal(int(found[name][0], 16), 1 << 10, f"{name}: only CAP_NET_BIND_SERVICE")
    expect_equal(found["Seccomp"], ["2"], "the filter")
    ask_all_kinds(daemon)
    expect_equal(daemon.stop(), 0, "the exit code")
    for word in ("Read-only", "not permitted", "ermission"):
        expect(word not in daemon.output(), f"{word} in: {daemon.output()[-2000:]}")


live.run(
    strangers_get_nothing,
    strangers_who_are_allowed_are_answered,
    nothing_is_reflected,
    broadcasts_are_for_who_is_allowed,
    our_own_address_makes_no_loop,
    answers_are_bounded,
    the_control_socket_is_for_few,
    the_page_is_for_this_host,
    root_is_given_up,
    the_units_sandbox_is_enough,
)
