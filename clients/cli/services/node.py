"""`aquila node`: make a party's node, and serve it."""

from pathlib import Path
from typing import Annotated

import typer

from aquila.protocol.registration.self_signed import open_invitation
from aquila.protocol.registration.spoken_words import spoken
from aquila.protocol.registry import read_registry
from clients.cli import options
from clients.cli.output.health_views import show_status
from clients.cli.output.registry_views import spoken_views
from clients.cli.output.screen import Screen, check_target, write_result
from clients.cli.prompts import read_file
from clients.cli.services import parties
from clients.cli.services.parties import own_card, show_card
from clients.cli.services.web import front_of_home
from clients.sdk import find_home
from services.kit.settings import load

app = typer.Typer()


@app.command()
def init(
    home: options.NewHome,
    code: Annotated[str, typer.Option(metavar="CODE", help="The party's code: two capital letters, such as SI.")],
    name: Annotated[str, typer.Option(help="The party's name, as the others know it.")],
    matcher: Annotated[str, typer.Option(metavar="URL", help="Where the secretariat's matcher is.")],
    matcher_ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PEM file of the CA of the matcher's certificate.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the node listens; 0 takes a free port.")] = 8701,
    poll_seconds: Annotated[float, typer.Option(help="Seconds between two looks at the matcher.")] = 2.0,
    identity: options.NewIdentity = "file",
    as_json: options.Json = False,
) -> None:
    """Make the home of a party's node: settings, a new identity key, the operator's token. Starts nothing."""
    from services.node.storage.home import create

    create(home, code, name, matcher, matcher_ca=matcher_ca, port=port, poll_seconds=poll_seconds, identity=identity)
    screen = Screen(as_json)
    show_card(screen, own_card(home))
    screen.note(
        f"Next: `aquila party register CARD... --home {home}`, then start the service "
        "(`systemctl enable --now aquila-node` as root)."
    )


@app.command()
def join(
    invitation: Annotated[Path, typer.Argument(metavar="FILE", help="The secretariat's invitation.")],
    home: options.NewHome,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where the request to join goes; si.join of SI.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Where the node listens; that of --public-url by default, or 8701."),
    ] = None,
    public_url: options.NewUrl = "",
    certificate: options.NewCertificate = None,
    key: options.NewKey = None,
    certificate_ca: options.NewCa = None,
    identity: options.NewIdentity = "file",
    as_json: options.Json = False,
) -> None:
    """Make the home of a party's node from an invitation, and write the request to join. Starts nothing."""
    from services.kit.home_folder import NewAddress, port_of
    from services.node.storage.home import create_invited

    content = read_file(invitation)
    path = out or Path(f"{open_invitation(content).message.party.lower()}.join")
    check_target(path)  # before there is a home, which is made once
    address = NewAddress(port_of(port, public_url, 8701), public_url, certificate, key, certificate_ca)
    made = create_invited(home, content, address, identity=identity)
    write_result(path, made.request.decode())
    document = {
        "home": str(home),
        "party": made.party,
        "name": made.name,
        "matcher": made.matcher_url,
        "file": str(path),
        "words": made.spoken.sentence,
        "digits": made.spoken.number,
    }
    screen = Screen(as_json)
    screen.result(
        document,
        f"{made.party} ({made.name}): home {home}, matcher {made.matcher_url}.",
        f"Send {path} to the secretariat, then read these words to it by telephone:",
        *spoken_views(made.spoken.words, made.spoken.digits),
    )
    screen.note(
        "Next: start the service (`systemctl enable --now aquila-node` as root); "
        f"when all are admitted, `aquila party accept --home {home}`, which an approver approves."
    )


@app.command()
def serve(home: options.NewHome) -> None:
    """Serve a node until it is stopped (Ctrl-C or SIGTERM). One line of JSON on stdout reports when it is ready."""
    from clients.web.text.request_letter import compose
    from services.node.main import run

    found = find_home(home, "node")
    run(found.settings, front=front_of_home(found), compose=compose)


@app.command()
def status(
    home: options.HomePath,
    url: options.Url = None,
    token_file: options.TokenFile = None,
    ca: options.Ca = None,
    as_json: options.Json = False,
) -> None:
    """Show whether the node is well: rounds and who they wait for, database, disk, workers, log, certificates.

    The first line and the exit status are for monitoring programs of the Nagios kind: 0 ok, 1 warning, 2 critical,
    3 unknown.
    """
    show_status("node", home, url, token_file, ca, as_json=as_json)


@app.command("renew-identity")
def renew_identity(
    home: options.NewHome,
    lost: Annotated[
        bool, typer.Option("--lost", help="The old key is lost or stolen: it does not sign for the new one.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where the renewal goes; si.renewal of SI.")
    ] = None,
    identity: options.NextIdentity = "",
    as_json: options.Json = False,
) -> None:
    """Make a new identity key, and write the renewal for the secretariat. The old one is valid until all accept it."""
    from services.kit.storage.own_identity import next_path, prepare_renewal, token_address
    from services.node.settings import NodeSettings

    settings = load(find_home(home, "node").settings, NodeSettings)
    registry = read_registry(read_file(settings.registry))
    renewal = prepare_renewal(settings.identity, registry, settings.code, lost=lost, where=identity)
    waiting = token_address(next_path(settings.identity))
    path = out or Path(f"{settings.code.lower()}.renewal")
    write_result(path, renewal.envelope.decode() + "\n")
    read_aloud = spoken(renewal.digest)
    document = {
        "party": renewal.party,
        "file": str(path),
        "words": read_aloud.words,
        "digits": read_aloud.digits,
        "fingerprint": renewal.key.fingerprint,
        "revokes": not renewal.by_both,
    }
    Screen(as_json).result(
        document,
        f"The new key waits in {next_path(settings.identity)}; keep a copy of it in the safe."
        if waiting is None
        else f"The new key waits in the token {waiting.token_name} as {waiting.key_name}; no backup has it.",
        f"Send {path} to the secretariat, and read it these words when it calls:",
        *spoken_views(read_aloud.words, read_aloud.digits),
        f"When it has replaced the key: aquila party accept --home {home}, an approval, then restart the node.",
    )


app.command("renew-certificate")(parties.renew_certificate)
app.command("renew-ca")(parties.renew_ca)
app.command("renew-token")(parties.renew_token)
app.command("renew-people-key")(parties.renew_people_key)
