"""Backup keys as files: what is made can be read, and a wrong digit is noticed."""

from pathlib import Path

import pytest

from aquila.crypto.sealing import recipient_name
from aquila.errors import InputError, KeyMaterialError
from services.kit.administration.backup.keys import make_keys, read_private, read_public


def test_a_pair(tmp_path: Path) -> None:
    """Both files hold the halves of one key; the private one is for its user alone, and neither is replaced."""
    private, public = tmp_path / "safe.key", tmp_path / "safe.key.pub"
    name = make_keys(private, public)
    with read_private(private) as key:
        assert read_public(public) == key.public
        assert recipient_name(key.public) == name
    assert private.stat().st_mode & 0o777 == 0o600
    assert max(map(len, private.read_text().splitlines())) <= 100
    with pytest.raises(InputError, match="is there already"):
        make_keys(tmp_path / "other.key", public)


def test_a_key_typed_from_paper(tmp_path: Path) -> None:
    """Blanks and lines may be others than on paper; a wrong digit is refused, and a file open to others."""
    private = tmp_path / "safe.key"
    make_keys(private, tmp_path / "safe.key.pub")
    kind, name, digits = private.read_text().splitlines()
    private.write_text(f"{kind}\n{name}\n{digits.replace(' ', '')[:40]}\n{digits.replace(' ', '')[40:].upper()}\n")
    read_private(private).close()
    wrong = ("1" if digits[0] == "0" else "0") + digits[1:]
    for content in (f"{kind}\n{name}\n{wrong}\n", f"{kind}\n{name}\nx\n", f"other\n{name}\n{digits}\n", ""):
        private.write_text(content)
        with pytest.raises(KeyMaterialError, match="no private backup key"):
            read_private(private)
    private.chmod(0o640)
    with pytest.raises(KeyMaterialError, match="open to others"):
        read_private(private)


def test_no_public_key(tmp_path: Path) -> None:
    private, public = tmp_path / "safe.key", tmp_path / "safe.key.pub"
    make_keys(private, public)
    kind, name, *lines = public.read_text().splitlines()
    changed = ["A" * len(lines[0]), *lines[1:]]
    for content in (private.read_text(), "\n".join([kind, name, *changed]), f"{kind}\n{name}\né", ""):
        public.write_text(content)
        with pytest.raises(InputError, match="no public backup key"):
            read_public(public)
    with pytest.raises(InputError, match="cannot be read"):
        read_public(tmp_path / "missing")
