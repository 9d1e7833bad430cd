"""Home folders, settings and the start: made once, read strictly, refused with a hint."""

import secrets
import stat
import tomllib
from pathlib import Path

import pytest

from aquila.crypto.keys import IdentityKey
from aquila.errors import InputError, KeyMaterialError, PolicyError
from aquila.protocol.registry import RegisteredParty, Registry, write_registry
from services.kit.home_folder import NewAddress
from services.kit.settings import load
from services.matcher.context import open_store
from services.matcher.main import build, prepare
from services.matcher.settings import MatcherSettings
from services.matcher.steps.schedule import steps_of
from services.matcher.storage.home import create, set_address

pytestmark = pytest.mark.postgresql_soak


def registered(path: Path, **more: object) -> MatcherSettings:
    matcher = create(path, **more)
    party = IdentityKey.generate(secrets.token_bytes).public
    (path / "registry.toml").write_bytes(write_registry(Registry(matcher, {"SI": RegisteredParty("SI", "SI", party)})))
    return load(path / "matcher.toml", MatcherSettings)


def test_a_new_home(tmp_path: Path) -> None:
    key = create(tmp_path / "home", port=0)
    settings = load(tmp_path / "home" / "matcher.toml", MatcherSettings)
    assert settings.listen.port == 0
    for name in ("identity.pem", "operator.token", "matcher.toml"):
        assert stat.S_IMODE((tmp_path / "home" / name).stat().st_mode) == 0o600
    assert IdentityKey.from_pem(settings.identity.read_bytes()).public == key
    assert not settings.registry.exists()
    with pytest.raises(InputError, match="registry"):
        build(settings)


def test_a_home_with_its_registry(tmp_path: Path) -> None:
    keys = [IdentityKey.generate(secrets.token_bytes).public for _ in range(2)]
    create(tmp_path, registry=Registry(keys[0], {"SI": RegisteredParty("SI", "SI", keys[1])}))
    with pytest.raises(KeyMaterialError, match="another key"):
        build(load(tmp_path / "matcher.toml", MatcherSettings))


def test_a_home_is_not_replaced(tmp_path: Path) -> None:
    create(tmp_path)
    key = (tmp_path / "identity.pem").read_bytes()
    with pytest.raises(InputError, match="already"):
        create(tmp_path)
    assert (tmp_path / "identity.pem").read_bytes() == key


def test_a_value_that_no_setting_can_have(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="port"):
        create(tmp_path, port=70_000)
    create(tmp_path)


def test_the_database_is_in_home(tmp_path: Path) -> None:
    settings = registered(tmp_path)
    prepare(settings)
    assert (tmp_path / "matcher.db").is_file()
    other = settings.database.model_copy(update={"url": f"sqlite:///{tmp_path}/other.db"})
    prepare(settings.model_copy(update={"database": other}))
    assert (tmp_path / "other.db").is_file()
    store = open_store(settings)
    store.check()
    store.close()


def test_rules_that_are_gone(tmp_path: Path) -> None:
    settings = registered(tmp_path)
    prepare(settings)
    app = build(settings)
    with pytest.raises(PolicyError, match="match rules"):
        app.state.context.table_of("0" * 64)
    app.state.context.close()


async def test_the_lifespan(tmp_path: Path) -> None:
    settings = registered(tmp_path, driver_seconds=0.05)
    prepare(settings)
    app = build(settings)
    steps = {"opening", "matching", "queries", "ending", "deleting", "cleaning", "notes", "log", "retention", "people"}
    assert set(steps_of(app.state.context, app.state.approvals)) == steps
    async with app.router.lifespan_context(app):
        assert app.state.context.wakeup._loop is not None
        app.state.context.wakeup.notify()
    assert app.state.context.wakeup._loop is None


def test_a_home_begins_with_given_settings(tmp_path: Path) -> None:
    given = tmp_path / "given.toml"
    given.write_text('home = "."\nidentity = "identity.pem"\nregistry = "registry.toml"\nlog_level = "debug"\n')
    create(tmp_path / "home", settings=given)
    assert (tmp_path / "home" / "matcher.toml").read_bytes() == given.read_bytes()
    for wrong in ("home = '/elsewhere'\n" + given.read_text().partition("\n")[2], "home =", "\xff"):
        given.write_text(wrong, encoding="latin-1")
        with pytest.raises(InputError, match=r"given\.toml"):
            create(tmp_path / "other", settings=given)
    with pytest.raises(InputError, match="cannot be read"):
        create(tmp_path / "other", settings=tmp_path / "missing.toml")


OLD = "https://old.example:8700"


@pytest.mark.parametrize(
    ("url", "wanted", "listens"),
    [
        ("https://new.example:9000", None, 9000),
        ("https://new.example/", None, 8700),  # 443 is something's in front, as at the beginning
        ("https://new.example:9000", 8700, 8700),
    ],
)
def test_a_new_address_is_written_into_the_settings(tmp_path: Path, url: str, wanted: int | None, listens: int) -> None:
    create(tmp_path / "m", address=NewAddress(8700, OLD))
    settings = tmp_path / "m" / "matcher.toml"
    before = settings.read_text()
    assert set_address(settings, url, wanted) == listens
    after = before.replace(OLD, url.rstrip("/")).replace("port = 8700", f"port = {listens}")
    assert settings.read_text() == after


@pytest.mark.parametrize("url", ["new.example", "https://new.example:99999"])
def test_an_unusable_address_leaves_the_settings_as_they_are(tmp_path: Path, url: str) -> None:
    create(tmp_path / "m", address=NewAddress(8700, OLD))
    settings = tmp_path / "m" / "matcher.toml"
    before = settings.read_bytes()
    assert set_address(settings, url) is None
    assert settings.read_bytes() == before


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        (NewAddress(8701, OLD).lines(), 8701),  # another port than callers use
        (f'[listen]\nport = 8700\npublic_url = "{OLD}"', 8700),  # its proxy shows the certificate
        (f'[listen]\npublic_url = "{OLD}"\n[metrics]\nport = 9100', 8700),
        (f"[metrics]\nport = 9100\n{NewAddress(8700, OLD).lines()}", 9000),
        (f'[listen]\npublic_url = "{OLD}"\n[tls]\ncertificate = "c"\nkey = "k"', 9000),
    ],
)
def test_a_service_behind_a_proxy_keeps_its_port(tmp_path: Path, settings: str, wanted: int) -> None:
    """Another one goes where its callers go; ports of other tables are theirs."""
    file = tmp_path / "matcher.toml"
    file.write_text(f'home = "."\nidentity = "i"\nregistry = "r"\n{settings}\n')
    assert set_address(file, "https://new.example:9000") == wanted
    read = tomllib.loads(file.read_text())
    assert read["listen"]["public_url"] == "https://new.example:9000"
    assert read["listen"].get("port", 8700) == wanted
    assert read.get("metrics", {"port": 9100}) == {"port": 9100}


def test_settings_without_an_address_are_left_alone(tmp_path: Path) -> None:
    create(tmp_path / "m", port=0)
    settings = tmp_path / "m" / "matcher.toml"
    before = settings.read_bytes()
    assert set_address(settings, "https://new.example") is None
    assert set_address(tmp_path / "nothing.toml", "https://new.example") is None
    assert settings.read_bytes() == before
