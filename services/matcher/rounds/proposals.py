"""Use cases: the secretariat proposes a round, whose manifest the matcher signs (PROTOCOL.md 3.1), or wants it to end.

A step ends a round when that is possible.
"""

from collections.abc import Iterator
from itertools import count

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind, Word, fields_at_fault
from aquila.audit.roles import Action
from aquila.crypto.envelope import payload_of
from aquila.errors import InputError, OrderError, PolicyError
from aquila.interface.approval import ApprovalKind
from aquila.interface.rounds import ProposalDefaults, RoundProposal, TemplateChoice
from aquila.protocol import messages
from aquila.protocol.log_entries import statement_entry
from aquila.protocol.messages.base import MOST_TITLE
from aquila.protocol.messages.templates import RoundTemplate
from aquila.protocol.registration.templates import check_template, place_of
from aquila.protocol.rounds.round_state import Phase
from aquila.protocol.rounds.verified_round import Round
from aquila.records.conformance import normalizer_reference
from aquila.sentences import Sentence, quoted
from aquila.sentences.sentence import dumps
from services.kit.actor import Actor
from services.kit.approvals.requests import waiting_contents
from services.kit.log import own_approvals
from services.kit.log.entries import append
from services.kit.logging import Log
from services.kit.storage.registry import templates_in_force
from services.matcher.context import MatcherContext
from services.matcher.round_memory import RoundTransaction
from services.matcher.rounds.deadlines import lengths_of, local, window_after
from services.matcher.rounds.disk_space import check_disk_space
from services.matcher.rounds.held_reports import undecided_alarms
from services.matcher.settings import RoundSettings
from services.matcher.storage.tables import RoundRow

_LOG = Log("matcher.manifests")


def check_proposal(context: MatcherContext, manifest: messages.Manifest) -> None:
    """Refuse a round that could not be proposed now.

    Raises:
        PolicyError: Its caps may take more than the disk has, or it differs from the template that it names.
    """
    if manifest.template is not None:
        check_template(manifest, stated_templates(context))
    check_disk_space(context, manifest)
    if context.clock() > manifest.window.consent_by:
        raise OrderError("consent_time_before_proposal", round=manifest.round_id)


def propose_round(context: MatcherContext, session: Session, manifest: messages.Manifest) -> None:
    """Sign a manifest and store the new round; raises as `check_proposal` does, here and in `own_approvals`."""
    check_proposal(context, manifest)
    envelope = context.matcher.propose(manifest)
    # The pinned keys are the manifest's by construction; reading it back shows that every party can read it.
    round_ = Round.from_manifest(context.registry, context.round_cache.group, envelope)
    own_approvals.check_proposal(session, manifest, round_.manifest_digest)
    created_at = context.clock()  # statistics are published with the row's time, and compared with the entry's
    session.add(
        RoundRow(
            round_id=manifest.round_id,
            manifest=envelope,
            phase=Phase.PROPOSED.value,
            created_at=created_at,
            evaluation_bytes=0,
        )
    )
    append(session, statement_entry(manifest, round_.manifest_digest, created_at))
    _LOG.info("round_proposed", round=manifest.round_id, count=len(manifest.participants))


def manifest_of(context: MatcherContext, proposal: RoundProposal) -> messages.Manifest:
    """Return the manifest of a proposal, with the settings where it leaves something open.

    Raises:
        PolicyError: It names a template that the registry in force does not have.
    """
    parties = sorted(set(proposal.participants))
    strangers = [party for party in parties if party not in context.registry.present()]
    if strangers:
        raise InputError("participants_not_registered", parties=", ".join(strangers))
    if len(parties) != len(proposal.participants):
        raise InputError("participant_named_twice")
    table = context.rules.get(proposal.rules)
    if table is None:
        raise InputError("match_rules_unknown", listed=", ".join(sorted(context.rules)))
    template = None if proposal.template is None else _template(context, proposal.template)
    normalizer, conformance = normalizer_reference()
    defaults = context.settings.rounds
    pairs = proposal.pairs or tuple((a, b) for a in parties for b in parties if a < b)
    try:
        return messages.Manifest.of_fields(
            proposal,
            protocol="aquila/2",
            round_id=context.random(16).hex(),
            title=proposal.title or title_of_month(context, proposal.category),
            participants=tuple(
                messages.Participant(party=party, identity_fingerprint=context.registry.key_of(party).fingerprint)
                for party in parties
            ),
            pairs=tuple(sorted((min(pair), max(pair)) for pair in pairs)),
            rules=messages.TableReference(name=table.name, digest=table.digest),
            normalizer=messages.TableReference(name=normalizer, digest=conformance),
            caps=_caps(parties, proposal, defaults),
            window=proposal.window or default_window(context.clock(), defaults),
            padding=proposal.padding or padding_of(defaults),
            indicators=template and template.indicators,
            template=template and template.reference,
        )
    except ValidationError as error:
        raise InputError("proposal_unusable", fields=fields_at_fault(error)) from None


