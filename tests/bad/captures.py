"""Rows A4 and A9 to A18: whole files. A fault stands behind a canary, and a good file behind it."""
import frames
from frames import block, enhanced, interface, pcap_header, pcap_record, resolution, section, simple
from link import QUESTION_END, message_fate
from rows import MS, START, File, Moves, Story, canary, row

SECONDS = START // 10**9


def pcap_canary(link=1, order="<", nano=False, tail=b""):
    """A client, and the records of its story."""
    client, packets = canary(link)
    unit = 1 if nano else 1000
    return client, b"".join(pcap_record(SECONDS, (i + 1) * MS // unit, packet + tail, order=order)
                            for i, packet in enumerate(packets))


def pcapng_canary(unit=1000, link=1, **more):
    client, packets = canary(link)
    return client, b"".join(enhanced((START + (i + 1) * MS) // unit, packet, **more)
                            for i, packet in enumerate(packets))


@row("A4", "snapshot lengths of 14, 34, 54, 64, 96", "CVE-2025-29915; libpcap's fixes for low ones",
     "decode.truncated, dns.cut: that the capture is short is counted")
def a4():
    for snaplen in (14, 34, 54, 64, 96):
        story, moves, data = Story(), Moves(), pcap_header(snaplen=snaplen)
        query = frames.message([frames.question(frames.dotted("bad.example"))], flags=frames.RD)
        packets = ((story.ask(query), False), (story.respond(story.answer()), True),
                   (story.syn(), None))
        for i, (packet, response) in enumerate(packets):
            frame = frames.ethernet(packet)
            kept = min(snaplen, len(frame))
            data += pcap_record(SECONDS, 1000 * i + 1000, frame[:kept], length=len(frame))
            if kept < (54 if response is None else 42):
                moves["decode.truncated"] += 1
            elif response is None:
                moves.update({"decode.tcp": 1, "connection.attempts": 1, "alert.generated": 1})
            else:
                moves.update(message_fate(kept - 42, QUESTION_END, len(frame) - 42, response))
        if snaplen == 96:  # whole: the answer is one that was asked for
            moves["dns.unasked"] = 0
        yield File(f"snaplen {snaplen}", data, moves=+moves)


@row("A9", "link types that are not read; another link type in the next file",
     "passivedns 89706a7 crashed on what is not Ethernet", "refused at open: status 2, byte 20")
def a9():
    for link in (9999, 105, 127, 147, 189, 195, 249, 253, 65535):
        client, records = pcap_canary()
        yield File(f"link type {link}", pcap_header(link) + records, offset=20,
                   reason=rf"link type {link}\b.* is not read")
    for link in frames.LINKS:
        client, records = pcap_canary(link)
        yield File(f"then link type {link}", pcap_header(link) + records, [client])


@row("A10", "an empty file, a header alone, a header cut at every octet, and what is no capture",
     "a capture without packets is no capture that cannot be read", "status 0 with 0 packets, or 2")
def a10():
    yield File("header alone", pcap_header())
    yield File("section and interface alone", section() + interface())
    yield File("empty", b"", offset=0, reason="empty")
    for size in range(1, 24):
        yield File(f"header of {size}", pcap_header()[:size], offset=0,
                   reason="cut inside the file header")
    for size in range(4, 28):
        yield File(f"section of {size}", section()[:size], offset=0, reason=".")
    for name, data in (("text", b"tcpdump -i eth0 port 53\n" * 9), ("zeros", bytes(4096)),
                       ("0xff", b"\xff" * 4096)):
        yield File(name, data, offset=0, reason="neither pcap nor pcapng")
    for magic in (0xA1B2C3D5, 0x1A2B3C4D):
        yield File(f"magic {magic:#x}", pcap_header(magic=magic) + bytes(100), offset=0,
                   reason="neither pcap nor pcapng")


@row("A11", "the last record, or its header, cut at every octet", "libpcap fails after good ones",
     "the alerts so far, status 2, the place where the cut record begins")
def a11():
    for order in "<>":
        last = pcap_record(SECONDS, 5000, frames.ethernet(Story().syn()), order=order)
        for size in range(1, len(last)):
            client, records = pcap_canary(order=order)
            before = pcap_header(order=order) + records
            yield File(f"{size} of {len(last)}, order {order}", before + last[:size], [client],
                       offset=len(before), reason="truncated")


@row("A12", "captured lengths that nothing holds", "libpcap refuses 0x7fffffff; its d81eb812",
     "as A11")
def a12():
    for captured in (262145, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF):
        for name, rest in (("a frame", frames.ethernet(Story().syn())), ("more", bytes(300000))):
            client, records = pcap_canary()
            before = pcap_header() + records
            yield File(f"{captured:#x}, {name} behind", before + pcap_record(
                SECONDS, 5000, rest, captured=captured), [client], offset=len(before), reason=".")


@row("A13", "a snapshot length of 0, below 0, smaller than the records",
     "libpcap takes 262144 for the first two (dd0edaf7, 24ea8a5f) and clips records to the last",
     "accepted; decode.truncated where it clips a header")
def a13():
    for snaplen in (0, -1, -0x80000000, 1 - 0x80000000, 0x7FFFFFFF, 262144, 262145, 65535):
        client, records = pcap_canary()
        yield File(f"snaplen {snaplen}", pcap_header(snaplen=snaplen) + records, [client])
    for snaplen in (1, 13, 20, 41):
        client, records = pcap_canary()
        yield File(f"snaplen {snaplen}, records of 54 and more", pcap_header(snaplen=snaplen) +
                   records, moves=Moves({"decode.truncated": 3}))


@row("A14", "big endian, nanoseconds, FCS bits in the link field", "what capture cards write",
     "accepted, with the right time")
def a14():
    stamp = "2026-11-24T19:57:03.003Z"
    for order in "<>":
        for nano in (False, True):
            client, records = pcap_canary(order=order, nano=nano)
            yield File(f"order {order}, nanoseconds {nano}", pcap_header(order=order, nano=nano) +
                       records, [client], stamp=stamp)
    for link in (0x44000001, 0x14000001 | 0x04000000, 0x24000001):
        client, records = pcap_canary(tail=b"\xde\xad\xbe\xef")
        yield File(f"link field {link:#x}", pcap_header(link) + records, [client], stamp=stamp)
    # Kuznetsov's variant: 8 octets more in each record's header (interface index, protocol, type).
    client, packets = canary()
    data = pcap_header(magic=0xA1B2CD34)
    for i, packet in enumerate(packets):
        head = pcap_record(SECONDS, 1000 * i + 1000, packet)
        data += head[:16] + bytes(8) + head[16:]
    yield File("Kuznetsov's variant", data, [client], stamp=stamp)


def ng(name, fault, reason=".", sound=b""):
    """A pcapng file with a canary, then something sound, then the fault."""
    client, records = pcapng_canary()
    before = section() + interface() + records + sound
    return File(name, before + fault, [client], offset=len(before), reason=reason)


@row("A15", "pcapng blocks of length 0, below 12, odd, above 16 MiB; trailers that differ; bodies "
     "shorter than their packet", "fq#96 ran in circles; CVE-2019-15165", "as A11")
def a15():
    frame = frames.ethernet(Story().syn())
    for length in (0, 1, 4, 8, 11, 13, 33, 87, 0x01000004, 0x7FFFFFFC, 0xFFFFFFFC, 0xFFFFFFFF):
        yield ng(f"packet block of {length}", enhanced(0, frame, length=length) + bytes(64))
        yield ng(f"unknown block of {length}",
                 block(0x0BAD0BAD, bytes(40), length=length) + bytes(64))
    for trailer in (0, 12, 84, 92, 0xFFFFFFFF):
        yield ng(f"trailer of {trailer}", enhanced(0, frame, trailer=trailer) + bytes(64))
    for captured in (57, 100, 1000, 262145, 0x7FFFFFFF, 0xFFFFFFFF):
        yield ng(f"body of 54, packet of {captured}", enhanced(0, frame, captured=captured))
    for kind in (4, 5, 0x0BAD0BAD):  # libpcap says nothing of these: the place is behind them
        yield ng(f"a sound block of type {kind:#x}, then one of 33",
                 enhanced(0, frame, length=33) + bytes(64), sound=block(kind, bytes(40)))
    yield ng("packet block of 16", block(6, bytes(4)))
    yield ng("simple block of nothing", block(3, b""))
    yield ng("interface block of nothing", block(1, b""))
    for length in (0, 4, 8, 27, 29, 0x01000004):
        yield File(f"section of {length}", section(length=length) + interface() + bytes(64),
                   offset=0, reason=".")
        yield File(f"first interface of {length}", section() + interface(length=length) +
                   bytes(64), offset=28, reason=".")


@row("A16", "a pcapng packet before any interface, or of one that is not there",
     "libpcap refuses both", "as A11")
def a16():
    frame = frames.ethernet(Story().syn())
    yield File("before any interface", section() + enhanced(0, frame) + interface(), offset=28,
               reason=".")
    yield File("simple, before any interface", section() + simple(frame), offset=28, reason=".")
    for number in (1, 2, 0x7FFFFFFF, 0xFFFFFFFF):
        yield ng(f"interface {number} of 1", enhanced(0, frame, interface=number))


@row("A17", "pcapng of two link types, two snapshot lengths, two sections",
     "libpcap gives up on the first two; maltrail's fail_closed.rs; TracePcap#23",
     "all of it is read; frames of a link type that is not are counted")
def a17():
    stamp = "2026-11-24T19:57:03.003Z"
    for link in frames.LINKS:
        for early in (True, False):
            client, records = pcapng_canary()
            other, more = pcapng_canary(link=link, interface=1)
            before, between = (interface(link), b"") if early else (b"", interface(link))
            yield File(f"link types 1 and {link}, known before any packet: {early}", section() +
                       interface() + before + records + between + more, [client, other],
                       stamp=stamp)
    for link in (9999, 105):
        client, records = pcapng_canary()
        other, more = pcapng_canary(interface=1)
        yield File(f"link types 1 and {link}", section() + interface() + interface(link) + records +
                   more, [client], moves=Moves({"decode.other_link": 3}))
        yield File(f"link type {link} alone", section() + interface(link) + records, offset=0,
                   reason=rf"link type {link}\b.* is not read")
    for snaplen in (96, 65535, 0):
        client, records = pcapng_canary()
        other, more = pcapng_canary(interface=1)
        yield File(f"snaplens 262144 and {snaplen}", section() + interface() +
                   interface(1, snaplen) + records + more, [client, other], stamp=stamp)
    for name, link, order in (("of the same kind", 1, "<"), ("of raw IP", 101, "<"),
                              ("big endian", 1, ">"), ("big endian and cooked", 113, ">")):
        client, records = pcapng_canary()
        second, more = pcapng_canary(link=link, order=order)
        yield File(f"two sections, the second {name}", section() + interface() + records +
                   section(order=order) + interface(link, order=order) + more, [client, second],
                   stamp=stamp)
    yield ng("two sections, the second without its interface", enhanced(0, b""),
             sound=section())
    yield ng("a section of version 2", section(version=2), "version 2")


@row("A18", "time resolutions of 2^-127, 2^-63, 10^-9; simple packets without a time; unknown and "
     "cut blocks", "measured with libpcap", "refused or accepted as libpcap does")
def a18():
    stamp = "2026-11-24T19:57:03.003Z"
    for value, unit in ((9, 1), (6, 1000)):
        client, records = pcapng_canary(unit)
        yield File(f"if_tsresol {value}", section() + interface(options=resolution(value)) +
                   records, [client], stamp=stamp)
    for value in (0xFF, 20, 127):
        client, records = pcapng_canary()
        yield File(f"if_tsresol {value:#x}", section() + interface(options=resolution(value)) +
                   records, offset=28, reason="resolution|tsresol")
    client, records = pcapng_canary()
    yield File("unknown blocks", section() + block(0x0BAD0BAD, b"") + interface() +
               block(0x80000001, bytes(400)) + records + block(5, bytes(20)) + block(4, bytes(4)),
               [client])
    client, packets = canary()
    yield File("simple packets", section() + interface() + b"".join(map(simple, packets)), [client])
    last = enhanced(START // 1000 + 9000, frames.ethernet(Story().syn()))
    for size in range(1, len(last)):
        yield ng(f"{size} of {len(last)} octets of a block", last[:size])
    for size in range(1, 16, 3):
        yield ng(f"{size} of 16 octets of an unknown block", block(0x0BAD0BAD, bytes(4))[:size])
