"""What a password must be, and how long it takes to find that one is wrong."""

import pytest

from aquila.errors import InputError
from services.kit.people.passwords import Passwords, check_password
from services.kit.settings import PeopleSettings
from tests.support.accounts import NAMES

CHEAP = PeopleSettings().model_copy(update={"argon2_kibibytes": 32, "argon2_passes": 1})


@pytest.mark.parametrize(
    "password",
    [
        "elevenchars",
        "password12345",
        "Password1234!",
        "123456789012",
        "qwertyuiop12",
        "iloveyou1234",
        "p@ssw0rdp@ssw0rd",
        "trustno1trustno1",
        "aaaaaaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "aquila-slovenia-2026",
        "SlovenijaAquila",
        "Slovenia node SI",
        "AQUILA aquila Aquila",
        "ana likes long walks",
        "Nodenode-12345678",
    ],
)
def test_a_password_that_is_too_easy(password: str) -> None:
    """Short, common, a pattern, a date, or made of names of product, service, party and login."""
    with pytest.raises(InputError, match="the password is too"):
        check_password(password, "ana", NAMES)


@pytest.mark.parametrize(
    "password",
    [
        "four words are long enough",
        "an eagle crosses the sixth bridge",
        "Xk29!mmQp0zT",
        "Ђорђе пије хладну кафу",
        "x" * 3 + "unrelated thoughts" + "x" * 200,
        "aquila likes some very long walks",
        "@4({<$5+7%0o!1|9" * 4,
    ],
)
def test_a_password_that_is_good(password: str) -> None:
    """A few words, in any script; a name of this place may stand among others."""
    check_password(password, "ana", NAMES)


def test_no_password_is_that_of_nobody() -> None:
    """Where nothing is stored a hash is computed all the same, as costly as the settings say or as a stored one."""
    passwords = Passwords(CHEAP)
    stored = passwords.hash("four words are long enough")
    assert passwords.verify(stored, "four words are long enough")
    assert not passwords.verify(stored, "four words are short enough")
    assert not passwords.verify(None, "four words are long enough", stored)
    assert not passwords.verify(None, "four words are long enough")
    assert not passwords.is_outdated(passwords._nobodys)
