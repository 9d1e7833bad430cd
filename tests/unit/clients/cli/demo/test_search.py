"""A search that finds what is there: otherwise finding nothing would mean nothing."""

import random
from pathlib import Path

import pytest

from clients.cli.demo.checks import left_in, needles_of, occurrences, samples_of, search, still_there

ROW = {
    "given_names": "Ana",
    "family_names": "Đorđević",
    "date_of_birth": "1990-03-04",
    "national_numbers": "0403990715012",
    "phones": "+38641111222",
}
NOISE = random.Random(1).randbytes(200_000)


@pytest.mark.parametrize(
    "stored", ["Đorđević", "đorđević", "Ana Đorđević", "1990-03-04", "04.03.1990", "0403990715012", "+38641111222"]
)
def test_found(tmp_path: Path, stored: str) -> None:
    """Each name, date and number is found in the middle of random bytes, as written and in small letters."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "chunk").write_bytes(NOISE[:77_777] + stored.encode() + NOISE[77_777:])
    assert search(tmp_path, [ROW]).found_in == (tmp_path / "deep" / "chunk",)


def test_nothing_found(tmp_path: Path) -> None:
    for name, content in (("a", NOISE), ("b", b""), ("c", b"An")):
        (tmp_path / name).write_bytes(content)
    result = search(tmp_path, [ROW])
    assert (result.files, result.octets, result.found_in) == (3, len(NOISE) + 2, ())


def test_short_names() -> None:
    written, small = needles_of([ROW])
    assert b"Ana" not in written
    assert "Ana Đorđević".encode() in written
    assert all(len(needle) >= 6 for needle in written)
    assert all(len(needle) >= 8 for needle in small)


def test_occurrences() -> None:
    """Every needle at every place is yielded, also where two begin alike."""
    needles = frozenset([b"abcdef", b"abcxyz"])
    assert sorted(occurrences(b"..abcdef.abcxyz.abcd", needles)) == [b"abcdef", b"abcxyz"]


def test_traces(tmp_path: Path) -> None:
    for folder in ("keys", "chunks/round"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "keys" / "r.key").write_bytes(NOISE[:32])
    (tmp_path / "keys" / "high-water.json").write_bytes(NOISE[32:100])
    (tmp_path / "chunks" / "round" / "0").write_bytes(NOISE[100:5_000])
    before, samples = left_in(tmp_path), samples_of([tmp_path])
    assert (before.keys, before.chunks, before.octets) == (1, 1, 4_900)
    assert len(still_there([tmp_path], samples)) == 2
    (tmp_path / "keys" / "r.key").unlink()
    (tmp_path / "chunks" / "round" / "0").rename(tmp_path / "hidden")
    assert still_there([tmp_path], samples) == [tmp_path / "hidden"]
    (tmp_path / "hidden").unlink()
    assert still_there([tmp_path], samples) == []
