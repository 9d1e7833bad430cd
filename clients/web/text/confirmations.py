"""Confirmations after a form was sent: sentences by name, so that an address can name one and hold no text."""

from __future__ import annotations


def _n(message: str) -> str:
    """Mark a message for the catalogue; it is translated where it is shown."""
    return message


DONE = {
    "stored": _n("The list is stored."),
    "acknowledged": _n("The alarm is acknowledged. Work goes on."),
    "asked": _n("Waiting for approval."),
    "standing-withdrawn": _n("The standing query is withdrawn. Nothing is asked again."),
    "approved": _n("It is approved and takes effect."),
    "refused": _n("It is refused."),
    "taken-back": _n("It is taken back."),
    "released": _n("The report is released."),
    "answer-refused": _n("The answer is refused. The asker is told, and the round goes on."),
    "noted": _n("It is noted."),
    "taken-up": _n("The chosen hits are taken up."),
    "decided": _n("The decision is noted."),
    "closed-many": _n("The hits are closed."),
    "assigned": _n("The hits are assigned."),
    "undone": _n("The decision is undone."),
    "view-kept": _n("The view is kept."),
    "view-removed": _n("The view is removed."),
    "corrected": _n("The correction is stored."),
    "taken_out": _n("The record is taken out of its list."),
    "deleted": _n("The list is deleted."),
    "delivery_removed": _n("The file is removed from the folder."),
    "consented": _n("Your consent is noted."),
    "submitted": _n("The submission is noted."),
    "closing": _n("The round is being closed."),
    "leaving": _n("Your party is leaving the round."),
    "aborting": _n("The round is being aborted."),
    "proposed": _n("The round is proposed."),
    "password": _n("Your password is changed. All your other sessions have ended."),
    "told": _n("Your choice is kept. A first notification confirms it within a minute."),
    "told-no-more": _n("You get no more notifications."),
    "ended": _n("The session has ended."),
    "signed-out": _n("You are signed out."),
    "set-up": _n("This service is set up: an administrator makes further accounts."),
    "roles": _n("The roles are changed."),
    "admitted": _n("The account is let in."),
    "deactivated": _n("The account can sign in no more."),
    "activated": _n("The account can sign in again."),
}
