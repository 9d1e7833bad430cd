"""A matcher that begins a finished round anew under its id, so that an auditor forgets what was in it."""

import pytest

from aquila.crypto.group import Group
from aquila.errors import AuditError
from aquila.protocol.auditing import audit_rounds, read_log
from aquila.protocol.messages import Manifest
from tests.support.exported import NOW, Exported


def propose_again(log: Exported, **changes: object) -> int:
    """Append a second proposal under the id of the log's round, and return the place of its entry."""
    first = log.message(log.index("proposal"))
    assert isinstance(first, Manifest)
    return log.sign(first.model_copy(update=changes), NOW)


def refused(log: Exported, group: Group) -> AuditError:
    with pytest.raises(AuditError) as caught:
        audit_rounds(read_log(log.files.get, log.registry), log.files.get, log.registry, group)
    return caught.value


def test_a_finished_round_is_proposed_again(log: Exported, group: Group) -> None:
    """Five hundred hits that nobody had are invented for each pair, and a second proposal stands at the end."""
    for place in log.all_of("match"):
        counts = log.entry(place).counts
        log.change(place, counts=counts | {"high": counts["high"] + 500})
    second = propose_again(log, purpose="another")
    log.name_anew()
    log.sign_anew()
    error = refused(log, group)
    assert error.fields["what"] == "proposed_twice"
    assert (error.fields["first"], error.fields["index"]) == (log.index("proposal"), second)


def test_the_second_proposal_comes_before_the_round(log: Exported, group: Group) -> None:
    """Which of the two counts is nobody's choice: both are evidence, in any order."""
    second = propose_again(log, purpose="another")
    log.contents.insert(0, log.contents.pop(second))
    log.envelopes.insert(0, log.envelopes.pop(second))
    log.name_anew()
    log.sign_anew()
    assert refused(log, group).fields["what"] == "proposed_twice"
