"""Every command: what it says to values that no request can have, and `--json` before it and behind it."""

import io
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import httpx
import pytest
from typer import FileText

from aquila.protocol.messages.unusable import FORMS
from clients.cli.exit_codes import ExitCode
from clients.cli.main import main
from tests.support.commands import every_command, loaded_command
from tests.support.openapi_examples import EXAMPLES as REQUESTS
from tests.support.reached_service import answer_commands

SCHEMAS = Path(__file__).parents[4] / "schemas" / "openapi"
RUNS = {"demo", "matcher serve", "node serve", "node train", "rehearse", "web"}
"""Commands that go on running, or that read lists and nothing else of a person's."""
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
        default_factory=lambda: [
            json.loads(path.read_text("utf-8")) for path in sorted(SCHEMAS.glob("*.json"), reverse=True)
        ]
    )
    """The node's first: the matcher's calls for nodes have addresses that the node's calls for people have too."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
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


COMMANDS = dict(every_command(loaded_command()))


def usual(option: Any, folder: Path) -> str:
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


def _service(name: str) -> str:
    return "matcher" if name.startswith("matcher") else "node"


def line_of(name: str, folder: Path, values: dict[str, str]) -> list[str]:
    line, service = name.split(), _service(name)
    given = {"home": str(folder / service)} | values
    for one in COMMANDS[name].params:
        if one.required or one.name in given:
            value = given.get(one.name, usual(one, folder) if one.required else "")
            line += [value] if one.param_type_name == "argument" else [one.opts[0], value]
    return line


def spoiled_lines(name: str, folder: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Yield command lines of which one value is bad: the name of that value, the value, and the line.

    Where a service is, and how it is reached, is what the test stands in for.
    """
    stood_in = {"url", "token_file", "ca"}
    for spoiled in COMMANDS[name].params:
        if not getattr(spoiled, "is_flag", False) and spoiled.name not in stood_in:
            for number, bad in enumerate((*BAD, str(folder / "given"))):
                home = {} if spoiled.name == "home" else {"home": str(folder / f"{_service(name)}-{number}")}
                yield spoiled.name, bad, line_of(name, folder, home | {spoiled.name: bad})


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


def test_json_before_and_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    answer_commands(monkeypatch, AnyService())
    documents = 0
    for name in sorted(COMMANDS.keys() - RUNS):
        line, shown = line_of(name, tmp_path / "here", {}), []
        for words in (["--json", *line], [*line, "--json"]):
            shutil.rmtree(tmp_path / "here", ignore_errors=True)
            (tmp_path / "here").mkdir()
            monkeypatch.setattr("sys.stdin", io.StringIO("y\n" * 5))
            code = main(words)
            said = capsys.readouterr().out
            shown.append((code, said and type(json.loads(said))))
        assert shown[0] == shown[1], name
        documents += bool(shown[0][1])
    assert documents > 10


def test_every_command_has_json() -> None:
    """But those that serve, whose one line on stdout is JSON anyway."""
    without = {name for name, one in COMMANDS.items() if "as_json" not in {option.name for option in one.params}}
    assert without == {"matcher serve", "node serve", "web"}


def test_every_form_of_a_request_has_words() -> None:
    found = set()
    for path in SCHEMAS.glob("*.json"):
        schemas = json.loads(path.read_text("utf-8"))["components"]["schemas"]
        found |= {pattern for name in REQUESTS.keys() & schemas.keys() for pattern in _patterns(schemas, schemas[name])}
    assert len(found) > 8
    assert found - FORMS.keys() == set()


def _patterns(schemas: dict[str, Any], schema: Any) -> Iterator[str]:
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
