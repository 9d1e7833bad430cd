"""What was ever signed stays readable: the signed messages of earlier versions, byte for byte.

A field that a message gets later is `added_later()` (aquila/protocol/messages/base.py), and none is ever removed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from aquila.errors import MalformedError
from aquila.protocol.messages import ANNOUNCEMENTS, PARTY_STATEMENTS, Manifest, Message
from tests.migrations.homes.make import HOMES, SHAPES, archive_of, samples_of

KINDS: dict[str, type[Message]] = {kind.payload_type: kind for kind in (*PARTY_STATEMENTS, *ANNOUNCEMENTS)}
STORED = [
    pytest.param(KINDS[payload_type], payload, id=f"{version}-{KINDS[payload_type].__name__}")
    for version in SHAPES
    for payload_type, payload in json.loads(samples_of(version).read_text("utf-8")).items()
]


@pytest.mark.parametrize(("kind", "payload"), STORED)
def test_a_message_of_an_earlier_version(kind: type[Message], payload: str) -> None:
    """It is read, and encoded again as it was signed."""
    assert kind.from_payload(payload.encode()).payload() == payload.encode()


def test_every_kind_is_kept() -> None:
    """There is a sample of every kind that could be signed when the newest of the kept versions was current."""
    kept = {kind for version in SHAPES for kind in json.loads(samples_of(version).read_text("utf-8"))}
    assert kept <= set(KINDS)
    assert len(kept) >= len(json.loads(samples_of(SHAPES[-1]).read_text("utf-8"))) == 19


def test_a_field_that_was_always_there_must_be_there() -> None:
    """What an earlier version could leave out is what it did not know, and nothing else."""
    oldest = json.loads(samples_of(SHAPES[0]).read_text("utf-8"))[Manifest.payload_type]
    for name in json.loads(oldest):
        content = {key: value for key, value in json.loads(oldest).items() if key != name}
        with pytest.raises(MalformedError, match=rf"{name} \(missing\)"):
            Manifest.from_payload(json.dumps(content, separators=(",", ":"), sort_keys=True).encode())


def test_each_release_is_kept() -> None:
    """A release in the changelog has homes and signed messages here."""
    changelog = (Path(__file__).parents[2] / "CHANGELOG.md").read_text("utf-8")
    releases = set(re.findall(r"^## \[?v?(\d+\.\d+\.\d+)", changelog, re.MULTILINE))
    assert releases <= set(HOMES) & set(SHAPES)
    assert all(archive_of(version).is_file() for version in HOMES)
