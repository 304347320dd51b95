# SPDX-License-Identifier: BSD-2-Clause
"""The live proof: Debian's Postfix, chrooted, takes and sends mail, and resolves through mxcache.

NSD on 127.0.0.2 is the authority, mxcache on 127.0.0.1:53 the only resolver, in /etc/resolv.conf
and in the copy below /var/spool/postfix. smtpd listens on 192.0.2.25, the MX of the destination is
smtp-sink on 192.0.2.100, and clients come from 192.0.2.50 and its neighbours.
"""

import os
import pathlib
import pwd
import shutil
import smtplib
import sys

import dnswire
import live
from live import expect, expect_equal, wait_until

FOLDERS = [pathlib.Path(folder) for folder in sys.argv[3:] if folder.startswith("/")]
QUEUE = pathlib.Path("/var/spool/postfix")
MAIL_LOG = pathlib.Path("/var/log/postfix.log")
SINK = live.LOGS / "sink" / "dump"
ZONES = (
    "example.com",
    "example.net",
    "example.org",
    "dnsbl.example.net",
    "zen.spamhaus.org",
    "2.0.192.in-addr.arpa",
)
AUTHORITY = ("127.0.0.2", 53)

PRESEED = """postfix postfix/main_mailer_type select Internet Site
man-db man-db/auto-update boolean false
"""

NSD_CONF = """
server:
    ip-address: 127.0.0.2
    username: nsd
    zonesdir: "{zones}"
    database: ""
    pidfile: "/run/nsd-live.pid"
    zonelistfile: "/tmp/live/nsd-state/zone.list"
    xfrdfile: "/tmp/live/nsd-state/xfrd.state"
    xfrdir: "/tmp/live/nsd-state"
remote-control:
    control-enable: no
"""

MXCACHE_CONF = f"""
listen = 127.0.0.1 ::1
upstreams = {AUTHORITY[0]}
control_socket = {live.SOCKET}
"""

daemons = {}


def install_packages(*folders):
    """Nothing may be started by the packages' own scripts: policy-rc.d says so to all of them."""
    debs = []
    for folder in folders or FOLDERS[:1]:
        found = sorted(folder.glob("*.deb"))
        expect(found, f"no packages in {folder}: run ./dev setup test")
        debs += found
    policy = pathlib.Path("/usr/sbin/policy-rc.d")
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    live.run_quietly("preseed", "sh", "-c", f"echo '{PRESEED}' | debconf-set-selections")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    command = ("dpkg", "--force-unsafe-io", "-i", *debs)
    try:
        live.run_quietly("dpkg", *command, env=environment)
    except live.Failure:
        # What another package wants configured before it is unpacked is configured now.
        live.run_quietly("dpkg", *command, env=environment)


def own_folder(path, user):
    path = pathlib.Path(path)
    path.mkdir()
    shutil.chown(path, user)


def start_authority():
    """broken.example.net has no file, so NSD answers SERVFAIL for all of it."""
    config = live.LOGS / "nsd.conf"
    text = NSD_CONF.format(zones=live.SOURCE / "tests/live/zones")
    for zone in (*ZONES, "broken.example.net"):
        text += f'zone:\n    name: "{zone}"\n    zonefile: "{zone}.zone"\n'
    config.write_text(text)
    own_folder("/tmp/live/nsd-state", "nsd")
    daemons["nsd"] = live.Program("nsd", "nsd", "-d", "-c", config)

    def check():
        try:
            return dnswire.ask_udp(AUTHORITY, "example.org", "MX", timeout=0.5).answers
        except OSError:
            return None

    wait_until(check, "an answer of NSD")


def start_mxcache():
    daemons["mxcache"] = live.Daemon("mxcache", MXCACHE_CONF).wait_ready()


def start_sink():
    own_folder(SINK.parent, "nobody")
    daemons["sink"] = live.Program(
        "sink", "smtp-sink", "-u", "nobody", "-D", SINK, "192.0.2.100:25", "10"
    )


def start_postfix():
    """master.cf is Debian's own; its configure-instance.sh fills the chroot, as at every boot."""
    live.add_log(MAIL_LOG)
    shutil.copy(live.SOURCE / "tests/live/main.cf", "/etc/postfix/main.cf")
    shutil.copy("/usr/share/postfix/master.cf.dist", "/etc/postfix/master.cf")
    live.run_quietly("postfix", "/usr/lib/postfix/configure-instance.sh", "-")
    expect_equal(
        (QUEUE / "etc/resolv.conf").read_text(), "nameserver 127.0.0.1\n", "the chroot's copy"
    )
    live.run_quietly("postfix", "postfix", "start")

    def check():
        try:
            smtplib.SMTP("192.0.2.25", 25, timeout=5).close()
            return True
        except OSError:
            return False

    wait_until(check, "smtpd to listen")


def host_starts():
    install_packages()
    start_authority()
    start_mxcache()
    start_sink()
    start_postfix()


def offer(source, helo, sender):
    """Speaks SMTP up to RCPT TO; returns the session and the reply to that."""
    session = smtplib.SMTP(
        "192.0.2.25", 25, local_hostname=helo, timeout=live.LIMIT, source_address=(source, 0)
    )
    session.ehlo()
    session.mail(sender)
    code, text = session.rcpt("<bob@example.org>")
    return session, code, text.decode()


