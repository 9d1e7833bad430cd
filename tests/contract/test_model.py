"""The symbolic model of docs/model: its answers are of the queries that it has, and its mutants of what it says."""

import re

from tests.model import FOLDER, due, mutated


def test_each_query_has_its_answer() -> None:
    files = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.pv")}
    asked = {name: len(re.findall(r"^(?:query|weaksecret) ", text, re.MULTILINE)) for name, text in files.items()}
    assert {name: len(answers) for name, answers in due()["files"].items()} == asked
    told = (FOLDER / "README.md").read_text("utf-8")
    assert [name for name in files if f"`{name}`" not in told] == []


def test_each_mutant_breaks_something() -> None:
    """What it changes is in the model once, and an answer is another one than that of the model."""
    answers = due()
    for one in answers["mutants"]:
        assert mutated(one)
        assert len(one["answers"]) == len(answers["files"][one["file"]])
        assert one["answers"] != answers["files"][one["file"]]
