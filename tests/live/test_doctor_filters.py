# SPDX-License-Identifier: BSD-2-Clause
"""The live proof: `mxcache doctor` on a host with rspamd, SpamAssassin, OpenDKIM and postgrey.

All are as Debian's packages configure them, but for what every admin does: Postfix is told of them,
and OpenDKIM of its resolver and of a socket that the chrooted smtpd can reach. Each test breaks one
thing in the way in which hosts are broken, asks the doctor, and puts it back.
"""

import contextlib
import json
import os
import pathlib
import pwd
import shutil
import smtplib
import socket
import time

import live
import test_doctor_dns as dns
import test_doctor_postfix as base
import test_postfix as host
from live import expect, expect_equal, wait_until

LIST = "zen.spamhaus.org"
ENDED = "dnsbl.sorbs.net"
KEY = "abcdefghijklmnopqrstuvwxyz"
OPENDKIM = pathlib.Path("/etc/opendkim.conf")
OPENDKIM_AS_INSTALLED = live.LOGS / "opendkim.conf"
OPENDKIM_SOCKET = "/run/opendkim/opendkim.sock"
SPAMASSASSIN = pathlib.Path("/etc/spamassassin/local.cf")
RSPAMD = pathlib.Path("/etc/rspamd/local.d")
POSTGREY = "inet:127.0.0.1:10023"
RSPAMD_PORT = 11332
CHECKS = (
    "rc-processes rs-nameserver public-resolver dnsbl-filter dnsbl-dead dnsbl-key greylist "
    "policy-alive smtpd-timeout stress"
).split()
LOG_CHECKS = (
    "log-ns log-ns-hard log-ptr log-rbl log-timeout log-delays log-filters log-rspamd log-sa"
).split()

WORLD = f"""
example.net. 300 SOA ns.example.net. root.example.net. 1 3600 900 604800 60
example.net. 300 MX 10 client.example.net.
client.example.net. 300 A 192.0.2.50
50.2.0.192.in-addr.arpa. 300 PTR client.example.net.
25.2.0.192.in-addr.arpa. 300 PTR mail.example.com.
2.0.0.127.{LIST}. 60 A 127.0.0.2
2.0.0.127.{LIST}. 60 A 127.0.0.4
"""

MAIN = f"""
smtpd_recipient_restrictions = reject_rbl_client {LIST}=127.0.0.[2..11],
    check_policy_service {POSTGREY}
smtpd_milters = inet:localhost:{RSPAMD_PORT} unix:opendkim/opendkim.sock
non_smtpd_milters = $smtpd_milters
milter_default_action = accept
maillog_file = {host.MAIL_LOG}
"""

daemons = {}


def examine(*arguments):
    """The doctor's findings, and the whole of its report."""
    result = live.client("doctor", "--json", *arguments)
    expect(result.stdout.startswith("{"), f"the doctor: {result.stdout}{result.stderr}")
    report = json.loads(result.stdout)
    return report["findings"], report


def expect_finding(findings, check, level, *parts):
    """That one, and nothing as bad of another check."""
    for finding in base.at_least(findings, "warning"):
        expect(finding["check"] == check, f"a false alarm beside {check}: {finding}")
    found = [f for f in findings if f["check"] == check and f["level"] == level]
    texts = [f"{f['seen']} {f['change']} {f['cause']}" for f in found]
    is_there = any(all(part in text for part in parts) for text in texts)
    expect(is_there, f"no {level} of {check} with {parts} in {findings}")


def expect_broken(check, level, *parts):
    expect_finding(examine(*CHECKS)[0], check, level, *parts)


def expect_well(what):
    bad = base.at_least(examine(*CHECKS)[0], "warning")
    expect(not bad, f"{what}: {bad}")


@contextlib.contextmanager
def with_file(path, text):
    """A file of its own for a while; configuration folders are read by name, so it is removed."""
    path.write_text(text)
    try:
        yield
    finally:
        path.unlink()


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return True
    except OSError:
        return False


def start_opendkim(path, *arguments):
    live.run_quietly("opendkim", "opendkim", *arguments)
    wait_until(pathlib.Path(path).exists, f"OpenDKIM's socket {path}")


def start_postgrey():
    """As the service does, but by address: `localhost` ends it where only lo has IPv6."""
    daemons["postgrey"] = live.Program("postgrey", "postgrey", "--inet=127.0.0.1:10023")
    wait_until(lambda: listens(10023), "postgrey to listen")


