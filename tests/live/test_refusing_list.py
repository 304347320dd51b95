# SPDX-License-Identifier: BSD-2-Clause
"""The live proof: a public resolver that the list refuses does not cost mail.

Postfix has reject_rbl_client without a filter, so it takes any address for a listing. The only
upstream is a public resolver, to which the list answers 127.255.255.254. By default mxcache asks
the list's own name server (NSD on 198.51.100.53): who is listed is rejected, who is not comes in.
"""

import pathlib

import dnswire
import live
import test_postfix as host
from live import expect, expect_equal, wait_until

RESOLVER = ("8.8.8.8", 53)
LIST_SERVER = ("198.51.100.53", 53)
LIST = "zen.spamhaus.org"
LISTED = ("192.0.2.66", "spammer.example.net", "<alice@example.net>")
UNLISTED = ("192.0.2.50", "client.example.net", "<alice@example.net>")

# What the public resolver says.
WORLD = f"""
example.net. 300 SOA ns.example.net. root.example.net. 1 3600 900 604800 60
example.net. 300 MX 10 client.example.net.
client.example.net. 300 A 192.0.2.50
spammer.example.net. 300 A 192.0.2.66
2.0.192.in-addr.arpa. 300 SOA ns.example.net. root.example.net. 1 3600 900 604800 60
50.2.0.192.in-addr.arpa. 300 PTR client.example.net.
66.2.0.192.in-addr.arpa. 300 PTR spammer.example.net.
example.org. 300 SOA ns.example.net. root.example.net. 1 3600 900 604800 60
example.org. 300 MX 10 mx.example.org.
mx.example.org. 300 A 192.0.2.100
{LIST}. 300 SOA ns1.list.example. root.list.example. 1 3600 900 604800 60
{LIST}. 300 NS ns1.list.example.
66.2.0.192.{LIST}. 60 A 127.255.255.254
50.2.0.192.{LIST}. 60 A 127.255.255.254
2.0.0.127.{LIST}. 60 A 127.255.255.254
list.example. 300 SOA ns1.list.example. root.list.example. 1 3600 900 604800 60
ns1.list.example. 300 A {LIST_SERVER[0]}
"""

CONF = f"""
listen = 127.0.0.1 ::1
upstreams = {RESOLVER[0]}
control_socket = {live.SOCKET}
"""

programs = {}


def start_list_server():
    config = live.LOGS / "nsd.conf"
    text = host.NSD_CONF.format(zones=live.SOURCE / "tests/live/zones")
    text = text.replace(f"ip-address: {host.AUTHORITY[0]}", f"ip-address: {LIST_SERVER[0]}")
    config.write_text(text + f'zone:\n    name: "{LIST}"\n    zonefile: "{LIST}-itself.zone"\n')
    if not pathlib.Path("/tmp/live/nsd-state").exists():
        host.own_folder("/tmp/live/nsd-state", "nsd")
    programs["nsd"] = live.Program("nsd", "nsd", "-d", "-c", config)

    def check():
        try:
            return dnswire.ask_udp(LIST_SERVER, f"2.0.0.127.{LIST}", "A", timeout=0.5).answers
        except OSError:
            return None

    wait_until(check, "an answer of the list's name server")


def start_mxcache(name, *more):
    programs["mxcache"] = live.Daemon(name, CONF + "\n".join(more) + "\n").wait_ready()


def reload_postfix():
    """smtpd keeps what lists have answered for as long as it runs: new processes are needed."""
    done = "reload -- version"
    before = live.read_log(host.MAIL_LOG).count(done)
    live.run_quietly("postfix", "postfix", "reload")
    wait_until(lambda: live.read_log(host.MAIL_LOG).count(done) > before, "Postfix to reload")


def host_starts():
    host.install_packages()
    for address in (RESOLVER[0], LIST_SERVER[0]):
        live.run_quietly("setup", "ip", "address", "add", f"{address}/32", "dev", "lo")
    programs["resolver"] = live.Upstream("resolver", WORLD, f"{RESOLVER[0]}@53")
    start_list_server()
    start_mxcache("direct")
    host.start_sink()
    host.start_postfix()
    restriction = f"smtpd_recipient_restrictions = reject_rbl_client {LIST}"
    live.run_quietly("postfix", "postconf", "-e", restriction)
    reload_postfix()


def the_resolver_is_refused():
    """Without mxcache all mail would be rejected."""
    for name in (f"50.2.0.192.{LIST}", f"66.2.0.192.{LIST}"):
        addresses = dnswire.ask_udp(RESOLVER, name, "A").addresses()
        expect_equal(addresses, ["127.255.255.254"], f"what the resolver says of {name}")


def listed_client_is_rejected():
    text = f"blocked using {LIST}; sent mail to a spam trap"
    host.expect_refused(*LISTED, 554, text)


def expect_accepted(client):
    session, code, text = host.offer(*client)
    session.quit()
    expect_equal(code, 250, f"RCPT TO from {client[0]} ({text})")


def unlisted_client_is_accepted():
    expect_accepted(UNLISTED)


def list_server_is_asked():
    upstreams = programs["mxcache"].stats()["upstreams"]
    groups = {row["group"]: row for row in upstreams}
    direct = groups.get(f"direct:{LIST}")
    expect(direct is not None, f"no group for the list among {sorted(groups)}")
    expect(direct["answered"] > 0, f"the list's name server was not asked: {direct}")
    for client in ("50", "66"):
        count = programs["resolver"].questions(f"{client}.2.0.192.{LIST}")
        expect_equal(count, 1, f"questions to the resolver about {client}, one of them our own")


def mail_flows_without_the_list_server():
    """Its name server is away, and the resolver is refused: nobody is known to be listed, so
    nobody is rejected."""
    programs["nsd"].stop()
    expect_equal(programs["mxcache"].stop(), 0, "the exit status of mxcache")
    start_mxcache("alone")
    reload_postfix()
    expect_accepted(UNLISTED)
    expect_accepted(LISTED)


def mail_flows_without_the_direct_way():
    start_list_server()
    expect_equal(programs["mxcache"].stop(), 0, "the exit status of mxcache")
    start_mxcache("upstream", "list_route = upstream")
    reload_postfix()
    expect_accepted(UNLISTED)
    expect_accepted(LISTED)


def refused_resolver_is_given_up():
    """The upstream is none that is known to be public: the first refusal tells."""
    expect_equal(programs["mxcache"].stop(), 0, "the exit status of mxcache")
    live.run_quietly("setup", "ip", "address", "add", "198.51.100.1/32", "dev", "lo")
    programs["provider"] = live.Upstream("provider", WORLD, "198.51.100.1@53")
    programs["mxcache"] = live.Daemon(
        "provider-mxcache", CONF.replace(RESOLVER[0], "198.51.100.1")
    ).wait_ready()
    reload_postfix()
    expect_accepted(UNLISTED)
    listed_client_is_rejected()


if __name__ == "__main__":
    live.run(
        host_starts,
        the_resolver_is_refused,
        listed_client_is_rejected,
        unlisted_client_is_accepted,
        list_server_is_asked,
        mail_flows_without_the_list_server,
        mail_flows_without_the_direct_way,
        refused_resolver_is_given_up,
    )
