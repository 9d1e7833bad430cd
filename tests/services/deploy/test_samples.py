"""The sample settings are settings, and the operations page says each setting once."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from services.kit.settings import ServiceSettings, described, load
from services.matcher.settings import MatcherSettings
from services.node.settings import NodeSettings

DEPLOY = Path(__file__).parents[3] / "deploy"
_LONG = 100_000
CLASSES: dict[str, type[ServiceSettings]] = {"node": NodeSettings, "matcher": MatcherSettings}


@pytest.mark.parametrize("name", ["node.basic", "node.advanced", "matcher.basic", "matcher.advanced"])
def test_sample_is_accepted(name: str) -> None:
    cls = CLASSES[name.partition(".")[0]]
    assert isinstance(load(DEPLOY / "samples" / f"{name}.toml", cls), cls)


@pytest.mark.parametrize("service", sorted(CLASSES))
def test_every_setting_is_described_and_documented_once(service: str) -> None:
    page = (DEPLOY / "SETTINGS.md").read_text(encoding="utf-8").split("\n## Settings\n")[1]
    for name, description in described(CLASSES[service]):
        assert description, name
        assert page.count(f"| `{name}` |") == 1, name


def test_the_page_of_settings_names_none_that_is_gone() -> None:
    page = (DEPLOY / "SETTINGS.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.partition("| setting | of |")[2].splitlines() if line.startswith("| `")]
    known = {service: {name for name, _ in described(cls)} for service, cls in CLASSES.items()}
    for _, name, whose, *_ in rows:
        setting = name.strip(" `")
        holders = {service for service, names in known.items() if setting in names}
        assert holders == ({"node", "matcher"} if whose.strip() == "both" else {whose.strip()})


def test_a_cluster_by_the_sample_encrypts_and_spills_nothing() -> None:
    sample = yaml.safe_load((DEPLOY / "samples" / "dask.yaml").read_text(encoding="utf-8"))["distributed"]
    assert sample["comm"]["require-encryption"] is True
    assert sample["worker"]["memory"]["target"] is False
    assert sample["worker"]["memory"]["spill"] is False


@pytest.mark.parametrize("service", sorted(CLASSES))
def test_the_page_of_settings_has_each_default(service: str) -> None:
    """As TOML has it; nothing where a setting is a group, or has no value unless somebody gives it one."""
    page = (DEPLOY / "SETTINGS.md").read_text(encoding="utf-8").partition("\n## Settings\n")[2]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| `")]
    stated = {name.strip("`"): default for name, _, default, _ in rows}
    wanted = dict(defaults(CLASSES[service]))
    assert {name: stated[name] for name in wanted} == wanted
    assert sorted(stated) == list(stated)


def defaults(cls: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every setting of a class and of its groups with the default that the page has to state."""
    for name, field in cls.model_fields.items():
        groups = [one for one in (field.annotation, *get_args(field.annotation)) if _is_group(one)]
        for group in groups:
            yield from defaults(group, f"{prefix}{name}.")
        yield f"{prefix}{name}", "" if groups else _shown(field)


def _is_group(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _shown(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:_}" if value >= _LONG else str(value)
    return f"`{json.dumps(list(value) if isinstance(value, tuple) else value)}`" if value else ""
