"""A service's home folder: identity key, operator's token, registry and settings, made once.

Creating a home and starting the service are separate acts. Nothing that is there already is replaced.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from aquila.crypto.keys import IdentityKey
from aquila.errors import InputError
from aquila.protocol.registry import write_registry
from services.kit.people.operator_token import TOKEN_FILE, OperatorToken
from services.kit.settings import load
from services.kit.storage.files import check_private, write_secret

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from aquila.crypto.keys import VerifyKey
    from aquila.protocol.registry import Registry
    from services.kit.settings import ServiceSettings

IDENTITY_FILE = "identity.pem"
REGISTRY_FILE = "registry.toml"
CHUNKS_FOLDER = "chunks"
LOG_FOLDER = "log"

_PRACTICE = """
# Practice: all persons here are invented, and every page and paper says so.
practice = true
"""


def practice_line(*, practice: bool) -> str:
    """Return the lines of a settings file that make a home one of practice, or nothing."""
    return _PRACTICE if practice else ""


def make_home(
    settings: Path,
    content: str,
    cls: type[ServiceSettings],
    *,
    folders: Iterable[str] = (),
    registry: Registry | None = None,
) -> VerifyKey:
    """Make a home and return the public half of its new identity key, for the registry.

    Args:
        settings: The settings file, named for its service; its folder is the home, made if it is missing.
        content: What the settings file says.
        cls: The class that must accept it.
        folders: Folders of the home besides that of chunks.
        registry: The pinned keys; without them the file `registry.toml` is put there later.

    Raises:
        InputError: There is a home already, or a value is none that a setting can have.
        KeyMaterialError: The folder was there already, and is open to others.
        StoreError: The disk is full or failed.
    """
    home, service = settings.parent, settings.stem
    if settings.exists():
        raise InputError("home_already_made", file=str(settings), home=home, service=service)
    for folder in (home, home / CHUNKS_FOLDER, *(home / name for name in folders)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_private(home)
    identity = IdentityKey.generate(secrets.token_bytes)
    write_secret(home / IDENTITY_FILE, identity.to_pem())
    OperatorToken.create(home / TOKEN_FILE)
    if registry is not None:
        write_secret(home / REGISTRY_FILE, write_registry(registry))
    # The settings come last: if we crash before, there is no home yet, and creating it again is allowed.
    draft = home / f".{settings.name}"
    write_secret(draft, content.encode())
    try:
        load(draft, cls)
    except InputError:
        draft.unlink()
        raise
    draft.rename(settings)
    return identity.public
