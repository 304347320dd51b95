# SPDX-License-Identifier: BSD-2-Clause
"""The live proof: `mxcache doctor` finds nothing wrong with Debian's own Postfix, and names what is
wrong when it has been broken.

The host is what the package sets up as an "Internet Site", with mxcache on 127.0.0.1. Each test
breaks one thing, asks the doctor, and puts it back.
"""

import contextlib
import json
import pathlib
import re
import shutil
import smtplib
import subprocess

import live
import test_postfix as host
import test_refusing_list as refusing
from live import expect, expect_equal, wait_until

PROVIDER = "198.51.100.53"
MAIN = pathlib.Path("/etc/postfix/main.cf")
MASTER = pathlib.Path("/etc/postfix/master.cf")
RESOLV_CONF = pathlib.Path("/etc/resolv.conf")
COPY = host.QUEUE / "etc/resolv.conf"
NFTABLES = pathlib.Path("/etc/nftables.conf")
OURS = (
    "pf-running pf-listen pf-interfaces pf-mynetworks pf-mastercf fw-rules "
    "chroot-column chroot-resolv chroot-others chroot-refresh"
).split()
LEVELS = ["good", "skipped", "note", "warning", "error"]

MXCACHE_CONF = f"""
listen = 127.0.0.1 ::1
upstreams = {PROVIDER}
control_socket = {live.SOCKET}
metrics_listen =
"""

daemons = {}


def doctor(*checks):
    result = subprocess.run(
        (live.MXCACHE, "doctor", "--offline", "--json", *checks),
        capture_output=True,
        text=True,
        timeout=live.LIMIT,
        check=False,
    )
    expect(result.stdout.startswith("{"), f"the doctor: {result.stdout}{result.stderr}")
    found = json.loads(result.stdout)
    worst = 2 if found["errors"] else 1 if found["warnings"] else 0
    expect_equal(result.returncode, worst, "the exit code")
    return found["findings"]


def at_least(findings, level):
    return [f for f in findings if LEVELS.index(f["level"]) >= LEVELS.index(level)]


def expect_finding(check, level, part, others=()):
    """That one, and of our checks no other of its level or worse but for `others`."""
    findings = doctor(*OURS)
    for finding in at_least(findings, level):
        known = finding["check"] == check or finding["check"] in others
        expect(known, f"a false alarm beside {check}: {finding}")
    found = [f for f in findings if f["check"] == check and f["level"] == level]
    text = " ".join(f"{f['seen']} {f['change']} {f['cause']}" for f in found)
    expect(part in text, f"{check} {level} with {part!r} is not in {findings}")


def expect_well(what):
    """Nothing to complain of, by our checks."""
    bad = at_least(doctor(*OURS), "warning")
    expect(not bad, f"{what}: {bad}")


@contextlib.contextmanager
def changed(path, text):
    """The file has another text, or is not there (None), for a while."""
    before = path.read_bytes() if path.exists() else None
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        if before is not None:
            path.write_bytes(before)
            path.chmod(0o644)


def main_with(*lines):
    return changed(MAIN, MAIN.read_text() + "\n".join(lines) + "\n")


def postfix(*arguments):
    live.run_quietly("postfix", "postfix", *arguments)


def listens():
    try:
        smtplib.SMTP("127.0.0.1", 25, timeout=5).close()
        return True
    except (OSError, smtplib.SMTPException):
        return False


def start():
    live.run_quietly("postfix", "/usr/lib/postfix/configure-instance.sh", "-")
    postfix("start")
    wait_until(listens, "smtpd to listen")


def restart():
    postfix("stop")
    start()


def replies(sender="<a@example.net>", recipient="<b@example.org>"):
    """What a stranger is told at RCPT TO; 0: the session ends before."""
    try:
        with smtplib.SMTP(
            "192.0.2.25", 25, timeout=live.LIMIT, source_address=("192.0.2.50", 0)
        ) as session:
            session.ehlo("client.example.net")
            session.mail(sender)
            return session.rcpt(recipient)[0]
    except smtplib.SMTPException as error:
        return getattr(error, "smtp_code", 0)


