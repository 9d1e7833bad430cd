"""The pinned requirements, and which of them a machine needs.

pip asks the machine that it runs on which requirements apply. A bundle is for other machines, so their markers are
evaluated here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

_HASH: Final = "--hash="
_GLIBC: Final = range(28, 16, -1)


@dataclass(frozen=True)
class Target:
    """A machine with Linux on which the bundle installs.

    Attributes:
        python: The version of CPython, such as `3.13`.
        machine: The processor, as `uname -m` names it.
    """

    python: str
    machine: str

    def __str__(self) -> str:
        return f"CPython {self.python} on {self.machine}"

    def needs(self, requirement: Requirement, extra: str = "") -> bool:
        """Return whether a requirement applies on this machine, where an extra of its package is wanted."""
        return requirement.marker is None or requirement.marker.evaluate(
            {
                "implementation_name": "cpython",
                "os_name": "posix",
                "platform_machine": self.machine,
                "platform_python_implementation": "CPython",
                "platform_system": "Linux",
                "python_full_version": f"{self.python}.0",
                "python_version": self.python,
                "sys_platform": "linux",
                "extra": extra,
            }
        )

    @property
    def options(self) -> list[str]:
        """The options by which `pip download` takes wheels for this machine, with a glibc of 2.28 (2018) or newer."""
        platforms = [f"manylinux_2_{minor}_{self.machine}" for minor in _GLIBC]
        platforms += [f"{name}_{self.machine}" for name in ("manylinux2014", "manylinux2010", "manylinux1")]
        abis = [f"cp{self.python.replace('.', '')}", "abi3", "none"]
        return [
            "--implementation=cp",
            f"--python-version={self.python}",
            *(f"--abi={one}" for one in abis),
            *(f"--platform={one}" for one in platforms),
        ]


@dataclass(frozen=True)
class Pin:
    """A requirement with one version.

    Attributes:
        requirement: Name, version, and where it applies.
        hashes: `sha256:` and the digest of each file that may be installed for it.
    """

    requirement: Requirement
    hashes: frozenset[str]

    def line(self, *, marker: bool = True) -> str:
        """Return it as a line of a requirements file, with or without the condition under which it applies."""
        text = str(self.requirement) if marker else str(self.requirement).partition(";")[0].strip()
        return " \\\n    ".join([text, *(f"{_HASH}{one}" for one in sorted(self.hashes))]) + "\n"


def pins(file: Path) -> Iterator[Pin]:
    """Yield what a requirements file of `make pins` pins, in its order."""
    for line in file.read_text("utf-8").replace("\\\n", " ").splitlines():
        text, *hashes = line.partition("#")[0].split(_HASH)
        if text.strip():
            yield Pin(Requirement(text.strip()), frozenset(one.strip() for one in hashes))


def limited(pinned: Iterable[Pin], present: frozenset[str]) -> Iterator[Pin]:
    """Yield the pins of which a file is present, each with the hashes of those alone."""
    for pin in pinned:
        if hashes := pin.hashes & present:
            yield Pin(pin.requirement, hashes)
