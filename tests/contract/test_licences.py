"""The project's licence, and those of everything that is installed with it: none that forbids Apache-2.0."""

import re
import tomllib
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

import aquila

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

PERMISSIVE = {
    "0BSD",
    "Apache-2.0",
    "BSD",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "PSF-2.0",
    "Zlib",
}
"""Licences that ask for a notice at most (`BSD`: packages that do not say whether two or three clauses)."""

COPYLEFT = {
    "certifi": ("MPL-2.0", "copyleft file by file; it is used as published, as a package of its own"),
    "psycopg": ("LGPL-3.0-only", "a library that is imported as published; the user can replace it by another version"),
    "psycopg-binary": ("LGPL-3.0-only", "likewise, with libpq, whose licence is permissive"),
}
"""Packages under a copyleft licence, each with the reason why Apache-2.0 code may depend on it."""

SPELLINGS = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License": "ISC",
    "MIT License": "MIT",
}
"""How older metadata write a licence, and its SPDX identifier."""


def licences_of(package: Distribution) -> set[str]:
    """Return the licences of a package: its SPDX expression, else its `License` field, else its classifiers."""
    text = package.metadata.get("License-Expression") or package.metadata.get("License")
    if text:
        return {SPELLINGS.get(one, one) for one in re.split(r" (?:AND|OR) |[()]", text) if one}
    classifiers = package.metadata.get_all("Classifier") or []
    names = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License ::")]
    return {SPELLINGS.get(one, one) for one in names}


def refusal(name: str, licences: set[str]) -> str | None:
    """Return why a package may not be a dependency, or None if it may."""
    if not licences:
        return f"{name} states no licence"
    named = {COPYLEFT[name][0]} if name in COPYLEFT else set()
    others = sorted(licences - PERMISSIVE - named)
    return f"{name} has a licence that is not on the list: {', '.join(others)}" if others else None


def closure() -> dict[str, Distribution]:
    """Return every package that is installed with the project and its extras, by normalized name."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    extras = [one for group in PROJECT["optional-dependencies"].values() for one in group]
    waiting = [Requirement(one) for one in (*PROJECT["dependencies"], *extras)]
    while waiting:
        wanted = waiting.pop()
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        if (name, frozenset(wanted.extras)) in seen:
            continue
        seen.add((name, frozenset(wanted.extras)))
        found[name] = distribution(wanted.name)
        waiting += [
            one
            for one in map(Requirement, found[name].requires or [])
            if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *wanted.extras))
        ]
    return found


def test_every_dependency_may_be_used() -> None:
    """Each package of the runtime states a licence that Apache-2.0 code may depend on."""
    packages = closure()
    assert [why for name, one in packages.items() if (why := refusal(name, licences_of(one)))] == []
    assert {"cryptography", "distributed", "psycopg-binary", "starlette"} <= packages.keys()


def test_every_exception_is_needed() -> None:
    """A copyleft package in the table is a dependency under exactly that licence."""
    packages = closure()
    assert {name: licences_of(packages[name]) for name in COPYLEFT} == {
        name: {licence} for name, (licence, _) in COPYLEFT.items()
    }


def test_the_project_states_its_licence_and_version_once() -> None:
    """The metadata name Apache-2.0 and its text, and the version of the package."""
    assert (PROJECT["license"], PROJECT["license-files"]) == ("Apache-2.0", ["LICENSE"])
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert text.split()[:4] == ["Apache", "License", "Version", "2.0,"]
    assert "9. Accepting Warranty or Additional Liability" in text
    assert PROJECT["version"] == aquila.__version__
