"""What analysts do with hits, one or several at once, until they are closed or withdrawn.

A large filter is decided in several transactions, so that nobody waits long for the writer: a crash in between leaves
the rest undecided, and what was decided can be undone as a whole.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.roles import Action, Role, Service, role_table
from aquila.errors import InputError, OrderError, PolicyError
from aquila.followup.lifecycle import Ground, LifecycleStep, LifecycleStepKind, Stage, Urgency, is_late
from aquila.interface import hits as forms
from aquila.protocol.rounds.verified_round import Round
from services.kit.actor import Actor
from services.kit.log.entries import Journal
from services.kit.people.tables import AccountRow
from services.kit.storage.store import Store
from services.node.context import NodeContext
from services.node.hits import lifecycle, review
from services.node.hits.correspondence import check_date
from services.node.hits.letter import Letter, LetterHit
from services.node.hits.notes import handling_of_note, references
from services.node.hits.views import log_consultation
from services.node.round_memory import RoundMemories
from services.node.rounds.reported_hits import Key, check_hits, reported, untrusted
from services.node.storage.tables import ExchangeRow, HitRow, HitStatusRow


def take_step(
    node: NodeContext,
    actor: Actor,
    hit: Key,
    kind: LifecycleStepKind,
    value: str = "",
    *,
    reference: str = "",
    urgency: Urgency | None = None,
    remark: str = "",
) -> None:
    """Take a hit one step further, as a person asked.

    Raises:
        ForgedRowError: The signed report says something else of it.
        OrderError: The step is not possible now.
        PolicyError: The step needs a reason.
    """
    check_hits(node.journal, node.rounds, [hit])
    step = LifecycleStep(kind, node.clock(), actor.person, value, reference.strip(), urgency, remark)
    with node.store.transaction(f"hit.{kind.value}") as session:
        lifecycle.apply_step(session, node.journal, lifecycle.hit_row(session, *hit), step, actor)


def record_reply(node: NodeContext, actor: Actor, hit: Key, wanted: forms.ReplyRequest) -> None:
    """Record that the counterpart replied by the channel, and when; what it wrote stays in the channel.

    Raises:
        InputError: The date is in the future.
    """
    day, number = check_date(wanted.date, node.clock()), wanted.number
    take_step(node, actor, hit, LifecycleStepKind.REPLIED, day, reference=number, remark=wanted.remark)


def list_colleagues(store: Store) -> forms.Colleagues:
    """Return the people who may look after hits now, by name, which only the node's own people see."""
    query = select(AccountRow).where(AccountRow.active, AccountRow.admitted)
    with store.reading("colleague.list") as session:
        rows = [row for row in session.scalars(query) if _may_decide(row)]
    found = [forms.Colleague(person=row.person, name=row.name or row.login) for row in rows]
    return forms.Colleagues(colleagues=tuple(sorted(found, key=lambda one: (one.name, one.person))))


def assign(node: NodeContext, actor: Actor, wanted: forms.AssignmentRequest) -> None:
    """Let a person look after hits, or nobody; all of them, or none where one cannot be assigned.

    Raises:
        AquilaError: As `take_step`.
    """
    hits = [(key.round_id, key.hit_id) for key in dict.fromkeys(wanted.hits)]
    check_hits(node.journal, node.rounds, hits)
    person = wanted.person or ""
    step = LifecycleStep(LifecycleStepKind.ASSIGNED, node.clock(), actor.person, reference=person, remark=wanted.remark)
    with node.store.transaction("hit.assign") as session:
        row = session.get(AccountRow, person) if person else None
        if person and (row is None or not row.active or not _may_decide(row)):
            raise InputError("colleague_unknown")
        for hit in hits:
            lifecycle.apply_step(session, node.journal, lifecycle.hit_row(session, *hit), step, actor)


def _may_decide(row: AccountRow) -> bool:
    return row.token_hash is None and role_table().allows(Service.NODE, map(Role, row.roles), Action.DECIDE_HITS)


