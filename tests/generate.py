"""Write the generated files of `schemas/`, and what is generated in `docs/`, or report differences with `--check`.

`python -m tests.generate` is `make schemas`; `python -m tests.generate --check` is part of `make check`. What it
writes: a JSON Schema of every signed message, the table of problem types, the tables of rules and of the normalizer,
the columns of lists, OpenAPI of matcher and node as they are put together for service, in homes that are thrown away,
the index of operations for `aquila call`, the map of the folders in `docs/ARCHITECTURE.md`, the shares of name pairs in
`docs/MATCHING.md`, the vectors, which `make vectors` writes alone, the table of PROTOCOL.md's paragraphs, and a
statement byte by byte. The same code gives the same bytes.
"""

import argparse
import copy
import json
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import rfc8785
from fastapi import FastAPI

from aquila.audit.entries import Entry
from aquila.crypto.keys import IdentityKey
from aquila.protocol.messages import ANNOUNCEMENTS, PARTY_STATEMENTS, Message, Note
from aquila.protocol.messages.feed import Consignment, ConsignmentAnswer, ProofRequest, Proofs
from aquila.protocol.registration.self_signed import Invitation, JoinRequest, KeyHandover, KeyRenewal
from aquila.protocol.registration.statements import RegistryAcceptance, RegistryStatement
from aquila.protocol.registry import RegisteredParty, Registry, write_registry
from aquila.records.normalize.names import NAMES, table
from aquila.records.rules import BUILT_IN, content_of
from services.kit.errors import PROBLEMS
from services.kit.settings import load
from services.matcher import main as matcher_main
from services.matcher.settings import MatcherSettings
from services.matcher.storage import home as matcher_home
from services.node import main as node_main
from services.node.settings import NodeSettings
from services.node.storage import home as node_home
from tests.quality.measuring import name_pairs
from tests.support import architecture_map, corroboration_page, fields_page, operations_index, paragraphs
from tests.support.field_descriptions import describe
from tests.support.openapi_examples import EXAMPLES
from tests.vectors.making import files as vectors
from tests.vectors.making import worked_example

SCHEMAS = Path(__file__).parents[1] / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

REGISTRATION = (Invitation, JoinRequest, KeyHandover, KeyRenewal, RegistryStatement, RegistryAcceptance)
"""Signed messages about the registry (PROTOCOL.md 11)."""

