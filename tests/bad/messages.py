"""Rows H1 to H14: the DNS message. In every story the client then sends its SYN: what the verdict
says of it is whether the address was learned.
"""
import socket
import struct

import frames
from frames import (A, AAAA, CNAME, DNAME, HTTPS, LOC, NSEC, OPT, QR, RA, RD, TXT, dotted, ethernet,
                    message, pointer, question, record)
from network import BAD_QUESTION, BAD_RECORD, DNS_SHORT
from rows import (ALERTED, LEARNED, QUERY, UNASKED, UNLEARNED, Input, Moves, Record, Story, row)

HERE = pointer(12)  # the question's name
NAME = dotted("bad.example")
ASKED = question(NAME)
ANSWERS = 12 + len(ASKED)  # where the answer section begins
OTHER_OPCODE = Moves({"decode.udp": 1, "dns.messages": 1, "dns.other_opcode": 1})
WRONG_WAY = Moves({"decode.udp": 1, "dns.messages": 1, "dns.wrong_way": 1})
SKIPPED = Moves({"dns.skipped": 1})


def ip_text(address):
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)


def escaped(*labels):
    """A name as documents write it: 0x21 to 0x7e but '.' and '\\' as they are, else \\DDD."""
    def octet(o):
        return chr(o) if 0x21 <= o <= 0x7E and o not in b".\\" else "\\%03d" % o
    return ".".join("".join(map(octet, label)) for label in labels) or "."


def story_of(name, story, packets, moves, **more):
    return Input(name, [Record(ethernet(packet)) for packet in packets], moves,
                 client=story.client, **more)


def good(name, make, moves=UNASKED, **more):
    """The story's address is learned from the message that `make` writes."""
    story = Story()
    answers = more.get("answers")
    if callable(answers):
        more["answers"] = answers(story)
    return story_of(name, story, (story.respond(make(story)), story.syn()), moves + ALERTED,
                    alert="dns_confirmed", asked=False, **more)


def none(name, make, moves, **more):
    """It is not learned."""
    story = Story()
    return story_of(name, story, (story.respond(make(story)), story.syn()), moves + ALERTED,
                    alert="port_only", **more)


def shown(owner="bad.example", ttl=300):
    """What the DNS document says of a single A record."""
    return lambda story: [(owner, "A", ttl, ip_text(story.given))]


@row("H1", "0 to 11 octets; the wrong direction; opcodes 1 to 15; TC; rcodes; the Z bit",
     "Zeek DNS_truncated_len_lt_hdr_len; suricata's DNS events",
     "dns.short, dns.wrong_way, dns.other_opcode; addresses count whatever TC, rcode and Z say")
def h1():
    for size in range(12):
        yield none(f"{size} octets", lambda s, size=size: s.answer()[:size], DNS_SHORT)
    for opcode in range(1, 16):
        yield none(f"opcode {opcode}", lambda s, o=opcode: message(
            [ASKED], [s.record()], flags=QR | o << 11), OTHER_OPCODE)
    yield none("QR 0 from port 53", lambda s: message([ASKED], [s.record()], flags=RD), WRONG_WAY)
    story = Story()
    yield story_of("QR 1 to port 53", story,
                   (story.respond(story.answer(), 40000, 53), story.syn()), WRONG_WAY + ALERTED,
                   alert="port_only")
    story = Story()
    yield story_of("between two ports 53", story,
                   (story.ask(message([ASKED], flags=RD), 53, 53),
                    story.respond(story.answer(), 53, 53), story.syn()), QUERY + LEARNED + ALERTED,
                   alert="dns_confirmed", asked=True)
    for rcode in range(16):
        yield good(f"rcode {rcode}", lambda s, r=rcode: message(
            [ASKED], [s.record()], flags=QR | RD | RA | r), answers=shown())
    for flag in (0x0200, 0x0040, 0x0400, 0x0020, 0x0010, 0x07F0):
        yield good(f"flags {flag:#06x}", lambda s, f=flag: message(
            [ASKED], [s.record()], flags=QR | f), answers=shown())


@row("H2", "counts of 0, 1 and 65535 with less data; no question, or two",
     "RFC 9267 section 6; Zeek DNS_Conn_count_too_large",
     "dns.bad_question, dns.bad_record; records before the end count, other sections are not read")
