"""`aquila call`: any operation of a service, by its OpenAPI operation id, as the person who is signed in."""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from aquila.errors import InputError
from clients.cli.connect import LATEST, ConnectedService, connect, resolve_id
from clients.cli.options import Ca, HomePath, Json, TokenFile, Url
from clients.cli.output.screen import Screen, Table, check_target, write_result
from clients.cli.prompts import ask
from clients.sdk.connection import LIST_TIMEOUT
from clients.sdk.homes import Service
from clients.sdk.operations import Operation, Parameter, operation, operations

_ID = re.compile(r"[0-9a-f]{32}|p-[0-9a-f]{12}")
_SERVICES: tuple[Service, ...] = ("node", "matcher")
_LISTED = {
    "round_id": (("get_rounds", "get_all_rounds"), "rounds"),
    "approval_id": (("get_approvals",), "approvals"),
    "hit_id": (("get_hits",), "hits"),
    "submission_id": (("get_queries",), "queries"),
    "standing_id": (("get_standing_queries",), "queries"),
    "import_id": (("get_imports",), "imports"),
    "delivery": (("get_deliveries",), "deliveries"),
    "delivery_id": (("get_deliveries",), "deliveries"),
    "person": (("get_accounts",), "accounts"),
}
"""By the name of an id: the operations that list such ids from the newest, and the field of their answer."""


