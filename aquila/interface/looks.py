"""What the data-protection officer sees of how people used a service: numbers and times, and nobody's data."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from aquila.audit.roles import Role
from aquila.protocol.messages.base import Count, Day, Message, Seconds

MOST_DAYS = 93
"""Days that one review covers at most."""


class UnusualUse(StrEnum):
    """Why a day of a person is marked; a mark is a question to ask, and no finding."""

    MANY = "many"
    """Far more hits and records than on that person's own usual day."""
    HOURS = "hours"
    """Something was looked at outside the hours of work."""


class LookReviewRequest(Message):
    """The days to review, and by which rule a day is marked."""

    since: Day
    until: Day
    """The last day."""
    opens: Annotated[int, Field(ge=0, le=24)] = 7
    """Hour at which work begins, from Monday to Friday, in the service's zone."""
    closes: Annotated[int, Field(ge=0, le=24)] = 19
    times: Annotated[int, Field(ge=2, le=100)] = 3
    """So many times the usual day are unusual."""
    least: Annotated[int, Field(ge=1, le=1_000_000)] = 50
    """Fewer hits and records than these are never too many."""


class PersonDay(Message):
    """What one person looked at on one day."""

    person: Annotated[str, Field(max_length=16)]
    """The pseudonymous id; whose it is, the administrator knows."""
    roles: tuple[Role, ...]
    day: Day
    first: Seconds
    last: Seconds
    looks: Count
    """Entries of the log."""
    hits: Count
    """Hits that these looks showed; one that was looked at twice counts twice."""
    records: Count
    exports: Count
    """Exports and letters."""
    log: Count
    """Looks at the log, and exports of it."""
    reasons: tuple[str, ...]
    """Purposes and case references of what was submitted in the rounds that these looks were about."""
    usual: Count | None
    """Hits and records of this person's usual day; None where there are too few earlier days."""
    marks: tuple[UnusualUse, ...]


class LookReview(Message):
    """The days of all persons in a period, marked ones first, then the newest."""

    days: tuple[PersonDay, ...]
    earlier_days: Count
    """How many earlier days a person needs to have a usual day, which is the median of them."""
    broken: tuple[Count, ...] = ()
    """Indices of the first entries that were changed in the database; they are not counted."""
