"""Parameters of the calls for a part of a list, such as that of rounds, the same at node and matcher."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

_MOST = 2**53

Offset = Annotated[int, Query(ge=0, le=_MOST, description="How many of the first entries are left out.")]
Limit = Annotated[int | None, Query(ge=1, le=1_000, description="At most so many entries; all by default.")]
Ongoing = Annotated[bool, Query(description="Only rounds that are not over.")]
