"""`aquila party`: give one's own card to the others, and register theirs."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from aquila.errors import InputError, KeyMaterialError, PolicyError
from aquila.interface.service.party import RegistryView
from aquila.protocol.registry import MATCHER
from clients.cli.connect import ConnectedService
from clients.cli.list_files import open_list_file
from clients.cli.options import GivenRegistry, HomePath, Json, NewHome, Spoken
from clients.cli.output.registry_views import changes, show_asked, show_registry, warn_of_fetch
from clients.cli.output.screen import Screen, Table, numbered, write_result
from clients.cli.prompts import ask, read_file
from clients.cli.services.speaking import speaking
from clients.sdk import Home, NodeClient, find_home
from clients.sdk.cards import Card, Cards
from services.kit.http.certificates import OwnCertificates

app = typer.Typer()


@app.command()
def card(
    home: HomePath,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the card to a file, too.")] = None,
    as_json: Json = False,
) -> None:
    """Print this node's or matcher's card: what the others need to know its signature.

    A card holds no secret. Give it to the others, then compare the fingerprint with each of them by telephone.
    """
    own = own_card(home)
    if out is not None:
        write_result(out, own.text())
    show_card(Screen(as_json), own)


@app.command()
def register(
    cards: Annotated[list[Path], typer.Argument(metavar="CARD...", help="Card files, or whole registry files.")],
    home: HomePath,
    as_json: Json = False,
) -> None:
    """Register the cards of others in the registry file of a home, then show all fingerprints.

    A registered key is never replaced: a party with a new key is removed from the file by hand, after a talk.
    """
    path = find_home(home).registry
    registry = _read(path) if path.exists() else Cards()
    new = sum(registry.add(one) for file in cards for one in _read(file).by_code.values())
    write_result(path, registry.text())
    known = list(registry.by_code.values())
    rows = [(one.code, one.name, one.key.short_fingerprint) for one in known]
    table = Table("Registered", ("party", "name", "fingerprint to compare by telephone"), rows)
    document = {"registry": str(path), "new": new, "registered": [_document(one) for one in known]}
    Screen(as_json).result(document, table, f"{numbered(new, 'new entry', 'new entries')} in {path}.")


@app.command()
@speaking
def registry(
    reached: ConnectedService,
    screen: Screen,
    file: GivenRegistry = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="At a party: write what the matcher stated to a file, for its restore."),
    ] = None,
) -> None:
    """Show the registry: its parties, its words to read to others by telephone, and who has accepted it."""
    if out is not None:
        write_result(out, reached.node().registry_file().content)
    show_registry(screen, _current(reached) if file is None else _taken(reached, file), "")


@app.command()
@speaking
def accept(reached: ConnectedService, screen: Screen, spoken: Spoken = None, file: GivenRegistry = None) -> None:
    """Ask to accept the secretariat's newer registry, after another party has read its words to you by telephone."""
    node = reached.node()
    view = node.fetch_registry() if file is None else _taken(reached, file)
    warn_of_fetch(screen, view)
    if view.obstacle is not None:
        raise PolicyError(view.obstacle.sentence)
    if view.waiting is None:
        show_registry(screen, view, "No newer registry waits.")
        return
    screen.show(*changes(view.waiting))
    heard = spoken or ask("The words or digits that another party reads to you", echo=True)
    asked = node.accept_registry(view.waiting.digest, heard)
    show_asked(screen, asked)


def renew_certificate(home: NewHome, as_json: Json = False) -> None:
    """Give the service a new certificate of its home's own CA; those who trust the CA notice nothing."""
    from services.kit.home_folder import TLS_FOLDER
    from services.kit.http.certificates import OwnCertificates, issue

    found = find_home(home)
    until = issue(OwnCertificates(home / TLS_FOLDER), str(urlsplit(found.url()).hostname))
    sentence = f"The new certificate is valid until {until:%Y-%m-%d}. The {found.service} shows it at once."
    Screen(as_json).result({"valid_until": until.isoformat()}, sentence)


def renew_ca(home: NewHome, as_json: Json = False) -> None:
    """Give the node a new CA of its home's own, and a certificate; those who call it have to trust the new CA."""
    from services.kit.http.certificates import take_prepared

    found = find_home(home, "node")
    own, prepared = prepared_ca(found)
    until = take_prepared(own, prepared)
    Screen(as_json).result({"valid_until": until.isoformat()}, *ca_sentences(found, own.ca, until))


