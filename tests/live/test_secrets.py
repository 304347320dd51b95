# SPDX-License-Identifier: BSD-2-Clause
"""A customer's key for a paid DNS list stands in the questions, and is shown nowhere.

Questions of all kinds carry the key: listed, not listed, slow, failed, refused, malformed, in
small and in large letters. Then everything that mxcache tells anybody is collected and searched.
"""

import base64
import os
import pathlib
import pty
import re
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import time
import urllib.request

import dnswire
import faults
import live
from faults import FILE, FIRST, SERVER
from live import expect, expect_equal, wait_until

KEY = "q7x4zkd0secretv9wm2j"
LOG = pathlib.Path("/var/log/mxcache/questions.log")
ZEN, DBL, PAID = (f"{KEY}.zen.dq.spamhaus.net", f"{KEY}.dbl.dq.spamhaus.net", f"{KEY}.paid.example")
ABUSIX = f"{KEY}.combined.mail.abusix.zone"
BLOCKED = f"{KEY}.black.mail.abusix.zone"
ZONES = ("zen.dq.spamhaus.net", "dbl.dq.spamhaus.net", "paid.example", "combined.mail.abusix.zone",
         "black.mail.abusix.zone")
ZONE = faults.ZONE + "".join(
    f"{zone}. 60 SOA ns.{zone}. host.{zone}. 1 3600 900 604800 60\n" for zone in ZONES
) + "".join(
    f"2.0.0.127.{zone}. 60 A 127.0.0.2\n9.2.0.192.{zone}. 1 A 127.0.0.4\n"
    f'9.2.0.192.{zone}. 60 TXT "https://example.net/?key={KEY}"\n'
    f"!servfail 5.2.0.192.{zone}.\n!delay 7.2.0.192.{zone}. 600ms\n7.2.0.192.{zone}. 60 A 127.0.0.4\n"
    f"!truncate 8.2.0.192.{zone}.\n8.2.0.192.{zone}. 60 A 127.0.0.4\n"
    for zone in (ZEN, PAID, ABUSIX)
) + f"test.example.com.{DBL}. 60 A 127.0.1.2\n6.2.0.192.{ZEN}. 60 A 127.255.255.254\n" + (
    f"!refused {BLOCKED}.\n!drop 4.2.0.192.{ZEN}.\n"
)
CONFIG = faults.conf(more=f"""log_level = debug
query_log = {LOG}
query_log_names = yes
snapshot_interval = 1s
answer_deadline = 1s
try_timeout = 200ms
[list paid.example]
has_key = yes
kind = ip
[list {DBL}]
quota = 1000
[zone {ABUSIX}]
route = direct
[zone {PAID}]
route = direct
""").replace("metrics_listen =\n", "metrics_listen = 127.0.0.1@9153\n", 1)
FORMS = [form.lower() for form in (KEY, KEY.encode().hex())] + [
    base64.b64encode(("x" * skip + KEY).encode())[4:-4].decode().lower() for skip in range(3)
]
hosts, channels = {}, {}


def tell(channel, text):
    channels[channel] = channels.get(channel, "") + (
        text if isinstance(text, str) else text.decode("latin-1")
    )


def run(channel, *arguments):
    result = live.client(*arguments)
    tell(channel, result.stdout + result.stderr)
    return result


def ask(name, qtype="A", over=dnswire.ask_udp, **options):
    """The answer has the key where the question had it, and nowhere else."""
    answer = over(SERVER, name, qtype, edns=1232, **options)
    owners = {record[0].lower() for record in (*answer.answers, *answer.authority)}
    expect(all(KEY not in owner or owner == name.lower() + "." for owner in owners), f"{owners}")
    head = 12 + len(name) + 2 + 4
    expect(KEY not in answer.bytes[head:].lower().decode("latin-1") or qtype == "TXT",
           f"the key behind the question: {answer.bytes}")
    return answer


def send_nonsense(name):
    """Questions that cannot be answered: of other classes, opcodes and types, cut, and doubled."""
    good = dnswire.query(name, "A")
    bad = [good[:-2] + b"\0\3", good[:2] + b"\x28" + good[3:], good[:-3], good + good[12:], good + b"x",
           good[:-4] + b"\0\xfc\0\1", good[:-4] + b"\0\xff\0\1", good[:4] + b"\0\2" + good[6:]]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.2)
        sock.connect(SERVER)
        for message in bad:
            sock.send(message)
            try:
                sock.recv(4096)
            except TimeoutError:
                pass


