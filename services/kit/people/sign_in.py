"""Signing in and enrolling by password and authenticator.

Nobody learns from a refusal which logins there are: it says the same, and takes as long, for an unknown login, a wrong
password, a wrong or used code, an account that was deactivated, and one that is locked. An attempt is counted before
it is looked at, so that many at once count as many.
"""

import hmac

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind, Word
from aquila.errors import InputError
from aquila.interface import people as forms
from services.kit.actor import Actor
from services.kit.errors import SignInError
from services.kit.logging import Log
from services.kit.people.accounts import hashed_code
from services.kit.people.context import People, log_change, log_entry
from services.kit.people.passwords import accepted_step, check_password, new_secret, uri_of
from services.kit.people.sessions import end_all, open_session
from services.kit.people.tables import AccountRow, UnknownLoginRow

_LOG = Log("kit.people")
_FREE_ATTEMPTS = 5
_FIRST_DELAY = 60
_LONGEST_DELAY = 3_600


def sign_in(people: People, shown: forms.SignIn, replaced: str = "") -> forms.SessionGrant:
    """Open a session for a person with login, password and code, in place of the one whose token is `replaced`.

    Raises:
        SignInError: It is not right, or the account is locked; which of these is not said.
    """
    decoy = _decoy(people, shown.login)
    account = _attempt(people, shown.login)
    right = people.passwords.verify(account.password_hash if account else None, shown.password, decoy)
    if account is None or not right:
        raise _refused(people, account)
    renewed = people.passwords.hash(shown.password) if _is_outdated(people, account) else account.password_hash
    with people.store.transaction("session.open") as session:
        row = session.get_one(AccountRow, account.person)
        if row.password_hash == account.password_hash and row.active and _take_code(people, row, shown.code):
            row.attempts = row.locked_until = 0
            row.password_hash = renewed
            log_entry(session, people, EntryKind.SIGN_IN, row.person, ids={"by": Word.PASSWORD})
            return open_session(session, people, row, forms.Method.PASSWORD, replaced)
    raise _refused(people, account)


def begin_enrolment(people: People, shown: forms.BeginEnrolment) -> forms.Authenticator:
    """Return the secret for the person's authenticator; each time a new one, until the enrolment is confirmed.

    Raises:
        SignInError: Login and code do not belong together, or the code is used or too old.
    """
    account = _attempt(people, shown.login)
    with people.store.transaction("enrolment.begin") as session:
        row = account and session.get(AccountRow, account.person)
        if row and _is_invited(people, row, shown.code):
            secret, row.attempts, row.locked_until = new_secret(), 0, 0
            row.totp_secret, row.totp_step = people.key.seal(row.person, secret), 0
            return forms.Authenticator(secret=secret, uri=uri_of(secret, row.login, people.service.value))
    raise _refused(people, account)


def confirm_enrolment(people: People, shown: forms.ConfirmEnrolment) -> forms.SessionGrant:
    """Set the password, use up the enrolment code, and open the first session.

    Raises:
        SignInError: As `begin_enrolment`, or the authenticator's code is wrong.
        InputError: The password is too easy.
    """
    account = _attempt(people, shown.login)
    if account and _is_invited(people, account, shown.enrolment):
        _check_choice(people, account, shown.password)
    hashed = people.passwords.hash(shown.password)
    with people.store.transaction("enrolment.confirm") as session:
        row = account and session.get(AccountRow, account.person)
        if row and _is_invited(people, row, shown.enrolment) and _take_code(people, row, shown.code):
            row.password_hash, row.enrolment_hash, row.enrolment_until = hashed, None, 0
            row.attempts = row.locked_until = 0
            log_change(session, people, row, row.person, Word.TOTP)
            log_entry(session, people, EntryKind.SIGN_IN, row.person, ids={"by": Word.PASSWORD})
            return open_session(session, people, row, forms.Method.PASSWORD)
    raise _refused(people, account)


