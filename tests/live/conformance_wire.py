# SPDX-License-Identifier: BSD-2-Clause
"""DNS messages byte by byte, right and wrong ones, for the conformance checks."""

import itertools
import struct

import dnswire

A, NS, CNAME, SOA, HINFO, MX, TXT, AAAA, SRV, OPT, RRSIG, ANY = (
    1, 2, 5, 6, 13, 15, 16, 28, 33, 41, 46, 255,
)
UNKNOWN = 65280  # A type, class or option code that nobody has been given.
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
BADVERS = 16
QR, AA, TC, RD, RA, Z, AD, CD = (
    0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0040, 0x0020, 0x0010,
)
DO = 0x8000
COOKIE, KEEPALIVE, PADDING, EDE = 10, 11, 12, 15

# Several workers share the questions by their ids, so that equal ids would all go to one.
_idents = itertools.count(0x1234)


def to_wire(name):
    """A name of text, or of a tuple of labels as bytes, uncompressed."""
    labels = name
    if isinstance(name, str):
        labels = [label.encode("latin-1") for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def question(name, qtype=A, qclass=1):
    wire = name if isinstance(name, bytes) else to_wire(name)
    return wire + struct.pack(">HH", qtype, qclass)


def record(name, rtype, data, ttl=300, rclass=1):
    wire = name if isinstance(name, bytes) else to_wire(name)
    return wire + struct.pack(">HHIH", rtype, rclass, ttl, len(data)) + data


def option(code, data=b""):
    return struct.pack(">HH", code, len(data)) + data


def opt(size=1232, flags=0, version=0, options=b"", extended=0, owner=b"\0"):
    ttl = extended << 24 | version << 16 | flags
    return owner + struct.pack(">HHIH", OPT, size, ttl, len(options)) + options


def soa(zone, ttl=300, minimum=60):
    data = to_wire("ns." + zone) + to_wire("hostmaster." + zone)
    return record(zone, SOA, data + struct.pack(">IIIII", 1, 3600, 600, 86400, minimum), ttl)


def message(flags=RD, questions=(), sections=((), (), ()), ident=None, counts=None):
    """`counts` are what the header claims, when that is not to be the truth."""
    ident = next(_idents) % 65536 if ident is None else ident
    true = (len(questions), *(len(section) for section in sections))
    head = struct.pack(">HHHHHH", ident, flags, *(counts or true))
    return head + b"".join(questions) + b"".join(b"".join(section) for section in sections)


def ask(name, qtype=A, qclass=1, *, flags=RD, edns=None, ident=None):
    """A question as clients send it; `edns` is an OPT record, or several of them."""
    extra = () if edns is None else (edns,) if isinstance(edns, bytes) else edns
    return message(flags, [question(name, qtype, qclass)], ((), (), extra), ident)


class Message:
    """A message taken apart to its last byte; whatever does not add up is an exception."""

    def __init__(self, data):
        self.bytes = data
        self.id, self.flags, *counts = struct.unpack(">HHHHHH", data[:12])
        self.counts = counts
        at = 12
        self.questions = []
        for _ in range(counts[0]):
            start = at
            _, at = dnswire.read_name(data, at)
            self.questions.append(data[start : at + 4])
            at += 4
        sections = []
        for count in counts[1:]:
            records = []
            for _ in range(count):
                found, at = dnswire.Answer.read_record(data, at)
                records.append(found + (at - len(found[3]),))  # Where its data begins.
            sections.append(records)
        if at != len(data):
            raise ValueError(f"{len(data) - at} bytes behind the last record")
        self.answers, self.authority, self.additional = sections
        self.opts = [r for r in self.additional if r[1] == OPT]

    @property
    def opcode(self):
        return self.flags >> 11 & 15

    @property
    def rcode(self):
        return self.flags & 15 | (self.opts[0][2] >> 24 << 4 if self.opts else 0)

    @property
    def options(self):
        """Code and data of each option."""
        found, data = [], self.opts[0][3] if self.opts else b""
        while data:
            code, size = struct.unpack_from(">HH", data)
            if size > len(data) - 4:
                raise ValueError("an option is longer than its record")
            found.append((code, data[4 : 4 + size]))
            data = data[4 + size :]
        return found

    def option(self, wanted):
        return next((data for code, data in self.options if code == wanted), None)

    def data(self, rtype):
        return sorted(r[3] for r in self.answers if r[1] == rtype)

    def ttls(self, rtype):
        return [r[2] for r in self.answers + self.authority if r[1] == rtype]

    def expanded(self, number, shape):
        """An answer's data with its names written out in small letters; None stands for a name in
        `shape`, octets for as many of them."""
        at, data = self.answers[number][5], b""
        for piece in shape:
            if piece is None:
                name, at = dnswire.read_name(self.bytes, at)
                data += to_wire(name.lower())
            else:
                data += self.bytes[at : at + len(piece)]
                at += len(piece)
        expected = self.answers[number][5] + len(self.answers[number][3])
        return data.lower() if at == expected else None

    def types(self):
        return sorted(r[1] for r in self.answers)
