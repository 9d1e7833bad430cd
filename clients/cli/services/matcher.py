"""`aquila matcher`: make the secretariat's matcher, and serve it."""

from pathlib import Path
from typing import Annotated

import typer

from aquila.errors import OrderError
from aquila.interface.approval import PendingApproval
from aquila.interface.service.party import NewInvitation
from aquila.protocol.registration.self_signed import open_request
from aquila.protocol.registry import MATCHER, Registry, read_registry, write_registry
from clients.cli import options
from clients.cli.connect import ConnectedService
from clients.cli.output.health_views import show_status
from clients.cli.output.registry_views import show_asked
from clients.cli.output.screen import Screen, write_result
from clients.cli.prompts import ask, read_file
from clients.cli.services import parties
from clients.cli.services.parties import own_card, show_card
from clients.cli.services.speaking import speaking
from clients.cli.services.web import front_of_home
from clients.sdk import MatcherClient, find_home
from clients.sdk.homes import Home

app = typer.Typer()


@app.command()
def init(
    home: options.NewHome,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Where the matcher listens; that of --public-url by default, or 8700."),
    ] = None,
    public_url: options.NewUrl = "",
    certificate: options.NewCertificate = None,
    key: options.NewKey = None,
    certificate_ca: options.NewCa = None,
    settings: Annotated[
        Path | None,
        typer.Option("--settings", metavar="FILE", help="A settings file to begin with, instead of the least one."),
    ] = None,
    identity: options.NewIdentity = "file",
    as_json: options.Json = False,
) -> None:
    """Make the home of a matcher: settings, a new identity key, the operator's token. Starts nothing."""
    from services.kit.home_folder import REGISTRY_FILE, NewAddress, port_of
    from services.matcher.storage.home import create

    address = NewAddress(port_of(port, public_url, 8700), public_url, certificate, key, certificate_ca)
    create(home, address=address, settings=settings, identity=identity)
    own = own_card(home)
    if not (home / REGISTRY_FILE).exists():
        write_result(home / REGISTRY_FILE, write_registry(Registry(own.key, {})).decode())
    screen = Screen(as_json)
    show_card(screen, own)
    screen.note(
        f"Next: start the service (`systemctl enable --now aquila-matcher` as root), then "
        f"`aquila matcher invite CODE --home {home}`."
    )


@app.command()
@speaking
def invite(
    reached: ConnectedService,
    screen: Screen,
    party: Annotated[str, typer.Argument(metavar="CODE", help="The party's code: two capital letters, such as SI.")],
    name: Annotated[str, typer.Option(help="The party's name, as the others will know it.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where the invitation goes; si.invite of SI.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=90, help="For how many days it is valid.")] = 14,
) -> None:
    """Invite a party: write a file with the matcher's key, its address and its CA's certificate. It holds no secret."""
    wanted = NewInvitation(party=party, name=name, days=days)
    path = out or Path(f"{party.lower()}.invite")
    content = reached.matcher().invite(wanted).content
    write_result(path, content)
    sentence = (
        f"Send {path} to {name}. It is valid for {days} days, for {party} alone. Then wait for the request to join."
    )
    screen.result({"party": party, "file": str(path), "days": days}, sentence)


@app.command()
@speaking
def admit(
    reached: ConnectedService,
    screen: Screen,
    request: Annotated[Path, typer.Argument(metavar="FILE", help="The party's request to join.")],
    spoken: options.Spoken = None,
) -> None:
    """Ask to register the party of a request to join, after it has read its words to you by telephone."""
    content = read_file(request)
    asking = open_request(content).message
    screen.note(f"{asking.party} ({asking.name}) asks to join. Call it at a number that you know from elsewhere.")
    heard = spoken or ask(f"The words or digits that {asking.party} reads to you", echo=True)
    asked = reached.matcher().admit(content.decode(), heard)
    show_asked(screen, asked)


@app.command("renew-identity")
@speaking
def renew_identity(
    reached: ConnectedService,
    screen: Screen,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="The old key is stolen: it does not sign for the new one.")
    ] = False,
    identity: options.NextIdentity = "",
) -> None:
    """Make a new identity key of the matcher, and ask to state it to the parties. It takes effect at the next start.

    With --identity, run it as the matcher's user on its machine: a call cannot name where a key lies.
    """
    from services.kit.storage.own_identity import wait_key

    if identity:
        found = find_home(reached.home.path, "matcher")
        wait_key(found.identity, read_registry(read_file(found.registry)).key_of(MATCHER), identity).close()
    asked = reached.matcher().renew_identity(revoked=revoke)
    show_asked(screen, asked, "Then restart the matcher.")


