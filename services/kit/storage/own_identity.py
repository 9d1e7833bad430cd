"""The identity key of a service in its home, and the one that shall take its place (PROTOCOL.md 11.9).

The file of a key holds the key itself, or the address of a key in a PKCS#11 token (`services.kit.storage.pkcs11`).

A new key waits in a file of its own until the registry in force names it. It takes the old one's place when the service
starts, before anything signs, so that a running service has one key from its start to its end. So a key moves into a
token, or out of it, as any other key is renewed.
"""

import secrets
from pathlib import Path
from typing import TypeAlias

from aquila.crypto.keys import IdentityKey, VerifyKey
from aquila.errors import InputError, KeyMaterialError
from aquila.protocol.registration.self_signed import Renewal, open_renewal, sign_renewal
from aquila.protocol.registry import Registry
from services.kit.storage.files import read_secret, write_secret
from services.kit.storage.pkcs11 import SCHEME, KeyAddress, Pkcs11Key

OwnKey: TypeAlias = IdentityKey | Pkcs11Key
"""An identity key of the service itself, wherever it is."""

IN_FILE = "file"
"""Where a new key goes: into the file itself."""


def read_key(path: Path) -> OwnKey:
    """Return the key of a file: the one in it, or the one in a token whose address is in it.

    Raises:
        KeyMaterialError: The file cannot be read, is open to others, or holds neither.
        Pkcs11Error: The token cannot be used, or has no such key, and why.
    """
    content = read_secret(path)
    uri = address_in(content, path)
    return IdentityKey.from_pem(content) if uri is None else Pkcs11Key.open(uri)


def address_in(content: bytes, path: Path) -> KeyAddress | None:
    """Return the address of a key in a token that is the content of a key's file, or None for any other content.

    Raises:
        KeyMaterialError: It begins like an address, and cannot be used as one.
    """
    if not content.lstrip().startswith(SCHEME.encode()):
        return None
    return KeyAddress.parse(content.decode("utf-8", "replace"), path.parent)


def token_address(path: Path) -> KeyAddress | None:
    """Return the address of a key in a token that a key's file holds, or None for a key or a missing file.

    Raises:
        KeyMaterialError: As `read_key`.
    """
    return address_in(read_secret(path), path) if path.exists() else None


def make_key(path: Path, where: str = IN_FILE, other_than: VerifyKey | None = None) -> OwnKey:
    """Make an identity key and its file; a key that is in a token already is taken.

    Raises:
        KeyMaterialError: It is not an address.
        Pkcs11Error: The token cannot be used, and why.
    """
    if where == IN_FILE:
        made = IdentityKey.generate(secrets.token_bytes)
        write_secret(path, made.to_pem())
        return made
    uri = KeyAddress.parse(where, path.parent)
    key, _ = Pkcs11Key.take_or_make(uri)
    if key.public == other_than:
        raise InputError("next_identity_is_the_old_one", key=uri.key_name)
    write_secret(path, f"{uri.text}\n".encode())
    return key


def next_path(identity: Path) -> Path:
    """Return where the key lies that shall take the place of an identity key."""
    return identity.with_name(f"{identity.stem}.next{identity.suffix}")


def read_next(identity: Path) -> OwnKey | None:
    """Return the key that waits, or None; raises as `read_key` does."""
    path = next_path(identity)
    return read_key(path) if path.exists() else None


def wait_key(identity: Path, old: VerifyKey, where: str = "") -> OwnKey:
    """Return the key that shall take the place of an identity key; it is made if none waits yet.

    Args:
        identity: The file of the identity key.
        where: `file`, or the address of the new key in a token. If it is not given, the new key goes into the file
            unless the old one is in a token: no key leaves a token because nobody thought of it.
    """
    path = next_path(identity)
    if path.exists():
        waiting = token_address(path)
        if where and where.strip() != (IN_FILE if waiting is None else waiting.text):
            raise InputError("next_identity_waits_elsewhere", file=str(path))
        return read_key(path)
    if not where and token_address(identity) is not None:
        raise InputError("next_identity_place_missing")
    return make_key(path, where or IN_FILE, old)


def prepare_renewal(identity: Path, registry: Registry, holder: str, *, lost: bool, where: str = "") -> Renewal:
    """Make the key that shall take the place of a holder's identity key, and the renewal that names both.

    A key that waits already is taken, so that the same command again gives the same renewal.

    Raises:
        Pkcs11Error: A token cannot be used, and why.
    """
    pinned = registry.key_of(holder)
    with wait_key(identity, pinned, where) as new:
        if lost:
            return open_renewal(sign_renewal(holder, new, pinned))
        with read_key(identity) as former:
            if former.public != pinned:
                raise KeyMaterialError("identity_key_not_registered", party=holder)
            return open_renewal(sign_renewal(holder, new, former))


def open_identity(identity: Path, registry: Registry, holder: str) -> OwnKey:
    """Return the identity key with which a service starts.

    1. The key that waits, if the registry names that one: it takes the place of the old one now.
    2. The key in its file or its token, if the registry names it.
    3. The key that waits, if there is no old one: the service asks for the registry that names it.

    Raises:
        InputError: None of these.
        KeyMaterialError: A key cannot be read.
        Pkcs11Error: A token cannot be used, and why.
    """
    pinned, new = registry.key_of(holder), read_next(identity)
    # 1. The old key may be in a token that is gone. If we crash before this, the same is done at the next start.
    if new is not None and new.public == pinned:
        next_path(identity).replace(identity)
        return new
    # 2.
    current = read_key(identity) if identity.exists() or new is None else None
    if current is not None and current.public == pinned:
        return current
    # 3.
    if current is None and new is not None:
        return new
    raise InputError("registry_identity_key_differs", party=holder)
