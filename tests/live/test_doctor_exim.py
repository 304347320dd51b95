# SPDX-License-Identifier: BSD-2-Clause
"""The live proof: on a host with Debian's Exim the doctor says what it can, and setup works.

There is no Postfix: the checks of it are skipped, and those of DNS are not. The host asks the
provider's resolver, and the service manager is the script of test_setup.py.
"""

import pathlib

import dnswire
import live
import test_doctor_dns as dns
import test_doctor_filters as filters
import test_doctor_postfix as base
import test_postfix as host
import test_setup as setup
from live import expect, expect_equal, wait_until

OF_POSTFIX = (
    "pf-running pf-listen pf-interfaces pf-mynetworks pf-mastercf chroot-column chroot-resolv "
    "chroot-others chroot-refresh greylist policy-alive smtpd-timeout stress queue"
).split()
OF_DNS = "rc-file rc-options mx-conf fw-dns lat-mx lat-ptr lat-a".split()


def host_starts():
    host.install_packages(host.FOLDERS[1])
    live.run_quietly("setup", "ip", "address", "add", f"{setup.PROVIDER[0]}/32", "dev", "lo")
    live.Upstream("provider", dns.KNOWN + filters.WORLD, f"{setup.PROVIDER[0]}@53")
    setup.RESOLV_CONF.write_text(setup.BEFORE)
    setup.CONF.parent.mkdir()
    setup.CONF.write_text(f"# ours\ncontrol_socket = {live.SOCKET}\nmetrics_listen =\n")
    live.add_log(live.LOGS / "service.log")
    setup.play_service_manager()
    live.run_quietly("exim", "update-exim4.conf")
    live.run_quietly("exim", "exim4", "-bd", "-q30m")
    wait_until(base.listens, "Exim to listen")


def levels(findings):
    found = {}
    for finding in findings:
        found.setdefault(finding["check"], set()).add(finding["level"])
    return found


def expect_polite(what):
    """No complaint, Postfix's checks skipped, DNS looked at."""
    findings, report = filters.examine()
    expect_equal(report["errors"], 0, f"{what}; errors of {findings}")
    found = levels(findings)
    for check in OF_POSTFIX:
        expect_equal(found[check], {"skipped"}, f"{what}; {check}")
    for check in OF_DNS:
        expect(not found[check] & {"skipped", "error"}, f"{what}; {check}: {findings}")
    return findings


def doctor_says_what_it_can():
    findings = expect_polite("before setup")
    filters.expect_finding(findings, "rc-file", "note", setup.PROVIDER[0], "mxcache setup")


def setup_works():
    before = setup.RESOLV_CONF.read_bytes(), setup.CONF.read_bytes()
    told = setup.expect_well(setup.setup(), "setup")
    expect("nameserver 127.0.0.1\n" in setup.RESOLV_CONF.read_text(), f"resolv.conf: {told}")
    expect("ostfix" not in told, f"setup tells of Postfix: {told}")
    expect(dnswire.ask_udp(setup.MXCACHE, "example.net", "MX").answers, "mxcache does not answer")
    findings = expect_polite("on mxcache")
    bad = base.at_least(findings, "warning")
    expect(not bad, f"on mxcache: {bad}")
    expect_equal(levels(findings)["mx-daemon"], {"good"}, "mx-daemon")
    setup.expect_well(setup.setup("--undo"), "undo")
    after = setup.RESOLV_CONF.read_bytes(), setup.CONF.read_bytes()
    expect_equal(after, before, "resolv.conf and mxcache.conf after undo")
    setup.resolves(setup.RESOLV_CONF)


if __name__ == "__main__":
    live.run(host_starts, doctor_says_what_it_can, setup_works)
