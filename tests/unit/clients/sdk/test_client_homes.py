"""A person's own home: made by the first sign-in, without a key of the service."""

from pathlib import Path

import pytest

from aquila.errors import InputError
from clients.sdk import ClientCertificate
from clients.sdk.homes import default_client_home, is_home, make_client_home, open_home
from services.node.storage.home import create as create_node


def test_a_home_that_was_made_is_opened(tmp_path: Path) -> None:
    """With the service, its address, and a copy of the CA that others cannot read or change."""
    ca = tmp_path / "office-ca.pem"
    ca.write_bytes(b"-----BEGIN CERTIFICATE-----")
    assert not is_home(tmp_path / "own")
    made = make_client_home(tmp_path / "own", "matcher", "https://matcher.example:8700", ca)
    assert open_home(tmp_path / "own") == made
    assert (made.service, made.url()) == ("matcher", "https://matcher.example:8700")
    assert made.ca is not None
    assert made.ca.read_bytes() == ca.read_bytes()
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "own").iterdir())


def test_a_certificate_stays_where_it_is(tmp_path: Path) -> None:
    shown = ClientCertificate(tmp_path / "mine.pem", tmp_path / "mine.key")
    made = make_client_home(tmp_path / "own", "matcher", "https://matcher.example:8700", None, shown)
    assert open_home(tmp_path / "own") == made
    assert made.certificate == shown
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["client.toml"]


def test_a_home_on_loopback_needs_no_ca(tmp_path: Path) -> None:
    assert make_client_home(tmp_path, "node", "http://127.0.0.1:8701", None).ca is None


def test_the_home_of_a_service_is_opened_too(tmp_path: Path) -> None:
    create_node(tmp_path / "n", "SI", "Slovenia", "http://127.0.0.1:8700", port=8701)
    assert is_home(tmp_path / "n")
    assert open_home(tmp_path / "n").url() == "http://127.0.0.1:8701"


@pytest.mark.parametrize("content", ["service =", 'url = "x"', 'service = "mail"\nurl = "x"', "\x00"])
def test_settings_that_say_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "client.toml").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"client\.toml"):
        open_home(tmp_path)


def test_a_person_without_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(InputError, match="no home is named") as caught:
        open_home(default_client_home())
    assert "aquila login" in caught.value.hint
