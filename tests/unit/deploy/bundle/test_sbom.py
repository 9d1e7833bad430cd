"""The list of what a bundle holds is a valid CycloneDX document, and true."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from deploy.bundle.sbom import document, packages
from deploy.bundle.wheels import Target
from tests.unit.deploy.bundle.conftest import MakeWheel

TARGETS = [Target("3.11", "x86_64"), Target("3.13", "aarch64")]
TIME = 1_800_000_000


@pytest.fixture
def wheels(make_wheel: MakeWheel) -> list[Path]:
    """Aquila's wheel for two processors, and packages that state what they need and their licences in all ways."""
    aquila = (
        "License-Expression: Apache-2.0",
        "Provides-Extra: dask",
        "Requires-Dist: Alpha[fast]>=1",
        "Requires-Dist: beta; extra == 'dask'",
        "Requires-Dist: gamma; sys_platform == 'win32'",
    )
    return [
        make_wheel("aquila", "0.2.0", *aquila, tag="cp311-abi3-linux_x86_64"),
        make_wheel("aquila", "0.2.0", *aquila, tag="cp311-abi3-linux_aarch64"),
        make_wheel(
            "alpha",
            "1.0",
            "Summary: First",
            "License: MIT",
            "Requires-Dist: delta; extra == 'fast'",
            "Requires-Dist: gamma; extra == 'slow'",
            "Requires-Dist: epsilon; python_version < '3.12'",
        ),
        make_wheel(
            "beta", "1.0", "License: A text", "  of two lines", "Classifier: License :: OSI Approved :: BSD License"
        ),
        make_wheel("gamma", "1.0"),
        make_wheel("delta", "1.0", "License-Expression: MIT OR Apache-2.0"),
        make_wheel("epsilon", "1.0"),
        make_wheel("epsilon", "2.0"),
    ]


def test_it_is_valid_and_the_same_for_the_same_wheels(wheels: list[Path]) -> None:
    """Against the schema of CycloneDX, every format checked; the order of the wheels is nothing."""
    made = document(wheels, TARGETS, TIME)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(made) is None
    assert document(wheels[::-1], TARGETS, TIME) == made
    assert document(wheels[:-1], TARGETS, TIME) != made
    assert json.loads(made)["metadata"]["timestamp"].startswith("2027-01-15T08:00:00")


def test_it_names_every_file_with_its_digest(wheels: list[Path]) -> None:
    made = json.loads(document(wheels, TARGETS, TIME))
    components = [made["metadata"]["component"], *made["components"]]
    found = {reference["url"]: reference["hashes"] for one in components for reference in one["externalReferences"]}
    assert found == {
        f"wheels/{wheel.name}": [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}]
        for wheel in wheels
    }
    assert sorted(f"{one['name']} {one['version']}" for one in components) == [
        "alpha 1.0",
        "aquila 0.2.0",
        "beta 1.0",
        "delta 1.0",
        "epsilon 1.0",
        "epsilon 2.0",
        "gamma 1.0",
    ]
    assert {one["name"]: one.get("purl") for one in components}["alpha"] == "pkg:pypi/alpha@1.0"


def test_it_states_dependencies_of_the_targets(wheels: list[Path]) -> None:
    made = json.loads(document(wheels, TARGETS, TIME))
    needs = {one["ref"]: sorted(one.get("dependsOn", [])) for one in made["dependencies"]}
    assert needs["aquila==0.2.0"] == ["alpha==1.0", "beta==1.0"]
    assert needs["alpha==1.0"] == ["delta==1.0", "epsilon==1.0", "epsilon==2.0"]


def test_it_states_licences(wheels: list[Path]) -> None:
    """By their SPDX identifier or expression, else as the package writes it."""

    def stated(component: dict[str, Any]) -> str:
        [one] = component.get("licenses") or [{"expression": "none"}]
        return str(one.get("expression") or one["license"].get("id") or one["license"]["name"])

    made = json.loads(document(wheels, TARGETS, TIME))
    assert {one["name"]: stated(one) for one in (made["metadata"]["component"], *made["components"])} == {
        "aquila": "Apache-2.0",
        "alpha": "MIT",
        "beta": "BSD License",
        "gamma": "none",
        "delta": "MIT OR Apache-2.0",
        "epsilon": "none",
    }


def test_packages_of_several_wheels_are_one(wheels: list[Path]) -> None:
    assert [(one.name, len(one.files)) for one in packages(wheels)][1] == ("aquila", 2)
