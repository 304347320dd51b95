# SPDX-License-Identifier: BSD-2-Clause
"""Just enough DNS to ask mxcache a question and read its answer: standard library only."""

import socket
import struct

TYPES = {
    "A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "TLSA": 52,
}
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
TIMEOUT = 10.0


def query(name, qtype, ident=0x1234, edns=None):
    """The bytes of a question with RD; `edns` is the UDP size to announce, None for no OPT."""
    labels = [label.encode() for label in name.rstrip(".").split(".") if label]
    qname = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    message = struct.pack(">HHHHHH", ident, 0x0100, 1, 0, 0, 0 if edns is None else 1)
    message += qname + struct.pack(">HH", TYPES[qtype], 1)
    if edns is not None:
        message += b"\0" + struct.pack(">HHIH", 41, edns, 0, 0)
    return message


def read_name(message, at):
    """Returns the text of the name and where it ended."""
    labels, end = [], None
    for _ in range(256):
        size = message[at]
        if size & 0xC0 == 0xC0:
            end = at + 2 if end is None else end
            at = (size & 0x3F) << 8 | message[at + 1]
        elif size == 0:
            return ".".join(labels) + ".", at + 1 if end is None else end
        else:
            labels.append(message[at + 1 : at + 1 + size].decode("latin-1"))
            at += 1 + size
    raise ValueError("a name without an end")


class Answer:
    """A reply taken apart; `answers` holds (name, type, ttl, data) with data as raw bytes."""

    def __init__(self, message):
        self.bytes = message
        self.id, flags, qdcount, *counts = struct.unpack(">HHHHHH", message[:12])
        self.rcode = flags & 0xF
        self.is_cut = bool(flags & 0x0200)
        self.recursion = bool(flags & 0x0080)
        at = 12
        self.questions = []
        for _ in range(qdcount):
            name, at = read_name(message, at)
            self.questions.append((name, struct.unpack_from(">HH", message, at)))
            at += 4
        sections = []
        for count in counts:
            records = []
            for _ in range(count):
                record, at = self.read_record(message, at)
                records.append(record)
            sections.append(records)
        self.answers, self.authority, additional = sections
        self.edns_size = next((r[4] for r in additional if r[1] == 41), None)
        self.additional = [r for r in additional if r[1] != 41]

    @staticmethod
    def read_record(message, at):
        name, at = read_name(message, at)
        rtype, rclass, ttl, size = struct.unpack_from(">HHIH", message, at)
        at += 10
        return (name, rtype, ttl, message[at : at + size], rclass), at + size

    def data(self, qtype):
        return sorted(r[3] for r in self.answers if r[1] == TYPES[qtype])

    def addresses(self):
        return [socket.inet_ntoa(data) for data in self.data("A")]


def family_of(server):
    return socket.AF_INET6 if ":" in server[0] else socket.AF_INET


def ask_udp(server, name, qtype, timeout=TIMEOUT, **options):
    """Asks once, and waits for one datagram."""
    with socket.socket(family_of(server), socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sock.connect(server)
        sock.send(query(name, qtype, **options))
        return Answer(sock.recv(65535))


class Stream:
    """A TCP connection that may carry several questions."""

    def __init__(self, server, timeout=TIMEOUT):
        self.sock = socket.socket(family_of(server), socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self.sock.connect(server)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, *messages):
        framed = b"".join(struct.pack(">H", len(message)) + message for message in messages)
        self.sock.sendall(framed)

    def _read(self, size):
        data = b""
        while len(data) < size:
            piece = self.sock.recv(size - len(data))
            if not piece:
                raise ConnectionError("the server closed the connection")
            data += piece
        return data

    def receive(self):
        return Answer(self._read(struct.unpack(">H", self._read(2))[0]))


def ask_tcp(server, name, qtype, **options):
    with Stream(server) as stream:
        stream.send(query(name, qtype, **options))
        return stream.receive()
