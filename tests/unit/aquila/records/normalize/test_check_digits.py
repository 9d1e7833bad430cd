"""Check digits of the region's national numbers: each number was made up, and its check digit computed by hand."""

from __future__ import annotations

import pytest

from aquila.records.normalize.check_digits import SCHEMES

VALID = [
    ("AL-NID", "J00101999W"),  # the published specimen
    ("AL-NID", "J05115999K"),  # the published specimen
    ("AT-SVNR", "1237010180"),
    ("BG-EGN", "7501010010"),
    ("BG-EGN", "7521010014"),
    ("BG-LNCh", "1000000001"),
    ("HR-OIB", "12345678903"),
    ("HU-SzA", "18001010016"),
    ("HU-SzA", "29901010018"),
    ("JMBG", "0101990710008"),
    ("MD-IDNP", "2000000000004"),
    ("RO-CNP", "1800101221144"),
]


@pytest.mark.parametrize(("scheme", "number"), VALID)
def test_a_right_check_digit_passes(scheme: str, number: str) -> None:
    """The number has the scheme's form and passes its check."""
    form, check = SCHEMES[scheme]
    assert form.fullmatch(number)
    assert check(number)


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_a_changed_digit_fails(scheme: str) -> None:
    """One wrong digit near the end is found."""
    form, check = SCHEMES[scheme]
    number = next(valid for name, valid in VALID if name == scheme)
    changed = number[:-2] + str((int(number[-2]) + 1) % 10) + number[-1]
    assert form.fullmatch(changed)
    assert not check(changed)


@pytest.mark.parametrize(
    ("scheme", "number"),
    [
        ("JMBG", "3202990710006"),
        ("JMBG", "0113990710006"),
        ("BG-EGN", "7519010010"),
        ("RO-CNP", "1801301221144"),
        ("HU-SzA", "18013320010"),
    ],
)
def test_a_number_with_an_impossible_birthday_fails(scheme: str, number: str) -> None:
    """Day and month within the number are checked too."""
    assert not SCHEMES[scheme][1](number)


def test_a_cnp_remainder_of_ten_gives_one() -> None:
    """The law's exception; a remainder of nine stays nine."""
    check = SCHEMES["RO-CNP"][1]
    assert check("1800101000001")
    assert [digit for digit in "0123456789" if check("180010100001" + digit)] == ["8"]
