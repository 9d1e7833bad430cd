"""How much of a machine the systemd units expose, by systemd's own measure."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.services.deploy.test_samples import DEPLOY
from tests.support import manual

SYSTEMD = DEPLOY / "systemd"
ANALYZED = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="Debian's systemd is not installed")
MOST_EXPOSED = 12  # tenths


def is_little_exposed(file: Path) -> bool:
    """Return whether a unit is exposed at most as much as one may be, by systemd's own measure."""
    words = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", str(file)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert "Overall exposure level" in done.stdout, done.stderr
    return done.returncode == 0


@ANALYZED
@pytest.mark.parametrize("unit", sorted(SYSTEMD.glob("*.service")), ids=lambda unit: unit.stem)
def test_a_unit_is_little_exposed(unit: Path, tmp_path: Path) -> None:
    """At most 1.2, with the addresses that a drop-in adds; a unit without two of its restrictions is above."""
    used, lenient = tmp_path / "used" / unit.name, tmp_path / "lenient" / unit.name
    for file in (used, lenient):
        file.parent.mkdir()
    used.write_text(unit.read_text("utf-8") + manual.drop_in(), encoding="utf-8")
    assert is_little_exposed(used)
    lenient.write_text(
        re.sub("(?:RestrictNamespaces|PrivateUsers)=yes\n", "", used.read_text("utf-8")), encoding="utf-8"
    )
    assert not is_little_exposed(lenient)


@ANALYZED
@pytest.mark.parametrize("kind", ["node", "matcher"])
def test_a_unit_with_a_token_is_little_exposed(kind: str, tmp_path: Path) -> None:
    unit = tmp_path / f"aquila-{kind}.service"
    drop_in = (SYSTEMD / "pkcs11-token.conf").read_text("utf-8")
    unit.write_text((SYSTEMD / unit.name).read_text("utf-8") + drop_in, encoding="utf-8")
    assert is_little_exposed(unit)