def start_filters():
    """rspamd compiles its patterns for some seconds; the others are started meanwhile."""
    user = pwd.getpwnam("_rspamd")
    pathlib.Path("/run/rspamd").mkdir()
    shutil.chown("/run/rspamd", user.pw_uid, user.pw_gid)
    command = ("/usr/bin/rspamd", "-c", "/etc/rspamd/rspamd.conf", "-f")
    daemons["rspamd"] = live.Program("rspamd", *command, user=user.pw_uid, group=user.pw_gid)
    live.add_log("/var/log/rspamd/rspamd.log")
    daemons["spamd"] = live.Program("spamd", "spamd", "--pidfile=/run/spamd.pid")
    folder = host.QUEUE / "opendkim"
    folder.mkdir(mode=0o750)
    shutil.chown(folder, "opendkim", "postfix")
    live.run_quietly("setup", "usermod", "-a", "-G", "opendkim", "postfix")
    shutil.copy(OPENDKIM, OPENDKIM_AS_INSTALLED)
    conf = OPENDKIM.read_text().replace(OPENDKIM_SOCKET, f"{folder}/opendkim.sock")
    OPENDKIM.write_text(conf + "Nameservers 127.0.0.1\n")
    start_opendkim(folder / "opendkim.sock")
    start_postgrey()


def host_starts():
    host.install_packages(*host.FOLDERS)
    live.run_quietly("setup", "ip", "address", "add", f"{base.PROVIDER}/32", "dev", "lo")
    live.run_quietly("setup", "ip", "address", "add", "192.0.2.50/32", "dev", "lo")
    live.Upstream("provider", dns.KNOWN + WORLD, f"{base.PROVIDER}@53")
    conf = pathlib.Path("/etc/mxcache/mxcache.conf")
    conf.parent.mkdir()
    conf.write_text(base.MXCACHE_CONF)
    daemons["mxcache"] = live.Daemon("mxcache", base.MXCACHE_CONF).wait_ready()
    start_filters()
    shutil.copy("/usr/share/postfix/master.cf.dist", base.MASTER)
    base.MAIN.write_text(base.MAIN.read_text() + MAIN)
    live.add_log(host.MAIL_LOG)
    base.start()
    wait_until(lambda: listens(783), "spamd to listen")
    wait_until(lambda: listens(RSPAMD_PORT), "rspamd to listen", 4 * live.LIMIT)


def healthy_host_is_left_in_peace():
    findings, report = examine()
    bad = base.at_least(findings, "warning")
    expect(not bad, f"a healthy host, and the doctor says: {bad}")
    expect_equal(report["cause"], None, "the cause of nothing")
    expect_finding(findings, "greylist", "note", POSTGREY, "300 s", "not DNS")
    expect_finding(findings, "greylist", "note", "rspamd")
    for component in (POSTGREY, f"inet:localhost:{RSPAMD_PORT}", "unix:opendkim/opendkim.sock"):
        expect_finding(findings, "policy-alive", "good", component)
    for check in ("rs-nameserver", "rc-processes", "dnsbl-filter"):
        expect_finding(findings, check, "good")


def programs_with_servers_of_their_own_are_seen():
    """The common advice, each in its own file: line, owner and remedy are named."""
    with base.changed(OPENDKIM, OPENDKIM.read_text().replace("Nameservers", "#Nameservers")):
        part = "Add to /etc/opendkim.conf: Nameservers 127.0.0.1"
        expect_broken("rs-nameserver", "warning", "never reads resolv.conf", part)
    with base.changed(OPENDKIM, OPENDKIM.read_text().replace("127.0.0.1", "9.9.9.9")):
        expect_broken("rs-nameserver", "warning", "OpenDKIM asks 9.9.9.9", "(Quad9)")
    with with_file(RSPAMD / "options.inc", 'dns {\n  nameserver = ["8.8.8.8"];\n}\n'):
        line = "local.d/options.inc:2: take the nameserver setting out"
        expect_broken("rs-nameserver", "warning", "rspamd asks 8.8.8.8", "(Google)", line)
    with base.changed(SPAMASSASSIN, SPAMASSASSIN.read_text() + "dns_server 8.8.8.8\n"):
        line = f"{len(SPAMASSASSIN.read_text().splitlines())}: take the dns_server line out"
        expect_broken("rs-nameserver", "warning", "SpamAssassin asks 8.8.8.8", line)
    expect_well("after the servers were taken out")


def filters_keep_the_servers_of_their_start():
    """resolv.conf was put right, and the filters were not restarted."""
    times = base.RESOLV_CONF.stat()
    began = time.time()
    wait_until(lambda: time.time() > began + 3, "a start that is clearly older")
    os.utime(base.RESOLV_CONF)
    try:
        findings = examine(*CHECKS)[0]
        expect_finding(findings, "rc-processes", "warning", "rspamd (process", "restart rspamd")
        expect_finding(findings, "rc-processes", "warning", "SpamAssassin", "restart spamd (")
    finally:
        os.utime(base.RESOLV_CONF, ns=(times.st_atime_ns, times.st_mtime_ns))
    expect_well("after resolv.conf is as old as before")


def offers(sender="<alice@example.net>"):
    """What client.example.net is told at RCPT TO."""
    with smtplib.SMTP(
        "192.0.2.25", 25, timeout=live.LIMIT, source_address=("192.0.2.50", 0)
    ) as session:
        session.ehlo("client.example.net")
        session.mail(sender)
        code, text = session.rcpt("<root@mail.example.com>")
        return code, text.decode()


