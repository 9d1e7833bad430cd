"""`aquila audit`: checks that need no service, no network and no secret."""

from __future__ import annotations

from typing import Annotated

import typer

from aquila.audit.merkle import verify_consistency, verify_inclusion
from aquila.errors import AuditError
from clients.cli.options import Json
from clients.cli.output.screen import Screen

app = typer.Typer(no_args_is_help=True)

_Nodes = Annotated[list[str] | None, typer.Option("--node", metavar="HEX", help="A hash of the proof, in its order.")]


@app.command()
def prove_inclusion(
    leaf_hash: Annotated[str, typer.Option(metavar="HEX", help="The entry's hash.")],
    index: Annotated[str, typer.Option(metavar="N", help="The entry's number, from 0.")],
    size: Annotated[str, typer.Option(metavar="N", help="How many entries the log has.")],
    root: Annotated[str, typer.Option(metavar="HEX", help="The log's head at that size.")],
    node: _Nodes = None,
    as_json: Json = False,
) -> None:
    """Check an RFC 6962 proof that an entry is in a log. Exit status 1 and the reason where it is not shown."""
    leaf = _octets("--leaf-hash", leaf_hash)
    proof = [_octets("--node", text) for text in node or ()]
    verify_inclusion(leaf, _number("--index", index), _number("--size", size), _octets("--root", root), proof)
    Screen(as_json).result({"included": True}, "The entry is in the log.")


@app.command()
def prove_consistency(
    size1: Annotated[str, typer.Option(metavar="N", help="How many entries the log had.")],
    size2: Annotated[str, typer.Option(metavar="N", help="How many it has.")],
    root1: Annotated[str, typer.Option(metavar="HEX", help="The log's head then.")],
    root2: Annotated[str, typer.Option(metavar="HEX", help="Its head now.")],
    node: _Nodes = None,
    as_json: Json = False,
) -> None:
    """Check an RFC 6962 proof that a log only grew. Exit status 1 and the reason where it is not shown."""
    proof = [_octets("--node", text) for text in node or ()]
    sizes = _number("--size1", size1), _number("--size2", size2)
    verify_consistency(*sizes, _octets("--root1", root1), _octets("--root2", root2), proof)
    Screen(as_json).result({"consistent": True}, "The log only grew.")


def _octets(option: str, text: str) -> bytes:
    """Read hexadecimal digits; an unreadable proof does not hold, so this is not an error of usage.

    Raises:
        AuditError: There is something else.
    """
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise AuditError("option_not_hexadecimal", option=option) from None


def _number(option: str, text: str) -> int:
    """Read a whole number.

    Raises:
        AuditError: There is something else.
    """
    if not (text.isascii() and text.isdigit()):
        raise AuditError("option_not_whole_number", option=option)
    return int(text)
