"""Another user of the machine wants to read a key, a database or a password, or to have a result written elsewhere.

What a service keeps is made for its user alone; what others could read is refused, with the command that mends it.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from aquila.errors import KeyMaterialError
from clients.cli.main import main
from clients.cli.output.screen import write_result
from clients.cli.prompts import ask
from services.kit.http.tls import server_context, tls_context
from services.kit.settings import DatabaseSettings, PeerSettings, TlsSettings, load
from services.kit.storage.files import write_secret
from services.kit.storage.store import private_store
from services.matcher.context import open_store
from services.matcher.settings import MatcherSettings
from services.matcher.storage import home as matcher_home
from services.node.storage import home as node_home

_TABLE = text("CREATE TABLE t (n INTEGER)")


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """The umask of most machines, under which files are open to others unless their maker says otherwise."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    """Return a file's permissions."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("open_to", [0o640, 0o604, 0o620])
def test_a_database_that_others_can_read_is_refused(tmp_path: Path, open_to: int) -> None:
    """A new one is its user's alone, with the files beside it; one that was opened is not used."""
    file = tmp_path / "node.db"
    store = private_store(DatabaseSettings(), file)
    with store.transaction("test.write") as session:
        session.execute(_TABLE)
        assert {mode(path) for path in tmp_path.iterdir()} == {0o600}
    store.close()
    file.chmod(open_to)
    with pytest.raises(KeyMaterialError) as refused:
        private_store(DatabaseSettings(), file)
    assert refused.value.hint.startswith(f"chmod 600 {file}")


def test_a_home_that_others_can_look_into_is_refused(tmp_path: Path) -> None:
    """Neither made where a folder stands open, nor started in."""
    home = tmp_path / "matcher"
    matcher_home.create(home, port=0)
    assert mode(home) == 0o700
    assert {mode(path) for path in home.iterdir()} == {0o600, 0o700}
    home.chmod(0o750)
    with pytest.raises(KeyMaterialError) as refused:
        open_store(load(home / "matcher.toml", MatcherSettings))
    assert refused.value.hint.startswith(f"chmod 700 {home}")
    (tmp_path / "open").mkdir(mode=0o755)
    with pytest.raises(KeyMaterialError):
        node_home.create(tmp_path / "open", "SI", "Slovenia", "http://127.0.0.1:1")


def test_a_key_or_a_password_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """The private keys of both sides of TLS, the password of a database, and the file of a command's password."""
    secret = tmp_path / "secret"
    write_secret(secret, b"a secret\n")
    assert ask("Password", secret) == "a secret"
    secret.chmod(0o644)
    url = "postgresql+psycopg://u@localhost/d"
    uses = [
        lambda: server_context(TlsSettings(certificate=secret, key=secret)),
        lambda: tls_context(PeerSettings(url="https://h", certificate=secret, key=secret)),
        lambda: private_store(DatabaseSettings(url=url, password_file=secret), tmp_path / "no.db"),
        lambda: ask("Password", secret),
    ]
    for use in uses:
        with pytest.raises(KeyMaterialError) as refused:
            use()
        assert refused.value.hint.startswith(f"chmod 600 {secret}")


def test_a_command_makes_what_its_user_alone_can_read() -> None:
    """Whatever the umask was before."""
    assert main(["roles"]) == 0
    assert os.umask(0o022) == 0o077


def test_a_result_is_not_written_through_a_link(tmp_path: Path) -> None:
    """A file of a foreseen name that somebody laid beside the result is neither followed nor used."""
    result, elsewhere = tmp_path / "hits.csv", tmp_path / "elsewhere"
    for name in (".hits.csv.partial", ".hits.csv.part"):
        (tmp_path / name).symlink_to(elsewhere)
    write_result(result, "hits")
    assert not elsewhere.exists()
    assert (result.read_text(), mode(result), result.is_symlink()) == ("hits", 0o600, False)