def greylisting_is_not_taken_for_dns():
    """postgrey's own 450 in Postfix's own log."""
    for number in range(4):
        code, text = offers(f"<alice{number}@example.net>")
        expect_equal((code, text[:5]), (450, "4.2.0"), f"RCPT TO ({text})")
    expect("reylisted" in live.read_log(host.MAIL_LOG), "Postfix did not log it")
    findings, report = examine("--log", str(host.MAIL_LOG), *LOG_CHECKS)
    for check in LOG_CHECKS:
        levels = [f["level"] for f in findings if f["check"] == check]
        expect("warning" not in levels and "error" not in levels, f"{check}: {findings}")
    expect_finding(findings, "log-delays", "note", "off by greylisting", "not DNS")
    expect_equal(report["cause"], None, "the cause")


def a_policy_service_that_is_down_is_named():
    daemons["postgrey"].stop()
    expect_equal(offers()[0], 451, "RCPT TO without postgrey")
    part = "Start it, or take it out of main.cf"
    expect_broken("policy-alive", "error", f"policy service {POSTGREY}", "refuses", part)
    cause = examine(*CHECKS)[1]["cause"]
    expect(POSTGREY in (cause or ""), f"the cause: {cause}")
    start_postgrey()
    expect_well("with postgrey again")
    findings = examine("--log", str(host.MAIL_LOG), "log-filters")[0]
    expect_finding(findings, "log-filters", "note", "did not reach a policy service", "10023")


def sockets_outside_of_the_chroot_are_seen():
    """OpenDKIM as Debian configures it, and main.cf as many guides have it."""
    start_opendkim(OPENDKIM_SOCKET, "-x", OPENDKIM_AS_INSTALLED, "-P", "/run/opendkim/other.pid")
    text = base.MAIN.read_text().replace("unix:opendkim", "unix:/run/opendkim")
    with base.changed(base.MAIN, text):
        base.postfix("reload")
        inside = f"{host.QUEUE}{OPENDKIM_SOCKET}"
        expect_broken("policy-alive", "error", "in the chroot", f"its socket at {inside}")
        expect_equal(offers()[0], 450, "RCPT TO")
        no_milter = f"connect to Milter service unix:{OPENDKIM_SOCKET}: No such file"
        expect(no_milter in live.read_log(host.MAIL_LOG), "smtpd has found OpenDKIM")
    base.postfix("reload")
    expect_well("with the socket in the chroot")
    findings = examine("--log", str(host.MAIL_LOG), "log-filters")[0]
    expect_finding(findings, "log-filters", "note", "did not reach a milter", OPENDKIM_SOCKET)


def lists_are_judged():
    """A filter left out, a list that has ended, a key that every rejected client is shown."""
    main = base.MAIN.read_text()
    filtered = f"{LIST}=127.0.0.[2..11]"
    with base.changed(base.MAIN, main.replace(filtered, LIST)):
        findings = examine(*CHECKS)[0]
        expect_finding(findings, "dnsbl-filter", "note", "mxcache stands before it", filtered)
    keyed = f"{KEY}.zen.dq.spamhaus.net=127.0.0.[2..11]"
    with base.changed(base.MAIN, main.replace(filtered, keyed)):
        findings = examine(*CHECKS)[0]
        expect_finding(findings, "dnsbl-key", "warning", "rbl_reply_maps = texthash:")
        expect(KEY not in json.dumps(findings), "the key is in the report")
        with base.changed(base.MAIN, base.MAIN.read_text() + "rbl_reply_maps = texthash:/etc/x\n"):
            expect_well("a key that is not shown")
    block = f'rbls {{\n  sorbs {{\n    symbol = "SORBS";\n    rbl = "{ENDED}";\n  }}\n}}\n'
    with with_file(RSPAMD / "rbl.conf", block):
        part = "rbls { sorbs { enabled = false; } }"
        expect_broken("dnsbl-dead", "warning", f"rbl.conf:4: {ENDED} ended", part)


def without_mxcache_a_missing_filter_is_a_warning():
    daemons["mxcache"].stop()
    filtered = f"{LIST}=127.0.0.[2..11]"
    with base.changed(base.MAIN, base.MAIN.read_text().replace(filtered, LIST)):
        expect_broken("dnsbl-filter", "warning", "has no filter", f"Write {filtered} there")


if __name__ == "__main__":
    live.run(
        host_starts,
        healthy_host_is_left_in_peace,
        programs_with_servers_of_their_own_are_seen,
        greylisting_is_not_taken_for_dns,
        a_policy_service_that_is_down_is_named,
        sockets_outside_of_the_chroot_are_seen,
        lists_are_judged,
        filters_keep_the_servers_of_their_start,
        without_mxcache_a_missing_filter_is_a_warning,
    )
