"""The matcher's home folder: settings, identity key, operator's token, database and chunks.

Creating a home and starting the matcher are separate acts. Nothing that is there already is replaced.
"""

import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from aquila.crypto.keys import VerifyKey
from aquila.errors import InputError
from aquila.protocol.registry import Registry
from services.kit.home_folder import IDENTITY_FILE, REGISTRY_FILE, NewAddress, make_home, practice_line, toml
from services.kit.settings import ListenSettings, load
from services.kit.storage.files import write_secret
from services.kit.storage.own_identity import IN_FILE
from services.matcher.settings import MatcherSettings

SETTINGS_FILE = "matcher.toml"
DATABASE_FILE = "matcher.db"
SCRATCH_FOLDER = "scratch"

_LISTEN = re.compile(r"^\[listen\].*?(?=^\[|\Z)", re.MULTILINE | re.DOTALL)
_PUBLIC_URL = re.compile(r"^public_url *=.*$", re.MULTILINE)
_PORT = re.compile(r"^port *=.*$", re.MULTILINE)

_SETTINGS = """\
# The matcher of Aquila. Relative paths count from this file's folder; SETTINGS.md, *Settings*, lists each.

# Keys, chunks and the default database lie here.
home = "."
identity = "identity.pem"
registry = "registry.toml"

# Seconds between two looks at the rounds' deadlines.
driver_seconds = {driver_seconds}
{practice}
# Nodes and the operator call here; other addresses than loopback need [tls].
{listen}

# What a round has whose proposal leaves it open: elements of each party by class.
[rounds]
cap_full = 200_000
cap_partial = 300_000
cap_coarse = 340_000

# Its deadlines, each in seconds after the one before: consents, lists, evaluations, the end.
[rounds.window]
consent_seconds = 604_800
submit_seconds = 604_800
evaluate_seconds = 604_800
close_seconds = 1_209_600
"""


def create(
    path: Path,
    *,
    registry: Registry | None = None,
    port: int = 8700,
    address: NewAddress | None = None,
    driver_seconds: float = 2.0,
    practice: bool = False,
    settings: Path | None = None,
    identity: str = IN_FILE,
) -> VerifyKey:
    """Make a home and return the public half of its new identity key, for the registry.

    Args:
        settings: A settings file to begin with, in which the home is the file's own folder; then it says port,
            seconds and practice.
        identity: Where the identity key goes: `file`, or its address in a token.

    Raises:
        InputError: There is a home already, the settings cannot be read or name another home, or a value is none that
            a setting can have.
        KeyMaterialError: The address of the key is not valid.
        Pkcs11Error: The token cannot be used, and why.
    """
    practice_text = practice_line(practice=practice)
    where = address or NewAddress(port)
    where.check()
    least = _SETTINGS.format(listen=where.lines(), driver_seconds=float(driver_seconds), practice=practice_text)
    content = least if settings is None else _read(settings)
    if settings is None and not (path / SETTINGS_FILE).exists():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        where.make_certificates(path, "the matcher")
    return make_home(path / SETTINGS_FILE, content, MatcherSettings, registry=registry, identity=identity)


def set_address(settings: Path, url: str, port: int | None = None) -> int | None:
    """Write a new address into the settings file of a home, and return the port on which the service then listens.

    Without a port of its own it listens on that of the URL if it shows a certificate and has listened on the port of
    its earlier URL: else something stands in front of it, such as a proxy, and it stays where it is.

    Nothing else of the file is changed. A file that names no address, or one that would then say something else or
    could not be used, is left as it is.

    Args:
        port: Where the service shall listen, whatever stands in front of it.

    Returns:
        The port, or nothing where the file is left as it is.
    """
    url = url.rstrip("/")
    try:
        content = settings.read_text(encoding="utf-8")
        wanted = tomllib.loads(content)
        listen = wanted["listen"]
        before = listen.get("port", ListenSettings().port)
        follows = "tls" in wanted and before == urlsplit(listen["public_url"]).port
        after = port or (urlsplit(url).port if follows else None) or before
        listen |= {"public_url": url, "port": after}
        changed = _LISTEN.sub(lambda found: _with_address(found[0], url, after), content, count=1)
        if tomllib.loads(changed) != wanted:
            return None
        # If we crash after this, the draft stays, and the settings are as they were.
        draft = settings.with_name(f".{settings.name}")
        write_secret(draft, changed.encode())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    try:
        load(draft, MatcherSettings)
    except InputError:
        draft.unlink()
        return None
    draft.replace(settings)
    return int(after)


def _with_address(listen: str, url: str, port: int) -> str:
    """Return the table `[listen]` of a settings file with another URL, which it has, and a port, which it may have."""
    line = f"public_url = {toml(url)}"
    if _PORT.search(listen) is None:
        line = f"{line}\nport = {port}"
    return _PORT.sub(f"port = {port}", _PUBLIC_URL.sub(lambda _: line, listen, count=1), count=1)


def _read(settings: Path) -> str:
    try:
        content = settings.read_text(encoding="utf-8")
        document = tomllib.loads(content)
    except OSError as error:
        raise InputError("new_home_settings_unreadable", settings=settings, fault=error.strerror) from None
    except UnicodeDecodeError:
        raise InputError("settings_file_not_utf_8", path=settings) from None
    except tomllib.TOMLDecodeError as error:  # it names line and column
        raise InputError("settings_file_not_toml", path=settings, fault=error) from None
    here = {"home": ".", "identity": IDENTITY_FILE, "registry": REGISTRY_FILE}
    if {name: document.get(name) for name in here} != here:
        wanted = ", ".join(f'{name} = "{value}"' for name, value in here.items())
        raise InputError("settings_file_of_another_home", settings=settings, wanted=wanted)
    return content
