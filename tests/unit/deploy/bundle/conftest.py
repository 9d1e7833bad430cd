"""Wheels of invented packages."""

import zipfile
from pathlib import Path
from typing import Protocol

import pytest


class MakeWheel(Protocol):
    def __call__(self, name: str, version: str, *lines: str, tag: str = "py3-none-any") -> Path:
        """Write it, with further lines of metadata."""


@pytest.fixture
def make_wheel(tmp_path: Path) -> MakeWheel:
    folder = tmp_path / "wheels"
    folder.mkdir()

    def make(name: str, version: str, *lines: str, tag: str = "py3-none-any") -> Path:
        file = folder / f"{name.replace('-', '_')}-{version}-{tag}.whl"
        text = "\n".join(["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *lines, "", "A package."])
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(f"{name}-{version}.dist-info/METADATA", text)
            archive.writestr(f"{name}-{version}.dist-info/WHEEL", tag)
        return file

    return make