def host_starts():
    host.install_packages()
    live.run_quietly("setup", "ip", "address", "add", f"{PROVIDER}/32", "dev", "lo")
    live.run_quietly("setup", "ip", "address", "add", "192.0.2.50/32", "dev", "lo")
    root = ". 300 NS ns.example.net.\n. 300 SOA ns.example.net. root. 1 1 1 1 60\n"
    live.Upstream("provider", refusing.WORLD + root, f"{PROVIDER}@53")
    conf = pathlib.Path("/etc/mxcache/mxcache.conf")
    conf.parent.mkdir()
    conf.write_text(MXCACHE_CONF)
    daemons["mxcache"] = live.Daemon("mxcache", MXCACHE_CONF).wait_ready()
    expect("compatibility_level" in MAIN.read_text(), "the package wrote no main.cf")
    if not MASTER.exists():
        shutil.copy("/usr/share/postfix/master.cf.dist", MASTER)
    start()


def healthy_host_has_no_error():
    findings = doctor()
    errors = at_least(findings, "error")
    expect(not errors, f"a healthy host, and the doctor says: {errors}")
    for finding in at_least(findings, "warning"):
        print("     warning:", finding["check"], finding["seen"])
    expect_well("a healthy host")
    good = {f["check"] for f in findings if f["level"] == "good"}
    expect(good >= set(OURS), f"not looked at: {set(OURS) - good}")


def chroot_copies_are_seen():
    with changed(COPY, ""):
        expect_finding("chroot-resolv", "warning", "is empty")
    with changed(COPY, None):
        expect_finding("chroot-resolv", "warning", "is not there")
    with changed(COPY, "nameserver 192.0.2.99\n"):
        expect_finding("chroot-resolv", "error", "192.0.2.99")
    with changed(RESOLV_CONF, None):
        RESOLV_CONF.symlink_to("/run/systemd/resolve/stub-resolv.conf")
        expect_finding("chroot-resolv", "error", "old copy", others=("chroot-refresh",))
    with changed(host.QUEUE / "etc/nsswitch.conf", "hosts: files\n"):
        expect_finding("chroot-others", "warning", "nsswitch.conf")
    expect_well("after the copies were put back")


def relaying_is_judged_as_smtpd_does():
    with main_with("mynetworks = 0.0.0.0/0"):
        postfix("reload")
        wait_until(lambda: replies() == 250, "an open relay")
        expect_finding("pf-mynetworks", "error", "open relay")
    with main_with("mynetworks = 192.0.2.1/24"):
        postfix("reload")
        wait_until(lambda: replies() == 451, "smtpd to stumble over mynetworks")
        expect_finding("pf-mynetworks", "error", "is no network")
    with main_with("smtpd_relay_restrictions = permit_mynetworks", "service_throttle_time = 1s"):
        postfix("reload")
        wait_until(lambda: replies() in (0, 421), "smtpd to stop")
        expect_finding("pf-mynetworks", "error", "421")
    postfix("reload")
    wait_until(lambda: replies() == 454, "a closed relay again")


def interfaces_need_a_restart():
    with main_with("inet_interfaces = loopback-only", "relay_domains = example.org"):
        expect_finding("pf-interfaces", "error", "relay_domains", others=("pf-listen",))
        restart()
        expect_finding("pf-interfaces", "error", "connection refused")
        expect_equal(
            [f["level"] for f in doctor("pf-listen")], ["good"], "loopback only, as configured"
        )
    postfix("reload")
    expect_finding("pf-listen", "error", "has not been restarted since")
    restart()
    expect_well("after the restart")


def services_fit_together():
    with main_with("smtpd_sasl_auth_enable = yes"):
        expect_finding("pf-mastercf", "warning", "Remove the # at the start of /etc/postfix/")
    stray = "#submission inet n - y - - smtpd\n  -o syslog_name=postfix/submission\n"
    text = re.sub(r"(?m)^(smtp +inet .*)$", r"\1\n" + stray, MASTER.read_text(), count=1)
    with changed(MASTER, text):
        expect_finding("pf-mastercf", "error", "options that belong to submission")


