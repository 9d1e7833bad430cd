"""The key that waits takes the place of the old one when the registry names it, and not before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aquila.errors import AquilaError, InputError, KeyMaterialError
from aquila.protocol.registry import RegisteredParty, Registry
from services.kit.storage.own_identity import next_path, open_identity, prepare_renewal, read_next
from tests.support.registering import MATCHER_KEY, key_of

if TYPE_CHECKING:
    from pathlib import Path

    from aquila.crypto.keys import IdentityKey

OLD = key_of("SI")


def registry_with(key: IdentityKey) -> Registry:
    """Return a registry that names a key for SI."""
    return Registry(MATCHER_KEY.public, {"SI": RegisteredParty("SI", "Party SI", key.public)})


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    """The file of the identity key of a home."""
    path = tmp_path / "identity.pem"
    path.write_bytes(OLD.to_pem())
    path.chmod(0o600)
    return path


def test_the_same_command_gives_the_same_renewal(identity: Path) -> None:
    """The key is made once, in a file that nobody else reads; the old one still counts."""
    first = prepare_renewal(identity, registry_with(OLD), "SI", lost=False)
    assert prepare_renewal(identity, registry_with(OLD), "SI", lost=False) == first
    assert first.by_both
    assert next_path(identity).stat().st_mode & 0o077 == 0
    assert open_identity(identity, registry_with(OLD), "SI").public == OLD.public


def test_the_key_takes_its_place_when_the_registry_names_it(identity: Path) -> None:
    """At a start, once, and at each start after that."""
    renewal = prepare_renewal(identity, registry_with(OLD), "SI", lost=False)
    waiting = read_next(identity)
    assert waiting is not None
    for _ in range(2):
        assert open_identity(identity, registry_with(waiting), "SI").public == renewal.key
        assert not next_path(identity).exists()


def test_a_lost_key(identity: Path) -> None:
    """The service starts with the key that waits, to ask for the registry that names it."""
    identity.unlink()
    with pytest.raises(AquilaError):
        prepare_renewal(identity, registry_with(OLD), "SI", lost=False)
    renewal = prepare_renewal(identity, registry_with(OLD), "SI", lost=True)
    assert not renewal.by_both
    assert open_identity(identity, registry_with(OLD), "SI").public == renewal.key
    assert next_path(identity).exists()


def test_another_key_than_the_registered_one(identity: Path) -> None:
    """Renews nothing, and starts nothing."""
    other = registry_with(key_of("false"))
    with pytest.raises(KeyMaterialError) as caught:
        prepare_renewal(identity, other, "SI", lost=False)
    assert caught.value.sentence.code == "identity_key_not_registered"
    with pytest.raises(InputError):
        open_identity(identity, other, "SI")
