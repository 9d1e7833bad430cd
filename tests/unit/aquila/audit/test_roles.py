"""The role table: least privilege, and nothing that no role may do."""

from aquila.audit.roles import Action, Role, Service, role_table

ALL = {*Action}
PERSONAL = {
    Action.SEE_HITS,
    Action.COMPARE_RECORDS,
    Action.CHECK_RECORDS,
    Action.SEARCH_RECORDS,
    Action.DECIDE_HITS,
    Action.EXPORT_HITS,
}


def test_each_service_has_its_roles() -> None:
    """Six at a node, four at the matcher, in the order in which they are shown."""
    assert role_table().roles_of(Service.NODE) == (
        Role.OFFICER,
        Role.APPROVER,
        Role.ANALYST,
        Role.AUDITOR,
        Role.DATA_PROTECTION_OFFICER,
        Role.ADMINISTRATOR,
    )
    assert role_table().roles_of(Service.MATCHER) == (
        Role.SECRETARIAT,
        Role.AUDITOR,
        Role.DATA_PROTECTION_OFFICER,
        Role.ADMINISTRATOR,
    )


def test_every_action_is_somebodys() -> None:
    rows = role_table().rows.values()
    assert {action for row in rows for action in row.actions} == ALL
    assert all(row.means for row in rows)


def test_what_is_not_in_the_table_is_not_allowed() -> None:
    table = role_table()
    assert table.allows(Service.NODE, [Role.AUDITOR, Role.OFFICER], Action.ASK_CONSENT)
    assert not table.allows(Service.NODE, [Role.APPROVER], Action.ASK_CONSENT)
    assert not table.allows(Service.NODE, [Role.SECRETARIAT], Action.SEE_ROUNDS)
    assert not table.allows(Service.NODE, [], Action.OWN_SESSION)
    assert table.holders(Service.NODE, Action.DECIDE_APPROVALS) == (Role.APPROVER,)
    assert table.holders(Service.MATCHER, Action.SEE_HITS) == ()


def test_who_runs_a_service_sees_nobody() -> None:
    asking = {Action.ASK_CONSENT, Action.ASK_SUBMISSION, Action.PROPOSE_ROUND, Action.DECIDE_APPROVALS}
    for (_, role), row in role_table().rows.items():
        if role in {Role.ADMINISTRATOR, Role.AUDITOR, Role.DATA_PROTECTION_OFFICER}:
            assert not row.actions & (PERSONAL | asking)


def test_the_matcher_has_nothing_of_a_person() -> None:
    for (service, _), row in role_table().rows.items():
        if service is Service.MATCHER:
            assert not row.actions & PERSONAL


def test_who_reads_the_log() -> None:
    """At the matcher it has exact counts, and who asked why: the secretariat reads it, and no administrator does."""
    table = role_table()
    for service, others in ((Service.NODE, ()), (Service.MATCHER, (Role.SECRETARIAT,))):
        readers = (*others, Role.AUDITOR, Role.DATA_PROTECTION_OFFICER)
        assert table.holders(service, Action.SEE_LOG) == readers
        assert table.holders(service, Action.REVIEW_LOOKS) == (Role.DATA_PROTECTION_OFFICER,)
    assert table.holders(Service.NODE, Action.ANSWER_SUBJECTS) == (Role.DATA_PROTECTION_OFFICER,)
    assert table.holders(Service.MATCHER, Action.ANSWER_SUBJECTS) == ()


def test_a_program_has_no_role_that_approves_or_administers() -> None:
    table = role_table()
    assert table.for_programs(Service.NODE) == (Role.OFFICER, Role.ANALYST, Role.AUDITOR)
    assert table.for_programs(Service.MATCHER) == (Role.AUDITOR,)