def withdraw(node: NodeContext, actor: Actor, key: Key, wanted: forms.WithdrawRequest) -> None:
    """Withdraw a hit on an own record; the driver informs the counterpart, who marks it and acknowledges.

    Raises:
        ForgedRowError: The signed report says something else of it.
        OrderError: It was withdrawn already.
    """
    check_hits(node.journal, node.rounds, [key])
    now = node.clock()
    if wanted.ground is Ground.ERASED:
        raise PolicyError("hit_erased_only_with_record")
    with node.store.transaction("hit.withdraw") as session:
        hit = lifecycle.hit_row(session, *key)
        late = is_late(lifecycle.status_row(session, hit).arrived_at, now)
        if late and not wanted.reason.strip():
            raise PolicyError("withdrawal_reason_missing")
        step = LifecycleStep(LifecycleStepKind.WITHDRAWN, now, actor.person, wanted.ground.value, remark=wanted.reason)
        lifecycle.apply_step(session, node.journal, hit, step, actor)
        lifecycle.add_withdrawal(session, *key, hit.counterpart, wanted.ground, now, late=late)
    node.wake()


def draft_letter(node: NodeContext, actor: Actor, key: Key) -> forms.LetterView:
    """Return the request as it would be exported now, so that what is made of it is made before the export is logged.

    That the person looked at the hit is logged. Raises as `write_letter` does.
    """
    with _letter_of(node, key, "hit.draft") as (session, _, letter):
        log_consultation(session, node.journal, actor, key[0], [key[1]])
        return letter.view()


def write_letter(node: NodeContext, actor: Actor, key: Key) -> forms.LetterView:
    """Return the request of a hit's follow-up, and note that it was exported.

    Raises:
        OrderError: No follow-up is open.
        PolicyError: The own record's handling code blocks the letter and no permission is recorded.
    """
    with _letter_of(node, key, "hit.export") as (session, hit, letter):
        step = LifecycleStep(LifecycleStepKind.EXPORTED, node.clock(), actor.person)
        lifecycle.apply_step(session, node.journal, hit, step, actor)
        return letter.view()


@contextmanager
def _letter_of(node: NodeContext, key: Key, name: str) -> Iterator[tuple[Session, HitRow, Letter]]:
    """Lend a transaction of the given name, with a hit and the letter of its follow-up."""
    with node.rounds.reading(key[0]) as round_, node.store.transaction(name) as session:
        hit = lifecycle.hit_row(session, *key)
        yield session, hit, _letter(node, session, round_, hit)


def _letter(node: NodeContext, session: Session, round_: Round, hit: HitRow) -> Letter:
    """Return the letter about one hit; raises as `write_letter` does."""
    reported(node.rounds, node.code, hit.round_id).check(hit)
    life, exchange = lifecycle.lifecycle_of(session, hit), session.get(ExchangeRow, (hit.round_id, hit.hit_id))
    life.check_export(hit.handling_code)
    if life.channel is None or life.urgency is None or life.stage is not Stage.FOLLOW_UP:
        raise OrderError("follow_up_not_open")
    own_number, other_number = references(exchange)
    manifest, known = round_.manifest, node.registry.parties
    return Letter(
        sender=node.code,
        receiver=hit.counterpart,
        round_id=hit.round_id,
        hits=(
            LetterHit(
                hit.hit_id,
                hit.certainty,
                own_number,
                other_number,
                hit.handling_code or "",
                handling_of_note(exchange) or "",
                life.permission,
            ),
        ),
        channel=life.channel,
        reference=life.reference,
        urgency=life.urgency,
        opened_at=life.since,
        reminders=life.reminders,
        reminded_at=life.reminded_at,
        area=manifest.area,
        legal_basis=manifest.legal_basis,
        purpose=manifest.purpose,
        names={code: known[code].name for code in (node.code, hit.counterpart) if code in known},
        practice=node.settings.practice,
    )


