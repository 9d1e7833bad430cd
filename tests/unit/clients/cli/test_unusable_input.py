"""Values that no request can have: commands refuse them in plain words, and none ends as a fault of Aquila."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import httpx
import pytest
from typer import FileText

from aquila.protocol.messages.unusable import FORMS
from clients.cli.exit_codes import ExitCode
from clients.cli.main import main, whole_command
from tests.support.openapi_examples import EXAMPLES as REQUESTS
from tests.support.reached_service import answer_commands

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = Path(__file__).parents[4] / "schemas" / "openapi"
RUNS = {"bench", "demo", "matcher serve", "node serve", "node train", "rehearse", "web"}
"""Commands that go on running, or that read lists and nothing else of a person's."""
AT_MATCHER = {"round propose"}
USUAL = {"role": "officer", "party": "SI", "until": "2026-11-26", "place": "ab" * 16 + "/1", "index": "1", "size": "1"}
"""Values of options whose kind does not tell them."""
BAD = ("", "Ana", "a b", "-1", "2026-13-45", "none\x01such", "č" * 70, "x" * 5_000)
TEXTS = {
    r"^[A-Z]{2}$": "SI",
    r"^([A-Z]{2}|matcher)$": "matcher",
    r"^[^\x00-\x1f\x7f]+$": "text",
    r"^[0-9a-f]{32}$": "ab" * 16,
    r"^[0-9a-f]{64}$": "ab" * 32,
    r"^p-[0-9a-f]{12}$": "p-0123456789ab",
    r"^([0-9a-f]{32}|p-[0-9a-f]{12}|[A-Z]{2}|matcher)$": "matcher",
    r"^[a-z][a-z0-9_]{0,31}$": "low",
    r"^[a-z]{2}(-[A-Za-z]{2,8})?$": "en",
    r"^[^\s\x00-\x20\x7f]+$": "address",
    r"^[A-Z]{2}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$": "SI-AAAA-AAAA-AAAA",
    r"^[0-9a-f]{16}$": "ab" * 8,
}
"""A text for each pattern in an answer of a service."""


@dataclass
class AnyService:
    """Answers every call of a node or of the matcher with the least that its OpenAPI document allows."""

    documents: list[dict[str, Any]] = field(
        default_factory=lambda: [json.loads(path.read_text("utf-8")) for path in sorted(SCHEMAS.glob("*.json"))]
    )

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a call."""
        for document in self.documents:
            for path, calls in document["paths"].items():
                if request.method.lower() in calls and re.fullmatch(
                    re.sub(r"\{\w+\}", "[^/]+", path), request.url.path
                ):
                    return self._answered(document, calls[request.method.lower()])
        return httpx.Response(404)

    def _answered(self, document: dict[str, Any], call: dict[str, Any]) -> httpx.Response:
        status, answer = next((code, answer) for code, answer in call["responses"].items() if code < "300")
        kind, content = next(iter(answer.get("content", {"": {}}).items()))
        if kind != "application/json":
            return httpx.Response(int(status), content=b"content")
        return httpx.Response(int(status), json=least(document["components"]["schemas"], content["schema"]))


def least(schemas: dict[str, Any], schema: dict[str, Any]) -> Any:
    """Return the least document of a schema whose lists have one thing each."""
    if "$ref" in schema:
        return least(schemas, schemas[schema["$ref"].rpartition("/")[2]])
    choices = schema.get("anyOf", schema.get("oneOf", []))
    if choices:
        return None if {"type": "null"} in choices else least(schemas, choices[0])
    match schema.get("type"):
        case "object":
            known = schema.get("properties", {})
            made: Any = {name: least(schemas, known[name]) for name in schema.get("required", ())}
        case "array":
            made = [least(schemas, part) for part in schema.get("prefixItems", [schema.get("items", {})])]
        case "string":
            made = TEXTS[schema["pattern"]] if "pattern" in schema else "t" * max(4, schema.get("minLength", 0))
        case kind:
            made = kind != "boolean" and schema.get("minimum", 1)
    return schema.get("const", schema.get("enum", [made])[0])


def every_command(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield all commands with their words."""
    for name, child in getattr(command, "commands", {}).items():
        yield from every_command(child, (*words, name))
    if words and not hasattr(command, "commands"):
        yield words, command


