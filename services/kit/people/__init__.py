"""People at a service: who calls, in which roles, and whether the role table allows the action.

    @router.get("/rounds", dependencies=[requires(Action.SEE_ROUNDS)])
    def get_rounds() -> Rounds: ...

    @router.post("/imports")
    def import_records(actor: Annotated[Actor, requires(Action.IMPORT_RECORDS)]) -> RecordReport: ...

Every handler of an operator's interface declares exactly one action, in one of the two ways.
"""