@app.command()
@speaking
def move(
    reached: ConnectedService,
    screen: Screen,
    public_url: Annotated[str, typer.Option("--public-url", metavar="URL", help="The new address, https://HOST:PORT.")],
    certificate_ca: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="PEM file of the CA of its certificate there; the home's own by default."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help="Where the matcher listens from its next start; by default on the new URL's port if it has listened on"
            " the old one's, and else where it is, behind a proxy.",
        ),
    ] = None,
    out: options.RegistryFile = Path("matcher.registry"),
) -> None:
    """Ask to state the matcher's new address; given again, write it into the settings, and the file for the parties.

    Run it as the matcher's user on its machine: else the settings are not changed.
    """
    from services.kit.home_folder import NewAddress
    from services.matcher.storage.home import set_address

    NewAddress(0, public_url).check()  # before the matcher states what no party can accept
    trusted = certificate_ca or reached.home.ca
    new_ca = read_file(trusted).decode("ascii", "replace") if trusted else None
    if asked := _ask_move(reached.matcher(), public_url, new_ca):
        show_asked(screen, asked, _AGAIN)
        return
    content = reached.matcher().registry_file().content
    write_result(out, content)
    listens = set_address(reached.home.settings, public_url, port) if isinstance(reached.home, Home) else None
    sentences = [f"Now start the matcher there: it listens on port {listens}."]
    if listens is None:
        sentences = ["Set public_url and port in [listen] of matcher.toml: they could not be changed from here."]
    sentences.append(_then_send(out))
    document = {"file": str(out), "url": public_url, "port": listens, "settings_changed": listens is not None}
    screen.result(document, *sentences)


@app.command("renew-ca")
@speaking
def renew_ca(reached: ConnectedService, screen: Screen, out: options.RegistryFile = Path("matcher.registry")) -> None:
    """Ask to state a new CA of the matcher's home; given again, put it in place, and write the file for the parties.

    Run it as the matcher's user on its machine. The parties reach the matcher again when they have accepted the file.
    """
    from services.kit.http.certificates import take_prepared

    found = find_home(reached.home.path, "matcher")
    own, prepared = parties.prepared_ca(found)
    if asked := _ask_move(reached.matcher(), found.url(), read_file(prepared.ca).decode("ascii")):
        show_asked(screen, asked, _AGAIN)
        return
    content = reached.matcher().registry_file().content
    write_result(out, content)
    until = take_prepared(own, prepared)
    document = {"file": str(out), "valid_until": until.isoformat()}
    screen.result(document, *parties.ca_sentences(found, own.ca, until), _then_send(out))


_AGAIN = "Once it is approved, give this command again: it does the rest."


def _ask_move(client: MatcherClient, url: str, ca: str | None) -> PendingApproval | None:
    """Ask to state an address of the matcher; return None where it is stated already."""
    try:
        return client.move(url, ca)
    except OrderError as error:
        if error.sentence.code != "registry_states_this":
            raise
        return None


def _then_send(out: Path) -> str:
    return f"Then send {out} to the parties: aquila party registry --from FILE, aquila party accept."


@app.command()
def serve(home: options.NewHome) -> None:
    """Serve a matcher until it is stopped (Ctrl-C or SIGTERM). One line of JSON on stdout reports when it is ready."""
    from clients.web.text.request_letter import compose, remind
    from services.matcher.main import run

    found = find_home(home, "matcher")
    run(found.settings, front=front_of_home(found), compose=compose, remind=remind)


@app.command()
def status(
    home: options.HomePath,
    url: options.Url = None,
    token_file: options.TokenFile = None,
    ca: options.Ca = None,
    as_json: options.Json = False,
) -> None:
    """Show whether the matcher is well: rounds and who they wait for, database, disk, workers, log, certificates.

    The first line and the exit status are for monitoring programs of the Nagios kind: 0 ok, 1 warning, 2 critical,
    3 unknown.
    """
    show_status("matcher", home, url, token_file, ca, as_json=as_json)


app.command("renew-certificate")(parties.renew_certificate)
app.command("renew-token")(parties.renew_token)
app.command("renew-people-key")(parties.renew_people_key)
