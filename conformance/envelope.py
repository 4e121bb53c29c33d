"""Verifies a DSSE JSON envelope with securesystemslib: envelope.py ENVELOPE PUBLIC_KEY_PEM...

Every given key must have signed; its key id is the lower-case hex of its 32 bytes. Exits 0 and says so, or 1 with the reason.
"""

import json
import sys
from importlib.metadata import version

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey


def main(envelope_file: str, key_files: list[str]) -> None:
    with open(envelope_file, encoding="ascii") as file:
        envelope = Envelope.from_dict(json.load(file))
    keys = [load_key(key_file) for key_file in key_files]
    verified = envelope.verify(keys, threshold=len(keys))
    print(f"{envelope.payload_type}, {len(envelope.payload)} bytes, signed by {', '.join(sorted(verified))}")


def load_key(key_file: str) -> SSlibKey:
    with open(key_file, "rb") as file:
        public = load_pem_public_key(file.read())
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return SSlibKey.from_crypto(public, keyid=raw.hex())


if __name__ == "__main__":
    if sys.argv[1:] == ["--versions"]:
        print(f"securesystemslib {version('securesystemslib')}, cryptography {version('cryptography')}")
        sys.exit(0)
    if len(sys.argv) < 3:
        sys.exit("usage: envelope.py ENVELOPE PUBLIC_KEY_PEM...")
    try:
        main(sys.argv[1], sys.argv[2:])
    except (VerificationError, ValueError, KeyError) as error:
        print(f"refused: {error}", file=sys.stderr)
        sys.exit(1)