def letters(node: NodeContext, actor: Actor, wanted: forms.LettersRequest) -> forms.Letters:
    """Return a letter for the hits of each round and party that are asked for alike; each export is noted at its hit.

    Raises:
        ForgedRowError: The signed report says something else of one.
    """
    keys, made = [(key.round_id, key.hit_id) for key in dict.fromkeys(wanted.hits)], list[Letter]()
    for round_id, hit_ids in review.by_round(keys):
        with node.rounds.reading(round_id) as round_, node.store.transaction("hit.letters") as session:
            found = list[Letter]()
            for hit_id in sorted(hit_ids):
                hit = lifecycle.hit_row(session, round_id, hit_id)
                with suppress(OrderError, PolicyError):
                    found.append(_letter(node, session, round_, hit))
                    if wanted.export:
                        step = LifecycleStep(LifecycleStepKind.EXPORTED, node.clock(), actor.person)
                        lifecycle.apply_step(session, node.journal, hit, step, actor)
            if found and not wanted.export:
                log_consultation(session, node.journal, actor, round_id, [one.hits[0].hit_id for one in found])
            made += _bundled(found)
    written = tuple(
        forms.BundledLetter(
            hits=tuple(forms.HitKey(round_id=one.round_id, hit_id=hit.hit_id) for hit in one.hits), letter=one.view()
        )
        for one in made
    )
    return forms.Letters(letters=written, left_out=len(keys) - sum(len(one.hits) for one in made))


def _bundled(found: Sequence[Letter]) -> list[Letter]:
    """Return letters that differ in more than their hits and when they were opened."""
    bundles: list[Letter] = []
    for letter in found:
        for place, other in enumerate(bundles):
            if replace(letter, hits=other.hits, opened_at=other.opened_at) == other:
                first = min(letter.opened_at, other.opened_at)
                bundles[place] = replace(other, hits=(*other.hits, *letter.hits), opened_at=first)
                break
        else:
            bundles.append(letter)
    return sorted(bundles, key=lambda one: (one.receiver, one.hits[0].hit_id))


_AT_ONCE = 100
_UNDECIDED = frozenset({Stage.NEW, Stage.ACKNOWLEDGED})
_DECIDED = frozenset({Stage.KNOWN, Stage.DECIDED, Stage.FOLLOW_UP})


def decide_many(
    journal: Journal, rounds: RoundMemories, actor: Actor, wanted: forms.ManyDecisionsRequest
) -> forms.ManyDecisions:
    """Store one decision on several hits; those that somebody else changed in the database are left out.

    Of a filter only hits that have no decision are decided.

    Raises:
        InputError: Neither hits nor a filter are given, or no reason for several persons.
        OrderError: The filter leaves another number of hits than the person saw.
        PolicyError: The filter leaves more hits than are decided at once.
    """
    stages = _UNDECIDED if wanted.every is not None else _UNDECIDED | _DECIDED
    step = LifecycleStep(
        LifecycleStepKind.DECIDED, journal.clock(), actor.person, wanted.decision.value, remark=wanted.remark
    )
    number, hits, left_out = _take_together(journal, rounds, actor, wanted, step, stages)
    return forms.ManyDecisions(number=number, hits=hits, left_out=left_out)


def close_many(
    journal: Journal, rounds: RoundMemories, actor: Actor, wanted: forms.ManyClosingsRequest
) -> forms.ManyClosings:
    """Close several hits with one outcome; raises as `decide_many`."""
    step = LifecycleStep(
        LifecycleStepKind.CLOSED, journal.clock(), actor.person, wanted.outcome.value, remark=wanted.remark
    )
    _, hits, left_out = _take_together(journal, rounds, actor, wanted, step, _DECIDED)
    return forms.ManyClosings(hits=hits, left_out=left_out)


def follow_up_many(
    journal: Journal, rounds: RoundMemories, actor: Actor, wanted: forms.ManyFollowUpsRequest
) -> forms.ManyFollowUps:
    """Open a follow-up of several hits; those that are not decided, or on another person, are left out.

    Raises:
        AquilaError: As `decide_many`, but for the reason, which is not needed.
    """
    keys = _chosen(journal, actor, wanted, reason=False)
    wrong = untrusted(journal, rounds, keys)
    trusted, opened = [key for key in keys if key not in wrong], 0
    asked: list[forms.HitKey] = []
    step = LifecycleStep(
        LifecycleStepKind.OPENED, journal.clock(), actor.person, wanted.channel.value, urgency=wanted.urgency
    )
    for first in range(0, len(trusted), _AT_ONCE):
        with journal.store.transaction("hit.opened_many") as session:
            for hit in _hits(session, trusted[first : first + _AT_ONCE]):
                if LifecycleStepKind.OPENED in lifecycle.lifecycle_of(session, hit).possible():
                    lifecycle.apply_step(session, journal, hit, step, actor)
                    opened += 1
                if lifecycle.status_row(session, hit).stage == Stage.FOLLOW_UP:
                    asked.append(forms.HitKey(round_id=hit.round_id, hit_id=hit.hit_id))
    return forms.ManyFollowUps(hits=tuple(asked), opened=opened, left_out=len(keys) - len(asked))