def h2():
    for count in (2, 3, 65535):
        yield none(f"{count} questions claimed", lambda s, c=count: message(
            [ASKED], counts=(c, 0, 0, 0)), BAD_QUESTION)
        yield good(f"{count} answers claimed", lambda s, c=count: message(
            [ASKED], [s.record()], counts=(1, c, 0, 0)), UNASKED + BAD_RECORD, answers=shown())
        for place in (2, 3):
            counts = [1, 1, 0, 0]
            counts[place] = count
            yield good(f"{count} in section {place} claimed", lambda s, c=tuple(counts): message(
                [ASKED], [s.record()], counts=c), answers=shown())
    yield none("all 65535, 12 octets", lambda s: message(counts=(65535,) * 4), BAD_QUESTION)
    yield none("all 0, 12 octets", lambda s: message(), UNLEARNED)
    yield none("no answer claimed", lambda s: message([ASKED], [s.record()], counts=(1, 0, 0, 0)),
               UNLEARNED)
    yield none("1 answer claimed, none there", lambda s: message([ASKED], counts=(1, 1, 0, 0)),
               UNLEARNED + BAD_RECORD)
    yield good("no question", lambda s: message([], [s.record(NAME)]), answers=shown())
    yield good("two questions", lambda s: message([ASKED, question(dotted("two.example"))],
                                                  [s.record()]), answers=shown(),
               question="bad.example")
    yield none("the question taken for an answer", lambda s: message(
        [ASKED], [s.record(NAME)], counts=(0, 2, 0, 0)), UNLEARNED + BAD_RECORD)


def in_all_places(name, wire_at):
    """A name that cannot be read as the question, an owner, and a CNAME's target.

    `wire_at` makes its octets for the offset at which it will stand.
    """
    yield none(f"{name}: question", lambda s: message(
        [question(wire_at(12))], [s.record(NAME)]), BAD_QUESTION)
    yield good(f"{name}: second owner", lambda s: message(
        [ASKED], [s.record(), s.record(wire_at(ANSWERS + 16))]), UNASKED + BAD_RECORD)
    yield none(f"{name}: first owner", lambda s: message(
        [ASKED], [s.record(wire_at(ANSWERS))]), UNLEARNED + BAD_RECORD)
    yield good(f"{name}: target behind an address", lambda s: message(
        [ASKED], [s.record(), record(HERE, CNAME, wire_at(ANSWERS + 16 + 12))]),
        UNASKED + BAD_RECORD)


@row("H3", "a pointer to itself; circles of two and three", "Wireshark CVE-2017-9345; haproxy "
     "CVE-2018-20103", "dns.bad_question, dns.bad_record, in bounded time")
def h3():
    yield from in_all_places("itself", pointer)
    yield from in_all_places("a label, then itself", lambda at: b"\1a" + pointer(at))
    yield from in_all_places("a label, then its pointer", lambda at: b"\1a" + pointer(at + 2))
    # The later of the two is read first: it leads back, and from there forwards.
    yield good("circle of two", lambda s: message(
        [ASKED], [s.record(), record(HERE, TXT, pointer(ANSWERS + 16 + 12 + 2)),
                  s.record(pointer(ANSWERS + 16 + 12))]), UNASKED + BAD_RECORD)
    txt = ANSWERS + 16 + 12
    yield good("circle of three", lambda s: message(
        [ASKED], [s.record(), record(HERE, TXT, pointer(txt + 2) + pointer(txt + 4) + pointer(txt)),
                  s.record(pointer(txt + 4))]), UNASKED + BAD_RECORD)


@row("H4", "pointers forward, past the message, into the header, into a label, to their own "
     "record; one octet of a pointer; all its high bits",
     "tcpdump CVE-2017-12995; Zeek DNS_label_forward_compress_offset; RFC 9267 section 2",
     "strictly backwards only (lib/wire/dns.h), wherever that leads")
