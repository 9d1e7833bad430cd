"""What a round's or import's short name means, and where commands go after a sign-in."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from aquila.audit.roles import Role
from aquila.errors import InputError
from aquila.interface.people import SessionGrant
from clients.cli import connect
from clients.cli.connect import begin_sign_in, resolve_id
from clients.sdk.homes import SessionFiles, open_home
from services.node.storage.home import create as create_node
from tests.support.authority import Authority

IDS = ["abcd" + "0" * 28, "abce" + "0" * 28]


def test_chosen() -> None:
    assert resolve_id("round", "latest", IDS) == IDS[0]
    assert resolve_id("round", "ABCE", IDS) == IDS[1]
    assert resolve_id("round", IDS[1], IDS) == IDS[1]


@pytest.mark.parametrize(
    ("text", "ids", "says"),
    [
        ("abc", IDS, "no round"),
        ("ffff", IDS, "no round"),
        ("latest", [], "no round yet"),
        ("aaaa", ["aaaa1", "aaaa2"], "several"),
    ],
)
def test_not_chosen(text: str, ids: list[str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        resolve_id("round", text, ids)


def sign_in(home: Path, token: str, *way: str | Path | None) -> None:
    grant = SessionGrant(
        token=token * 43, person="p-0123456789ab", login="ana", roles=(Role.OFFICER,), ends_at=2, language="sq"
    )
    with begin_sign_in(home, *way) as attempt:  # type: ignore[arg-type]  # address and CA in their order
        attempt.keep(grant)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a person's own home, at a node that says what it is."""
    people = SimpleNamespace(me=lambda: SimpleNamespace(service="node"))
    monkeypatch.setattr(connect, "PeopleClient", lambda _connection: people)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "own"


def test_a_sign_in_elsewhere_leads_later_commands_there(own: Path, tmp_path: Path) -> None:
    """A service got another CA, and then another address: the person names each once."""
    for name in ("old", "new"):
        Authority.create(tmp_path, name)
    old, new = tmp_path / "old.pem", tmp_path / "new.pem"
    ways = (("https://localhost:8701", old), ("https://localhost:8701", new), ("https://localhost:9000", None))
    for number, (way, leads_to) in enumerate(zip(ways, (old, new, new), strict=True)):
        sign_in(own, str(number), *way)
        home = open_home(own)
        assert home.url() == way[0]
        assert home.ca is not None
        assert home.ca.read_bytes() == leads_to.read_bytes()
        assert SessionFiles(home).read("ana") == str(number) * 43


def test_a_sign_in_again_leaves_the_home_as_it_is(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without another way nothing is written but the session, and the service is not asked what it is."""
    sign_in(own, "1", "http://127.0.0.1:8701/", None)
    monkeypatch.setattr(connect, "PeopleClient", lambda _connection: None)
    before = (own / "client.toml").stat().st_mtime_ns
    sign_in(own, "2")
    sign_in(own, "3", "http://127.0.0.1:8701/", None)
    assert (own / "client.toml").stat().st_mtime_ns == before
    assert SessionFiles(open_home(own)).read("ana") == "3" * 43


def test_the_home_of_a_service_is_never_a_persons_own(own: Path) -> None:
    """A sign-in from it at another address keeps a session, and nothing else."""
    create_node(own, "SI", "Slovenia", "http://127.0.0.1:8700", port=8701)
    sign_in(own, "1", "http://127.0.0.1:9000", None)
    assert open_home(own).url() == "http://127.0.0.1:8701"
    assert not (own / "client.toml").exists()
