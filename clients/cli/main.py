"""`aquila`: the command, its parts and its end.

Each part is imported when it is called for, so that help and completion answer at once. Whatever a command raises
ends here, as `aquila: error:` and `aquila: hint:` on stderr and an exit code of `clients.cli.exit_codes`.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from aquila.errors import AquilaError, InputError
from clients.cli.exit_codes import ExitCode, exit_code_of
from clients.cli.identity import CERTIFICATE, LOGIN
from clients.cli.options import Json
from clients.cli.output.screen import Screen

if TYPE_CHECKING:
    from clients.sdk import ClientCertificate

_PARSER_WORDS = {
    "Invalid value: ": "",
    "Value error, ": "",
    "Input should be ": "it has to be ",
    ", unable to parse string as an integer": "",
    ", unable to parse string as a number": "",
}
"""Words in the parser's errors that are not for people, and what stands in their place."""

app = typer.Typer(
    name="aquila",
    help="Blind matching of police records among the parties of the PCC SEE: hit or no-hit, never data.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_PARTS = {
    "matcher": ("The secretariat's matcher: make its home, serve it.", "services.matcher", "offline.backups"),
    "node": ("A party's node: make its home, serve it.", "services.node", "offline.backups", "offline.demo"),
    "records": ("Lists of persons: check one, or make an empty one.", "offline.records"),
    "rules": ("Match rules: read them, try them in plaintext.", "offline.rules"),
    "party": ("Parties: print one's own card, register the cards of the others.", "services.parties"),
    "audit": ("Export a service's log, and check what a log claims, offline.", "offline.audit"),
    "backup-key": ("Make a backup key: a private key for the safe, and a public one.", "offline.backups:backup_key"),
    "doctor": ("Look at a service's home and surroundings, and state what to do.", "offline.doctor:doctor"),
    "call": ("Call an operation of a node or of the matcher; the answer is JSON.", "services.call:call"),
    "rehearse": ("Play a whole round of several parties' files on this machine.", "offline.rehearse:rehearse"),
    "demo": ("Play one round of three parties with invented lists, as real processes.", "offline.demo:demo"),
    "login": ("Sign in at a node or matcher.", "services.people:login"),
    "logout": ("Sign out: the session ends at the service, and its file here goes.", "services.people:logout"),
    "whoami": ("Show the account under which commands act, and its roles.", "services.people:whoami"),
    "enrol": ("Set password and authenticator with the administrator's code.", "services.people:enrol"),
    "code": ("Show the current code of an authenticator's secret.", "services.people:code"),
    "roles": ("Show the role table.", "services.people:show_roles"),
    "web": ("Serve the pages of a node or of the matcher that runs elsewhere.", "services.web:web"),
}
"""The parts of the command: what each is for, and its module with the function, or all modules of its group."""


class Part(TyperCommand):
    """A part that is imported when it is called for, so that help and completion answer at once."""

    def load(self) -> Any:
        assert self.name is not None
        text, *places = _PARTS[self.name]
        modules = [import_module(f"clients.cli.{place.partition(':')[0]}") for place in places]
        if function := places[0].partition(":")[2]:
            alone = typer.Typer(add_completion=False, rich_markup_mode=None)
            alone.command(self.name, short_help=text)(getattr(modules[0], function))
            return typer.main.get_command(alone)
        group = typer.main.get_group(modules[0].app)
        group.help = group.short_help = text
        group.name, group.rich_markup_mode = self.name, None
        return group


class _Parts(TyperGroup):
    """The command."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command that a line names, and the words behind its name."""
        name, found, rest = super().resolve_command(ctx, args)
        if name is not None and isinstance(found, Part):
            self.commands[name] = found = found.load()
        return name, found, rest


