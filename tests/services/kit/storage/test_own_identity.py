"""The key that waits takes the place of the old one when the registry names it, and not before."""

from pathlib import Path

import pytest

from aquila.crypto.keys import SigningKey
from aquila.errors import AquilaError, InputError, KeyMaterialError
from aquila.protocol.registry import RegisteredParty, Registry
from services.kit.errors import Pkcs11Error
from services.kit.storage.own_identity import (
    IN_FILE,
    make_key,
    next_path,
    open_identity,
    prepare_renewal,
    read_key,
    read_next,
    token_address,
)
from services.kit.storage.pkcs11 import TOKENS, Pkcs11Key
from tests.support.registering import MATCHER_KEY, key_of
from tests.support.soft_tokens import MODULE, NEEDED, SoftToken, address

OLD = key_of("SI")


def registry_with(key: SigningKey) -> Registry:
    return Registry(MATCHER_KEY.public, {"SI": RegisteredParty("SI", "Party SI", key.public)})


@pytest.fixture
def identity(tmp_path: Path) -> Path:
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
    other = registry_with(key_of("false"))
    with pytest.raises(KeyMaterialError) as caught:
        prepare_renewal(identity, other, "SI", lost=False)
    assert caught.value.sentence.code == "identity_key_not_registered"
    with pytest.raises(InputError):
        open_identity(identity, other, "SI")


@NEEDED
def test_a_key_moves_into_a_token_and_out_of_it(identity: Path, token: SoftToken) -> None:
    into = prepare_renewal(identity, registry_with(OLD), "SI", lost=False, where=token.address())
    assert prepare_renewal(identity, registry_with(OLD), "SI", lost=False, where=token.address()) == into
    assert into.by_both
    moved = read_next(identity)
    assert isinstance(moved, Pkcs11Key)
    assert open_identity(identity, registry_with(OLD), "SI").public == OLD.public
    assert isinstance(open_identity(identity, registry_with(moved), "SI"), Pkcs11Key)
    assert identity.read_text("utf-8") == f"{token.address()}\n"
    assert identity.stat().st_mode & 0o077 == 0
    with pytest.raises(InputError) as caught:
        prepare_renewal(identity, registry_with(moved), "SI", lost=False)
    assert caught.value.sentence.code == "next_identity_place_missing"
    with pytest.raises(InputError) as caught:
        prepare_renewal(identity, registry_with(moved), "SI", lost=False, where=token.address())
    assert caught.value.sentence.code == "next_identity_is_the_old_one"
    assert not next_path(identity).exists()
    out = prepare_renewal(identity, registry_with(moved), "SI", lost=False, where=IN_FILE)
    assert (out.former, out.by_both) == (moved.public, True)
    with pytest.raises(InputError) as caught:
        prepare_renewal(identity, registry_with(moved), "SI", lost=False, where=token.address("other"))
    assert caught.value.sentence.code == "next_identity_waits_elsewhere"
    assert token_address(next_path(identity)) is None


@NEEDED
def test_a_token_that_is_gone_with_its_key(identity: Path, token: SoftToken) -> None:
    """Its key is replaced without its signature; the new one takes its place although the token is gone."""
    make_key(identity, token.address())
    in_token = read_key(identity)
    token.take_out()
    TOKENS.forget(MODULE)
    for lost in (False, True):
        with pytest.raises(Pkcs11Error) as caught:
            open_identity(identity, registry_with(in_token), "SI")
        assert caught.value.sentence.code == "token_missing"
        if not lost:
            with pytest.raises(Pkcs11Error):
                prepare_renewal(identity, registry_with(in_token), "SI", lost=lost, where=IN_FILE)
    renewal = prepare_renewal(identity, registry_with(in_token), "SI", lost=True, where=IN_FILE)
    assert not renewal.by_both
    waiting = read_next(identity)
    assert waiting is not None
    assert open_identity(identity, registry_with(waiting), "SI").public == renewal.key
    assert token_address(identity) is None
    token.put_back()


def test_a_file_that_holds_neither(tmp_path: Path) -> None:
    path = tmp_path / "identity.pem"
    address_of = address("t", "k", tmp_path / "m.so", tmp_path / "pin")
    for content, mode, code in (
        ("pkcs11:token=t", 0o600, "token_address_incomplete"),
        (f"{address_of}&pin-value=1", 0o600, "token_address_with_pin"),
        ("pkcs12:", 0o600, "identity_key_unreadable"),
        (address_of, 0o620, "permissions_too_open"),
    ):
        path.write_text(content)
        path.chmod(mode)
        with pytest.raises(KeyMaterialError) as caught:
            read_key(path)
        assert caught.value.sentence.code == code
