"""The state of a round: every field is documented."""

from __future__ import annotations

import re
from dataclasses import fields

from aquila.protocol.rounds.round_state import RoundState


def test_every_field_is_documented() -> None:
    """The docstring describes each field of a round's state, in the order of the fields, and nothing else."""
    described = re.findall(r"^ {8}(\w+): ", RoundState.__doc__ or "", re.MULTILINE)
    assert described == [field.name for field in fields(RoundState)]