def questions_of_all_kinds():
    LOG.parent.mkdir()
    shutil.chown(LOG.parent, "mxcache", "mxcache")
    hosts["upstream"] = live.Upstream("upstream", ZONE, FIRST)
    daemon = hosts["daemon"] = live.Daemon("mxcache", CONFIG).wait_ready()
    for zone in (ZEN, PAID, ABUSIX, ZEN.upper()):
        for number in (9, 3, 5, 7, 8, 9):
            ask(f"{number}.2.0.192.{zone}")
        ask(f"9.2.0.192.{zone}", "TXT")
        ask(f"2.0.0.127.{zone}", over=dnswire.ask_tcp)
        ask(f"1.0.0.127.{zone}")
        ask(zone, "TXT")
        ask(f"a.b.c.{zone}", "MX")
        send_nonsense(f"9.2.0.192.{zone}")
    ask(f"6.2.0.192.{ZEN}")
    ask(f"4.2.0.192.{ZEN}")
    ask(f"test.example.com.{DBL}")
    ask(f"mail.example.org.{DBL}")
    for number in range(1, 9):
        ask(f"{number}.2.0.192.{BLOCKED}")
    # Expired, and asked when upstream is silent.
    hosts["upstream"].signal(signal.SIGSTOP)
    time.sleep(1.1)
    ask(f"9.2.0.192.{ZEN}")
    ask(f"11.2.0.192.{ZEN}")
    hosts["upstream"].signal(signal.SIGCONT)
    faults.wait_stat(daemon, "snapshots_written", 1)


def the_key_is_where_it_must_be():
    """In questions upstream, and in the snapshot, which is the daemon's alone."""
    expect(KEY in hosts["upstream"].output().lower(), "upstream was not asked with the key")
    before = live.Daemon.stats(None)["metrics"]["snapshots_written"]
    ask(f"12.2.0.192.{ZEN}")
    faults.wait_stat(hosts["daemon"], "snapshots_written", before + 1)
    expect(KEY.encode() in FILE.read_bytes().lower(), "the snapshot does not hold what is cached")
    expect_equal(FILE.stat().st_mode & 0o7777, 0o600, "its mode")
    expect_equal(FILE.parent.stat().st_mode & 0o7777, 0o700, "the mode of its folder")


def the_tools_do_not_tell():
    at = ("-s", live.SOCKET)
    for form in ((), ("--json",), ("--openmetrics",), ("--since", "10m"), ("--json", "--since", "10m")):
        run("stats", "stats", *form, *at)
    for form in ((), ("--names",), ("--failed",), ("--failed", "--names"), ("--json", "--names"),
                 ("--json", "--failed", "--names")):
        run("slow", "slow", "-n", "64", *form, *at)
    for name in (f"9.2.0.192.{ZEN}", f"5.2.0.192.{ZEN}", f"3.2.0.192.{PAID}", f"1.2.0.192.{BLOCKED}"):
        for form in ((), ("--cached",), ("--trace",)):
            run("lookup", "lookup", *form, *at, name)
    for name in (f"6.2.0.192.{ZEN}", ZEN, f"9.2.0.192.{ZEN.upper()}", f"test.example.com.{DBL}"):
        run("lookup", "lookup", *at, name, "TXT")
    run("flush", "flush", *at, f"9.2.0.192.{ZEN}")
    run("flush", "flush", *at, "--under", ZEN)
    run("reload", "reload", *at)
    for path in ("", "metrics", "healthz", "favicon.ico"):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:9153/{path}", timeout=live.LIMIT) as page:
                tell("page", page.read())
        except urllib.error.HTTPError as error:
            tell("page", error.read())
    for word in ("zen.dq.spamhaus.net", "paid.example"):
        for channel in ("stats", "slow", "lookup", "page"):
            expect(word in channels[channel], f"{word} is not in {channel}: the search is in vain")


def top_does_not_tell():
    live.run_quietly("pts", "sh", "-ec", "mkdir /dev/pts; ln -s pts/ptmx /dev/ptmx;"
                     " mount -t devpts -o newinstance,ptmxmode=0666 pts /dev/pts")
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execv(live.MXCACHE, [live.MXCACHE, "top", "-s", live.SOCKET])
    screen, end = b"", time.monotonic() + live.LIMIT
    while b"zen.dq" not in screen and time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            screen += os.read(terminal, 65536)
    os.write(terminal, b"q")
    os.waitpid(pid, 0)
    os.close(terminal)
    expect(b"zen.dq" in screen, "top shows no lists")
    tell("top", screen)


MAIN_CF = f"""compatibility_level = 3.6
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination,
 reject_rbl_client {ZEN}=127.0.0.[2..11], reject_rbl_client {ABUSIX}, reject_rhsbl_sender {DBL},
 reject_rbl_client {ZEN}=127.0.0.256, reject_rbl_client {ZEN}, reject_rbl_client {PAID}
smtpd_client_restrictions = reject_rbl_client $key.zen.dq.spamhaus.net permit_dnswl_client {ZEN}
key = {KEY}
postscreen_dnsbl_sites = {ZEN}*3 {ZEN}=127.0.0.300*2 {DBL}*1
smtpd_timeout = 1s
"""
MAIL_LOG = "".join(
    f"Nov 21 12:00:{second:02} mail postfix/smtpd[1]: {line}\n"
    for second in range(30)
    for line in (
        f"warning: 192.0.2.9: RBL lookup error: Host or domain name not found. Name service error for"
        f" name=9.2.0.192.{ZEN} type=A: Host not found, try again",
        f"warning: dnsblog_query: lookup error for DNS query 9.2.0.192.{ABUSIX}: Host or domain name"
        f" not found. Name service error for name=9.2.0.192.{ABUSIX} type=A: Host not found, try again",
        "NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 554 5.7.1 Service unavailable; Client host"
        f" [192.0.2.9] blocked using {ZEN}; Error: open resolver; from=<a@b.example> to=<c@d.example>",
    )
)


