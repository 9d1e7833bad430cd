"""The C extensions; everything else about the package stands in pyproject.toml.

They are built where there is a C compiler and left out where there is none; libsodium and Python then give the same
answers. The group is one source, built once for each backend; which of them the processor can run is asked when Aquila
starts (aquila/crypto/backend.py).
Settings from the environment, for builds only:

AQUILA_REQUIRE_NATIVE=1: no compiler is an error.
AQUILA_NATIVE_BACKENDS: which backends of the group to build, by default all of the processor's kind.
AQUILA_NATIVE_FLAGS: further compiler and linker flags, for example -fsanitize=address (`make sanitize`).
"""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

from setuptools import Extension, setup

FLAGS = os.environ.get("AQUILA_NATIVE_FLAGS", "").split()
# The processor that is built for, which is not always this machine's.
PROCESSOR = sysconfig.get_platform().rpartition("-")[2]
BACKENDS = ["ifma", "avx2", "portable"] if PROCESSOR in {"x86_64", "amd64"} else ["portable"]
WANTED = os.environ.get("AQUILA_NATIVE_BACKENDS", "").split() or BACKENDS


def extension(name: str, *macros: str) -> Extension:
    """Return a module that is all the C in its folder, compiled with these macros defined."""
    folder = Path(*name.split(".")).parent
    return Extension(
        name,
        sources=sorted(map(str, folder.glob("*.c"))),
        depends=sorted(map(str, Path("aquila", "crypto").rglob("*.h"))),
        define_macros=[(macro, None) for macro in macros],
        # -O2 costs half of the speed: the loops over limbs must be unrolled.
        extra_compile_args=["-O3", "-g0", "-std=gnu11", "-Wall", "-Wextra", "-fno-strict-aliasing", *FLAGS],
        extra_link_args=FLAGS,
        py_limited_api=True,
        optional=os.environ.get("AQUILA_REQUIRE_NATIVE") != "1",
    )


setup(
    ext_modules=[
        *(extension(f"aquila.crypto.native._{backend}", f"AQUILA_{backend.upper()}") for backend in WANTED),
        extension("aquila.crypto.digests._digests"),
    ],
    # Sources belong to the sdist, not to a wheel.
    exclude_package_data={f"aquila.crypto.{part}": ["*.c", "*.h"] for part in ("native", "digests")},
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
