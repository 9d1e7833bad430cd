"""The product gives what `schemas/vectors/` says, and refuses what it says is refused, and why.

`make vectors` writes these files; that they are what it writes is tested in `contract/test_generated.py`.
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
VECTORS = [
    pytest.param(name, document.get("shared", {}), vector, id=f"{name}:{vector['name']}")
    for name, document in DOCUMENTS.items()
    for vector in document["vectors"]
]


def kind_of(refused: Exception) -> str:
    if isinstance(refused, RefusedError):
        return refused.kind
    assert isinstance(refused, AquilaError)
    return problem_type_of(type(refused)).slug


@pytest.mark.parametrize(("file", "shared", "vector"), VECTORS)
def test_vector(file: str, shared: dict[str, Any], vector: dict[str, Any]) -> None:
    answer = OPERATIONS[file][vector["operation"]]
    given = shared | vector["given"]
    if vector["result"] == "invalid" and vector["class"] != DIFFERS:
        with pytest.raises((AquilaError, RefusedError)) as refused:
            answer(given)
        assert kind_of(refused.value) == vector["class"], refused.value
        return
    found = answer(given)
    if vector["result"] == "invalid":
        assert found != vector["gives"]
        assert type(found) is type(vector["gives"])
    else:
        assert found == vector.get("gives")


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