def expect_refused(source, helo, sender, code, text):
    session, found_code, found_text = offer(source, helo, sender)
    session.quit()
    what = f"RCPT TO from {source}, HELO {helo}, MAIL FROM {sender}"
    expect_equal(found_code, code, f"{what} ({found_text})")
    expect(text in found_text, f"{what}: {text!r} is not in {found_text!r}")


def listed_client_is_rejected():
    expect_refused(
        "192.0.2.66",
        "spammer.example.net",
        "<alice@example.net>",
        554,
        "blocked using dnsbl.example.net; sent mail to a spam trap",
    )


def unknown_names_are_refused():
    good = ("192.0.2.50", "client.example.net", "<alice@example.net>")
    nowhere = "<alice@no-such-domain.example.net>"
    expect_refused(good[0], good[1], nowhere, 550, "5.1.8 " + nowhere)
    expect_refused(good[0], "nobody.example.net", good[2], 550, "Helo command rejected")
    expect_refused("192.0.2.51", *good[1:], 550, "5.7.25 Client host rejected")
    expect_refused("192.0.2.52", *good[1:], 550, "5.7.25 Client host rejected")


def failed_lookup_defers():
    """A SERVFAIL must not look like a name that does not exist."""
    sender = "<alice@broken.example.net>"
    expect_refused("192.0.2.50", "client.example.net", sender, 450, "4.1.8 " + sender)


def message_is_delivered():
    session, code, text = offer("192.0.2.50", "client.example.net", "<alice@example.net>")
    expect_equal(code, 250, f"RCPT TO of the good client ({text})")
    body = "From: alice@example.net\r\nTo: bob@example.org\r\nSubject: live proof\r\n\r\nHello.\r\n"
    code, text = session.data(body)
    session.quit()
    expect_equal(code, 250, f"end of DATA ({text})")
    sent = "to=<bob@example.org>, relay=mx.example.org[192.0.2.100]:25,"
    wait_until(lambda: "to=<bob@example.org>, relay=" in live.read_log(MAIL_LOG), "the delivery")
    expect(sent in live.read_log(MAIL_LOG), f"{sent!r} is not in the mail log")
    expect("status=sent" in live.read_log(MAIL_LOG), "the message was not delivered")
    wait_until(lambda: "Hello." in live.read_log(SINK), "the message in the sink")
    dump = live.read_log(SINK)
    received = ("X-Client-Addr: 192.0.2.25", "X-Rcpt-Args: <bob@example.org>", "live proof")
    for line in received:
        expect(line in dump, f"{line!r} is not in what the sink received:\n{dump}")


def list_that_refuses_rejects_nobody():
    """The list calls every client by 127.255.255.254; Postfix got SERVFAIL, and went on without."""
    expect(
        "zen.spamhaus.org: RBL lookup error" in live.read_log(MAIL_LOG),
        "Postfix did not note that the list cannot be asked",
    )
    expect("blocked using zen.spamhaus.org" not in live.read_log(MAIL_LOG), "mail was rejected")
    lists = {entry["zone"]: entry for entry in daemons["mxcache"].stats()["lists"]}
    zen = lists["zen.spamhaus.org"]
    expect_equal(zen["standing"], "resolver", "how the list stands")
    expect_equal((zen["refused"] > 0, zen["listed"]), (True, 0), f"what was counted: {zen}")
    text = live.client("stats", "-s", live.SOCKET).stdout
    expect("zen.spamhaus.org refuses questions" in text, f"no advice in:\n{text}")
    expect(
        "list_refuses: " in daemons["mxcache"].output(),
        "no line in the log",
    )


def roots_of(program):
    """Root directories of the running processes of that name."""
    roots = set()
    for comm in pathlib.Path("/proc").glob("[0-9]*/comm"):
        if live.read_log(comm).strip() == program:
            roots.add(os.readlink(comm.with_name("root")))
    return roots


def postfix_is_chrooted():
    for program in ("smtpd", "smtp"):
        expect_equal(roots_of(program), {str(QUEUE)}, f"the root directory of {program}")


def questions_are_counted():
    """What was asked before comes from the cache; smtpd keeps list answers itself, so not these."""
    stats = daemons["mxcache"].stats()
    for kind in ("mx", "ptr", "a", "list"):
        counts = stats["classes"][kind]
        expect(counts["miss"] > 0, f"mxcache asked upstream for no {kind}: {counts}")
        expect(kind == "list" or counts["hit"] > 0, f"no {kind} came from the cache: {counts}")
    print("     questions:", {kind: c["count"] for kind, c in stats["classes"].items()})


def mxcache_runs_unprivileged_and_ends_well():
    mxcache = daemons["mxcache"]
    uid = os.stat(f"/proc/{mxcache.process.pid}").st_uid
    expect_equal(uid, pwd.getpwnam("mxcache").pw_uid, "the user that mxcache runs as")
    expect_equal(mxcache.stop(), 0, "the exit status after TERM")


if __name__ == "__main__":
    live.run(
        host_starts,
        listed_client_is_rejected,
        unknown_names_are_refused,
        failed_lookup_defers,
        message_is_delivered,
        list_that_refuses_rejects_nobody,
        postfix_is_chrooted,
        questions_are_counted,
        mxcache_runs_unprivileged_and_ends_well,
    )
