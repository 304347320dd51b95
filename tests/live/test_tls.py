# SPDX-License-Identifier: BSD-2-Clause
"""mxcache over TLS to a real TLS server: names and pins, and what is said when they do not fit."""

import base64
import hashlib
import os
import re
import socket
import ssl
import subprocess
import threading

import dnswire
import live
from live import expect, expect_equal

UPSTREAM = "127.0.0.2@53"
FRONT = ("127.0.0.3", 853)
SERVER = ("127.0.0.1", 53)
NAME = "dns.example"
OTHER = "sha256/" + base64.b64encode(bytes(32)).decode()
KEY = live.LOGS / "key.pem"
CERTIFICATE = live.LOGS / "certificate.pem"
EX_WRONG = 2

programs = {}


def conf(server, *pins):
    text = f"listen = 127.0.0.1\nupstreams = {server}\ncontrol_socket = {live.SOCKET}\n"
    return text + (f"[upstream default]\ntls_pins = {' '.join(pins)}\n" if pins else "")


def frames_copy(source, sink):
    """Until one of them ends. The messages are framed alike over TLS and TCP."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for sock in (source, sink):
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def front_serve(listener, context):
    while True:
        try:
            client = context.wrap_socket(listener.accept()[0], server_side=True)
        except OSError:
            continue  # One that did not like us.
        host, port = UPSTREAM.split("@")
        upstream = socket.create_connection((host, int(port)))
        for pair in ((client, upstream), (upstream, client)):
            threading.Thread(target=frames_copy, args=pair, daemon=True).start()


def certificate_make():
    """Signed by itself, which is no proof but for who was told to trust it."""
    live.run_quietly(
        "certificate", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-days", "9", "-subj", f"/CN={NAME}",
        "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", KEY, "-out", CERTIFICATE,
    )


def pin_compute():
    """The recipe that the manuals of other programs give, not ours."""
    public = subprocess.run(
        ("openssl", "pkey", "-in", KEY, "-pubout", "-outform", "DER"),
        capture_output=True, check=True,
    ).stdout
    return "sha256/" + base64.b64encode(hashlib.sha256(public).digest()).decode()


def programs_start():
    world = (live.SOURCE / "tests/support/small_mail_world.zone").read_text()
    programs["upstream"] = live.Upstream("upstream", world, UPSTREAM)
    certificate_make()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    listener = socket.create_server(FRONT)
    threading.Thread(target=front_serve, args=(listener, context), daemon=True).start()


def daemon_with(name, text, trusted=None):
    environment = dict(os.environ, SSL_CERT_FILE=str(trusted or "/dev/null"))
    return live.Daemon(name, text, env=environment).wait_ready()


def expect_answer(what):
    answer = dnswire.ask_udp(SERVER, "www.example.org", "A", timeout=live.LIMIT)
    expect_equal(answer.addresses(), ["192.0.2.80"], what)


def expect_failure(what):
    answer = dnswire.ask_udp(SERVER, "www.example.org", "A", timeout=live.LIMIT)
    expect_equal((answer.rcode, answer.answers), (dnswire.SERVFAIL, []), what)


def name_is_enough():
    daemon = daemon_with("name", conf(f"{FRONT[0]}#{NAME}"), trusted=CERTIFICATE)
    expect_answer("over TLS, with a name")
    expect_equal(programs["upstream"].questions("udp www.example.org. A\n"), 0, "in clear")
    expect_equal(daemon.stop(), 0, "the exit status")


def pin_alone_is_enough():
    daemon = daemon_with("pin", conf(f"{FRONT[0]}@853", OTHER, pin_compute()))
    expect_answer("over TLS, with a pin alone and no trusted issuer")
    expect_equal(programs["upstream"].questions("udp www.example.org. A\n"), 0, "in clear")
    row = daemon.stats()["upstreams"][0]
    expect_equal(row["tls_name"], "tls_pins", "how the server is shown")
    expect_equal(daemon.stop(), 0, "the exit status")


def name_and_pin_are_both_asked():
    daemon = daemon_with("both", conf(f"{FRONT[0]}#{NAME}", pin_compute()), trusted=CERTIFICATE)
    expect_answer("with name and pin")
    expect_equal(daemon.stop(), 0, "the exit status")
    daemon = daemon_with("untrusted", conf(f"{FRONT[0]}#{NAME}", pin_compute()))
    expect_failure("with the right key, but a name that nobody vouches for")
    daemon.wait_for_output("self-signed")
    expect_equal(daemon.stop(), 0, "the exit status")


def other_key_is_refused_and_told():
    """An admin copies the pin from the log, and all is well."""
    daemon = daemon_with("wrong", conf(f"{FRONT[0]}@853", OTHER))
    expect_failure("with another pin")
    daemon.wait_for_output("its key is not among tls_pins")
    seen = re.search(r"server=127\.0\.0\.3@853 why=.* it is (sha256/[^\s\"]+)", daemon.output())
    expect(seen is not None, f"the pin seen is not told: {daemon.output()}")
    expect_equal(seen.group(1), pin_compute(), "the pin told")
    daemon.config.write_text(conf(f"{FRONT[0]}@853", seen.group(1)))
    expect_equal(live.client("reload", "-s", live.SOCKET).returncode, 0, "reload")
    answer = dnswire.ask_udp(SERVER, "mx1.example.org", "A", timeout=live.LIMIT)
    expect_equal(len(answer.answers), 1, "answers after the pin was put right")
    expect_equal(daemon.stop(), 0, "the exit status")


def check_explains_pins():
    for server, pin, sentence in (
        ("192.0.2.53", OTHER, "192.0.2.53 is asked in clear and shows no key: write "),
        ("192.0.2.53@853", "sha256/abc", "is not a pin: write sha256/ and the base64"),
    ):
        path = live.LOGS / "checked.conf"
        path.write_text(conf(server, pin))
        result = live.client("check", "-c", path)
        expect_equal(result.returncode, EX_WRONG, f"the exit status of check with {server} {pin}")
        text = result.stdout + result.stderr
        expect(f"{path}:5:" in text and sentence in text, f"check says: {text}")


if __name__ == "__main__":
    live.run(
        programs_start,
        name_is_enough,
        pin_alone_is_enough,
        name_and_pin_are_both_asked,
        other_key_is_refused_and_told,
        check_explains_pins,
    )
