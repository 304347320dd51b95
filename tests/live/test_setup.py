# SPDX-License-Identifier: BSD-2-Clause
"""The live proof: `mxcache setup` puts a real Postfix host on mxcache, and takes it off again.

The host starts as most do: resolv.conf and the copy in Postfix's chroot name the provider's resolver
(the scripted server on 198.51.100.53). The service manager is played by a small script, which starts
mxcache when it is told to, and kills what it started before. Setup is also killed while it runs.
"""

import hashlib
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time

import dnswire
import live
import test_postfix as host
import test_refusing_list as refusing
from live import expect, expect_equal, wait_until

PROVIDER = ("198.51.100.53", 53)
MXCACHE = ("127.0.0.1", 53)
RESOLV_CONF = pathlib.Path("/etc/resolv.conf")
CHROOT_COPY = host.QUEUE / "etc/resolv.conf"
CONF = pathlib.Path("/etc/mxcache/mxcache.conf")
OPENDKIM = pathlib.Path("/etc/opendkim.conf")
BEFORE = f"# of the installation\nsearch example.com\nnameserver {PROVIDER[0]}\n"
SYSTEMCTL_LOG = live.LOGS / "systemctl.log"
CLIENT = ("192.0.2.50", "client.example.net", "<alice@example.net>")
KILLS = 12

SYSTEMCTL = f"""#!/bin/sh
echo "$*" >>{SYSTEMCTL_LOG}
case "$*" in
"restart mxcache.service")
    [ ! -s /run/mxcache-pid ] || kill "$(cat /run/mxcache-pid)"
    while [ -d "/proc/$(cat /run/mxcache-pid 2>/dev/null)/task" ]; do sleep 0.05; done
    setsid {live.MXCACHE} serve >>{live.LOGS}/service.log 2>&1 </dev/null &
    echo $! >/run/mxcache-pid
    ;;
esac
"""

FILES = (RESOLV_CONF, CHROOT_COPY, CONF, OPENDKIM)


def states():
    """What undoing has to bring back: bytes, rights, times."""
    found = {}
    for path in FILES:
        stat = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path)] = (content, stat.st_mode, stat.st_uid, stat.st_mtime_ns)
    return found


def setup(*arguments):
    return subprocess.run(
        (live.MXCACHE, "setup", *arguments),
        capture_output=True,
        text=True,
        timeout=live.LIMIT,
        check=False,
    )


def expect_well(result, what):
    expect_equal(result.returncode, 0, f"{what}: {result.stdout}{result.stderr}; exit code")
    return result.stdout


def play_service_manager():
    pathlib.Path("/run/systemd/system").mkdir(parents=True)
    path = pathlib.Path("/usr/bin/systemctl")
    path.unlink(missing_ok=True)
    path.write_text(SYSTEMCTL)
    path.chmod(0o755)


def host_starts():
    host.install_packages()
    live.run_quietly("setup", "ip", "address", "add", f"{PROVIDER[0]}/32", "dev", "lo")
    world = refusing.WORLD + ". 300 NS ns.example.net.\n. 300 SOA ns.example.net. root. 1 1 1 1 60\n"
    live.Upstream("provider", world, f"{PROVIDER[0]}@53")
    RESOLV_CONF.write_text(BEFORE)
    CONF.parent.mkdir()
    CONF.write_text(f"# ours\ncontrol_socket = {live.SOCKET}\nmetrics_listen =\n")
    OPENDKIM.write_text("Syslog yes\n")
    live.add_log(live.LOGS / "service.log")
    play_service_manager()
    config = (live.SOURCE / "tests/live/main.cf").read_text()
    shutil.copy("/usr/share/postfix/master.cf.dist", "/etc/postfix/master.cf")
    pathlib.Path("/etc/postfix/main.cf").write_text(config)
    live.add_log(host.MAIL_LOG)
    live.run_quietly("postfix", "/usr/lib/postfix/configure-instance.sh", "-")
    live.run_quietly("postfix", "postfix", "start")
    expect_equal(CHROOT_COPY.read_text(), BEFORE, "the chroot's copy")


def dry_run_changes_nothing():
    before = states()
    told = expect_well(setup("--dry-run"), "the dry run")
    for part in (
        f"+upstreams = {PROVIDER[0]}",
        f"-nameserver {PROVIDER[0]}",
        "+nameserver 127.0.0.1",
        f"write {CHROOT_COPY}",
        "+Nameservers 127.0.0.1",
        "postfix -c /etc/postfix reload",
        "Nothing was changed.",
    ):
        expect(part in told, f"the dry run does not tell {part!r}: {told}")
    expect_equal(states(), before, "the host after a dry run")