BODIES = (Consignment, ConsignmentAnswer, ProofRequest, Proofs)
"""Bodies of calls that are no signed messages (PROTOCOL.md 9.3)."""


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or compare them.

    Returns:
        The exit code: 1 where `--check` finds a file that differs, is missing, or is left over; else 0.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.generate", description="Write generated files.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file differs")
    parser.add_argument("--into", type=Path, default=SCHEMAS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    files = {options.into / name: _text(content) for name, content in generated().items()}
    files |= {options.into / name: text for name, text in tables().items()}
    files[options.into / corroboration_page.PAGE] = corroboration_page.page()
    if options.into == SCHEMAS:
        files[fields_page.DOCUMENT] = fields_page.document()
        files[architecture_map.DOCUMENT] = architecture_map.document()
        files[name_pairs.DOCUMENT] = name_pairs.document()
        files |= {vectors.FOLDER / name: text for name, text in vectors.made().items()}
        files[SCHEMAS / paragraphs.PAGE] = paragraphs.page(vectors.made())
        files[SCHEMAS / worked_example.PAGE] = worked_example.page()
        with tempfile.TemporaryDirectory() as folder:
            files[operations_index.DOCUMENT] = operations_index.text(applications(Path(folder)))
    if options.check:
        return check(options.into, files)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


def check(folder: Path, files: dict[Path, str]) -> int:
    """Say which files are not as they would be written; see `main`."""
    present = {*folder.glob("json/*.json"), *folder.glob("openapi/*.json"), *folder.glob("*.json")}
    present |= {*folder.glob("vectors/*.json"), *folder.glob("records/*/*.json")}
    wrong = [path for path, text in files.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in sorted([*wrong, *(present - set(files))]):
        sys.stderr.write(f"{path.relative_to(folder.parent)} is not what the code gives; run `make schemas`\n")
    return 1 if wrong or present - set(files) else 0


def tables() -> dict[str, str]:
    """Return the built-in rule tables and the normalizer's, as they are hashed (PROTOCOL.md 6.2)."""
    rules = resources.files("aquila.records").joinpath("tables")
    read = {f"tables/{name}": content_of(rules.joinpath(f"{name}.toml").read_text("utf-8")) for name in BUILT_IN}
    read |= {f"normalizer/{name}": table(name) for name in NAMES}
    return {f"records/{name}.json": rfc8785.dumps(content).decode() for name, content in read.items()}


@cache
def generated() -> dict[str, dict[str, Any]]:
    files = {
        f"json/{message.__name__}.schema.json": schema(message)
        for message in (*ANNOUNCEMENTS, *PARTY_STATEMENTS, *REGISTRATION, Note, *BODIES)
    }
    with tempfile.TemporaryDirectory() as folder:
        openapi = {f"openapi/{name}.json": exemplified(app.openapi()) for name, app in applications(Path(folder))}
    return files | openapi | {"problems.json": problems(), "log/Entry.schema.json": entry_schema()}


def entry_schema() -> dict[str, Any]:
    """Return the JSON Schema of an entry as it is encoded: every member is there, null for nothing, but the salt."""
    found = {"$schema": DIALECT} | Entry.model_json_schema(mode="validation")
    describe(found, Entry)
    found["properties"]["salt"] = found["properties"]["salt"] | found["properties"]["salt"].pop("anyOf")[0]
    for of in (found, found["$defs"]["Reason"]):
        of["required"] = [name for name in of["properties"] if name != "salt"]
        for member in of["properties"].values():
            member.pop("default", None)
            if "patternProperties" in member:
                member["additionalProperties"] = False
    return found


def exemplified(document: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of an OpenAPI document, its fields described, with an example of each body that a person sends."""
    document = copy.deepcopy(document)
    describe(document["components"])
    schemas = document["components"]["schemas"]
    for name in EXAMPLES.keys() & schemas.keys():
        schemas[name]["examples"] = [EXAMPLES[name]]
    return document


def schema(message: type[Message]) -> dict[str, Any]:
    """Return the JSON Schema of a message, with the payload type under which it is signed, if it is."""
    signed = {"$comment": message.payload_type} if message.payload_type else {}
    found = {"$schema": DIALECT} | signed | message.model_json_schema(mode="validation")
    describe(found, message)
    if message not in BODIES:
        for of in (found, *found.get("$defs", {}).values()):
            _never_null(of)
    return found


def _never_null(of: dict[str, Any]) -> None:
    """Leave null out of members that a message need not have: it has none (PROTOCOL.md 2.1)."""
    for name, member in of.get("properties", {}).items():
        if name not in of.get("required", ()) and member.pop("default", None) is None and "anyOf" in member:
            given, _null = member.pop("anyOf")
            of["properties"][name] = member | given


def applications(folder: Path) -> Iterator[tuple[str, FastAPI]]:
    """Yield both services' applications, made from fresh homes in a folder; their stores are closed afterwards."""
    matcher_home.create(folder / "matcher")
    node_home.create(folder / "node", "SI", "Slovenija", "https://matcher.example")
    keys = {name: IdentityKey.from_pem((folder / name / "identity.pem").read_bytes()) for name in ("matcher", "node")}
    registry = Registry(keys["matcher"].public, {"SI": RegisteredParty("SI", "Slovenija", keys["node"].public)})
    for name in keys:
        (folder / name / "registry.toml").write_bytes(write_registry(registry))
    matcher = matcher_main.build(load(folder / "matcher" / "matcher.toml", MatcherSettings))
    yield "matcher", matcher
    matcher.state.context.close()
    node = node_main.build(load(folder / "node" / "node.toml", NodeSettings))
    yield "node", node
    node.state.node.store.close()


def problems() -> dict[str, Any]:
    """Return the table of problem types (RFC 9457) with the error class of each, by type."""
    return {
        row.uri: {"title": row.title, "status": row.status, "error": kind.__name__, "means": _sentence(kind)}
        for kind, row in PROBLEMS.items()
    }


def _sentence(kind: type[Exception]) -> str:
    return (kind.__doc__ or "").partition("\n")[0]


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