def h4():
    yield from in_all_places("forward by 1", lambda at: pointer(at + 1))
    yield from in_all_places("forward by 2", lambda at: pointer(at + 2))
    yield from in_all_places("past the message", lambda at: pointer(0x3FFF))
    for target in (0x100, 0x1FFF, 0x2000, 0x3E00):
        yield from in_all_places(f"to {target:#x}", lambda at, t=target: pointer(t))
    yield good("into the header, where a zero stands", lambda s: message(
        [ASKED], [s.record(pointer(4))]), answers=shown("."))
    # Offset 5 holds the count of questions, 1: a label of one octet, the next count's high zero,
    # then that of answers, 1, and its label; then two zeros.
    yield good("into the header, where counts are labels", lambda s: message(
        [ASKED], [s.record(pointer(5))]), answers=shown("\\000.\\000"))
    inner = frames.name(b"x\3abc\0y")
    yield good("into the middle of a label", lambda s: message(
        [question(inner)], [s.record(pointer(14))]), answers=shown("abc"),
        question="x\\003abc\\000y")
    yield good("to its own record's TTL", lambda s: message(
        [ASKED], [s.record(), s.record(pointer(ANSWERS + 16 + 6))]), UNASKED + BAD_RECORD)
    yield none("one octet of a pointer: question", lambda s: message(
        [b"\xc0"], counts=(1, 0, 0, 0)), BAD_QUESTION)
    yield good("one octet of a pointer: owner", lambda s: message(
        [ASKED], [s.record(), b"\xc0"]), UNASKED + BAD_RECORD)
    yield good("one octet of a pointer: target", lambda s: message(
        [ASKED], [s.record(), record(HERE, CNAME, b"\xc0")]), UNASKED + BAD_RECORD)
    # A pointer has 14 bits: one to 0x0123 and one to 0x2345, to a name within a TXT record.
    for offset in (0x0123, 0x2345, 0x3FF0):
        size = offset - ANSWERS - 12
        yield good(f"to {offset:#x}, where a name is", lambda s, n=size, o=offset: message(
            [ASKED], [record(HERE, TXT, bytes(n) + dotted("far.example")), s.record(pointer(o))]))


def jumps(count):
    """A TXT record's data: a name, then pointers each to the one before; offsets of the last."""
    start = ANSWERS + 12
    wire = dotted("end.example")
    places = [start]
    for _ in range(count - 1):
        places.append(start + len(wire))
        wire += pointer(places[-2])
    return wire, places[-1]


@row("H5", "chains of 2, 20, 127, 128 and 1000 pointers", "Zeek allows 20 (94ddba27), suricata 255",
     "up to 127 (a name has no more labels), then dns.bad_record")
def h5():
    for count in (1, 2, 20, 126, 127, 128, 129, 255, 1000):
        wire, last = jumps(count)
        make = (lambda s, w=wire, o=last: message([ASKED], [record(HERE, TXT, w),
                                                            s.record(pointer(o))]))
        if count <= 127:
            yield good(f"{count} pointers", make, answers=lambda s: [
                ("bad.example", "TXT", 300, None), ("end.example", "A", 300, ip_text(s.given))])
        else:
            yield none(f"{count} pointers", make, UNLEARNED + BAD_RECORD)


@row("H6", "labels of 63 and 64 octets; names of 254 to 257; 127 and 128 labels; the root; no end",
     "RFC 9267 sections 3 and 4; suricata keeps 1025 octets; Wallbleed",
     "255 octets and no more; 0x40 and 0x80 are no label")
def h6():
    def learned(name, *labels):
        wire = frames.name(*labels)
        return good(name, lambda s: message([question(wire)], [s.record()]),
                    answers=shown(escaped(*labels)), question=escaped(*labels))

    yield learned("label of 63", b"a" * 63, b"example")
    yield learned("the root")
    for size in (253, 254, 255):
        yield learned(f"name of {size}", *[b"b" * 63] * 3, b"c" * (size - 3 * 64 - 2))
    yield learned("127 labels", *[b"d"] * 127)
    for kind in (0x40, 0x41, 0x7F, 0x80, 0xBF):
        yield from in_all_places(f"length {kind:#x}",
                                 lambda at, k=kind: bytes([k]) + b"a" * 62 + b"\0")
    for labels in ([b"b" * 63] * 3 + [b"c" * 62], [b"d"] * 128, [b"b" * 63] * 5):
        wire = frames.name(*labels)
        yield none(f"name of {len(wire)}", lambda s, w=wire: message(
            [question(w)], [s.record(NAME)]), BAD_QUESTION)
        yield none(f"owner of {len(wire)}", lambda s, w=wire: message(
            [ASKED], [s.record(w)]), UNLEARNED + BAD_RECORD)
    # Four labels of 50 octets, one of 42 or 43, and 13 more through a pointer.
    labels = (b"\x31" + b"f" * 49) * 4
    yield good("255 octets through a pointer", lambda s: message(
        [ASKED], [s.record(labels + b"\x29" + b"g" * 41 + HERE)]), answers=shown(
            ".".join(["f" * 49] * 4 + ["g" * 41, "bad.example"])))
    yield none("256 octets through a pointer", lambda s: message(
        [ASKED], [s.record(labels + b"\x2a" + b"g" * 42 + HERE)]), UNLEARNED + BAD_RECORD)
    for tail in (b"", b"\1", b"\3ab", b"\x3f" + b"a" * 62, b"\3bad", b"\3bad\7example"):
        yield none(f"no end after {len(tail)} octets: question", lambda s, t=tail: message(
            [t], counts=(1, 0, 0, 0)), BAD_QUESTION)
        yield good(f"no end after {len(tail)} octets: owner", lambda s, t=tail: message(
            [ASKED], [s.record(), t], counts=(1, 2, 0, 0)), UNASKED + BAD_RECORD)


