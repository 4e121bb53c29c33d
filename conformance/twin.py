"""Writes a twin of an artefact with one bit changed, well-formed otherwise: twin.py WHAT FILE TWIN.

WHAT is the part that changes: payload or signature (of a DSSE envelope), root or signed (the last byte of the first signature,
of a checkpoint), entry or path (of a .tlog-proof), byte (the middle one of any file), amount
(of the first posting of a journal).
"""

import base64
import json
import pathlib
import re
import sys


def main(what: str, file: str, twin: str) -> None:
    data = pathlib.Path(file).read_bytes()
    changed = CHANGES[what](data)
    if changed == data:
        sys.exit(f"{file}: nothing was changed")
    pathlib.Path(twin).write_bytes(changed)


def flip(raw: bytes, at: int = -1) -> bytes:
    changed = bytearray(raw)
    changed[at] ^= 1
    return bytes(changed)


def flip_base64(text: str) -> str:
    return base64.b64encode(flip(base64.b64decode(text, validate=True))).decode()


def payload(data: bytes) -> bytes:
    envelope = json.loads(data)
    envelope["payload"] = flip_base64(envelope["payload"])
    return json.dumps(envelope).encode()


def signature(data: bytes) -> bytes:
    envelope = json.loads(data)
    first = envelope["signatures"][0]
    raw = base64.b64decode(first["sig"], validate=True)
    # A bit of R: the last bits of S are zero in every valid signature, and some tools look at them first.
    first["sig"] = base64.b64encode(flip(raw, at=0)).decode()
    return json.dumps(envelope).encode()


def root(data: bytes) -> bytes:
    return replace_line(data, 2, flip_base64)


def signed(data: bytes) -> bytes:
    lines = data.decode("utf-8").split("\n")
    at = next(number for number, line in enumerate(lines) if line.startswith("\u2014 "))
    head, encoded = lines[at].rsplit(" ", 1)
    lines[at] = f"{head} {flip_base64(encoded)}"
    return "\n".join(lines).encode()


def entry(data: bytes) -> bytes:
    return replace_line(data, 1, lambda line: "extra " + flip_base64(line.removeprefix("extra ")))


def path(data: bytes) -> bytes:
    return replace_line(data, 3, flip_base64)


def byte(data: bytes) -> bytes:
    return flip(data, at=len(data) // 2)


def amount(data: bytes) -> bytes:
    """The last digit of the first posting of a journal."""
    posting = re.compile(rb"^( +[A-Z][A-Za-z0-9:-]*  -?[0-9.]*)([0-9])( [A-Z]{3})$", re.MULTILINE)
    return posting.sub(lambda found: found[1] + b"%d" % (int(found[2]) ^ 1) + found[3], data, count=1)


def replace_line(data: bytes, number: int, change) -> bytes:
    lines = data.decode("utf-8").split("\n")
    lines[number] = change(lines[number])
    return "\n".join(lines).encode()


CHANGES = {change.__name__: change for change in (payload, signature, root, signed, entry, path, byte, amount)}

if __name__ == "__main__":
    main(*sys.argv[1:])
