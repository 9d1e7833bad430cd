"""The machine that figures belong to."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import psutil

from aquila import __version__
from aquila.crypto.backend import Backend, load_group, usable_cores

_PROCESSORS = Path("/proc/cpuinfo")
_LIBRARIES = ("numpy", "duckdb", "cryptography")


@dataclass(frozen=True, slots=True)
class Machine:
    """Properties of the machine on which a figure depends besides the code.

    Attributes:
        processor: The processor's model; where its maker hides it, what it says of itself.
        cores: How many this process may use.
        memory_bytes: Of the whole machine.
        load: Processes that wanted a core when the run began, over the last minute; much more than none is noise.
        backend: The group backend in use.
        reason: Why it is.
        versions: Of Aquila and of the libraries that do the work.
    """

    processor: str
    cores: int
    memory_bytes: int
    system: str
    python: str
    load: float
    backend: str
    reason: str
    versions: dict[str, str]

    def document(self) -> dict[str, object]:
        """Return it for JSON."""
        return asdict(self)


def this_machine(backend: Backend = "auto") -> Machine:
    """Describe the machine that this runs on, with one of its backends.

    Raises:
        InputError: The backend cannot be used here.
    """
    group = load_group(1, backend)
    return Machine(
        processor=processor_model(_PROCESSORS),
        cores=usable_cores(),
        memory_bytes=psutil.virtual_memory().total,
        system=platform.platform(),
        python=platform.python_version(),
        load=round(os.getloadavg()[0], 2),
        backend=group.name,
        reason=group.reason,
        versions={"aquila": __version__} | {name: version(name) for name in _LIBRARIES},
    )


def processor_model(processors: Path) -> str:
    """Return the model of the first processor that Linux lists, with family and model number; else what Python knows.

    The numbers tell machines apart whose names were made alike by whoever rents them out.
    """
    try:
        first = processors.read_text("utf-8").split("\n\n", 1)[0]
    except OSError:
        return platform.processor() or platform.machine()
    known = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in first.splitlines())}
    numbers = ", ".join(f"{name} {known[name]}" for name in ("cpu family", "model", "stepping") if name in known)
    return f"{known.get('model name') or platform.machine()} ({numbers})" if numbers else platform.machine()
