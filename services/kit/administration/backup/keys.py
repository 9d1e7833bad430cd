"""Backup keys: an X-Wing key whose public half is on the service's machine, and whose private half never is.

Both are files of a few lines, which can be printed and typed again: a checksum tells a wrong digit.
"""

import base64
import binascii
import hashlib
import secrets
from pathlib import Path

from aquila.crypto.keys import KEY_BYTES, SEALING_PUBLIC_BYTES, SealingKey
from aquila.crypto.sealing import recipient_name
from aquila.errors import InputError, KeyMaterialError
from services.kit.storage.files import read_secret, replacing, write_secret

_PRIVATE, _PUBLIC = "aquila-backup-private-key", "aquila-backup-public-key"
_CHECK_BYTES = 4
_GROUP, _WIDTH = 4, 76


def make_keys(private: Path, public: Path) -> str:
    """Make a key pair in two new files, the private one for this user alone, and return the key's name."""
    for path in (private, public):
        if path.exists():
            raise InputError("backup_key_already_made", file=str(path))
    with SealingKey.generate(secrets.token_bytes) as key, key.reveal() as seed:
        name = recipient_name(key.public)
        octets = (bytes(seed) + _checksum(seed)).hex()
        groups = " ".join(octets[start : start + _GROUP] for start in range(0, len(octets), _GROUP))
        write_secret(private, _text(_PRIVATE, name, groups).encode())
        wrapped = base64.b64encode(key.public).decode()
        lines = "\n".join(wrapped[start : start + _WIDTH] for start in range(0, len(wrapped), _WIDTH))
        with replacing(public, 0o644) as file:
            file.write(_text(_PUBLIC, name, lines).encode())
    return name


def read_private(path: Path) -> SealingKey:
    """Read a private key.

    Raises:
        KeyMaterialError: The file cannot be read, is open to others, or holds no such key.
    """
    content = _content(read_secret(path).decode("ascii", "replace"), _PRIVATE)
    try:
        octets = bytes.fromhex(content or "")
    except ValueError:
        octets = b""
    seed, checksum = octets[:KEY_BYTES], octets[KEY_BYTES:]
    if len(seed) != KEY_BYTES or checksum != _checksum(seed):
        raise KeyMaterialError("backup_private_key_malformed", file=str(path))
    return SealingKey(seed)


def read_public(path: Path) -> bytes:
    """Read a public key; raises InputError if the file cannot be read, or holds no such key."""
    try:
        text = path.read_text(encoding="ascii")
        octets = base64.b64decode("".join((_content(text, _PUBLIC) or "").split()), validate=True)
    except OSError as error:
        raise InputError("backup_file_unreadable", file=str(path), fault=error.strerror) from None
    except (UnicodeDecodeError, binascii.Error):
        octets = b""
    if len(octets) != SEALING_PUBLIC_BYTES or recipient_name(octets) not in text:
        raise InputError("backup_public_key_malformed", file=str(path))
    return octets


def _text(kind: str, name: str, content: str) -> str:
    return f"{kind}\n{name}\n{content}\n"


def _content(text: str, kind: str) -> str | None:
    """Return the lines of a key file after the first two; None where it is another file."""
    lines = text.strip().splitlines()
    return "\n".join(lines[2:]) if lines and lines[0].strip() == kind else None


def _checksum(seed: bytes | bytearray) -> bytes:
    return hashlib.sha256(seed).digest()[:_CHECK_BYTES]