def the_doctor_does_not_tell():
    files = {
        "/etc/postfix/main.cf": MAIN_CF,
        "/etc/postfix/master.cf": "smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\n"
                                  f" -o smtpd_client_restrictions=reject_rbl_client,{ZEN}\n",
        "/var/log/mail.log": MAIL_LOG,
        "/etc/rspamd/rspamd.conf": "options { }\n",
        "/etc/rspamd/local.d/rbl.conf": 'rbls { zen { rbl = "' + ZEN + '"; enabled = true; } '
                                        'mine { rbl = "' + PAID + '"; } }\n',
        "/usr/bin/rspamd": "", "/usr/sbin/spamd": "",
        "/etc/spamassassin/local.cf": f"header ZEN eval:check_rbl('zen', '{ZEN}.')\n"
                                      f"urirhssub DBL {DBL}. A 127.0.1.2\n",
        "/etc/mxcache/mxcache.conf": CONFIG,
    }
    for path, text in files.items():
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(path).write_text(text)
    for form in ((), ("--json",), ("--log", "/var/log/mail.log")):
        run("doctor", "doctor", *form)
    expect("zen.dq.spamhaus.net" in channels["doctor"], f"no list: {channels['doctor'][:3000]}")


def errors_do_not_tell():
    """Names that are none, types that are none, nobody to ask."""
    run("check", "check", hosts["daemon"].config)
    for command in (("lookup",), ("flush",), ("lookup", "--trace")):
        run("errors", *command, "-s", live.SOCKET, f"9..{ZEN}")
        run("errors", *command, "-s", live.SOCKET, f"{'x' * 64}.{ZEN}")
        run("errors", *command, "-s", live.SOCKET, f"9.2.0.192.{ZEN}", "NOTYPE")
        run("errors", *command, "-s", "/nowhere", f"9.2.0.192.{ZEN}")


def core_of(*command, **options):
    """Whether a process that gets ABRT leaves a core."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))  # noqa: E731
    process = subprocess.Popen(command, preexec_fn=limit, cwd="/tmp", **options)
    return process


def end_by_abort(pid):
    os.kill(pid, signal.SIGABRT)
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT).si_code


def no_core_is_left():
    """Whoever it was started as. And who is not root cannot look into its memory."""
    sleeper = core_of("sleep", "60")
    wait_until(lambda: "sleep" in os.readlink(f"/proc/{sleeper.pid}/exe"), "a program to abort")
    print(f"  cores are dumped here: {end_by_abort(sleeper.pid) == os.CLD_DUMPED}")
    for name, more, options in (("started", "", {}), ("root", "user =\n", {})):
        hosts["daemon"].stop()
        limit = lambda: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))  # noqa: E731
        hosts["daemon"] = daemon = live.Daemon(
            name, more + CONFIG, preexec_fn=limit, cwd="/tmp",
            env=dict(os.environ, ASAN_OPTIONS="disable_coredump=0:handle_abort=0"), **options,
        ).wait_ready()
        ask(f"9.2.0.192.{ZEN}")
        mem = f"/proc/{daemon.process.pid}/mem"
        peek = subprocess.run(
            ("setpriv", "--reuid", "mxcache", "--regid", "mxcache", "--clear-groups", "head", "-c1", mem),
            capture_output=True, text=True, check=False,
        )
        expect("ermission denied" in peek.stderr, f"{mem}: {peek.stderr}")
        expect_equal(end_by_abort(daemon.process.pid), os.CLD_KILLED, f"how {name} ended")
        daemon.wait()
        LOG.unlink()


def nothing_has_told():
    tell("log", hosts["daemon"].output() + live.read_log(live.LOGS / "mxcache.log"))
    tell("query log", hosts["query log"])
    found = []
    for channel, text in sorted(channels.items()):
        small = text.lower()
        for form in FORMS:
            for match in re.finditer(re.escape(form), small):
                line = text[:match.start()].count("\n")
                found.append(f"{channel}: {text.splitlines()[line][:300]}")
        print(f"  {channel}: {len(text)} characters")
    expect(not found, f"the key is told {len(found)} times:\n" + "\n".join(found[:40]))


def the_logs_are_read():
    hosts["query log"] = LOG.read_text()
    expect("*.zen.dq.spamhaus.net." in hosts["query log"], "the query log is empty")


live.run(
    questions_of_all_kinds,
    the_key_is_where_it_must_be,
    the_tools_do_not_tell,
    top_does_not_tell,
    the_doctor_does_not_tell,
    errors_do_not_tell,
    the_logs_are_read,
    no_core_is_left,
    nothing_has_told,
)
