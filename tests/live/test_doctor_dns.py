# SPDX-License-Identifier: BSD-2-Clause
"""The live proof: the doctor tells what ails the DNS of a mail host, and nothing of a healthy one.

Debian's Postfix, as its package configures an "Internet Site"; a public resolver on 8.8.8.8, which
the list refuses; the list's own name server (NSD on 198.51.100.53). First the host asks the public
resolver, as so much advice has it; then mxcache.
"""

import json
import pathlib
import time

import live
import test_postfix as host
import test_refusing_list as lists
from live import expect, expect_equal

RESOLV_CONF = pathlib.Path("/etc/resolv.conf")
MAIN_CF = pathlib.Path("/etc/postfix/main.cf")
CHECKS = (
    "fw-dns",
    "lat-mx",
    "lat-ptr",
    "lat-a",
    "edns-size",
    "dane",
    "fcrdns-self",
    "public-resolver",
    "lat-dnsbl",
    "dnsbl-filter",
    "dnsbl-dead",
    "dnsbl-key",
)
LIMIT = 15.0  # Seconds for all questions, and some for a busy machine.

# What everybody knows: the root, the domains and addresses that the doctor asks about.
KNOWN = (
    ". 86400 SOA ns.example.net. root.example.net. 1 1800 900 604800 600\n"
    ". 86400 NS ns.example.net.\n"
    + "".join(
        f"{domain}. 300 MX 10 mx.{domain}.\n"
        for domain in ("gmail.com", "outlook.com", "yahoo.com", "icloud.com", "gmx.net")
    )
    + "".join(
        f"{address}.in-addr.arpa. 300 PTR dns.example.net.\n"
        for address in ("8.8.8.8", "1.1.1.1", "9.9.9.9", "4.8.8.8", "1.0.0.1")
    )
    + "mail.example.com. 300 A 192.0.2.25\n"
)

programs = {}


def examine(*more):
    """The doctor's findings as {check: [(level, what was seen and what to change)]}."""
    began = time.monotonic()
    result = live.client("doctor", "--json", *CHECKS, "-c", str(live.LOGS / "doctor.conf"), *more)
    took = time.monotonic() - began
    expect(took < LIMIT + 5, f"the doctor took {took:.1f} s")
    expect(result.returncode in (0, 1, 2), f"the doctor failed: {result.stderr}")
    (live.add_log(live.LOGS / "doctor.log")).open("a").write(result.stdout)
    report = json.loads(result.stdout)
    findings = {}
    for entry in report["findings"]:
        text = " ".join(filter(None, (entry["seen"], entry["change"], entry["cause"])))
        findings.setdefault(entry["check"], []).append((entry["level"], text))
    expect_equal(sorted(findings), sorted(CHECKS), "the checks that were run")
    return findings, report


def expect_finding(findings, check, level, text):
    found = any(level == seen[0] and text in seen[1] for seen in findings[check])
    expect(found, f"no {level} of {check} with {text!r} among {findings[check]}")


def host_starts():
    host.install_packages()
    for address in (lists.RESOLVER[0], lists.LIST_SERVER[0], "192.0.2.25"):
        live.run_quietly("setup", "ip", "address", "replace", f"{address}/32", "dev", "lo")
    programs["resolver"] = live.Upstream(
        "resolver", KNOWN + lists.WORLD, f"{lists.RESOLVER[0]}@53"
    )
    lists.start_list_server()
    (live.LOGS / "doctor.conf").write_text(lists.CONF)
    live.run_quietly("postfix", "postconf", "-e", "myhostname = mail.example.com")


def a_healthy_host_is_left_in_peace():
    """As installed, its DNS server answering: no list is in use, so a public one does no harm."""
    RESOLV_CONF.write_text(f"nameserver {lists.RESOLVER[0]}\n")
    findings, report = examine()
    expect_equal((report["errors"], report["warnings"]), (0, 0), f"of {findings}")
    expect_finding(findings, "fw-dns", "good", "by UDP and by TCP")
    expect_finding(findings, "lat-mx", "good", "8.8.8.8")
    expect_finding(findings, "lat-dnsbl", "skipped", "No DNS list")


def a_public_resolver_is_refused():
    restriction = f"smtpd_recipient_restrictions = reject_rbl_client {lists.LIST}"
    live.run_quietly("postfix", "postconf", "-e", restriction)
    findings, report = examine()
    expect_finding(findings, "public-resolver", "warning", "8.8.8.8 (Google)")
    expect_finding(findings, "dnsbl-filter", "warning", f"{lists.LIST}=127.0.0.[2..11]")
    expect_finding(findings, "lat-dnsbl", "error", "refuses questions through a public")
    expect("takes every client for listed" in report["cause"], f"the cause: {report['cause']}")


def mxcache_asks_the_list_itself():
    programs["mxcache"] = live.Daemon("mxcache", lists.CONF).wait_ready()
    RESOLV_CONF.write_text("nameserver 127.0.0.1\n")
    findings, report = examine()
    expect_equal((report["errors"], report["warnings"]), (0, 0), f"of {findings}")
    expect_finding(findings, "lat-dnsbl", "good", "answer as they should: 1")
    expect_finding(findings, "lat-dnsbl", "note", "8.8.8.8")
    expect_finding(findings, "dnsbl-filter", "note", "mxcache stands before it")
    expect_finding(findings, "lat-mx", "good", "127.0.0.1 (mxcache)")


def the_list_falls_silent():
    """Its name server is away and the resolver refused: mail goes on without the list."""
    lists.programs["nsd"].stop()
    live.run_quietly("flush", live.MXCACHE, "flush", "-s", live.SOCKET, "--under", lists.LIST)
    findings, _report = examine()
    expect_finding(findings, "lat-dnsbl", "warning", lists.LIST)
    lists.start_list_server()


def nobody_answers():
    """One error, and not one for each question."""
    expect_equal(programs["mxcache"].stop(), 0, "the exit status of mxcache")
    programs["resolver"].stop()
    findings, report = examine()
    expect_equal(report["errors"], 1, f"errors of {findings}")
    expect_finding(findings, "fw-dns", "error", "No DNS server answers")
    expect_equal(report["cause"], "no DNS server answers", "the cause")
    for check in ("lat-mx", "lat-ptr", "lat-a", "edns-size", "lat-dnsbl", "fcrdns-self"):
        expect_finding(findings, check, "skipped", "see fw-dns")


if __name__ == "__main__":
    live.run(
        host_starts,
        a_healthy_host_is_left_in_peace,
        a_public_resolver_is_refused,
        mxcache_asks_the_list_itself,
        the_list_falls_silent,
        nobody_answers,
    )
