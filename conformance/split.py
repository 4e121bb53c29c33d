"""Takes a DSSE JSON envelope apart: split.py ENVELOPE FOLDER.

Writes FOLDER/type, FOLDER/payload and, per signature, FOLDER/KEYID.sig and FOLDER/KEYID.pem. The key of a key id (hex of
32 bytes) is wrapped as SubjectPublicKeyInfo, the form that openssl reads.
"""

import base64
import json
import pathlib
import sys

# DER of SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING of 32 bytes }, up to the key (RFC 8410, section 4).
SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")


def main(envelope_file: str, folder: str) -> None:
    envelope = json.loads(pathlib.Path(envelope_file).read_text(encoding="ascii"))
    target = pathlib.Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    (target / "type").write_text(envelope["payloadType"], encoding="ascii")
    (target / "payload").write_bytes(base64.b64decode(envelope["payload"], validate=True))
    for signature in envelope["signatures"]:
        keyid = signature["keyid"]
        (target / f"{keyid}.sig").write_bytes(base64.b64decode(signature["sig"], validate=True))
        der = SPKI_ED25519 + bytes.fromhex(keyid)
        pem = f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(der).decode()}\n-----END PUBLIC KEY-----\n"
        (target / f"{keyid}.pem").write_text(pem, encoding="ascii")


if __name__ == "__main__":
    main(*sys.argv[1:])