def prepared_ca(home: Home) -> tuple[OwnCertificates, OwnCertificates]:
    """Make another CA for a home that made its own, and return the files in use and those that take their place.

    Raises:
        InputError: The settings cannot be read.
        KeyMaterialError: The home has no CA of its own, or its service shows a certificate from elsewhere.
        StoreError: The disk is full or failed.
    """
    from services.kit.home_folder import TLS_FOLDER
    from services.kit.http.certificates import OwnCertificates, prepare_ca

    own = OwnCertificates(home.path / TLS_FOLDER)
    if home.ca != own.ca:
        raise KeyMaterialError("own_ca_unreadable", path=own.folder)
    return own, prepare_ca(own, str(urlsplit(home.url()).hostname))


def ca_sentences(home: Home, ca: Path, until: datetime) -> Iterator[str]:
    """Yield the steps that people have to take when a service has another CA."""
    yield f"The {home.service} shows a certificate of the new CA at once; it is valid until {until:%Y-%m-%d}."
    yield f"Give {ca} to all people of the service: they sign in once with --url and --ca, and browsers import it."


def renew_token(home: NewHome, as_json: Json = False) -> None:
    """Give the home a new administrator's key, in place of the one there; the service takes it at its next start."""
    from services.kit.people.keys import TOKEN_FILE, OperatorToken

    found = find_home(home)
    OperatorToken.create(found.path / TOKEN_FILE)
    sentence = f"The new key is in {TOKEN_FILE}. Restart the {found.service}: until then the old one is valid."
    Screen(as_json).result({"file": str(found.path / TOKEN_FILE)}, sentence)


def renew_people_key(home: NewHome, as_json: Json = False) -> None:
    """Make a new key for the secrets of authenticators; the service seals them under it at its next start."""
    from services.kit.people.keys import KEY_FILE, NEXT_KEY_FILE, make_next_key

    found = find_home(home)
    make_next_key(found.path)
    lost = f"There is no {KEY_FILE}: the {found.service} will take all rows of its database as they are."
    sentences = (
        *(() if (found.path / KEY_FILE).exists() else (lost,)),
        f"The new key waits in {NEXT_KEY_FILE}. Restart the {found.service}: it seals all secrets under that key.",
        f"Then put a copy of {KEY_FILE} into the safe, and keep the old one there with older backups.",
    )
    Screen(as_json).result({"file": str(found.path / NEXT_KEY_FILE)}, *sentences)


def show_card(screen: Screen, own: Card) -> None:
    """Show a card on stdout, as a piece of a registry file, and its fingerprint on stderr."""
    screen.result(_document(own), own.text().rstrip())
    screen.note(f"Fingerprint to compare by telephone: {own.key.short_fingerprint}")


def own_card(home: Path) -> Card:
    """Return the card of the service whose home a folder is.

    Raises:
        InputError: It is no home, or its settings name no party.
        KeyMaterialError: The identity key cannot be read.
        Pkcs11Error: The token with the identity key cannot be used.
    """
    from services.kit.storage.own_identity import read_key

    found = find_home(home)
    with read_key(found.identity) as identity:
        if found.service == "matcher":
            return Card(MATCHER, MATCHER, identity.public)
        settings = found.read_settings()
        try:
            return Card(str(settings["code"]), str(settings["name"]), identity.public)
        except KeyError as error:
            raise InputError("setting_missing", settings=found.settings, setting=error.args[0]) from None


def _read(path: Path) -> Cards:
    """Read cards from a file; raises InputError if it cannot be read; the message names it."""
    with open_list_file(path) as stream:
        return Cards.read(stream.read())


def _current(reached: ConnectedService) -> RegistryView:
    """Return the registry as a service knows it, after a node has asked the matcher."""
    return reached.client.fetch_registry() if isinstance(reached.client, NodeClient) else reached.client.registry()


def _taken(reached: ConnectedService, file: Path) -> RegistryView:
    """Give a node the secretariat's file, and return the registry.

    Raises:
        InputError: The file cannot be read or is another one, or this is the matcher's home.
    """
    return reached.node().take_registry(read_file(file).decode("utf-8", "replace"))


def _document(card: Card) -> dict[str, str]:
    return {
        "code": card.code,
        "name": card.name,
        "identity_key": card.key.hex,
        "fingerprint": card.key.fingerprint,
        "short_fingerprint": card.key.short_fingerprint,
    }
