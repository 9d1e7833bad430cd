"""The identity key of a service in its home, and the one that shall take its place (PROTOCOL.md 11.9).

A new key waits in a file of its own until the registry in force names it. It takes the old one's place when the service
starts, before anything signs, so that a running service has one key from its start to its end.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from aquila.crypto.keys import IdentityKey
from aquila.errors import InputError, KeyMaterialError
from aquila.protocol.registration.renewals import open_renewal, sign_renewal
from services.kit.storage.files import read_secret, write_secret

if TYPE_CHECKING:
    from pathlib import Path

    from aquila.protocol.registration.renewals import Renewal
    from aquila.protocol.registry import Registry


def next_path(identity: Path) -> Path:
    """Return where the key lies that shall take the place of an identity key."""
    return identity.with_name(f"{identity.stem}.next{identity.suffix}")


def read_next(identity: Path) -> IdentityKey | None:
    """Return the key that waits, or None; raises as `read_secret` does."""
    path = next_path(identity)
    return IdentityKey.from_pem(read_secret(path)) if path.exists() else None


def prepare_renewal(identity: Path, registry: Registry, holder: str, *, lost: bool) -> Renewal:
    """Make the key that shall take the place of a holder's identity key, and the renewal that names both.

    A key that waits already is taken, so that the same command again gives the same renewal.

    Args:
        identity: The file of the identity key.
        registry: The registry in force.
        holder: Whose key it is.
        lost: Whether the old key is lost or stolen, so that it shall not sign.

    Raises:
        KeyMaterialError: A key cannot be read, or the registry pins another one.
        StoreError: The disk is full or failed.
    """
    pinned = registry.key_of(holder)
    new = read_next(identity)
    if new is None:
        new = IdentityKey.generate(secrets.token_bytes)
        write_secret(next_path(identity), new.to_pem())
    with new:
        if lost:
            return open_renewal(sign_renewal(holder, new, pinned))
        with IdentityKey.from_pem(read_secret(identity)) as former:
            if former.public != pinned:
                raise KeyMaterialError("identity_key_not_registered", party=holder)
            return open_renewal(sign_renewal(holder, new, former))


def open_identity(identity: Path, registry: Registry, holder: str) -> IdentityKey:
    """Return the identity key with which a service starts.

    1. The key in its file, if the registry names it.
    2. The key that waits, if the registry names that one: it takes the place of the old one now.
    3. The key that waits, if there is no old one: the service asks for the registry that names it.

    Raises:
        InputError: None of these.
        KeyMaterialError: A key cannot be read.
    """
    pinned, new = registry.key_of(holder), read_next(identity)
    # 1.
    current = IdentityKey.from_pem(read_secret(identity)) if identity.exists() or new is None else None
    if current is not None and current.public == pinned:
        return current
    # 2. If we crash before this, the same is done at the next start.
    if new is not None and new.public == pinned:
        next_path(identity).replace(identity)
        return new
    # 3.
    if current is None and new is not None:
        return new
    raise InputError("registry_identity_key_differs", party=holder)