@app.callback(cls=_Parts, invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show version and group backend.")] = False,
    login: Annotated[
        str | None, typer.Option("--as", metavar="LOGIN", help="Whose session to use, if several are signed in here.")
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            "--cert", envvar="AQUILA_CERT", metavar="FILE", help="PEM file of your certificate, if asked for."
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", envvar="AQUILA_KEY", metavar="FILE", help="PEM file of your certificate's private key."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Show the version, or the help where no command is named."""
    LOGIN.set(login)
    CERTIFICATE.set(_shown(certificate, key))
    if as_json:
        context.default_map = _all_as_json(context.command)
    if version:
        _show_version(Screen(as_json))
        raise typer.Exit(ExitCode.DONE)
    if context.invoked_subcommand is None:
        Screen().show(context.get_help())
        raise typer.Exit(ExitCode.USAGE)
    return ExitCode.DONE


def _all_as_json(command: Any) -> dict[str, Any]:
    """Return the parser's defaults by which `aquila --json ...` is `aquila ... --json`."""
    return {name: _all_as_json(child) for name, child in getattr(command, "commands", {}).items()} or {"as_json": True}


def _shown(certificate: Path | None, key: Path | None) -> ClientCertificate | None:
    """Return the certificate for a service that asks for one.

    Raises:
        InputError: Only one of the two files is named.
    """
    if certificate is None and key is None:
        return None
    from clients.sdk import ClientCertificate

    if certificate is None or key is None:
        raise InputError("cert_or_key_missing")
    return ClientCertificate(certificate, key)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: The words after `aquila`; those of this process by default.
    """
    os.umask(0o077)  # whatever a command makes is its user's alone
    screen = Screen()
    try:
        code = whole_command()(arguments, prog_name="aquila", standalone_mode=False)
    except AquilaError as error:
        screen.error(error)
        return exit_code_of(error)
    except (typer.Abort, typer.TyperException) as error:
        return _not_begun(screen, error)
    except BrokenPipeError:  # whoever read our output went away
        _drop_output()
        return ExitCode.REFUSED
    except OSError as error:
        return _refused_by_system(screen, error)
    except Exception as error:  # noqa: BLE001 - the end of the command; a message could quote a person's values
        return _refused_input(screen, error) or _fault(screen, error)
    if code == ExitCode.INTERRUPTED:  # the parser's answer to Ctrl-C
        screen.failure("interrupted")
    return int(code or ExitCode.DONE)


@cache
def whole_command() -> TyperGroup:
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    for name, (text, *_) in _PARTS.items():
        command.add_command(Part(name, help=text, short_help=text, rich_markup_mode=None))
    return command


def _show_version(screen: Screen) -> None:
    from aquila import __version__
    from aquila.crypto.backend import load_group

    group = load_group()
    document = {"version": __version__, "group": {"name": group.name, "reason": group.reason}}
    screen.result(document, f"aquila {__version__}", f"Group backend: {group.reason}")


def _not_begun(screen: Screen, error: typer.Abort | typer.TyperException) -> int:
    """Report that the input ended at a question, or that the command line cannot be understood."""
    if isinstance(error, typer.Abort):
        screen.failure("nothing was done: the question was not answered")
        return ExitCode.REFUSED
    screen.failure(_usage(error), "see the command's --help")
    return ExitCode.USAGE


def _usage(error: typer.TyperException) -> str:
    """Return the parser's error on the command line, as a clause without its last stop."""
    says = getattr(error, "format_message", None)
    text = str(says() if says else error)
    for words, plain in _PARSER_WORDS.items():
        text = text.replace(words, plain)
    return text.rstrip(".")


def _drop_output() -> None:
    """Let what is still buffered for stdout go nowhere, so that it does not raise again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refused_input(screen: Screen, error: Exception) -> int:
    """Report input that no request can have; returns 0, and reports nothing, for another error."""
    from pydantic import ValidationError

    from aquila.protocol.messages.unusable import listed

    if not isinstance(error, ValidationError):
        return ExitCode.DONE
    screen.error(InputError("input_unusable", faults=listed(error)))
    return ExitCode.USAGE


def _refused_by_system(screen: Screen, error: OSError) -> int:
    """Report that the system refused a file, a folder or the output: no fault of Aquila, and a person can mend it."""
    if error.filename is None:
        _drop_output()
    what = f"{error.filename} cannot be used" if error.filename else "the system refused to read or write"
    screen.failure(
        f"{what}: {error.strerror or type(error).__name__}",
        "check that it exists, that it is yours to read or write, and that its disk has room",
    )
    return ExitCode.MACHINE


def _fault(screen: Screen, error: Exception) -> int:
    """Report a fault of Aquila itself: the code location, without the data."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    screen.failure(
        f"this is a fault of Aquila itself: {type(error).__name__} at {place.filename}:{place.lineno}",
        "report it with this line and the command, without the files; AQUILA_TRACEBACK=1 shows the way there",
    )
    if os.environ.get("AQUILA_TRACEBACK"):
        screen.show("".join(traceback.format_tb(error.__traceback__)).rstrip())
    return ExitCode.FAULT


if __name__ == "__main__":
    sys.exit(main())
