"""One build of the C modules serves every Python that is promised: the wheel's tag says cp311-abi3."""

import re
import shutil
import subprocess
import sys
import sysconfig
from hashlib import sha256
from itertools import chain
from pathlib import Path

import pytest

CRYPTO = Path(__file__).parents[4] / "aquila" / "crypto"
MODULES = {"_digests": CRYPTO / "digests", "_portable": CRYPTO / "native"}
FORMATTED = re.compile(r"(?:Py_BuildValue|PyArg_Parse\w*|PyObject_Call(?:Function|Method))\([^;]*?\"([^\"]*)\"")
# Calls every function that takes or gives bytes; without the rest of the package, which needs what a bare Python lacks.
PROGRAM = """
import sys
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location

def load(name):
    path = f"{sys.argv[1]}/{name}.abi3.so"
    module = module_from_spec(spec_from_file_location(name, path, loader=ExtensionFileLoader(name, path)))
    module.__loader__.exec_module(module)
    return module

digests, group = map(load, ("_digests", "_portable"))
print(digests.digest_records(((7, b"prefix", ((0, 0),)),), ([(("a", "b"),)],), 1)[2].hex())
print(digests.hmac_each(b"key", b"prefix", b"", b"part", bytes(8), 4, 1, 32).hex())
out = bytearray(64)
group.reduce_each(out, bytes([9] * 128))
print(bytes(out).hex(), group.missing())
"""


def pythons() -> dict[tuple[int, int], str]:
    ask = "import os, sys, sysconfig; print(*sys.version_info[:2], sysconfig.get_path('include'))"
    named = filter(None, (shutil.which(f"python3.{minor}") for minor in range(11, 20)))
    beside = Path(sys.base_prefix).parent.glob("*/bin/python3")  # where many versions are installed side by side
    found: dict[tuple[int, int], str] = {}
    for python in chain((sys.executable, "/usr/bin/python3"), named, map(str, beside)):
        if not Path(python).exists():
            continue
        asked = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False)
        if asked.returncode:  # a name without a version behind it
            continue
        major, minor, include = asked.stdout.split(maxsplit=2)
        version = int(major), int(minor)
        if version >= (3, 11) and Path(include.strip(), "Python.h").exists():
            found.setdefault(version, python)
    return found


def compiled(python: str, folder: Path) -> None:
    ask = "import sysconfig; print(sysconfig.get_path('include'))"
    include = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    folder.mkdir()
    for name, source in MODULES.items():
        files = sorted(map(str, source.glob("*.c")))
        options = ["-O0", "-std=gnu11", "-fno-strict-aliasing", "-shared", "-fPIC", "-I", include, "-DAQUILA_PORTABLE"]
        subprocess.run([*compiler(), *options, *files, "-o", str(folder / f"{name}.abi3.so")], check=True)


def compiler() -> list[str]:
    named = (sysconfig.get_config_var("CC") or "").split()
    return named if named and shutil.which(named[0]) else ["cc"]


def test_no_format_counts_bytes() -> None:
    """No format has a `#`: the headers of 3.13 make of it a call that fails in 3.12, the limited API or not."""
    formats = [text for file in CRYPTO.rglob("*.c") for text in FORMATTED.findall(file.read_text(encoding="utf-8"))]
    assert formats
    assert [text for text in formats if "#" in text] == []


def test_sources_ask_for_the_limited_api_before_the_headers() -> None:
    """Every file that includes Python.h first asks for the limited API of 3.11, as the wheel's tag promises."""
    sources = [text for file in CRYPTO.rglob("*.[ch]") if "<Python.h>" in (text := file.read_text(encoding="utf-8"))]
    assert len(sources) == len(MODULES)
    assert all("#define Py_LIMITED_API 0x030b0000\n" in text.partition("#include <Python.h>")[0] for text in sources)


@pytest.mark.soak  # for the modules that a release brings
@pytest.mark.skipif(not shutil.which(compiler()[0]), reason="there is no C compiler")
def test_builds_of_two_versions_run_on_each_other(tmp_path: Path) -> None:
    """Made with the headers of the oldest or the newest Python, modules answer the same in every one of the machine."""
    found = pythons()
    if len(found) == 1:
        pytest.skip("this machine has one Python from 3.11 on")
    digest = sha256(b"prefixa").hexdigest() + sha256(b"prefixb").hexdigest()
    for version in (min(found), max(found)):
        compiled(found[version], folder := tmp_path / "{}.{}".format(*version))
        answers = {
            other: subprocess.run([ran, "-c", PROGRAM, str(folder)], capture_output=True, text=True, check=False)
            for other, ran in found.items()
        }
        assert {other: answer.stderr for other, answer in answers.items()} == dict.fromkeys(found, "")
        assert {answer.stdout.split()[0] for answer in answers.values()} == {digest}
        assert len({answer.stdout for answer in answers.values()}) == 1