def _take_together(
    journal: Journal,
    rounds: RoundMemories,
    actor: Actor,
    wanted: forms.ManyDecisionsRequest | forms.ManyClosingsRequest,
    step: LifecycleStep,
    stages: Collection[Stage],
) -> tuple[int | None, int, int]:
    """Take those of some hits a step further that are at one of these stages.

    Returns:
        The number of the first step, and how many hits were taken further and how many were left out.
    """
    keys = _chosen(journal, actor, wanted)
    wrong = untrusted(journal, rounds, keys)
    trusted = [key for key in keys if key not in wrong]
    number, done = None, 0
    for first in range(0, len(trusted), _AT_ONCE):
        with journal.store.transaction(f"hit.{step.kind.value}_many") as session:
            for hit in _hits(session, trusted[first : first + _AT_ONCE]):
                if lifecycle.status_row(session, hit).stage in stages:
                    taken = lifecycle.apply_step(session, journal, hit, step, actor, number=number)
                    number, done = number or taken, done + 1
    return number, done, len(keys) - done


def undo(journal: Journal, actor: Actor, number: int) -> forms.UndoResult:
    """Undo an own decision on the hits of which it is the last step."""
    query = select(HitStatusRow.round_id, HitStatusRow.hit_id).where(
        HitStatusRow.undo_person == actor.person, HitStatusRow.undo_number == number
    )
    with journal.store.reading("hit.undoable") as session:
        keys = session.execute(query.order_by(HitStatusRow.round_id, HitStatusRow.hit_id)).all()
    step = LifecycleStep(LifecycleStepKind.UNDONE, journal.clock(), actor.person)
    undone: list[Key] = []
    for first in range(0, len(keys), _AT_ONCE):
        with journal.store.transaction("hit.undo") as session:
            for hit in _hits(session, [(round_id, hit_id) for round_id, hit_id in keys[first : first + _AT_ONCE]]):
                if lifecycle.status_row(session, hit).undo_number == number:  # nobody took a step meanwhile
                    lifecycle.apply_step(session, journal, hit, step, actor)
                    undone.append((hit.round_id, hit.hit_id))
    if not undone:
        raise OrderError("decision_not_undoable")
    return forms.UndoResult(hits=len(undone), first=forms.HitKey(round_id=undone[0][0], hit_id=undone[0][1]))


def _chosen(journal: Journal, actor: Actor, wanted: forms.ManyHits, *, reason: bool = True) -> list[Key]:
    """Return the hits that a person chose, or that a filter leaves; hits on several persons may need a reason."""
    if bool(wanted.hits) == (wanted.every is not None):
        raise InputError("decision_hits_ambiguous")
    chosen = [(key.round_id, key.hit_id) for key in dict.fromkeys(wanted.hits)]
    keys = chosen if wanted.every is None else _seen(journal, actor, wanted.every, wanted.total)
    if reason and len(keys) > 1 and not wanted.remark.strip():
        with journal.store.reading("hit.persons") as session:
            if review.persons_of(session, keys) > 1:
                raise InputError("decision_reason_missing")
    return keys


def _seen(journal: Journal, actor: Actor, every: forms.HitSearch, total: int) -> list[Key]:
    """Return the hits that a filter leaves, if they are as many as the person saw."""
    with journal.store.reading("hit.every") as session:
        keys = review.keys_of(session, every, review.conditions(every, journal.clock(), actor), forms.MOST_DECIDED)
    if len(keys) != total:
        raise OrderError("filter_hits_changed", count=len(keys), total=total)
    return keys


def _hits(session: Session, keys: Sequence[Key]) -> list[HitRow]:
    return [lifecycle.hit_row(session, round_id, hit_id) for round_id, hit_id in keys]
