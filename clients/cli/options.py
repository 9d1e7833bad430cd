"""Options that several commands share, each explained once."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def _own_home() -> Path:
    """Return the person's own home; the import waits until a command needs it."""
    from clients.sdk.homes import default_client_home

    return default_client_home()


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing else there.")]

Rules = Annotated[
    str, typer.Option("--rules", metavar="NAME|FILE", help="Match rules: default, exact, or a TOML file of your own.")
]

Minimum = Literal["low", "medium", "high"]

BackendChoice = Annotated[
    Literal["auto", "ifma", "avx2", "portable", "libsodium"],
    typer.Option("--backend", help="The code that computes in the group; by default the fastest of this machine."),
]

Lists = Annotated[
    list[str],
    typer.Option(
        "--party",
        metavar="CODE=FILE",
        help="A party and its list, once for each party: CSV, .xlsx, .ods, or FollowTheMoney.",
    ),
]

Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the hits go, as CSV.")]

Report = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="Where counts, times and findings go, as JSON.")
]

ListFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The list: CSV, .xlsx, .ods, or FollowTheMoney JSON lines.")
]

FindingLimit = Annotated[int, typer.Option("--limit", min=0, help="How many findings to show.")]

ListEncoding = Annotated[
    str | None,
    typer.Option("--encoding", metavar="NAME", help="The encoding of the list's text; recognized by default."),
]

ListColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="HEADING=FIELD",
        help="A column and the field that it holds, if it is not named as the field; HEADING= leaves a column out.",
    ),
]

ListSheet = Annotated[
    int | None,
    typer.Option("--sheet", min=1, help="The sheet of a spreadsheet; by default the first with a known column."),
]

HomePath = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="AQUILA_HOME",
        metavar="FOLDER",
        default_factory=_own_home,
        show_default="~/.config/aquila",
        help="The home folder of the node or matcher to speak to, or a person's own that the first sign-in makes.",
    ),
]

NewHome = Annotated[
    Path, typer.Option("--home", envvar="AQUILA_HOME", metavar="FOLDER", help="The home folder to make or to serve.")
]

Url = Annotated[
    str | None,
    typer.Option(envvar="AQUILA_URL", metavar="URL", help="Where the service is, if not where its settings say."),
]

TokenFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The home's key, if not the one in the home folder.")
]

Ca = Annotated[
    Path | None,
    typer.Option(envvar="AQUILA_CA", metavar="FILE", help="PEM file of the CA of the service's certificate."),
]

NewUrl = Annotated[
    str,
    typer.Option(
        "--public-url",
        metavar="URL",
        help="Under which others call the service, https://HOST:PORT; without it loopback alone.",
    ),
]

NewIdentity = Annotated[
    str,
    typer.Option(
        "--identity",
        metavar="ADDRESS",
        help="Where the identity key goes: into a file of the home (file), or into a PKCS#11 token, by its address "
        "(pkcs11:token=...), where a key that is there already is taken.",
    ),
]

RegistryFile = Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the file for the parties goes.")]

GivenRegistry = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", help="The secretariat's file, if the matcher has moved or has another CA."),
]

NextIdentity = Annotated[
    str,
    typer.Option(
        "--identity",
        metavar="ADDRESS",
        help="Where the new key goes: file, or the address of a key in a PKCS#11 token (pkcs11:token=...). Needed if "
        "the old one is in a token; else into a file.",
    ),
]

NewCertificate = Annotated[
    Path | None,
    typer.Option(
        "--certificate", metavar="FILE", help="PEM file of the service's certificate; without it the home makes a CA."
    ),
]

NewKey = Annotated[Path | None, typer.Option("--key", metavar="FILE", help="PEM file of its private key.")]

NewCa = Annotated[
    Path | None, typer.Option(metavar="FILE", help="PEM file of the CA of that certificate, if not a public one.")
]

Spoken = Annotated[
    str | None,
    typer.Option(
        "--spoken", metavar="TEXT", help="The words or digits that were read to you; by default you are asked."
    ),
]
