"""A node's home folder: settings, identity key, operator's token, and the places of keys and files.

Creating a home and starting the node are separate acts. Nothing that is there already is replaced.
"""

from dataclasses import dataclass
from pathlib import Path

from aquila.crypto.keys import VerifyKey
from aquila.protocol.registration.self_signed import JoinRequest, check_time, open_invitation, open_request, sign_file
from aquila.protocol.registration.spoken_words import Spoken, spoken
from aquila.protocol.registry import RegisteredParty, Registry, write_registry
from services.kit.home_folder import IDENTITY_FILE, REGISTRY_FILE, NewAddress, make_home, practice_line, toml
from services.kit.http.signatures import now as system_time
from services.kit.storage.files import write_secret
from services.kit.storage.own_identity import IN_FILE, read_key
from services.node.settings import NodeSettings

SETTINGS_FILE = "node.toml"
DATABASE_FILE = "node.db"
KEYS_FOLDER = "keys"
CA_FILE = "matcher-ca.pem"

_SETTINGS = """\
# A node of Aquila. Relative paths count from this file's folder; SETTINGS.md, *Settings*, lists each.

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
{listen}

# The matcher; https everywhere but on loopback, with the CA that signed its certificate.
[matcher]
url = {matcher_url}
{ca}
{follow}
# The report of a query is read in one piece: 200,000 hits.
answer_mebibytes = 96
"""


@dataclass(frozen=True, slots=True)
class InvitedHome:
    """A home that was made from an invitation."""

    party: str
    name: str
    matcher_url: str
    request: bytes
    """The content of the file that asks to join."""
    spoken: Spoken
    """The words and digits of the request, to be read to the secretariat."""


def create_invited(
    path: Path, content: bytes, address: NewAddress, now: int | None = None, identity: str = IN_FILE
) -> InvitedHome:
    """Make a home from the content of an invitation; its registry has the matcher and this party alone.

    Args:
        identity: Where the identity key goes: `file`, or its address in a token.

    Raises:
        InputError: The content is no invitation, or as `create`.
        PolicyError: The invitation has expired.
    """
    opened = open_invitation(content)
    invitation = opened.message
    check_time(invitation, system_time() if now is None else now)
    ca = None
    if invitation.ca is not None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        ca = path / CA_FILE
        write_secret(ca, invitation.ca.encode())
    own = create(
        path,
        invitation.party,
        invitation.name,
        invitation.url,
        matcher_ca=ca,
        address=address,
        follow_registry=True,
        identity=identity,
    )
    parties = {invitation.party: RegisteredParty(invitation.party, invitation.name, own)}
    write_secret(path / REGISTRY_FILE, write_registry(Registry(opened.key, parties)))
    with read_key(path / IDENTITY_FILE) as key:
        request = sign_file(
            JoinRequest(
                party=invitation.party, name=invitation.name, identity_key=own.hex, invitation=opened.envelope.decode()
            ),
            key,
        )
    words = spoken(open_request(request).digest)
    return InvitedHome(invitation.party, invitation.name, invitation.url, request, words)


def create(  # noqa: PLR0913 - what a node's settings begin with
    path: Path,
    code: str,
    name: str,
    matcher_url: str,
    *,
    registry: Registry | None = None,
    matcher_ca: Path | None = None,
    port: int = 8700,
    address: NewAddress | None = None,
    poll_seconds: float = 2.0,
    practice: bool = False,
    follow_registry: bool = False,
    identity: str = IN_FILE,
) -> VerifyKey:
    """Make a home and return the public half of its new identity key, for the registry.

    Args:
        address: Where it listens, with a URL and TLS; then instead of `port`.
        identity: Where the identity key goes: `file`, or its address in a token.

    Raises:
        InputError: There is a home already, or a setting cannot have one of the values.
        KeyMaterialError: The address of the key is not valid.
        Pkcs11Error: The token cannot be used, and why.
    """
    where = address or NewAddress(port)
    where.check()
    content = _SETTINGS.format(
        code=toml(code),
        name=toml(name),
        poll_seconds=float(poll_seconds),
        practice=practice_line(practice=practice),
        listen=where.lines(),
        matcher_url=toml(matcher_url),
        ca=f"ca = {toml(str(matcher_ca.resolve()))}" if matcher_ca else '# ca = "matcher-ca.pem"',
        follow="follow_registry = true" if follow_registry else "# follow_registry = true",
    )
    if not (path / SETTINGS_FILE).exists():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        where.make_certificates(path, name)
    return make_home(
        path / SETTINGS_FILE, content, NodeSettings, folders=[KEYS_FOLDER], registry=registry, identity=identity
    )
