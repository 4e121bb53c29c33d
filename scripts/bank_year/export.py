"""Reads entries out of an export directory (C2SP tlog-tiles bundles, entry layout of docs/format.md), sharing no code
with the ledger."""

from pathlib import Path

BUNDLE = 256
EVENT_TYPE = b"application/vnd.ledger.event.v1+protobuf"


def size(export):
    """Number of entries: the second line of the checkpoint."""
    return int((Path(export) / "checkpoint").read_text().split("\n")[1])


def entries(export):
    """(log index, bytes) of every entry."""
    total = size(export)
    for first in range(0, total, BUNDLE):
        width = min(BUNDLE, total - first)
        path = Path(export) / "tile" / "entries" / tile_path(first // BUNDLE)
        if width < BUNDLE:
            path = path.with_name(path.name + ".p") / str(width)
        data = path.read_bytes()
        at = 0
        for index in range(first, first + width):
            length = int.from_bytes(data[at : at + 2], "big")
            yield index, data[at + 2 : at + 2 + length]
            at += 2 + length
        if at != len(data):
            raise ValueError(f"{path}: {len(data) - at} bytes too many")


def tile_path(number):
    """1234067 is x001/x234/067."""
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03d}")
    return "/".join(groups)


def event_id(entry):
    """Id of the event in an entry, hyphenated; None for entries of other kinds."""
    if entry[1] == 1:
        at = 16 + 1 + entry[16] * 96
    elif entry[1] == 5:
        # A member of a signed batch: no signatures, then its position.
        at = 16 + 1 + 4
    else:
        return None
    kind = entry[at + 1 : at + 1 + entry[at]]
    if kind != EVENT_TYPE:
        return None
    at += 1 + entry[at]
    length = int.from_bytes(entry[at : at + 4], "big")
    payload = entry[at + 4 : at + 4 + length]
    # Event: field 1 is ledger_id, 32 bytes; field 2 is event_id, 16 bytes.
    if payload[:2] != b"\x0a\x20" or payload[34:36] != b"\x12\x10":
        raise ValueError("an event without ledger_id and event_id")
    text = payload[36:52].hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def event_indices(export):
    """Log index by event id."""
    found = {}
    for index, entry in entries(export):
        identity = event_id(entry)
        if identity in found:
            raise ValueError(f"event {identity} stands at log index {found[identity]} and at {index}")
        if identity:
            found[identity] = index
    return found