@row("H7", "every octet in a label; quotes, backslashes, dots, invalid UTF-8, U+2028",
     "CVE-2024-55628, invalid JSON; passivedns 96817b5", "valid JSON, one line, nothing lost")
def h7():
    labels = [[bytes([octet])] for octet in range(256)]
    labels += [[bytes(range(start, start + 32)), b"example"] for start in range(0, 256, 32)]
    labels += [[text.encode(), b"x"]
               for text in ("\u2028", "\u2029", "\ufeff", "\U0001f600", "\u00e9")]
    labels += [[b"\xff\xfe"], [b"\xc3\x28"], [b"\xed\xa0\x80"], [b"\xf4\x90\x80\x80"],
               [b"\xc0\xaf"], [b'","x":"'], [b"\\u0000"], [b"\\000"], [b"\\", b"."],
               [b"a.b", b"c"], [b"\n{}"],
               [b"</script>"], [b"%s%n"], [b"\x1b[2J"], [b"\0" * 63, b"\xff" * 63, b'"' * 63],
               [b"\\" * 63] * 3, [b"UPPER", b"lower"]]
    for parts in labels:
        wire, text = frames.name(*parts), escaped(*parts)
        yield good(f"{text[:40]}", lambda s, w=wire: message([question(w)], [s.record()]),
                   answers=shown(text), question=text)
    text = escaped(b'\0"\\', b"\n")
    wire = frames.name(b'\0"\\', b"\n")
    yield good("through a CNAME", lambda s: message(
        [ASKED], [record(HERE, CNAME, wire), s.record(pointer(ANSWERS + 12))]),
        answers=lambda s: [("bad.example", "CNAME", 300, text),
                           (text, "A", 300, ip_text(s.given))])


@row("H8", "A of 0, 1, 3, 5, AAAA of 0, 15, 17 octets", "suricata 20990f7a read 4 or 16 anyway",
     "dns.skipped, and the records around it count")
def h8():
    for kind, sizes in ((A, (0, 1, 2, 3, 5, 8, 16)), (AAAA, (0, 1, 4, 15, 17, 32))):
        for size in sizes:
            yield good(f"type {kind} of {size}", lambda s, k=kind, n=size: message(
                [ASKED], [record(HERE, k, b"\x64" * n), s.record()]), UNASKED + SKIPPED)
            yield good(f"type {kind} of {size} behind", lambda s, k=kind, n=size: message(
                [ASKED], [s.record(), record(HERE, k, b"\x64" * n)]), UNASKED + SKIPPED)
            yield none(f"type {kind} of {size} alone", lambda s, k=kind, n=size: message(
                [ASKED], [record(HERE, k, (s.given * 8)[:n])]), UNLEARNED + SKIPPED)


@row("H9", "RDLENGTH past the end, 0x8000 and more; shorter or longer than the name in it",
     "haproxy bc552102, a length of 16 bits with a sign; Zeek DNS_RR_length_mismatch",
     "dns.bad_record; what stood before it counts")
def h9():
    for kind in (A, AAAA, CNAME, TXT, OPT, 65280):
        for length in (5 if kind == A else 17, 100, 0x7FFF, 0x8000, 0x8001, 0xFFFE, 0xFFFF):
            yield good(f"type {kind} says {length}", lambda s, k=kind, n=length: message(
                [ASKED], [s.record(), record(HERE, k, b"\1a\0\0", length=n)]), UNASKED + BAD_RECORD)
    target = dotted("www.target.example")
    for length in (0, 1, 3, len(target) - 1, len(target) + 1, len(target) + 7):
        yield good(f"CNAME of {len(target)} says {length}", lambda s, n=length: message(
            [ASKED], [s.record(), record(HERE, CNAME, target + bytes(7), length=n)],
            ), UNASKED + BAD_RECORD)