def postfix_reloads():
    return live.read_log(host.MAIL_LOG).count("reload -- version")


def the_host_is_put_on_mxcache():
    reloads = postfix_reloads()
    told = expect_well(setup(), "setup")
    for path in (RESOLV_CONF, CHROOT_COPY):
        expect("nameserver 127.0.0.1\n" in path.read_text(), f"{path}: {path.read_text()}; {told}")
        expect("search example.com\n" in path.read_text(), f"{path} has lost its search line")
        expect(PROVIDER[0] not in path.read_text(), f"{path} still names the provider")
    expect(dnswire.ask_udp(MXCACHE, "example.net", "MX").answers, "mxcache does not answer")
    wait_until(lambda: postfix_reloads() > reloads, "Postfix to reload")


def mail_asks_mxcache():
    """The chrooted smtpd finds client, HELO and sender through mxcache, which tells no refusal."""
    refusing.expect_accepted(CLIENT)
    counts = live.client("stats", "--json", "-s", live.SOCKET).stdout
    expect('"ptr":{"count":0' not in counts, f"smtpd has asked somebody else: {counts[:400]}")


def twice_is_once():
    before = states()
    told = expect_well(setup(), "setup, again")
    expect("nothing to do" in told, f"the second setup: {told}")
    expect_equal(states(), before, "the host after a second setup")


def undo_restores_every_byte(before):
    expect_well(setup("--undo"), "undo")
    expect_equal(states(), before, "the host after undo")
    # As before: the list refuses the provider's resolver, and Postfix takes that for a listing.
    host.expect_refused(*CLIENT, 554, f"blocked using {refusing.LIST}")


def round_trip():
    before = states()
    the_host_is_put_on_mxcache()
    mail_asks_mxcache()
    twice_is_once()
    undo_restores_every_byte(before)


def undo_of_a_part_is_read_anew():
    """What could be put back is read by Postfix, though the operator's own changes stay."""
    before = states()
    the_host_is_put_on_mxcache()
    CONF.write_text(CONF.read_text() + "# a section of my own\n")
    reloads = postfix_reloads()
    result = setup("--undo")
    expect_equal(result.returncode, os.EX_IOERR, f"exit code ({result.stdout}{result.stderr})")
    expect(f"{CONF} was changed" in result.stderr, f"the sentence: {result.stderr}")
    expect_equal(RESOLV_CONF.read_text(), BEFORE, "resolv.conf")
    wait_until(lambda: postfix_reloads() > reloads, "Postfix to reload")
    expect_well(setup("--undo", "--force"), "undo by force")
    expect_equal(states(), before, "the host after undo by force")


def resolves(path):
    """By the first server that the file names."""
    servers = [line.split()[1] for line in path.read_text().splitlines() if "nameserver " in line]
    expect(servers, f"{path} names no server: {path.read_text()!r}")

    def check():
        try:
            return dnswire.ask_udp((servers[0], 53), "example.net", "MX", timeout=0.5).answers
        except OSError:
            return None

    wait_until(check, f"an answer of {servers[0]}, which {path} names")


def killed_setup_leaves_a_host_that_resolves():
    """At moments drawn by lot; tests/unit/setup does it at every system call."""
    before = states()
    lot = random.Random(1)
    for _ in range(KILLS):
        process = subprocess.Popen(
            (live.MXCACHE, "setup"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(lot.uniform(0, 0.6))
        process.send_signal(signal.SIGKILL)
        process.wait()
        resolves(RESOLV_CONF)
        resolves(CHROOT_COPY)
        result = setup("--undo")
        told = result.stdout + result.stderr
        expect(result.returncode == 0 or "nothing to undo" in told, f"undo: {told}")
        expect_equal(states(), before, "the host after undoing a setup that was killed")


def without_an_upstream_nothing_changes():
    before = states()
    result = setup("--upstreams", "198.51.100.99")
    expect_equal(result.returncode, os.EX_UNAVAILABLE, "exit code without an upstream")
    expect("nothing was changed" in result.stderr, f"the sentence: {result.stderr}")
    expect_equal(states(), before, "the host after a setup without upstreams")


def others_may_only_look():
    result = subprocess.run(
        ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", live.MXCACHE, "setup"),
        capture_output=True,
        text=True,
        timeout=live.LIMIT,
        check=False,
    )
    expect_equal(result.returncode, os.EX_NOPERM, f"exit code for nobody ({result.stderr})")


if __name__ == "__main__":
    live.run(
        host_starts,
        dry_run_changes_nothing,
        round_trip,
        undo_of_a_part_is_read_anew,
        killed_setup_leaves_a_host_that_resolves,
        without_an_upstream_nothing_changes,
        others_may_only_look,
    )
