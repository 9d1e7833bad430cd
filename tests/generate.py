"""Write anew what is generated from the code into `schemas/`, or say with `--check` what differs.

`python -m tests.generate` is `make schemas`; `python -m tests.generate --check` is part of `make check`. What it
writes: a JSON Schema of every signed message, and the table of problem types. The same code gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aquila.protocol.messages import ANNOUNCEMENTS, PARTY_STATEMENTS
from services.kit.errors import PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = Path(__file__).parents[1] / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or compare them.

    Returns:
        The exit code: 1 where `--check` finds a file that differs, is missing, or is left over; else 0.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.generate", description="Write generated files to schemas/.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file differs")
    parser.add_argument("--into", type=Path, default=SCHEMAS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    files = {options.into / name: _text(content) for name, content in generated()}
    if options.check:
        return check(options.into, files)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


def check(folder: Path, files: dict[Path, str]) -> int:
    """Say which files are not as they would be written; see `main`."""
    present = {*folder.glob("json/*.json"), *folder.glob("openapi/*.json"), *folder.glob("*.json")}
    wrong = [path for path, text in files.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in sorted([*wrong, *(present - set(files))]):
        sys.stderr.write(f"{path.relative_to(folder.parent)} is not what the code gives; run `make schemas`\n")
    return 1 if wrong or present - set(files) else 0


def generated() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the content of every generated file."""
    for message in (*ANNOUNCEMENTS, *PARTY_STATEMENTS):
        schema = message.model_json_schema(mode="validation")
        yield f"json/{message.__name__}.schema.json", {"$schema": DIALECT, "$comment": message.payload_type, **schema}
    yield "problems.json", problems()


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
