"""Authenticators: one-time codes of six digits (RFC 6238) through pyotp, each of which counts once."""

from __future__ import annotations

import hmac

import pyotp

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
