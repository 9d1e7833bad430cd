"""The node's settings, read from `node.toml`."""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

from aquila.records.rules import InputClass
from services.kit.settings import (
    MEBIBYTE,
    KeyedSettings,
    LimitSettings,
    NotificationSettings,
    PeerSettings,
    SettingPath,
    Settings,
    is_loopback,
)


class NodeLimits(LimitSettings):
    """Limits of one caller's requests."""

    import_mebibytes: int = Field(default=2_048, ge=1, description="Largest list that can be imported, in MiB.")

    @property
    def import_bytes(self) -> int:
        return self.import_mebibytes * MEBIBYTE


class EvaluationCaps(Settings):
    """Limits of the elements evaluated for one other party in all rounds together, independent of the rounds' caps.

    The defaults let a list of a million persons through once a day and three times in thirty days.
    """

    day_full: int = Field(default=10_000_000, ge=1, description="Elements of the class full for one party in a day.")
    day_partial: int = Field(default=15_000_000, ge=1, description="Elements of the class partial in a day.")
    day_coarse: int = Field(default=17_000_000, ge=1, description="Elements of the class coarse in a day.")
    window_days: int = Field(default=30, ge=2, le=366, description="How many days, today too, the longer window has.")
    window_full: int = Field(default=30_000_000, ge=1, description="Elements of the class full in the longer window.")
    window_partial: int = Field(
        default=45_000_000, ge=1, description="Elements of the class partial in the longer window."
    )
    window_coarse: int = Field(
        default=51_000_000, ge=1, description="Elements of the class coarse in the longer window."
    )

    def in_day(self, input_class: InputClass) -> int:
        """Return how many elements of a class one party gets in a day."""
        return int(getattr(self, f"day_{input_class.value}"))

    def in_window(self, input_class: InputClass) -> int:
        """Return how many elements of a class one party gets in the longer window."""
        return int(getattr(self, f"window_{input_class.value}"))


class NodeSettings(KeyedSettings):
    """All settings in a node's file."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = Field(description="The party's code.")
    name: str = Field(min_length=1, description="The party's name.")
    matcher: PeerSettings = Field(description="Where the matcher is, and how it is trusted.")
    deliveries: SettingPath | None = Field(
        default=None, description="Folder into which a system of the party puts list files for officers."
    )
    indicators: SettingPath | None = Field(
        default=None, description="The table of indicators that the parties agreed on, in place of the built-in sample."
    )
    contact: Annotated[str, StringConstraints(max_length=60, pattern=r"^[^\x00-\x1f\x7f]*$")] = Field(
        default="",
        description="Where counterparts can ask after a hit: the unit and its telephone; without it the name.",
    )
    poll_seconds: float = Field(
        default=2.0, gt=0, le=60, description="Seconds between two looks at the matcher where no call can be held."
    )
    caps: EvaluationCaps = Field(
        default_factory=EvaluationCaps, description="What is evaluated for one party over all rounds, by day."
    )
    outcome_hours: int = Field(
        default=24, ge=1, le=168, description="Hours after which the matcher is told, in counts, what came of hits."
    )
    notifications: NotificationSettings | None = Field(
        default=None, description="Telling people by mail or a command that work waits for them."
    )
    limits: NodeLimits = Field(default_factory=NodeLimits, description="What one caller may ask for at once.")

    def _outward(self) -> Iterator[str]:
        yield from super()._outward()
        if not is_loopback(urlsplit(self.matcher.url).hostname or ""):
            yield "matcher"
        if self.notifications is not None:
            yield "notifications"
        if self.deliveries is not None:
            yield "deliveries"
