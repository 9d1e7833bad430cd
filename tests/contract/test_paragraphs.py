"""Every numbered paragraph of PROTOCOL.md has a test in which it holds and one in which it is broken, or a reason."""

import json

from tests.support import paragraphs

SAID = paragraphs.named()


def test_every_paragraph_is_in_the_table() -> None:
    assert list(SAID) == paragraphs.paragraphs(paragraphs.PROTOCOL.read_text("utf-8"))


def test_every_test_exists() -> None:
    names = [said[kind] for said in SAID.values() for kind in ("holds", "broken") if kind in said]
    assert paragraphs.missing(names) == []


def test_what_is_missing_has_a_reason() -> None:
    """And nothing else has one."""
    files = (paragraphs.ROOT / "schemas" / "vectors").glob("*.json")
    told = {vector["paragraph"] for path in files for vector in json.loads(path.read_text("utf-8"))["vectors"]}
    assert told <= SAID.keys()
    for number, said in SAID.items():
        assert said.keys() <= {"holds", "broken", "why", "no_vector", "alone"}, number
        assert said.get("alone", "party") in {"party", "matcher"}, number
        assert ("why" in said) is not ({"holds", "broken"} <= said.keys()), number
        assert ("no_vector" in said) is (number not in told), number


def test_numbers_are_found() -> None:
    text = "## 1. One\n\n1.1 First\n1.1.1 *Of it.*\n### 1.2 Without paragraphs\n## 2. Two\n2.x\n"
    assert paragraphs.paragraphs(text) == ["1.1", "1.1.1", "1.2", "2"]
    assert paragraphs.missing(["contract/test_paragraphs.py::numbers_are_found"]) == []
    gone = ["contract/test_paragraphs.py::gone", "contract/test_gone.py::numbers_are_found"]
    assert paragraphs.missing(gone) == gone