def call(
    home: HomePath,
    name: Annotated[
        str, typer.Argument(metavar="OPERATION", help="An operation id of the OpenAPI documents, such as get_hits.")
    ] = "",
    given: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME=VALUE...",
            help="Its parameters. NAME=@FILE takes the value from a file, NAME=@- from stdin; NAME.INNER=VALUE is a "
            "field of an object, NAME twice two values of a list, body=@FILE the whole body. An id can be given by "
            "its beginning, or as `latest`, and the person of an account by the login.",
        ),
    ] = None,
    show_list: Annotated[
        bool, typer.Option("--list", help="List all operations, or what the named one takes; nothing is called.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where the answer goes; needed if it is no JSON.")
    ] = None,
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Call an operation of a node or of the matcher, as every button of the pages does; the answer is JSON.

    Secrets, and what names a person, are taken from files or stdin alone: every user of a machine sees its command
    lines.
    """
    screen = Screen(as_json)
    if show_list or not name:
        _show(screen, name)
        return
    if out is not None:
        check_target(out)
    with connect(home, url, token_file, ca) as reached:
        chosen = operation(reached.home.service, name)
        values = _values(chosen, given or [])
        if chosen.answer not in {"", "application/json"} and out is None:
            raise InputError("answer_needs_file", operation=name, kind=chosen.answer)
        for one in values.keys() & _LISTED.keys():
            values[one] = _whole_id(reached, one, values[one])
        path, options = chosen.request(values)
        if any(one.place == "content" for one in chosen.parameters):
            options["timeout"] = LIST_TIMEOUT
        answer = reached.connection.call(chosen.method, path, **options)
    if out is not None:
        write_result(out, answer)
        screen.result({"file": str(out), "bytes": len(answer)}, f"The answer is in {out}.")
        return
    document = json.loads(answer) if answer else {}
    screen.result(document, json.dumps(document, ensure_ascii=False, indent=2) if answer else "Done.")


def _values(chosen: Operation, given: Iterable[str]) -> dict[str, Any]:
    """Return the values of parameters from NAME=VALUE.

    Raises:
        InputError: One is unknown, of another kind, or may not stand in a command line.
    """
    texts: dict[str, list[str]] = {}
    values: dict[str, Any] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals:
            raise InputError("parameter_without_value", operation=chosen.name)
        if name == "body":
            values |= _body(chosen, text)
            continue
        parameter = chosen.parameter(name)
        if parameter.private and not text.startswith("@"):
            raise InputError("parameter_seen_by_others", name=name)
        texts.setdefault(name, []).append(_text(parameter, text[1:]) if text.startswith("@") else text)
    return values | {name: chosen.parameter(name).value_of(found) for name, found in texts.items()}


def _body(chosen: Operation, text: str) -> dict[str, Any]:
    """Return the whole body, from a file or stdin: bytes, or the fields of a JSON object."""
    if not text.startswith("@"):
        raise InputError("parameter_seen_by_others", name="body")
    content = sys.stdin.buffer.read() if text == "@-" else _read(Path(text[1:]))
    if any(one.place == "content" for one in chosen.parameters):
        return {"body": content}
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise InputError("parameter_of_another_kind", name="body", kind="a JSON object")
    return {"body": document}


def _text(parameter: Parameter, place: str) -> str:
    """Return the text of a file, or for `-` what is typed or comes by stdin; JSON is read whole, else the first line.

    Raises:
        InputError: The file cannot be read, or nothing was given.
    """
    if place == "-" and (parameter.kind == "string" or sys.stdin.isatty()):
        return ask(parameter.name, echo=parameter.name not in {"password", "new_password"})
    content = sys.stdin.buffer.read() if place == "-" else _read(Path(place))
    try:
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InputError("file_unreadable", file=place, kind=type(error).__name__) from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError("file_unreadable", file=str(path), kind=type(error).__name__) from None


def _whole_id(reached: ConnectedService, name: str, text: str) -> str:
    """Return the one id that a text means: an id, its beginning, or `latest`; of a person the login."""
    if _ID.fullmatch(text):
        return text
    listing, field = _LISTED[name]
    known = operations(reached.home.service)
    found = next((known[one] for one in listing if one in known), None)
    if found is None:
        return text
    path, options = found.request({"hit": text.lower()} if name == "hit_id" and text != LATEST else {})
    rows = json.loads(reached.connection.call(found.method, path, **options))[field]
    if name == "person":
        return _person(rows, text)
    rows.sort(key=lambda row: row.get("for_query", False))  # the persons of queries come behind the lists
    what = name.removesuffix("_id")
    return resolve_id(what, text, [row.get(name, row.get(f"{what}_id", "")) for row in rows])


def _person(accounts: Iterable[Mapping[str, Any]], text: str) -> str:
    for account in accounts:
        if account["login"] == text:
            return str(account["person"])
    raise InputError("login_unknown", login=text)


def _show(screen: Screen, name: str) -> None:
    """Show all operations, or what one takes; raises InputError if neither service has one of this name."""
    if not name:
        known = {service: operations(service) for service in _SERVICES}
        names = sorted({one for each in known.values() for one in each})
        at = {one: [service for service in _SERVICES if one in known[service]] for one in names}
        rows = [(one, ", ".join(at[one]), known[at[one][0]][one].summary) for one in names]
        document = [{"operation": one, "at": at[one], "summary": summary} for one, _, summary in rows]
        screen.result(document, Table("", ("operation", "at", "what it does or gives"), rows))
        return
    found = {service: operations(service)[name] for service in _SERVICES if name in operations(service)}
    if not found:
        operation("node", name)
    views: list[Table | str] = []
    for service, one in found.items():
        fields = [(p.name, "yes" if p.required else "", _kind(p)) for p in one.parameters]
        views.append(f"{name}, at the {service}: {one.summary} (action {one.action}).")
        views += [Table("", ("parameter", "needed", "what it is"), fields)] if fields else ["It takes nothing."]
    screen.result({service: _described(one) for service, one in found.items()}, *views)


def _described(one: Operation) -> dict[str, object]:
    parameters = [{"name": p.name, "required": p.required, "kind": _kind(p)} for p in one.parameters]
    return {"summary": one.summary, "action": one.action, "answer": one.answer, "parameters": parameters}


def _kind(one: Parameter) -> str:
    from_file = ", from a file or stdin alone" if one.private else ""
    return (" | ".join(one.values) or {"texts": "text, once for each", "string": "text"}.get(one.kind, one.kind)) + (
        from_file
    )
