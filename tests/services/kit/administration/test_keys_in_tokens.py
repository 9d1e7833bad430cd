"""Homes whose identity key is in a token: made by commands, looked at by the doctor, backed up and restored."""

import json
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType

from aquila.errors import AquilaError
from aquila.protocol.registry import RegisteredParty, Registry, write_registry
from clients.cli.main import main
from services.kit.administration.backup.keys import make_keys, read_private
from services.kit.administration.backup.restore import Source
from services.kit.storage.own_identity import read_key
from services.kit.storage.pkcs11 import TOKENS, Pkcs11Key
from services.node.backup import restore_node
from tests.support.clock import Clock
from tests.support.databases import lay_tables
from tests.support.registering import MATCHER_KEY, key_of
from tests.support.soft_tokens import MODULE, NEEDED, SoftToken, make_token

pytestmark = NEEDED


@pytest.fixture
def home(tmp_path: Path, token: SoftToken, capsys: pytest.CaptureFixture[str]) -> Path:
    """A node's home whose key the command has made in the token, and whose service does not run."""
    path = tmp_path / "home"
    words = [
        "node",
        "init",
        "--home",
        str(path),
        "--code",
        "SI",
        "--name",
        "Slovenia",
        "--matcher",
        "http://127.0.0.1:9",
        "--identity",
        token.address(),
        "--json",
    ]
    assert main(words) == 0
    card = json.loads(capsys.readouterr().out)
    key = read_key(path / "identity.pem")
    assert card["identity_key"] == key.public.hex
    registry = Registry(MATCHER_KEY.public, {"SI": RegisteredParty("SI", "SI", key.public)})
    (path / "registry.toml").write_bytes(write_registry(registry))
    (path / "registry.toml").chmod(0o600)
    lay_tables(path)
    (path / "people.key").write_bytes(bytes(32))
    (path / "people.key").chmod(0o600)
    return path


@pytest.fixture
def backup(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    make_keys(tmp_path / "backup.key", tmp_path / "backup.key.pub")
    assert (
        main(
            [
                "node",
                "backup",
                "--home",
                str(home),
                "--to",
                str(tmp_path / "backup.key.pub"),
                "--out",
                str(tmp_path / "backup"),
            ]
        )
        == 0
    )
    said = " ".join(capsys.readouterr().out.split())
    assert "identity in the token aquila" in said.partition("Not in it, because they are secret:")[2]
    return tmp_path / "backup"


def doctor(home: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    main(["doctor", "--home", str(home), "--offline", "--json"])
    found = json.loads(capsys.readouterr().out)["findings"]
    return {one["code"]: one["grade"] for one in found if one["grade"] != "ok" or one["subject"] == "identity"}


def test_the_doctor_names_each_fault(home: Path, token: SoftToken, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(home, capsys) == {"doctor_identity_in_token": "ok", "doctor_no_backup": "warning"}
    other = Registry(MATCHER_KEY.public, {"SI": RegisteredParty("SI", "SI", key_of("other").public)})
    whole = (home / "registry.toml").read_bytes()
    (home / "registry.toml").write_bytes(write_registry(other))
    assert doctor(home, capsys)["registry_identity_key_differs"] == "critical"
    (home / "registry.toml").write_bytes(whole)
    TOKENS.forget(MODULE)
    pin = token.pin.read_bytes()
    token.pin.write_bytes(b"000000")
    assert doctor(home, capsys)["token_pin_wrong"] == "critical"
    token.pin.write_bytes(pin)
    token.take_out()
    TOKENS.forget(MODULE)
    assert doctor(home, capsys)["token_missing"] == "critical"
    token.put_back()
    (home / "identity.pem").write_text(token.address("no such key"))
    assert doctor(home, capsys)["token_key_missing"] == "critical"


def test_a_key_that_the_token_gives_away(home: Path, token: SoftToken, capsys: pytest.CaptureFixture[str]) -> None:
    TOKENS.forget(MODULE)
    pin = token.pin.read_text("utf-8").strip()
    with pkcs11.lib(str(MODULE)).get_token(token_label=token.label).open(rw=True, user_pin=pin) as session:
        curve = {Attribute.EC_PARAMS: bytes.fromhex("06032b6570")}
        found = session.create_domain_parameters(KeyType.EC_EDWARDS, curve, local=True)
        found.generate_keypair(store=True, label="open", private_template={Attribute.EXTRACTABLE: True})
    (home / "identity.pem").write_text(token.address("open"))
    assert doctor(home, capsys)["doctor_identity_readable"] == "warning"


def test_a_pin_on_the_command_line_makes_no_home(
    tmp_path: Path, token: SoftToken, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["matcher", "init", "--home", str(tmp_path / "home"), "--identity", f"{token.address()}&pin-value=8675309"]
    assert main(words) != 0
    shown = capsys.readouterr()
    assert "8675309" not in shown.out + shown.err
    assert "holds a PIN" in shown.err
    assert not (tmp_path / "home" / "matcher.toml").exists()


def test_a_renewal_says_where_the_new_key_is(home: Path, token: SoftToken, capsys: pytest.CaptureFixture[str]) -> None:
    out = home.parent / "si.renewal"
    words = ["node", "renew-identity", "--home", str(home), "--out", str(out)]
    assert main(words) != 0
    assert "--identity" in capsys.readouterr().err
    assert main([*words, "--identity", token.address("identity 2")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"in the token {token.label} as identity 2; no backup has it" in said
    assert out.exists()


def test_a_backup_is_restored_where_the_token_is(
    home: Path, backup: Path, token: SoftToken, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["node", "restore", str(backup), "--key", str(tmp_path / "backup.key"), "--check"]) == 0
    assert f"identity key is not in it: identity in the token {token.label}" in " ".join(
        capsys.readouterr().out.split()
    )
    token.take_out()
    TOKENS.forget(MODULE)
    new = tmp_path / "new"
    with pytest.raises(AquilaError) as caught:
        restore_node(Source(backup, read_private(tmp_path / "backup.key"), [home / "people.key"]), new, clock=Clock())
    assert caught.value.sentence.code == "token_missing"
    assert not new.exists()
    token.put_back()
    words = [
        "node",
        "restore",
        str(backup),
        "--key",
        str(tmp_path / "backup.key"),
        "--home",
        str(new),
        "--secret",
        str(home / "people.key"),
    ]
    assert main(words) == 0
    assert "The identity key was not in the backup" in " ".join(capsys.readouterr().out.split())
    assert (new / "identity.pem").read_bytes() == (home / "identity.pem").read_bytes()


def test_a_restore_with_another_token(home: Path, backup: Path, tmp_path: Path, token_folder: Path) -> None:
    other = make_token(token_folder)
    Pkcs11Key.take_or_make(other.uri())
    brought = tmp_path / "safe" / "identity.pem"
    brought.parent.mkdir()
    brought.write_text(other.address())
    brought.chmod(0o600)
    with pytest.raises(AquilaError) as caught:
        restore_node(
            Source(backup, read_private(tmp_path / "backup.key"), [brought, home / "people.key"]),
            tmp_path / "new",
            clock=Clock(),
        )
    assert caught.value.sentence.code == "restore_identity_differs"
