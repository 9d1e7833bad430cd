"""A node's home folder: settings, identity key, operator's token, and the places of keys and files.

Creating a home and starting the node are separate acts. Nothing that is there already is replaced.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from services.kit.home_folder import make_home, practice_line
from services.node.settings import NodeSettings

if TYPE_CHECKING:
    from pathlib import Path

    from aquila.crypto.keys import VerifyKey
    from aquila.protocol.registry import Registry

SETTINGS_FILE = "node.toml"
DATABASE_FILE = "node.db"
KEYS_FOLDER = "keys"

_SETTINGS = """\
# A node of Aquila. Relative paths count from this file's folder; the operations page lists every setting.

# Who this node is in the registry: two capital letters, and a name.
code = {code}
name = {name}

# Keys, files and the default database lie here. keys/ holds one key for each open round: no backup may hold it.
home = "."
identity = "identity.pem"
registry = "registry.toml"

# Seconds between two looks at the matcher where it holds no call.
poll_seconds = {poll_seconds}
{practice}
# The operator's interface; other addresses than loopback need [tls].
[listen]
host = "127.0.0.1"
port = {port}

# The matcher; https everywhere but on loopback, with the CA that signed its certificate.
[matcher]
url = {matcher_url}
{ca}
# A report of 200,000 hits is read in one piece.
answer_mebibytes = 96
"""


def create(  # noqa: PLR0913 - what a node's settings begin with
    path: Path,
    code: str,
    name: str,
    matcher_url: str,
    *,
    registry: Registry | None = None,
    matcher_ca: Path | None = None,
    port: int = 8700,
    poll_seconds: float = 2.0,
    practice: bool = False,
) -> VerifyKey:
    """Make a home and return the public half of its new identity key, for the registry.

    Args:
        path: The folder; made if it is missing.
        code: The party's code.
        name: The party's name.
        matcher_url: Base URL of the matcher.
        registry: The pinned keys; without them the file `registry.toml` is put there later.
        matcher_ca: PEM file with the CA of the matcher's certificate.
        port: Where the operator's interface listens; 0 takes a free port.
        poll_seconds: Seconds between two looks at the matcher.
        practice: Whether all persons will be invented.

    Raises:
        InputError: There is a home already, or a value is none that a setting can have.
        StoreError: The disk is full or failed.
    """
    content = _SETTINGS.format(
        code=_text(code),
        name=_text(name),
        poll_seconds=float(poll_seconds),
        practice=practice_line(practice=practice),
        port=port,
        matcher_url=_text(matcher_url),
        ca=f"ca = {_text(str(matcher_ca.resolve()))}" if matcher_ca else '# ca = "matcher-ca.pem"',
    )
    return make_home(path / SETTINGS_FILE, content, NodeSettings, folders=[KEYS_FOLDER], registry=registry)


def _text(value: str) -> str:
    """Return a TOML string: JSON's escapes are TOML's."""
    return json.dumps(value, ensure_ascii=False)