def with_postscreen(text):
    """The five lines of Debian's master.cf."""
    text = re.sub(r"(?m)^(smtp +inet .*smtpd)$", r"#\1", text, count=1)
    for line in ("smtp +inet .*postscreen", "smtpd +pass", "dnsblog", "tlsproxy"):
        text = re.sub(rf"(?m)^#({line}.*)$", r"\1", text, count=1)
    return text


def postscreen_is_followed():
    text = with_postscreen(MASTER.read_text())
    with changed(MASTER, text), main_with("postscreen_dnsbl_sites = dnsbl.example.net"):
        restart()
        expect_well("postscreen")
        with changed(MASTER, re.sub(r"(?m)^(smtpd +pass)", r"#\1", text)):
            expect_finding("pf-mastercf", "error", "every client is dropped")
        with changed(MASTER, re.sub(r"(?m)^(dnsblog)", r"#\1", text)):
            expect_finding("pf-mastercf", "error", "dnsblog unix")
    restart()


def firewall_files_are_read():
    link = pathlib.Path("/etc/systemd/system/sysinit.target.wants/nftables.service")
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to("/lib/systemd/system/nftables.service")
    rules = (
        "table inet filter {\n chain input {\n"
        "  type filter hook input priority filter; policy drop;\n"
        '  iif "lo" accept\n  ct state established,related accept\n'
        "  tcp dport { 22PORT } accept\n }\n}\n"
    )
    with changed(NFTABLES, rules.replace("PORT", "")):
        expect_finding("fw-rules", "error", "does not let TCP port 25 in")
    with changed(NFTABLES, rules.replace("PORT", ", 25")):
        expect_well("nftables with port 25")
    link.unlink()


def instances_are_followed():
    live.run_quietly("postmulti", "postmulti", "-e", "init")
    live.run_quietly("postmulti", "postmulti", "-I", "postfix-out", "-e", "create")
    out = pathlib.Path("/etc/postfix-out/main.cf")
    out.write_text(
        out.read_text() + "master_service_disable = inet\nauthorized_submit_users = root\n"
    )
    expect_well("a second instance that is not enabled")
    live.run_quietly("postmulti", "postmulti", "-i", "postfix-out", "-e", "enable")
    expect_finding("pf-running", "error", "/etc/postfix-out", others=("chroot-resolv",))
    live.run_quietly("postmulti", "/usr/lib/postfix/configure-instance.sh", "postfix-out")
    live.run_quietly("postmulti", "postmulti", "-i", "postfix-out", "-p", "start")
    wait_until(lambda: not at_least(doctor(*OURS), "warning"), "two healthy instances")
    with changed(pathlib.Path("/var/spool/postfix-out/etc/resolv.conf"), "nameserver 192.0.2.99\n"):
        expect_finding("chroot-resolv", "error", "postfix -c /etc/postfix-out reload")
    live.run_quietly("postmulti", "postmulti", "-i", "postfix-out", "-p", "stop")
    live.run_quietly("postmulti", "postmulti", "-i", "postfix-out", "-e", "disable")


def without_a_resolver_an_empty_copy_is_an_error():
    daemons["mxcache"].stop()
    with changed(COPY, ""):
        expect_finding("chroot-resolv", "error", "each lookup fails")
    with changed(COPY, None):
        expect_finding("chroot-resolv", "error", "is not there")


def what_does_not_start_is_seen():
    with main_with("inet_interfaces"):
        expect_finding("pf-running", "error", "is neither a comment nor")
    postfix("stop")
    expect_finding("pf-running", "error", "does not run")


if __name__ == "__main__":
    live.run(
        host_starts,
        healthy_host_has_no_error,
        chroot_copies_are_seen,
        relaying_is_judged_as_smtpd_does,
        interfaces_need_a_restart,
        services_fit_together,
        postscreen_is_followed,
        firewall_files_are_read,
        instances_are_followed,
        without_a_resolver_an_empty_copy_is_an_error,
        what_does_not_start_is_seen,
    )
