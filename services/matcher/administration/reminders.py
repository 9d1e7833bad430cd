"""Reminders of parties for which a round waits: at the secretariat's word, and by themselves before a deadline.

A mail goes to the contact that the registry in force names for a party; without one nothing is sent. It tells the step
and the deadline, and neither a person nor the round's title. A row is written when a mail was handed over or could not
be. If we crash between the two, it goes once more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import select

from aquila.audit.entries import EntryKind
from aquila.audit.roles import Action
from aquila.errors import InputError, OrderError
from aquila.interface.attention import NotificationText, PartyReminder
from aquila.interface.rounds import RemindedParties, RoundOverview
from services.kit.actor import Actor
from services.kit.logging import Log
from services.kit.serving.notifications.driver import DAY, HOUR, DeliveryError, send_mail
from services.kit.settings import MailSettings
from services.kit.storage.registry import contacts_in_force
from services.kit.work import threads
from services.kit.work.drivers import Driver
from services.kit.work.threads import Pool
from services.matcher.context import MatcherContext
from services.matcher.rounds.overview import overview, overview_of
from services.matcher.storage.tables import ReminderRow

LEADS = {"two_hours": 2 * HOUR, "two_days": 2 * DAY}
"""How long before a deadline a party is reminded by itself, the shortest first."""
_INTERVAL_SECONDS = 60.0
_RETRY_SECONDS = 900
_LOG = Log("matcher.reminders")

Remind: TypeAlias = Callable[[PartyReminder], NotificationText]
"""Puts a reminder into words."""


@dataclass(frozen=True, slots=True)
class _Due:
    round_id: str
    occasion: str
    reminder: PartyReminder


def ask_reminders(context: MatcherContext, actor: Actor, round_id: str) -> RemindedParties:
    """Let all parties be reminded for which a round waits now, and log who asked for it."""
    if context.settings.notifications is None or context.settings.notifications.mail is None:
        raise InputError("notification_channel_unknown")
    found, now = overview_of(context, round_id), context.clock()
    if not found.awaited:
        raise OrderError("round_waits_for_nobody", round=round_id)
    with context.store.transaction("reminder.ask") as session:
        contacts = contacts_in_force(session, context.registry)
        reached = [one for one in found.awaited if one.party in contacts]
        for one in reached:
            key = {"round_id": round_id, "party": one.party, "occasion": f"asked {now}"}
            session.merge(ReminderRow(**key, retry_at=0))
            by = (actor, Action.PROPOSE_ROUND)
            context.journal.log(session, EntryKind.REMINDER, by, round=round_id, recipient=one.party)
    without = tuple(one.party for one in found.awaited if one not in reached and one.party)
    return RemindedParties(parties=tuple(one.party for one in reached if one.party), without_contact=without)


class ReminderDriver:
    """Sends reminders that are due; `step` is repeated by a driver."""

    def __init__(self, context: MatcherContext, mail: MailSettings, remind: Remind) -> None:
        self._context, self._mail, self._remind = context, mail, remind

    def driver(self) -> Driver:
        return Driver("reminders", self.step, interval=_INTERVAL_SECONDS)

    async def step(self) -> bool:
        """Send what is due; return False, because what is not due now is not due in a moment."""
        for due in await threads.run(Pool.DRIVERS, self._due):
            await threads.run(Pool.DRIVERS, self._send, due)
        return False

    def _due(self) -> list[_Due]:
        context, now = self._context, self._context.clock()
        with context.store.reading("reminder.contacts") as session:
            contacts = contacts_in_force(session, context.registry)
        if not contacts:  # nobody can be reminded, and no round is read for it
            return []
        rounds = overview(context, ongoing=True).rounds
        with context.store.reading("reminder.due") as session:
            open_ = ReminderRow.round_id.in_([one.round_id for one in rounds])
            rows = session.scalars(select(ReminderRow).where(open_)).all()
            known = {(row.round_id, row.party, row.occasion): row for row in rows}
            asked = [(row.round_id, row.party, row.occasion) for row in rows if row.occasion.startswith("asked")]
            waits = {key for key, row in known.items() if row.sent_at is not None or row.retry_at > now}
        found = []
        for one in rounds:
            occasions = [occasion] if (occasion := occasion_of(one, now)) else []
            for step in one.awaited:
                contact = contacts.get(step.party or "")
                wanted = [key[2] for key in asked if key[:2] == (one.round_id, step.party)]
                if contact is None or step.party is None or one.due_at is None:
                    continue
                said = PartyReminder(party=step.party, to=contact, step=step.step, until=one.due_at)
                found += [
                    _Due(one.round_id, occasion, said)
                    for occasion in (*wanted, *occasions)
                    if (one.round_id, step.party, occasion) not in waits
                ]
        return found

    def _send(self, due: _Due) -> None:
        context, now, failure = self._context, self._context.clock(), None
        try:
            send_mail(self._mail, due.reminder.to, self._remind(due.reminder))
        except DeliveryError as error:
            failure = error.failure
            _LOG.warning("reminder_not_sent", code=failure.value, round=due.round_id, party=due.reminder.party)
        key = {"round_id": due.round_id, "party": due.reminder.party, "occasion": due.occasion}
        with context.store.transaction("reminder.sent") as session:
            sent = now if failure is None else None
            retry = 0 if failure is None else now + _RETRY_SECONDS
            session.merge(ReminderRow(**key, sent_at=sent, retry_at=retry, failure=failure and failure.value))
            if failure is None and not due.occasion.startswith("asked"):
                party = due.reminder.party
                context.journal.log(session, EntryKind.REMINDER, round=due.round_id, recipient=party)


def occasion_of(one: RoundOverview, now: int) -> str | None:
    """Return on what occasion the parties of a round are to be reminded by themselves now, or None.

    Of a step that takes no longer than the time before its deadline nobody is reminded.
    """
    if one.due is None or one.due_at is None or not now < one.due_at:
        return None
    before = max((at for at in (one.proposed_at, *one.window.model_dump().values()) if at < one.due_at), default=now)
    near = [name for name, lead in LEADS.items() if one.due_at - lead <= now and one.due_at - before > lead]
    return f"{one.due.value} {near[0]}" if near else None
