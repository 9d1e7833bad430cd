"""Manifests of rounds, from the envelopes in which a service stored them."""

from __future__ import annotations

import base64
import functools
import json

from aquila.protocol.messages import Manifest


@functools.lru_cache(maxsize=256)
def manifest_in(envelope: bytes) -> Manifest:
    """Return the manifest in an envelope that this service signed, or verified before it was stored.

    The registry may lack the key of its signature by now; that hides nothing of it.
    """
    return Manifest.from_payload(base64.b64decode(json.loads(envelope)["payload"]))
