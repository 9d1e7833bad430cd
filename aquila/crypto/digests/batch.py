"""HMAC-SHA-256 of many messages that are alike but for some parts, and the C module that makes it quick."""

from __future__ import annotations

import hmac
import importlib
from functools import cache
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from aquila.crypto.keys import SecretBytes

_CORE_MODULE = "aquila.crypto.digests._digests"


@cache
def digests_core(name: str = _CORE_MODULE) -> ModuleType | None:
    """Import the C module, or return None where it was not built, or from sources without all its functions."""
    try:
        found = importlib.import_module(name)
    except ImportError:
        return None
    return found if hasattr(found, "hmac_each") else None


def hmac_each(
    key: SecretBytes,
    prefix: bytes,
    lead: bytes,
    parts: NDArray[np.uint8],
    places: NDArray[np.int64],
    taken: int,
    core: ModuleType | None = None,
) -> bytes:
    """Return the first bytes of HMAC-SHA-256 (RFC 2104) of each of n messages, one behind the other.

    Args:
        key: At most 64 bytes.
        prefix: The beginning of every message.
        lead: What stands before each of its parts.
        parts: The parts that messages have, m x width.
        places: Of each message the places of its parts among these, n x k.
        taken: How many bytes are returned of each, at most 32.
        core: The C module (`digests_core`), which takes a tenth of the time; without it Python does the same.
    """
    with key.reveal() as octets:
        if core is not None:
            columns = np.ascontiguousarray(parts), np.ascontiguousarray(places, dtype=np.int64)
            made: bytes = core.hmac_each(octets, prefix, lead, *columns, parts.shape[1], places.shape[1], taken)
            return made
        led = [lead + part.tobytes() for part in parts]
        messages = (prefix + b"".join([led[place] for place in row]) for row in places.tolist())
        return b"".join([hmac.digest(octets, message, "sha256")[:taken] for message in messages])
