"""Generated files are what the code gives, and the check would tell if they were not."""

from pathlib import Path

import pytest

from aquila.errors import AquilaError
from aquila.protocol.messages import ANNOUNCEMENTS, PARTY_STATEMENTS
from services.kit.errors import PROBLEMS
from tests import generate


def test_schemas_are_up_to_date() -> None:
    """What is in the repository is what the code gives; `make check` compares vectors and documents too."""
    for name, content in generate.generated().items():
        assert (generate.SCHEMAS / name).read_text(encoding="utf-8") == generate._text(content), f"{name}: make schemas"


def test_generated_twice_is_the_same(tmp_path: Path) -> None:
    """The same code gives the same content, whichever keys the throw-away homes have, and what is written is it."""
    assert generate.generated.__wrapped__() == generate.generated()
    assert generate.main(["--into", str(tmp_path)]) == 0
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json")} == {
        *generate.generated(),
        *generate.tables(),
    }


@pytest.mark.parametrize("fault", ["changed", "missing", "left over"])
def test_a_difference_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str) -> None:
    """A file that differs, is missing, or belongs to no message any more is named, and the exit code is 1."""
    folder = tmp_path / "schemas"
    generate.main(["--into", str(folder)])
    path = folder / "json" / ("Gossip.schema.json" if fault == "left over" else "Consent.schema.json")
    path.unlink() if fault == "missing" else path.write_text("{}\n", encoding="utf-8")
    assert generate.main(["--into", str(folder), "--check"]) == 1
    assert f"schemas/json/{path.name} is not what the code gives" in capsys.readouterr().err


def test_every_message_has_its_schema() -> None:
    """Each schema says under which payload type its message is signed, and takes no unknown field."""
    files = generate.generated()
    for message in (*ANNOUNCEMENTS, *PARTY_STATEMENTS):
        schema = files[f"json/{message.__name__}.schema.json"]
        assert schema["$comment"] == message.payload_type
        assert schema["additionalProperties"] is False


def test_a_property_bears_what_stands_below_its_field() -> None:
    """Also of a class above, and in the definitions of parts."""
    schemas = generate.generated()["openapi/node.json"]["components"]["schemas"]
    assert schemas["UndoView"]["properties"]["number"]["description"] == "The number by which it is undone."
    assert schemas["HitSearch"]["properties"]["overdue"]["description"] == "Only hits whose next step is overdue."


def test_every_problem_is_listed() -> None:
    """The list of problem types has every error of the core and of the services, each with a sentence."""
    listed = generate.generated()["problems.json"]
    assert {problem["error"] for problem in listed.values()} == {kind.__name__ for kind in PROBLEMS}
    assert AquilaError in PROBLEMS
    assert all(problem["means"].endswith(".") for problem in listed.values())


@pytest.mark.parametrize("service", ["matcher", "node"])
def test_every_operation_says_what_it_is(service: str) -> None:
    """Each operation of a service has a summary, and answers that are described."""
    paths = generate.generated()[f"openapi/{service}.json"]["paths"]
    operations = [operation for methods in paths.values() for operation in methods.values()]
    assert len(operations) >= 12
    assert all(operation["summary"] and operation["responses"] for operation in operations)