def defaults_of(context: MatcherContext) -> ProposalDefaults:
    """Return the default values of a proposal, and its choices."""
    settings, fields = context.settings.rounds, RoundProposal.model_fields
    first = fields["rules"].default
    return ProposalDefaults(
        parties=context.registry.present(),
        rules=tuple(sorted(context.rules, key=lambda name: (name != first, name))),
        caps=settings.caps,
        window=default_window(context.clock(), settings),
        padding=padding_of(settings),
        minimum_certainty=fields["minimum_certainty"].default,
        frequency_limit=fields["frequency_limit"].default,
        retention_days=fields["retention_days"].default,
        templates=tuple({one.template_id: one for one in stated_templates(context)}.values()),
    )


def stated_templates(context: MatcherContext) -> tuple[RoundTemplate, ...]:
    """Return the templates of the registry in force."""
    with context.store.reading("registry.templates") as session:
        return templates_in_force(session, context.registry)


def _template(context: MatcherContext, chosen: TemplateChoice) -> RoundTemplate:
    wanted = chosen.template_id, chosen.version
    found = next((one for one in stated_templates(context) if place_of(one) == wanted), None)
    if found is None:
        raise PolicyError("round_template_unknown", template=chosen.template_id, version=chosen.version)
    return found


def title_of_month(context: MatcherContext, words: str) -> str:
    """Return the month here and words, such as the category; with a number if a round of the month has this title."""
    now = context.clock()
    month = local(now).replace(day=1, hour=0, minute=0, second=0, tzinfo=None)
    with context.store.reading("round.titles") as session:
        taken = set(_titles(session, int(month.timestamp()), now))
    begun, mark = f"{month:%Y-%m} {words}", ""
    for number in count(2):
        title = begun[: MOST_TITLE - len(mark)] + mark
        if title not in taken:
            break
        mark = f" ({number})"
    return title


def _titles(session: Session, since: int, now: int) -> Iterator[str]:
    """Yield the titles of the rounds since a time, and of those whose proposal waits for a second person."""
    kind = messages.Manifest.payload_type
    for envelope in session.scalars(select(RoundRow.manifest).where(RoundRow.created_at >= since)):
        yield messages.Manifest.from_payload(payload_of(envelope, kind)).title
    for content in waiting_contents(session, ApprovalKind.PROPOSAL, now):
        yield content["manifest"]["title"]


def padding_of(defaults: RoundSettings) -> messages.Padding:
    """Return how sizes are hidden in a round whose proposal leaves it open."""
    return messages.Padding(inputs_per_record=defaults.padding_inputs, records_multiple=defaults.padding_records)


def _caps(parties: list[str], proposal: RoundProposal, defaults: RoundSettings) -> tuple[messages.PartyCap, ...]:
    given = {cap.party: cap for cap in proposal.caps}
    if set(given) - set(parties):
        raise InputError("cap_of_party_outside_round")
    return tuple(given.get(party, messages.PartyCap(party=party, elements=defaults.caps)) for party in parties)


def default_window(now: int, defaults: RoundSettings) -> messages.Window:
    """Return the deadlines of a round whose proposal names none."""
    return window_after(now, lengths_of(defaults.window), defaults.window.hour, defaults.window.holidays)


def request_close(context: MatcherContext, actor: Actor, round_id: str) -> None:
    """Store a request to close a round, with its author; a request to abort takes precedence."""
    with context.round_cache.writing("round.wish", round_id) as turn:
        check_end(turn)
        if holders := {held.party for held in undecided_alarms(turn.round)}:
            raise OrderError("round_report_on_hold_at", round=round_id, parties=", ".join(sorted(holders)))
        turn.row.wish, turn.row.reason = messages.Outcome.CLOSED.value, dumps(Sentence.of("every_party_has_its_hits"))
        by = (actor, Action.CLOSE_ROUND)
        context.journal.log(turn.session, EntryKind.END_ASKED, by, round=round_id, ids={"what": Word.CLOSE})
    context.wakeup.notify()


def check_end(turn: RoundTransaction) -> None:
    """Refuse to close or abort a round that has ended; raises OrderError if it has, or is to be aborted already."""
    if turn.round.ending is not None or turn.row.wish == messages.Outcome.ABORTED.value:
        raise OrderError("round_ended_or_ending", round=turn.row.round_id)


def request_abort(turn: RoundTransaction, reason: str) -> None:
    """Store that a round shall be aborted, which cannot be taken back; raises as `check_end` does."""
    check_end(turn)
    turn.row.wish, turn.row.reason = messages.Outcome.ABORTED.value, dumps(quoted(reason))