@row("H10", "TXT, SVCB, HTTPS, LOC and NSEC whose insides lie",
     "suricata 731d4a70; Zeek 09a12848, 5660488e; systemd-resolved CVE-2017-15908 ran in circles",
     "stepped over, a wrong hint is dns.skipped; addresses around them count, sound hints too")
def h10():
    lies = {"TXT string past its end": (TXT, b"\xffabc"), "TXT of nothing": (TXT, b""),
            "TXT of empty strings": (TXT, bytes(500)),
            "HTTPS ipv4hint of 3": (HTTPS, b"\0\1\0\0\4\0\3\1\2\3"),
            "HTTPS key past its end": (HTTPS, b"\0\1\0\0\4\xff\xff\1"),
            "HTTPS target is a circle": (HTTPS, b"\0\1" + pointer(ANSWERS + 16 + 14)),
            "SVCB of one octet": (64, b"\0"), "LOC short": (LOC, b"\0" * 15), "LOC version 9": (
                LOC, b"\x09" * 16), "NSEC without bitmap": (NSEC, b"\0"),
            "NSEC window of 0": (NSEC, b"\0\0\0\0\0"), "NSEC window of 255": (NSEC, b"\0\0\xff\1"),
            "NSEC name in circles": (NSEC, pointer(ANSWERS + 16 + 12)),
            "NS name in circles": (frames.NS, pointer(ANSWERS + 16 + 12)),
            "SOA of nothing": (6, b""), "MX of one": (15, b"\0"), "SRV short": (33, b"\0" * 5),
            "DNAME in circles": (DNAME, pointer(ANSWERS + 16 + 12))}
    for name, (kind, data) in lies.items():
        other = bytes([192, 0, 2, 1])
        skipped = Moves({"dns.skipped": int(kind in (HTTPS, 64))})  # their hints are read
        yield good(name, lambda s, k=kind, d=data: message(
            [ASKED], [record(HERE, A, other), record(HERE, k, d), s.record()]),
            UNASKED + Moves({"dns.answers": 1}) + skipped)
    for kind in (HTTPS, 64):
        asked = frames.question(NAME, kind)
        for name, target in (("its own name", b"\0"), ("another name", dotted("cdn.example"))):
            yield good(f"type {kind}, hint for {name}",
                       lambda s, k=kind, t=target, q=asked: message([q], [record(
                           HERE, k, b"\0\1" + t + b"\0\1\0\3\2h2\0\4\0\4" + s.given +
                           b"\0\6\0\x10" + bytes(15) + b"\1")]),
                       UNASKED + Moves({"dns.answers": 1}))
        yield none(f"type {kind}, an alias", lambda s, k=kind, q=asked: message(
            [q], [record(HERE, k, b"\0\0\0\0\4\0\4" + s.given)]), UNLEARNED)
        yield none(f"type {kind}, class CH", lambda s, k=kind, q=asked: message(
            [q], [record(HERE, k, b"\0\1\0\0\4\0\4" + s.given, group=3)]), UNLEARNED)


@row("H11", "OPT: an option past its record, 10 000 empty ones, a bad client subnet, two of them",
     "Zeek fd01b080, 9964a464 (hung); Unbound CVE-2026-41292",
     "OPT is not read, in the answer section no more than in the additional one")
def h11():
    def opt(data, **more):
        return record(b"\0", OPT, data, ttl=0, group=1232, **more)
    for name, options in (("past its record", b"\0\x08\xff\xff\0"), ("one octet", b"\0"),
                          ("10 000 empty ones", bytes(40000)),
                          ("bad client subnet", b"\0\x08\0\x05\0\7\xff\xff\1"),
                          ("an option of 0xffff", b"\xff\xff\xff\xff")):
        yield good(f"{name}, additional", lambda s, o=options: message(
            [ASKED], [s.record()], more=opt(o), counts=(1, 1, 0, 1)))
        yield good(f"{name}, answer section", lambda s, o=options: message(
            [ASKED], [opt(o), s.record()]))
    yield good("two", lambda s: message(
        [ASKED], [s.record()], more=opt(b"") * 2, counts=(1, 1, 0, 2)))
    yield good("RDLENGTH past the end", lambda s: message(
        [ASKED], [s.record()], more=opt(b"", length=0xFFFF), counts=(1, 1, 0, 1)))


