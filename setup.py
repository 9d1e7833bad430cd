"""The C extension; everything else about the package stands in pyproject.toml.

It is built where there is a C compiler and left out where there is none; libsodium then gives the same answers.
Settings from the environment, for builds only:

AQUILA_REQUIRE_NATIVE=1: no compiler is an error.
AQUILA_NATIVE_FLAGS: further compiler and linker flags, for example -fsanitize=address (`make sanitize`).
"""

from __future__ import annotations

import os
from pathlib import Path

from setuptools import Extension, setup

SOURCES = Path("aquila", "crypto", "native")
FLAGS = os.environ.get("AQUILA_NATIVE_FLAGS", "").split()

CORE = Extension(
    "aquila.crypto.native._core",
    sources=sorted(str(path) for path in SOURCES.glob("*.c")),
    depends=sorted(str(path) for path in SOURCES.glob("*.h")),
    # -O2 costs half of the speed: the loops over limbs must be unrolled.
    extra_compile_args=["-O3", "-g0", "-std=gnu11", "-Wall", "-Wextra", "-fno-strict-aliasing", *FLAGS],
    extra_link_args=FLAGS,
    py_limited_api=True,
    optional=os.environ.get("AQUILA_REQUIRE_NATIVE") != "1",
)

setup(
    ext_modules=[CORE],
    exclude_package_data={"aquila.crypto.native": ["*.c", "*.h"]},  # sources belong to the sdist, not to a wheel
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
