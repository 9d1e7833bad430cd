"""A node's home folder."""

import stat
from pathlib import Path

import pytest

from aquila.crypto.keys import IdentityKey
from aquila.errors import InputError
from aquila.protocol.registry import RegisteredParty, Registry
from services.kit.settings import load
from services.node import main
from services.node.settings import NodeSettings
from services.node.storage import home


def test_a_home_has_settings_keys_and_a_token(tmp_path: Path) -> None:
    key = home.create(tmp_path / "al", "AL", 'Albania "north"', "https://matcher.example", port=8123)
    settings = load(tmp_path / "al" / "node.toml", NodeSettings)
    assert (settings.code, settings.name, settings.listen.port) == ("AL", 'Albania "north"', 8123)
    identity = settings.identity
    assert IdentityKey.from_pem(identity.read_bytes()).public == key
    for name in ("identity.pem", "operator.token"):
        assert stat.S_IMODE((tmp_path / "al" / name).stat().st_mode) == 0o600
    assert (tmp_path / "al" / "keys").is_dir()
    assert (tmp_path / "al" / "chunks").is_dir()


@pytest.mark.parametrize(("code", "url"), [("al", "https://m.example"), ("AL", "http://m.example"), ("AL", "m")])
def test_values_that_no_setting_can_have_make_no_home(tmp_path: Path, code: str, url: str) -> None:
    """A wrong code or an unsafe address is refused, and the folder is no home afterwards."""
    with pytest.raises(InputError):
        home.create(tmp_path / "al", code, "Albania", url)
    assert not (tmp_path / "al" / "node.toml").exists()


def test_a_home_is_never_replaced(tmp_path: Path) -> None:
    home.create(tmp_path / "al", "AL", "Albania", "https://matcher.example")
    before = (tmp_path / "al" / "identity.pem").read_bytes()
    with pytest.raises(InputError):
        home.create(tmp_path / "al", "AL", "Albania", "https://matcher.example")
    assert (tmp_path / "al" / "identity.pem").read_bytes() == before


def test_a_node_without_registry_does_not_start(tmp_path: Path) -> None:
    home.create(tmp_path / "al", "AL", "Albania", "https://matcher.example")
    with pytest.raises(InputError, match=r"registry"):
        main.assemble(load(tmp_path / "al" / "node.toml", NodeSettings))


def test_a_registry_with_another_key_for_the_node_is_refused(tmp_path: Path) -> None:
    """A node whose own key is not the pinned one would be refused by everybody: it says so at the start."""
    other, matcher = (IdentityKey.generate(lambda size, n=n: bytes([n]) * size).public for n in (1, 2))
    registry = Registry(matcher, {"AL": RegisteredParty("AL", "Albania", other)})
    home.create(tmp_path / "al", "AL", "Albania", "https://matcher.example", registry=registry)
    with pytest.raises(InputError, match=r"another identity key"):
        main.assemble(load(tmp_path / "al" / "node.toml", NodeSettings))