LARGEST = 65535 - 20 - 8


def costly(start):
    """126 names at `start`, each a label and a pointer to the one before; where they begin."""
    wire, places = b"\0", [start]
    for _ in range(126):
        places.append(start + len(wire))
        wire += b"\1g" + pointer(places[-2])
    return wire, places


@row("H12", "64 KiB with 4 000 A records; with 3 900 names of the costliest compression",
     "Unbound CVE-2024-8508, CVE-2026-44390; Ruby resolv CVE-2025-24294; suricata #7280 quadratic",
     "every address is learned, in bounded time")
def h12():
    def numbered(owner, count):
        return [record(owner(i), A, struct.pack(">I", 0xC6120000 + i)) for i in range(count)]

    for count in (3999, (LARGEST - ANSWERS) // 16 - 1):
        yield good(f"{count + 1} addresses", lambda s, n=count: message(
            [ASKED], [s.record(), *numbered(lambda i: HERE, n)]),
            UNASKED + Moves({"dns.answers": count}))
    wire, places = costly(ANSWERS + 16 + 12)
    for name, count, owner in (
            ("the same chain", 3900, lambda i: pointer(places[126])),
            ("chains of their own", 3900, lambda i: pointer(places[126 - i % 126])),
            ("a label and a chain", 3400,
             lambda i: bytes([1, 97 + i % 26]) + pointer(places[125 - i // 26 % 125]))):
        for i in range(20):
            yield good(f"{name}, message {i}", lambda s, n=count, o=owner: message(
                [ASKED], [s.record(), record(HERE, TXT, wire), *numbered(o, n)]),
                UNASKED + Moves({"dns.answers": count}))


@row("H13", "sizes that allocators round badly", "systemd-resolved CVE-2017-9445, at 4016 octets",
     "nothing is sized by the message")
def h13():
    sizes = [*range(505, 520), *range(1225, 1240), *range(4000, 4110), *range(8185, 8200),
             *range(16370, 16390), 32767, 32768, LARGEST - 1, LARGEST]
    for size in sizes:
        fill = size - ANSWERS - 16 - 12
        yield good(f"{size} octets", lambda s, n=fill: message(
            [ASKED], [record(HERE, TXT, bytes(n)), s.record()]))


@row("H14", "other classes; TTLs of 0, 2^31, 2^32 - 1; owners that nobody asked for; circles and "
     "the wrong order of CNAME records; DNAME", "slips#842",
     "dns.skipped for a class; the TTL as it stood; every address counts under its owner")
def h14():
    for group in (0, 2, 3, 4, 254, 255, 0x8001, 65535):
        yield none(f"class {group}", lambda s, g=group: message([ASKED], [s.record(group=g)]),
                   UNLEARNED + SKIPPED)
    for ttl in (0, 1, 2**31 - 1, 2**31, 2**32 - 1):
        yield good(f"TTL {ttl}", lambda s, t=ttl: message([ASKED], [s.record(ttl=t)]),
                   answers=shown(ttl=ttl))
    other = dotted("other.example")
    yield good("another owner", lambda s: message([ASKED], [s.record(other)]),
               answers=shown("other.example"))
    loops = {"circle of one": [record(HERE, CNAME, HERE)],
             "circle of two": [record(HERE, CNAME, other), record(other, CNAME, NAME)],
             "circle of three": [record(HERE, CNAME, other), record(other, CNAME, dotted("c.x")),
                                 record(dotted("c.x"), CNAME, NAME)],
             "two targets": [record(HERE, CNAME, other), record(HERE, CNAME, dotted("c.x"))],
             "DNAME": [record(dotted("example"), DNAME, dotted("x")),
                       record(HERE, CNAME, dotted("bad.x"))]}
    for name, records in loops.items():
        for owner in (NAME, other, dotted("none.example")):
            yield good(f"{name}, then its address", lambda s, r=records, o=owner: message(
                [ASKED], [*r, s.record(o)]))
            yield good(f"{name}, its address first", lambda s, r=records, o=owner: message(
                [ASKED], [s.record(o), *r]))
    yield good("address before its CNAME", lambda s: message(
        [ASKED], [s.record(other), record(HERE, CNAME, other)]), answers=lambda s: [
            ("other.example", "A", 300, ip_text(s.given)),
            ("bad.example", "CNAME", 300, "other.example")])
