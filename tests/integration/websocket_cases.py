"""WebSocket as a table: what a client sends after the handshake, numbered as the Autobahn test suite numbers its cases.
What must come of it is asked of wsproto (`judge`), which also makes the frames that are sound."""

import dataclasses
import struct

from wsproto.frame_protocol import CloseReason, FrameProtocol, Opcode, ParseFailed

TEXT, BINARY, MORE, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
HELLO = "Hello-µ@ßöäüàá-UTF-8!!".encode()


def frame(opcode, payload=b"", is_last=True, reserved=0):
    """As it is written, whether it may be or not; its mask of zeros leaves the payload as it is."""
    size = len(payload)
    head = bytes([(0x80 if is_last else 0) | reserved << 4 | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65536:
        head += struct.pack(">BH", 0x80 | 126, size)
    else:
        head += struct.pack(">BQ", 0x80 | 127, size)
    return head + bytes(4) + payload


def sound(*parts):
    """Text, in so many frames, by wsproto: with a mask of its own."""
    maker = FrameProtocol(client=True, extensions=[])
    return b"".join(maker.send_data(part.decode("utf-8"), fin=at == len(parts) - 1) for at, part in enumerate(parts))


def pieces(message, size, opcode=TEXT):
    """The message in frames of at most `size` bytes."""
    parts = [message[at:at + size] for at in range(0, len(message), size)] or [b""]
    return b"".join(frame(opcode if at == 0 else MORE, part, at == len(parts) - 1) for at, part in enumerate(parts))


def close(code=1000, reason=b""):
    return frame(CLOSE, struct.pack(">H", code) + reason)


@dataclasses.dataclass
class Case:
    name: str
    data: bytes
    chop: int = 0           # Bytes of one write; all at once.
    is_large: bool = False  # Its messages are of `large()`, for a place that takes as much.


def large(size):
    """A message of just so many bytes, that WAMP takes and answers."""
    head, tail = b'[16,1,{"acknowledge":true},"cases.large",["', b'"]]'
    return head + b"x" * (size - len(head) - len(tail)) + tail


def sizes():
    for opcode, family in ((TEXT, "1.1"), (BINARY, "1.2")):
        for number, size in enumerate((0, 125, 126, 127, 128), 1):
            yield Case(f"{family}.{number}", frame(opcode, b"*" * size))
        for number, size, chop in ((6, 65535, 0), (7, 65536, 0), (8, 65536, 997)):
            yield Case(f"{family}.{number}", frame(opcode, large(size)), chop, is_large=True)


def pings():
    yield Case("2.1", frame(PING))
    yield Case("2.2", frame(PING, b"Hello, world!"))
    yield Case("2.3", frame(PING, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"))
    yield Case("2.4", frame(PING, b"\xfe" * 125))
    yield Case("2.5", frame(PING, b"\xfe" * 126))
    yield Case("2.6", frame(PING, b"\xfe" * 125), chop=1)
    yield Case("2.7", frame(PONG))
    yield Case("2.8", frame(PONG, b"unsolicited"))
    yield Case("2.9", frame(PONG, b"unsolicited") + frame(PING, b"ping"))
    yield Case("2.10", b"".join(frame(PING, b"payload-%d" % n) for n in range(10)))
    yield Case("2.11", b"".join(frame(PING, b"payload-%d" % n) for n in range(10)), chop=1)


def reserved():
    hello = frame(TEXT, b"Hello, world!")
    yield Case("3.1", frame(TEXT, b"Hello, world!", reserved=1))
    yield Case("3.2", hello + frame(TEXT, b"Hello, world!", reserved=2) + frame(PING))
    yield Case("3.3", hello + frame(TEXT, b"Hello, world!", reserved=3) + frame(PING))
    yield Case("3.4", hello + frame(TEXT, b"Hello, world!", reserved=4) + frame(PING), chop=1)
    yield Case("3.5", frame(BINARY, b"\x00\xff\xfe\xfd", reserved=5))
    yield Case("3.6", frame(PING, b"Hello, world!", reserved=6))
    yield Case("3.7", frame(CLOSE, reserved=7))
    for family, first in (("4.1", 3), ("4.2", 11)):
        yield Case(f"{family}.1", frame(first))
        yield Case(f"{family}.2", frame(first + 1, b"reserved"))
        for number in (3, 4, 5):
            yield Case(f"{family}.{number}", hello + frame(first + number - 1, b"reserved" if number > 3 else b"") + frame(PING),
                       chop=number == 5)


def fragments():
    one, two = b"fragment1", b"fragment2"
    begin, end = frame(TEXT, one, False), frame(MORE, two)
    yield Case("5.1", frame(PING, one, False) + frame(MORE, two))
    yield Case("5.2", frame(PONG, one, False) + frame(MORE, two))
    yield Case("5.3", begin + end)
    yield Case("5.4", begin + end, chop=7)
    yield Case("5.5", begin + end, chop=1)
    for number, chop in ((6, 0), (7, 7), (8, 1)):
        yield Case(f"5.{number}", begin + frame(PING, b"ping") + end, chop)
    for number, chop in ((9, 0), (10, 7), (11, 1)):
        yield Case(f"5.{number}", frame(MORE, b"non-continuation") + frame(TEXT, b"Hello"), chop)
    for number, chop in ((12, 0), (13, 7), (14, 1)):
        yield Case(f"5.{number}", frame(MORE, b"non-continuation", False) + frame(TEXT, b"Hello"), chop)
    yield Case("5.15", begin + end + frame(MORE, b"fragment3", False) + frame(TEXT, b"fragment4"))
    yield Case("5.16", (frame(MORE, one, False) + frame(TEXT, two, False) + frame(MORE, b"fragment3")) * 2)
    yield Case("5.17", (frame(MORE, one) + frame(TEXT, two, False) + frame(MORE, b"fragment3")) * 2)
    yield Case("5.18", begin + frame(TEXT, two))
    middle = (frame(MORE, b"fragment2", False) + frame(PING, b"ping1") + frame(MORE, b"fragment3", False)
              + frame(MORE, b"fragment4", False) + frame(PING, b"ping2") + frame(MORE, b"fragment5"))
    yield Case("5.19", begin + middle)
    yield Case("5.20", begin + middle, chop=3)


# What a text may be, and may not: which is which says Python's decoder (and wsproto).
SEQUENCES = {
    "6.5": [b"Hello-\xc2\xb5@\xc3\x9f\xc3\xb6", b"\xce\xba", b"\xe1\xbd\xb9", "κόσμε".encode(), "𐍈日本".encode()],
    "6.6": [b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"[:size] for size in range(1, 12)],
    "6.7": [b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"],
    "6.8": [b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"],
    "6.9": [b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"],
    "6.10": [b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"],
    "6.11": [b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80"],
    "6.12": [b"\x80", b"\xbf", *((b"\x80\xbf" * 4)[:size] for size in range(2, 7)), bytes(range(0x80, 0xc0))],
    "6.13": [b" ".join(bytes([byte]) for byte in lead) + b" "
             for lead in (range(0xc0, 0xe0), range(0xe0, 0xf0), range(0xf0, 0xf8), range(0xf8, 0xfc), range(0xfc, 0xfe))],
    "6.14": [b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xf8\x80\x80\x80", b"\xfc\x80\x80\x80\x80",
             b"\xdf", b"\xef\xbf", b"\xf7\xbf\xbf", b"\xfb\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf"],
    "6.15": [b"\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80\xfc\x80\x80\x80\x80\xdf\xef\xbf\xf7\xbf\xbf"],
    "6.16": [b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"],
    "6.17": [b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf", b"\xfc\x80\x80\x80\x80\xaf"],
    "6.18": [b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf8\x87\xbf\xbf\xbf", b"\xfc\x83\xbf\xbf\xbf\xbf"],
    "6.19": [b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf8\x80\x80\x80\x80", b"\xfc\x80\x80\x80\x80\x80"],
    "6.20": [b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf", b"\xed\xb0\x80", b"\xed\xbe\x80", b"\xed\xbf\xbf"],
    "6.21": [high + low for high in (b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf")
             for low in (b"\xed\xb0\x80", b"\xed\xbf\xbf")],
    "6.22": [chr(plane << 16 | 0xfffe | last).encode() for plane in range(17) for last in (0, 1)],
    "6.23": [chr(code).encode() for code in (0xfff9, 0xfffa, 0xfffb, 0xfffc, 0xfffd, 0xfeff, 0x2028)],
}


def texts():
    yield Case("6.1.1", frame(TEXT))
    yield Case("6.1.2", frame(TEXT, is_last=False) + frame(MORE, is_last=False) + frame(MORE))
    yield Case("6.1.3", frame(TEXT, is_last=False) + frame(MORE, b"middle", False) + frame(MORE))
    yield Case("6.2.1", sound(HELLO))
    yield Case("6.2.2", frame(TEXT, HELLO[:12], False) + frame(MORE, HELLO[12:]))  # Between two characters.
    yield Case("6.2.3", pieces(HELLO, 1))
    yield Case("6.2.4", pieces(b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", 1))
    bad = HELLO + b"\xed\xa0\x80" + b"edited"
    yield Case("6.3.1", frame(TEXT, bad))
    yield Case("6.3.2", pieces(bad, 1))
    good, worse, rest = "κόσμε".encode(), b"\xf4\x90\x80\x80", b"edited"
    yield Case("6.4.1", frame(TEXT, good, False) + frame(MORE, worse, False) + frame(MORE, rest))
    yield Case("6.4.2", frame(TEXT, good + worse[:1], False) + frame(MORE, worse[1:2], False) + frame(MORE, worse[2:] + rest))
    yield Case("6.4.3", frame(TEXT, good + worse + rest), chop=3)
    yield Case("6.4.4", frame(TEXT, good + worse + rest), chop=1)
    for family, sequences in SEQUENCES.items():
        for number, sequence in enumerate(sequences, 1):
            yield Case(f"{family}.{number}", frame(TEXT, sequence))


def closes():
    hello = frame(TEXT, b"Hello World!")
    yield Case("7.1.1", hello + close())
    yield Case("7.1.2", close() + close())
    yield Case("7.1.3", close() + frame(PING, b"ping"))
    yield Case("7.1.4", close() + hello)
    yield Case("7.1.5", frame(TEXT, b"fragment1", False) + close() + frame(MORE, b"fragment2"))
    yield Case("7.1.6", hello * 20 + close() + frame(PING))
    yield Case("7.3.1", frame(CLOSE))
    yield Case("7.3.2", frame(CLOSE, b"a"))
    yield Case("7.3.3", close())
    yield Case("7.3.4", close(1000, b"Hello World!"))
    yield Case("7.3.5", close(1000, b"*" * 123))
    yield Case("7.3.6", close(1000, b"*" * 124))
    yield Case("7.5.1", close(1000, b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"))
    for number, code in enumerate((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999), 1):
        yield Case(f"7.7.{number}", close(code))
    for number, code in enumerate((0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535), 1):
        yield Case(f"7.9.{number}", close(code))


def limits():
    """The suite has 4 MiB where there is 1 MiB here: what a gateway takes at most is 2 MiB."""
    mebi = 1 << 20
    for family, opcode in (("9.1", TEXT), ("9.2", BINARY)):
        for number, size in enumerate((mebi >> 4, mebi >> 2, mebi, 4 * mebi, 8 * mebi, 16 * mebi), 1):
            yield Case(f"{family}.{number}", frame(opcode, large(size)), is_large=True)
    for family, opcode in (("9.3", TEXT), ("9.4", BINARY)):
        for number in range(9):
            yield Case(f"{family}.{number + 1}", pieces(large(mebi), 64 << 2 * number, opcode), is_large=True)
    for family, opcode in (("9.5", TEXT), ("9.6", BINARY)):
        for number in range(6):
            yield Case(f"{family}.{number + 1}", frame(opcode, large(mebi)), 64 << number, is_large=True)
    for family, opcode in (("9.7", TEXT), ("9.8", BINARY)):
        for number, size in enumerate((0, 16, 64, 256, 1024, 4096), 1):
            yield Case(f"{family}.{number}", frame(opcode, b"*" * size) * 1000)
    yield Case("10.1.1", pieces(large(65536), 1300), is_large=True)


# What is offered in 12.1 to 12.5 and 13.1 to 13.7.
DEFLATE = {
    **{f"12.{n}": "permessage-deflate" for n in range(1, 6)},
    "13.1": "permessage-deflate; client_no_context_takeover; client_max_window_bits",
    "13.2": "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
    "13.3": "permessage-deflate; server_max_window_bits=9; client_max_window_bits",
    "13.4": "permessage-deflate; server_max_window_bits=15",
    "13.5": "permessage-deflate; server_no_context_takeover; server_max_window_bits=9",
    "13.6": "permessage-deflate; server_no_context_takeover; server_max_window_bits=15",
    "13.7": "permessage-deflate; server_no_context_takeover; server_max_window_bits=9, permessage-deflate; "
            "server_no_context_takeover, permessage-deflate",
}

CASES = [*sizes(), *pings(), *reserved(), *fragments(), *texts(), *closes(), *limits()]


@dataclasses.dataclass
class Verdict:
    messages: list = dataclasses.field(default_factory=list)  # (opcode, bytes)
    pongs: list = dataclasses.field(default_factory=list)
    code: int = 0  # Of the close frame that is due; 1005: one without a code; 0: it stays open.


def judge(data):
    """What wsproto makes of what a client sent."""
    verdict, begun, payload = Verdict(), None, b""
    reader = FrameProtocol(client=False, extensions=[])
    reader.receive_bytes(data)
    try:
        for seen in reader.received_frames():
            if seen.opcode is Opcode.PING:
                verdict.pongs += [bytes(seen.payload)] if seen.frame_finished else []
            elif seen.opcode is Opcode.CLOSE:
                verdict.code = int(seen.payload[0])
                if verdict.code == CloseReason.NO_STATUS_RCVD:
                    verdict.code = 1005
                return verdict
            elif seen.opcode is not Opcode.PONG:
                begun = begun or seen.opcode
                payload += seen.payload.encode() if isinstance(seen.payload, str) else bytes(seen.payload)
                if seen.message_finished:
                    verdict.messages.append((int(begun), payload))
                    begun, payload = None, b""
    except ParseFailed as failed:
        verdict.code = int(failed.code)
    return verdict
