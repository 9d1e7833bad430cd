"""People at a service: who calls, in which roles, and whether the role table allows the action.

    @router.get("/rounds", dependencies=[may(Action.SEE_ROUNDS)])
    def get_rounds() -> Rounds: ...

    @router.post("/imports")
    def import_records(actor: Annotated[Actor, may(Action.IMPORT_RECORDS)]) -> RecordReport: ...

Every handler of an operator's interface declares exactly one action, in one of the two ways.
"""

from __future__ import annotations

from services.kit.actor import LOCAL_KEY, Actor
from services.kit.people.permissions import AccessControl, requires

__all__ = ["LOCAL_KEY", "AccessControl", "Actor", "requires"]
