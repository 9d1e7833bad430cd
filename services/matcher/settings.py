"""The matcher's settings, read from `matcher.toml`."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from pydantic import Field

from aquila.protocol.messages import ClassCounts
from services.kit.settings import MEBIBYTE, KeyedSettings, NotificationSettings, Settings

_HOUR = 3_600
_DAY = 24 * _HOUR


class WindowSettings(Settings):
    """The deadlines of a round whose proposal names none, each in seconds after the one before.

    One that is at least a day after the one before ends at `hour` of that day, or of the next working day.
    """

    consent_seconds: int = Field(default=7 * _DAY, ge=1, description="From the proposal to the last consent.")
    submit_seconds: int = Field(default=7 * _DAY, ge=1, description="From then to the last list.")
    evaluate_seconds: int = Field(default=7 * _DAY, ge=1, description="From then to the last evaluation.")
    close_seconds: int = Field(default=14 * _DAY, ge=1, description="From then to the end of the round.")
    hour: int = Field(
        default=16,
        ge=0,
        le=23,
        description="Hour of a working day, in the machine's zone, at which deadlines end that are days away.",
    )
    holidays: tuple[date, ...] = Field(
        default=(), description="Days that are no working days of the secretariat, beside Saturdays and Sundays."
    )


class RoundSettings(Settings):
    """Default values of a round, used if its proposal does not set them."""

    window: WindowSettings = Field(default_factory=WindowSettings, description="Deadlines.")
    cap_full: int = Field(
        default=200_000, ge=0, description="Elements of the class full that a party may declare; 10 for each record."
    )
    cap_partial: int = Field(
        default=300_000, ge=0, description="Elements of the class partial that a party may declare; 15 for each record."
    )
    cap_coarse: int = Field(
        default=340_000, ge=0, description="Elements of the class coarse that a party may declare; 17 for each record."
    )

    @property
    def caps(self) -> ClassCounts:
        return ClassCounts(full=self.cap_full, partial=self.cap_partial, coarse=self.cap_coarse)

    padding_inputs: tuple[Annotated[int, Field(ge=1, le=255)], ...] = Field(
        default=(8, 16, 24, 32), description="Sizes to which the inputs of a record are padded; empty for none."
    )
    padding_records: int = Field(
        default=100, ge=1, le=10_000_000, description="Multiple to which the records of a list are padded; 1 for none."
    )


class QuotaSettings(Settings):
    """Limits of the disk space of a round."""

    evaluation_mebibytes: int = Field(
        default=4_096, ge=1, description="Evaluations of a round kept until their origins fetched them, in MiB."
    )
    retry_seconds: int = Field(default=10, ge=1, le=3_600, description="When to come again while the quota is used up.")

    @property
    def evaluation_bytes(self) -> int:
        return self.evaluation_mebibytes * MEBIBYTE


class MatchSettings(Settings):
    """Limits of the join of tokens."""

    memory_mebibytes: int = Field(default=512, ge=64, description="Memory before the join spills to disk, in MiB.")
    threads: int = Field(default=2, ge=1, description="Threads of the join.")
    rows_per_range: int = Field(default=1_000_000, ge=1_000, description="Token rows joined at once, about.")


class MatcherSettings(KeyedSettings):
    """All settings in a matcher's file."""

    driver_seconds: float = Field(
        default=2.0,
        gt=0,
        le=60,
        description="Seconds between two looks at the deadlines; up to 30 times as many while nothing happens.",
    )
    rounds: RoundSettings = Field(default_factory=RoundSettings, description="What a proposal may leave open.")
    quotas: QuotaSettings = Field(default_factory=QuotaSettings, description="What a round may take of the disk.")
    match: MatchSettings = Field(default_factory=MatchSettings, description="What the join of tokens may use.")
    notifications: NotificationSettings | None = Field(
        default=None, description="Telling people by mail or a command that work waits for them."
    )

    def _outward(self) -> Iterator[str]:
        yield from super()._outward()
        if self.notifications is not None:
            yield "notifications"