def change_password(people: People, actor: Actor, shown: forms.PasswordChange) -> forms.SessionGrant:
    """Set another password and end all sessions; the one that is returned goes on in their place.

    Raises:
        InputError: The new password is too easy.
    """
    with people.store.reading("account.login") as session:
        login = session.scalar(select(AccountRow.login).where(AccountRow.person == actor.person))
    if login is None:
        raise SignInError("home_key_without_password")
    check_password(shown.new_password, login, people.names)
    account = _attempt(people, login)
    right = people.passwords.verify(account.password_hash if account else None, shown.password)
    hashed = people.passwords.hash(shown.new_password)
    with people.store.transaction("account.password") as session:
        row = account and session.get(AccountRow, account.person)
        unchanged = row and account and row.password_hash == account.password_hash
        if row and right and unchanged and _take_code(people, row, shown.code):
            row.password_hash, row.attempts, row.locked_until = hashed, 0, 0
            end_all(session, row.person)
            log_change(session, people, row, actor, Word.PASSWORD)
            return open_session(session, people, row, forms.Method.PASSWORD)
    raise _refused(people, account)


def delay_after(attempts: int) -> int:
    """Return the seconds for which an account is locked after a number of failed attempts in a row."""
    over = attempts - _FREE_ATTEMPTS
    return 0 if over < 0 else min(_FIRST_DELAY * 2 ** min(over, 10), _LONGEST_DELAY)


def _attempt(people: People, login: str) -> AccountRow | None:
    """Count an attempt and return the account, or None if it does not exist or may not be tried now."""
    now = people.clock()
    with people.store.transaction("account.attempt") as session:
        row = session.scalar(select(AccountRow).where(AccountRow.login == login))
        if row is None or not row.active or row.issuer is not None or now < row.locked_until:
            unknown = _unknown(session)
            unknown.attempts, unknown.last_at = unknown.attempts + 1, now
            return None
        row.attempts += 1
        row.locked_until = now + delay_after(row.attempts)
        return row


def _refused(people: People, account: AccountRow | None) -> SignInError:
    """Record a failed attempt and return the common error; an attempt at a locked or unknown account is not logged."""
    with people.store.transaction("account.refused") as session:
        if account is None:
            _unknown(session).last_at += 1  # a commit with nothing in it would be over sooner
        else:
            log_entry(session, people, EntryKind.SIGN_IN_FAILED, account.person, counts={"attempts": account.attempts})
            if account.locked_until > people.clock():
                log_entry(
                    session, people, EntryKind.ACCOUNT_LOCKED, account.person, counts={"attempts": account.attempts}
                )
    _LOG.warning("sign_in_refused", person=account.person if account else "")
    return SignInError("sign_in_refused")


def _unknown(session: Session) -> UnknownLoginRow:
    """Return the row that counts attempts at unknown accounts, so that these take as many commits as others."""
    row = session.get(UnknownLoginRow, 1)
    if row is None:
        session.add(row := UnknownLoginRow(row_id=1, attempts=0, last_at=0))
    return row


def _decoy(people: People, login: str) -> str | None:
    """Return a stored hash, always the same one for a login: an unknown login takes as long as a known one.

    After a change of the settings, older hashes are cheaper or dearer until their persons sign in: one cost for all
    unknown logins would tell them apart.
    """
    with people.store.reading("account.decoy") as session:
        stored = select(AccountRow.password_hash).where(AccountRow.password_hash.is_not(None))
        hashes = list(session.scalars(stored.order_by(AccountRow.person)))
    return hashes[people.key.number(login) % len(hashes)] if hashes else None


def _check_choice(people: People, account: AccountRow, password: str) -> None:
    """Refuse a password that is too easy; choosing another one does not count as a failed attempt."""
    try:
        check_password(password, account.login, people.names)
    except InputError:
        with people.store.transaction("account.choice") as session:
            row = session.get_one(AccountRow, account.person)
            row.attempts = row.locked_until = 0
        raise


def _take_code(people: People, row: AccountRow, code: str) -> bool:
    """Return whether the authenticator's code is right and use it up."""
    if row.totp_secret is None:
        return False
    step = accepted_step(people.key.open(row.person, row.totp_secret), code, people.clock(), row.totp_step)
    if step is None:
        return False
    row.totp_step = step
    return True


def _is_invited(people: People, row: AccountRow, code: str) -> bool:
    if row.enrolment_hash is None or people.clock() >= row.enrolment_until:
        return False
    return hmac.compare_digest(row.enrolment_hash, hashed_code(code))


def _is_outdated(people: People, account: AccountRow) -> bool:
    return account.password_hash is not None and people.passwords.is_outdated(account.password_hash)
