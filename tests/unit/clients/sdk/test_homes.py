"""A home folder tells which service it is, where it listens, and what opens it."""

from pathlib import Path

import pytest

from aquila.errors import InputError, KeyMaterialError
from clients.sdk import ClientCertificate, find_home
from services.kit.storage.files import write_secret
from services.matcher.storage.home import create as create_matcher
from services.node.storage.home import create as create_node


def test_made_homes(tmp_path: Path) -> None:
    create_node(tmp_path / "n", "SI", "Slovenia", "http://127.0.0.1:8700", port=8701)
    create_matcher(tmp_path / "m", port=8702)
    node, matcher = find_home(tmp_path / "n").access(), find_home(tmp_path / "m").access()
    assert (node.service, node.url, matcher.service, matcher.url) == (
        "node",
        "http://127.0.0.1:8701",
        "matcher",
        "http://127.0.0.1:8702",
    )
    assert len(node.token) >= 32
    assert node.token != matcher.token


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ("", "http://127.0.0.1:8700"),
        ('[listen]\nhost = "0.0.0.0"\nport = 9\n', "http://127.0.0.1:9"),
        ('[listen]\nhost = "::"\nport = 9\n', "http://[::1]:9"),
        ('[listen]\nhost = "10.1.1.1"\n[tls]\ncertificate = "c"\n', "https://10.1.1.1:8700"),
        ('[listen]\npublic_url = "https://node.example.org/"\n[tls]\ncertificate = "c"\n', "https://node.example.org"),
    ],
)
def test_address(tmp_path: Path, settings: str, url: str) -> None:
    """The address follows the settings: the certificate's name under TLS, loopback for what listens everywhere."""
    (tmp_path / "node.toml").write_text(settings, encoding="utf-8")
    assert find_home(tmp_path).url() == url


def test_what_the_command_shows(tmp_path: Path) -> None:
    """[command] says what is trusted and shown, by paths from the home; what a caller names comes first."""
    (tmp_path / "matcher.toml").write_text('[command]\nca = "ca.pem"\ncertificate = "c.pem"\nkey = "/etc/c.key"\n')
    write_secret(tmp_path / "operator.token", b"t" * 43)
    access = find_home(tmp_path).access()
    assert (access.ca, access.certificate) == (
        tmp_path / "ca.pem",
        ClientCertificate(tmp_path / "c.pem", Path("/etc/c.key")),
    )
    other = ClientCertificate(Path("o.pem"), Path("o.key"))
    access = find_home(tmp_path).access(ca=Path("o-ca.pem"), certificate=other)
    assert (access.ca, access.certificate) == (Path("o-ca.pem"), other)


def test_port_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text("[listen]\nport = 0\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        find_home(tmp_path).url()
    assert "--url" in caught.value.hint


def test_token_open_to_others(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text("", encoding="utf-8")
    write_secret(tmp_path / "operator.token", b"t" * 43)
    (tmp_path / "operator.token").chmod(0o644)
    with pytest.raises(KeyMaterialError):
        find_home(tmp_path).access()


def test_no_home(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a home"):
        find_home(tmp_path)
    for name in ("node.toml", "matcher.toml"):
        (tmp_path / name).write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="both"):
        find_home(tmp_path)
    assert find_home(tmp_path, "node").service == "node"


def test_broken_settings(tmp_path: Path) -> None:
    """Settings that are no TOML are named, with the line; so are those in other bytes, and what the system says."""
    file = tmp_path / "node.toml"
    file.write_text('code = "SI"\nname = Slovenia\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"node\.toml cannot be read: Invalid value \(at line 2, column 8\)"):
        find_home(tmp_path).url()
    file.write_bytes(b"\xff")
    with pytest.raises(InputError, match="UnicodeDecodeError"):
        find_home(tmp_path).url()
    home = find_home(tmp_path)
    file.unlink()
    with pytest.raises(InputError, match="No such file or directory"):
        home.url()