COMMANDS = {" ".join(words): command for words, command in every_command(whole_command())}


def usual(option: Any, folder: Path) -> str:
    """Return a value of an option's kind."""
    kind = option.type_descriptor.annotation
    if option.name in USUAL:
        return USUAL[option.name]
    if kind in {Path, FileText}:
        return str(folder / "given")
    if isinstance(kind, type) and issubclass(kind, Enum):
        return str(next(iter(kind)).value)
    if get_origin(kind) is Literal:
        return str(get_args(kind)[0])
    return "2026-11-26" if kind is datetime else "1" if kind in {int, float} else "ab" * 16


def spoiled_lines(name: str, folder: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Yield command lines of which one value is bad: the name of that value, the value, and the line.

    Where a service is, and how it is reached, is what the test stands in for.
    """
    given = [one for one in COMMANDS[name].params if not getattr(one, "is_flag", False)]
    service = "matcher" if name in AT_MATCHER or name.startswith("matcher") else "node"
    for spoiled in given:
        for bad in () if spoiled.name in {"url", "token_file", "ca"} else (*BAD, str(folder / "given")):
            line = name.split()
            for one in given:
                value = str(folder / f"{service}-{len(bad)}") if one.name == "home" else usual(one, folder)
                value = bad if one is spoiled else value
                if one.required or one is spoiled or one.name == "home":
                    line += [value] if one.param_type_name == "argument" else [one.opts[0], value]
            yield spoiled.name, bad, line


@pytest.mark.parametrize("name", [name for name in sorted(COMMANDS) if name not in RUNS])
def test_bad_values(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each value of a command in turn is one that cannot be: the command ends without a fault of Aquila."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "given").write_bytes(b"\xff\x00 no text" * 20_000)
    answer_commands(monkeypatch, AnyService())
    for spoiled, bad, line in spoiled_lines(name, tmp_path):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{bad}\n" * 5))
        code = main(line)
        said = capsys.readouterr().err
        assert code != ExitCode.FAULT, (spoiled, bad[:20], said)
        assert "should" not in said, (spoiled, bad[:20], said)  # pydantic's own words


@pytest.mark.parametrize("login", ["Ana", "ana novak", "", "a", "žarko", "1ana", "ana@mup", "a" * 65])
def test_logins(login: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A login that cannot be is refused with what a login is, before anything is sent."""
    answer_commands(monkeypatch, AnyService())
    assert main(["user", "add", login, "--role", "officer", "--home", "node"]) == ExitCode.USAGE
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("aquila: error: this cannot be used: login: 2 to 64 small letters")
    assert "aquila: hint: correct it" in said.err


def test_every_form_of_a_request_has_words() -> None:
    """No text of a request has a form that its author is not told."""
    found = set()
    for path in SCHEMAS.glob("*.json"):
        schemas = json.loads(path.read_text("utf-8"))["components"]["schemas"]
        found |= {pattern for name in REQUESTS.keys() & schemas.keys() for pattern in _patterns(schemas, schemas[name])}
    assert len(found) > 8
    assert found - FORMS.keys() == set()


def _patterns(schemas: dict[str, Any], schema: Any) -> Iterator[str]:
    """Yield the patterns of a schema and of those that it names."""
    if isinstance(schema, list):
        for one in schema:
            yield from _patterns(schemas, one)
    elif isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        if "$ref" in schema:
            yield from _patterns(schemas, schemas[schema["$ref"].rpartition("/")[2]])
        for one in schema.values():
            yield from _patterns(schemas, one)
