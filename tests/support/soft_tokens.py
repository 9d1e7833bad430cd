"""PKCS#11 tokens of SoftHSM, which keeps them in files: a fresh one for each test, in a folder of this test process."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest

from services.kit.storage.pkcs11 import SCHEME, TOKENS, KeyAddress

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
TOOL = "softhsm2-util"
NEEDED = pytest.mark.skipif(
    shutil.which(TOOL) is None or not MODULE.exists(), reason="Debian's softhsm2 is not installed"
)
CONFIGURATION = "SOFTHSM2_CONF"
_NUMBERS = count(1)


def address(token: str, label: str, module: Path, pin: Path) -> str:
    """Return the text of an address."""
    return (
        f"{SCHEME}token={quote(token, safe='')};object={quote(label, safe='')}"
        f"?module-path={quote(str(module))}&pin-source=file:{quote(str(pin))}"
    )


@dataclass(frozen=True)
class SoftToken:
    folder: Path
    label: str
    pin: Path

    def address(self, label: str = "identity") -> str:
        return address(self.label, label, MODULE, self.pin)

    def uri(self, label: str = "identity") -> KeyAddress:
        return KeyAddress.parse(self.address(label), self.folder)

    def take_out(self) -> None:
        """Take all tokens of this process out, as somebody who pulls a plug; modules that run notice it late."""
        (self.folder / "tokens").rename(self.folder / "elsewhere")
        (self.folder / "tokens").mkdir()

    def put_back(self) -> None:
        (self.folder / "tokens").rmdir()
        (self.folder / "elsewhere").rename(self.folder / "tokens")


@pytest.fixture(scope="session")
def token_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of this process' tokens, which the module takes from the environment when it starts."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    before = os.environ.get(CONFIGURATION)
    os.environ[CONFIGURATION] = str(settings)
    yield folder
    TOKENS.forget(MODULE)
    if before is None:
        del os.environ[CONFIGURATION]
    else:
        os.environ[CONFIGURATION] = before


def make_token(folder: Path, pin: str = "473829") -> SoftToken:
    label = f"aquila {next(_NUMBERS)}"
    words = [TOOL, "--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", "so-473829"]
    subprocess.run(words, check=True, capture_output=True)
    file = folder / f"{label.replace(' ', '-')}.pin"
    file.write_text(f"{pin}\n", encoding="utf-8")
    file.chmod(0o600)
    return SoftToken(folder, label, file)


@pytest.fixture
def token(token_folder: Path) -> SoftToken:
    return make_token(token_folder)
