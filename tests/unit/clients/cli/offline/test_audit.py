"""Tests of clients.cli.offline.audit; the published proofs are in tests/vectors."""

import pytest

from clients.cli.main import main

INCLUSION = {"--leaf-hash": "00" * 32, "--index": "0", "--size": "1", "--root": "00" * 32}


def judged(**changed: str) -> int:
    """Return the exit status of an inclusion proof of a log of one entry, with options changed."""
    options = INCLUSION | {f"--{name.replace('_', '-')}": value for name, value in changed.items()}
    return main(["audit", "prove-inclusion", *(word for pair in options.items() for word in pair)])


def test_a_proof_that_holds_is_said_to(capsys: pytest.CaptureFixture[str]) -> None:
    """A log of one entry has that entry's hash as head and needs no proof."""
    assert judged() == 0
    assert capsys.readouterr().out == "The entry is in the log.\n"


@pytest.mark.parametrize("changed", [{"root": "zz"}, {"index": "-1"}, {"size": "one"}, {"index": "\u0661"}])
def test_what_cannot_be_read_is_no_proof(changed: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """The status is that of a proof that does not hold, and the option is named."""
    assert judged(**changed) == 1
    assert f"--{next(iter(changed))} is not" in capsys.readouterr().err
