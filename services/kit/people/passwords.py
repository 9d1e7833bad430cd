"""Passwords and authenticators, the two factors of a local account.

Passwords are hashed by Argon2id (RFC 9106) through argon2-cffi, and must be as NIST SP 800-63B section 5.1.1.2 says.
Hashing takes tens of MiB: callers do it in the threads of `services.kit.work.threads.Pool.PASSWORDS`, which are few.
Authenticators give one-time codes of six digits (RFC 6238) through pyotp, each of which counts once.
"""

import base64
import hmac
import math
import re
import secrets
import threading
import unicodedata
from collections.abc import Iterable

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn
from zxcvbn.matching import L33T_TABLE

from aquila.errors import InputError
from services.kit.settings import PeopleSettings

SHORTEST = 12
_LANES = 4
_SHORT_NAME = 3
_LOOKED_AT = 40
_UNCOMMON = 3  # of 0 to 4: "safely unguessable", more than 10^8 guesses
_MOST_READINGS = 50  # of signs that stand for letters
_ONE_AT_A_TIME = threading.Lock()  # zxcvbn keeps a table that it changes


class Passwords:
    """Hashes and verifies passwords at the cost in the settings."""

    def __init__(self, settings: PeopleSettings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_passes, memory_cost=settings.argon2_kibibytes, parallelism=_LANES
        )
        self._nobodys = _hash_of_nobody(settings)

    def hash(self, password: str) -> str:
        return self._hasher.hash(_normal(password))

    def verify(self, stored: str | None, password: str, decoy: str | None = None) -> bool:
        """Return whether a password is the stored one; where nothing is stored it takes as long and is wrong.

        Args:
            stored: What is stored of the account's password, if there is an account and it has one.
            decoy: The hash that is computed in vain where nothing is stored, else one as costly as the settings say.
        """
        try:
            self._hasher.verify(stored or decoy or self._nobodys, _normal(password))
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Return whether the settings have changed since a password was hashed."""
        return self._hasher.check_needs_rehash(stored)


def _hash_of_nobody(settings: PeopleSettings) -> str:
    """Return a hash in the form of argon2-cffi that no password has, at the cost in the settings."""
    salt, digest = (base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    cost = f"m={settings.argon2_kibibytes},t={settings.argon2_passes},p={_LANES}"
    return f"$argon2id$v=19${cost}${salt}${digest}"


def check_password(password: str, login: str, names: Iterable[str]) -> None:
    """Refuse a password that is too short, common, or made of names that everyone knows here.

    Names count for nothing: what is left without them must be long and uncommon. The lists of common passwords, words
    and names, and patterns such as repetitions and rows of keys, are those of zxcvbn (USENIX Security 2016).
    """
    normal = _normal(password)
    if len(normal) < SHORTEST:
        raise InputError("password_too_short", shortest=SHORTEST)
    if login in normal.lower():
        raise InputError("password_holds_login_name")
    if len(left := _without(normal, names)) < SHORTEST or _is_common(left):
        raise InputError("password_too_easy")


def _without(password: str, names: Iterable[str]) -> str:
    """Return a password without names: of two and three letters as separate words, longer ones in any position."""
    for name in sorted(names, key=len, reverse=True):
        part = re.escape(name)
        password = re.sub(part if len(name) > _SHORT_NAME else rf"\b{part}\b", "", password, flags=re.IGNORECASE)
    return password


def _is_common(password: str) -> bool:
    """Return whether a password is one of the first 10^8 that somebody would guess."""
    readings = math.prod(len(set(password) & set(signs)) or 1 for signs in L33T_TABLE.values())
    if readings > _MOST_READINGS:
        return False  # so many kinds of signs are in no common password, and zxcvbn would try all readings, for seconds
    with _ONE_AT_A_TIME:
        return bool(zxcvbn(password[:_LOOKED_AT], max_length=_LOOKED_AT)["score"] < _UNCOMMON)


def _normal(password: str) -> str:
    """Return the one form of a text that keyboards write in several ways (RFC 8265 section 4.2)."""
    return unicodedata.normalize("NFC", password)


STEP_SECONDS = 30
_AROUND = 1  # a clock may be one step off either way
_ISSUER = "Aquila"


def new_secret() -> str:
    """Return a new secret of 160 bits in base 32, as RFC 4226 section 4 asks."""
    return pyotp.random_base32()


def uri_of(secret: str, login: str, service: str) -> str:
    """Return the URI that an authenticator reads as a picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=f"{_ISSUER} {service}")


def accepted_step(secret: str, code: str, now: int, last_step: int) -> int | None:
    """Return the time step whose code was given, if it is a step around now and later than the last accepted one."""
    codes, current = pyotp.TOTP(secret), now // STEP_SECONDS
    for step in range(current - _AROUND, current + _AROUND + 1):
        if step > last_step and hmac.compare_digest(codes.generate_otp(step), code):
            return step
    return None
