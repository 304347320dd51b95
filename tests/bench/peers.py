# SPDX-License-Identifier: BSD-2-Clause
"""The servers side by side: how each is configured and started, for forwarding, well and alike.

Each gets the same upstreams, a cache that holds everything that is asked, room for many questions at
once, no validation, and its own way of serving what has expired where it has one. Nothing else is
turned off or on.
"""

import dataclasses
import pathlib
import subprocess


@dataclasses.dataclass
class Place:
    """Where one server runs: a folder of its own, its port, and whom it asks."""

    folder: pathlib.Path
    port: int
    upstreams: list  # Of (address, port).
    room_mb: int = 192  # For the cache, where it is counted in bytes,
    entries: int = 500000  # and where in answers.
    is_tuned: bool = False  # For a measurement of speed: one thread, datagrams by the batch.
    extra: str = ""  # Lines of mxcache's configuration,
    snapshot: str = ""  # and its file; empty: none.

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def joined(self, mark, separator):
        return separator.join(f"{address}{mark}{port}" for address, port in self.upstreams)


def unbound(place):
    forwards = "".join(f"  forward-addr: {a}@{p}\n" for a, p in place.upstreams)
    conf = place.write("unbound.conf", f"""
server:
  interface: 127.0.0.1@{place.port}
  do-ip6: no
  do-daemonize: no
  use-syslog: no
  chroot: ""
  username: ""
  pidfile: ""
  directory: "{place.folder}"
  module-config: "iterator"
  do-not-query-localhost: no
  msg-cache-size: {place.room_mb // 3}m
  rrset-cache-size: {place.room_mb * 2 // 3}m
  outgoing-range: 4096
  num-queries-per-thread: 2048
  so-rcvbuf: 4m
  serve-expired: yes
  serve-expired-client-timeout: 1800
remote-control:
  control-enable: no
forward-zone:
  name: "."
{forwards}""")
    return ["unbound", "-d", "-c", conf]


def dnsdist(place):
    servers = "".join(f'newServer("{a}:{p}")\n' for a, p in place.upstreams)
    batch = "setUDPMultipleMessagesVectorSize(64)\n" if place.is_tuned else ""
    conf = place.write("dnsdist.conf", f"""
setLocal("127.0.0.1:{place.port}")
{batch}{servers}
setServerPolicy(leastOutstanding)
setStaleCacheEntriesTTL(86400)
getPool(""):setCache(newPacketCache({place.entries}, {{keepStaleData=true}}))
setSecurityPollSuffix("")
""")
    return ["dnsdist", "--supervised", "--disable-syslog", "-C", conf]


def knot_resolver(place):
    servers = ", ".join(f"'{a}@{p}'" for a, p in place.upstreams)
    conf = place.write("kresd.conf", f"""
net.ipv6 = false
net.listen('127.0.0.1', {place.port}, {{ kind = 'dns' }})
trust_anchors.remove('.')
cache.size = {place.room_mb} * MB
modules = {{ 'policy', 'serve_stale < cache' }}
policy.add(policy.all(policy.FORWARD({{ {servers} }})))
""")
    return ["kresd", "-n", "-q", "-c", conf, place.folder]


def pdns_recursor(place):
    place.write("recursor.conf", f"""
local-address=127.0.0.1
local-port={place.port}
allow-from=127.0.0.0/8
dont-query=
forward-zones-recurse=.={place.joined(":", ";")}
dnssec=off
daemon=no
disable-syslog=yes
quiet=yes
loglevel=3
threads=1
pdns-distributes-queries=no
setuid=
setgid=
socket-dir={place.folder}
security-poll-suffix=
hint-file=no
serve-stale-extensions=2880
max-cache-entries={2 * place.entries}
max-packetcache-entries={place.entries}
""")
    return ["pdns_recursor", f"--config-dir={place.folder}"]


def bind(place):
    servers = " ".join(f"{a} port {p};" for a, p in place.upstreams)
    conf = place.write("named.conf", f"""
options {{
    directory "{place.folder}";
    listen-on port {place.port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    pid-file none;
    session-keyfile none;
    lock-file none;
    recursion yes;
    allow-query {{ 127.0.0.0/8; }};
    forward only;
    forwarders {{ {servers} }};
    dnssec-validation no;
    empty-zones-enable no;
    max-cache-size {place.room_mb * 4 // 3}m;
    recursive-clients 10000;
    clients-per-query 0;
    stale-cache-enable yes;
    stale-answer-enable yes;
    stale-answer-client-timeout 0;
}};
controls {{ }};
""")
    return ["named", "-g", *(["-n", "1"] if place.is_tuned else []), "-c", conf]


def dnsmasq(place):
    servers = [f"--server={a}#{p}" for a, p in place.upstreams]
    return [
        "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--log-facility=-",
        "--user=root", "--pid-file=", "--no-resolv", "--no-hosts", "--no-poll",
        "--listen-address=127.0.0.1", "--bind-interfaces", f"--port={place.port}",
        f"--cache-size={place.entries}", "--cache-rr=ANY", "--dns-forward-max=5000",
        "--fast-dns-retry", "--use-stale-cache", *servers,
    ]  # fmt: skip


def smartdns(place):
    servers = "".join(f"server {a}:{p}\n" for a, p in place.upstreams)
    conf = place.write("smartdns.conf", f"""
bind 127.0.0.1:{place.port}
bind-tcp 127.0.0.1:{place.port}
{servers}
speed-check-mode none
dualstack-ip-selection no
cache-size {place.entries}
cache-persist no
serve-expired yes
rr-ttl-min 1
max-query-limit 0
log-level error
log-file {place.folder}/smartdns.log
audit-enable no
user root
""")
    return ["smartdns", "-f", "-p", "-", "-c", conf]


def mxcache(place):
    conf = place.write("mxcache.conf", f"""
listen = 127.0.0.1@{place.port}
upstreams = {place.joined("@", " ")}
control_socket = {place.folder}/control.sock
snapshot_file = {place.snapshot}
user =
{place.extra}""")
    return ["mxcache", "serve", "-c", conf]


# Name, package, configuration. The order is that of the tables.
PEERS = {
    "mxcache": (None, mxcache),
    "unbound": ("unbound", unbound),
    "dnsdist": ("dnsdist", dnsdist),
    "knot-resolver": ("knot-resolver", knot_resolver),
    "pdns-recursor": ("pdns-recursor", pdns_recursor),
    "bind9": ("bind9", bind),
    "dnsmasq": ("dnsmasq-base", dnsmasq),
    "smartdns": ("smartdns", smartdns),
}


def version(name):
    """As the package says; mxcache is told by what was built."""
    package = PEERS[name][0]
    if package is None:
        return "this tree"
    result = subprocess.run(
        ("dpkg-query", "-W", "-f=${Version}", package),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return result.stdout or "not installed"
