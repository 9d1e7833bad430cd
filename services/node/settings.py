"""The node's settings, read from `node.toml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from services.kit.settings import MEBIBYTE, LimitSettings, PeerSettings, ServiceSettings, SettingPath


class NodeLimits(LimitSettings):
    """What one caller may ask for at once."""

    import_mebibytes: int = Field(default=2_048, ge=1, description="Largest list that can be imported, in MiB.")

    @property
    def import_bytes(self) -> int:
        """The largest list in bytes."""
        return self.import_mebibytes * MEBIBYTE


class NodeSettings(ServiceSettings):
    """Everything that a node's file can say."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = Field(description="The party's code.")
    name: str = Field(min_length=1, description="The party's name.")
    matcher: PeerSettings = Field(description="Where the matcher is, and how it is trusted.")
    identity: SettingPath = Field(description="PEM file with the party's identity key, readable by the node alone.")
    registry: SettingPath = Field(description="The registry file with the pinned keys of all parties.")
    rules: SettingPath | None = Field(default=None, description="A rule table of one's own, besides the built-in ones.")
    poll_seconds: float = Field(default=2.0, gt=0, le=60, description="Seconds between two looks at the matcher.")
    limits: NodeLimits = Field(default_factory=NodeLimits, description="What one caller may ask for at once.")
