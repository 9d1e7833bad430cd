"""Each secret of a service is in the table of the operations page that says how it is changed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from services.kit.administration.backup.home import is_secret
from services.kit.home_folder import IDENTITY_FILE
from services.kit.http.certificates import OwnCertificates
from services.kit.people.keys import KEY_FILE, NEXT_KEY_FILE, TOKEN_FILE
from services.kit.storage.own_identity import next_path
from services.matcher.settings import MatcherSettings
from services.node.settings import NodeSettings
from services.node.storage.home import KEYS_FOLDER

PAGE = (Path(__file__).parents[2] / "deploy" / "SETTINGS.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in row.split("|")[1:-1]]
    for row in PAGE.partition("## Changing secrets\n")[2].partition("\n## ")[0].splitlines()
    if row.startswith("| ")
][1:]


def secret_settings(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the settings of a class that name files with secrets, by dotted name."""
    for name, field in model.model_fields.items():
        inner = [one for one in _types(field.annotation) if isinstance(one, type)]
        groups = [one for one in inner if issubclass(one, BaseModel)]
        for group in groups:
            yield from secret_settings(group, f"{prefix}{name}.")
        if not groups and is_secret(name) and any(issubclass(one, Path) for one in inner):
            yield prefix + name


def _types(annotation: object) -> list[object]:
    return [annotation, *(one for part in get_args(annotation) for one in _types(part))]


def named_in(row: list[str]) -> set[str]:
    """Return the files and settings that a row is about."""
    return set(re.findall(r"`([^`]+)`", row[0]))


@pytest.mark.parametrize("settings", [NodeSettings, MatcherSettings])
def test_every_secret_that_a_setting_names_is_there(settings: type[BaseModel]) -> None:
    """And nothing that is no setting and no file."""
    wanted = set(secret_settings(settings))
    assert {"identity", "tls.key", "provider.client_secret_file", "database.password_file"} <= wanted
    assert wanted <= set().union(*map(named_in, ROWS))


def test_every_secret_of_a_home_is_there() -> None:
    """Those that no setting names."""
    own = OwnCertificates(Path("tls"))
    files = {TOKEN_FILE, KEY_FILE, NEXT_KEY_FILE, next_path(Path(IDENTITY_FILE)).name, own.ca_key.as_posix()}
    assert {*files, f"{KEYS_FOLDER}/"} <= set().union(*map(named_in, ROWS))


def test_every_row_says_how_and_what_happens_to_rounds() -> None:
    """No cell is empty, and no secret has two rows."""
    assert all(len(row) == 4 and all(row) for row in ROWS)
    names = [name for row in ROWS for name in named_in(row) if name != "aquila login"]
    assert len(names) == len(set(names))
