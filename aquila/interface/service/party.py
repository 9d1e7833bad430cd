"""The matcher's views of the parties: the keys that it pins, to be compared by telephone, and last contacts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from aquila.protocol.messages.base import Digest, Message, PartyCode, Seconds


class PartyView(Message):
    """One party that the matcher knows.

    Attributes:
        called_at: Its last signed call, or None; what a crash loses of it is the last minute.
        release: Which release it said then that it runs, or nothing.
    """

    party: PartyCode
    name: str
    identity_fingerprint: Digest
    called_at: Seconds | None
    release: Annotated[str, Field(max_length=32)]


class Parties(Message):
    """All parties by code, and the matcher's own key and release."""

    matcher_fingerprint: Digest
    version: str
    parties: tuple[PartyView, ...]
