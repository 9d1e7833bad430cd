"""The client of people, and where a command keeps sessions."""

import json
from pathlib import Path
from typing import Any

import pytest

from aquila.errors import InputError
from aquila.interface.people import SessionGrant
from clients.sdk import Connection, find_home
from clients.sdk.homes import SessionFiles, default_folder

PERSON = "p-0123456789ab"
GRANT = {"token": "s" * 43, "person": PERSON, "login": "ana", "roles": ["officer"], "ends_at": 2, "language": "sq"}


def test_a_connection_goes_on_with_another_token(connection: Connection, answers: Any) -> None:
    answers.says(204)
    answers.says(204)
    connection.carry("s" * 43)
    connection.call("GET", "/")
    connection.carry("")
    connection.call("GET", "/")
    assert [asked.headers.get("authorization") for asked in answers.asked] == [f"Bearer {'s' * 43}", None]


@pytest.fixture
def files(tmp_path: Path) -> SessionFiles:
    (tmp_path / "si").mkdir()
    (tmp_path / "si" / "node.toml").touch()
    return SessionFiles(find_home(tmp_path / "si"), tmp_path / "sessions")


def grant(login: str) -> SessionGrant:
    return SessionGrant.model_validate_json(json.dumps(GRANT | {"login": login}))


def test_sessions_are_kept_for_each_login(files: SessionFiles) -> None:
    files.write(grant("ana"))
    assert files.read("ana") == "s" * 43
    assert {path.stat().st_mode & 0o777 for path in files.folder.iterdir()} == {0o600}
    files.remove("ana")
    files.remove("ana")
    with pytest.raises(InputError, match="ana is not signed in here"):
        files.read("ana")


def test_whose_session_is_used(files: SessionFiles) -> None:
    """The only one, the named one, or the home's key; several and none named is no choice."""
    assert files.chosen(None) is None
    files.write(grant("ana"))
    assert files.chosen(None) == "ana"
    assert files.chosen("local") is None
    files.write(grant("bor"))
    assert files.chosen("bor") == "bor"
    with pytest.raises(InputError, match="several are signed in here: ana, bor"):
        files.chosen(None)


def test_homes_have_sessions_of_their_own(files: SessionFiles, tmp_path: Path) -> None:
    files.write(grant("ana"))
    (tmp_path / "rs").mkdir()
    (tmp_path / "rs" / "node.toml").touch()
    assert SessionFiles(find_home(tmp_path / "rs"), files.folder).logins() == []


def test_sessions_are_not_in_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They are the person's, below the folder of the person at this machine."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".local/state/aquila/sessions"
