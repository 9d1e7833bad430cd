"""The product gives what `schemas/vectors/` says, and refuses what it says is refused, and why.

`make vectors` writes these files; `make check` compares them with what it writes.
"""

import json
from importlib import import_module
from typing import Any

import pytest

from aquila.errors import AquilaError
from aquila.protocol.problems import problem_type_of
from tests.vectors.answers.given import Operation, RefusedError
from tests.vectors.making.files import FOLDER
from tests.vectors.making.theme import DIFFERS

DOCUMENTS = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}
OPERATIONS: dict[str, dict[str, Operation]] = {
    name: import_module(f"tests.vectors.answers.{name}").OPERATIONS for name in DOCUMENTS
}


def kind_of(refused: Exception) -> str:
    if isinstance(refused, RefusedError):
        return refused.kind
    assert isinstance(refused, AquilaError)
    return problem_type_of(type(refused)).slug


def is_answered(answer: Operation, given: dict[str, Any], vector: dict[str, Any]) -> bool:
    """Return whether an operation gives what a vector says, or refuses for the reason that it says."""
    is_invalid = vector["result"] == "invalid"
    try:
        found = answer(given)
    except (AquilaError, RefusedError) as refused:
        return is_invalid and kind_of(refused) == vector["class"]
    if is_invalid:
        is_other = vector["class"] == DIFFERS and found != vector["gives"]
        return is_other and type(found) is type(vector["gives"])
    return bool(found == vector.get("gives"))


@pytest.mark.parametrize("file", DOCUMENTS)
def test_vectors(file: str) -> None:
    document, operations = DOCUMENTS[file], OPERATIONS[file]
    shared = document.get("shared", {})
    wrong = [
        vector["name"]
        for vector in document["vectors"]
        if not is_answered(operations[vector["operation"]], shared | vector["given"], vector)
    ]
    assert wrong == []


def test_each_has_a_class_a_paragraph_and_a_source() -> None:
    """Every operation is said what it is, and has a vector; there are 80 that are refused at least."""
    refused = 0
    for name, document in DOCUMENTS.items():
        assert document["source"]
        assert document["operations"].keys() == {one["operation"] for one in document["vectors"]}, name
        for vector in document["vectors"]:
            assert vector["paragraph"]
            assert (vector["result"] == "invalid") == ("class" in vector)
            refused += vector["result"] == "invalid"
    assert refused >= 80
