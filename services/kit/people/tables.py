"""The tables of people, the same at node and matcher: accounts and sessions.

Login names are here and nowhere else: the log and every other table hold pseudonymous ids.
"""

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.log.entries import newest_of_accounts
from services.kit.storage.row_seals import Changes, SealedRow
from services.kit.storage.store import Rows, new_metadata


class PeopleRows(Rows):
    """The base of the tables of people."""

    __abstract__ = True
    metadata = new_metadata()


class AccountRow(SealedRow, PeopleRows):
    """The account of a person, or of a program, which has a token and no password."""

    unsealed = ("language",)
    changes = Changes("person", "changed_by", newest_of_accounts)
    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)
    person: Mapped[str] = mapped_column(String(14), primary_key=True, comment="Pseudonymous id, random.")
    login: Mapped[str] = mapped_column(String(64), unique=True, comment="What the person types to sign in.")
    roles: Mapped[list[str]] = mapped_column(JSON, comment="Roles of the role table.")
    active: Mapped[bool] = mapped_column(default=True, comment="Whether the administrator lets it sign in.")
    created_at: Mapped[int] = mapped_column(comment="Seconds since 1970.")
    password_hash: Mapped[str | None] = mapped_column(String(256), comment="Argon2id; none before the enrolment.")
    totp_secret: Mapped[bytes | None] = mapped_column(
        comment="The authenticator's secret, sealed under the key of people; none before the enrolment."
    )
    totp_step: Mapped[int] = mapped_column(
        default=0, comment="The last time step whose code was accepted: no code counts twice."
    )
    enrolment_hash: Mapped[str | None] = mapped_column(String(64), comment="SHA-256 of the one-time enrolment code.")
    enrolment_until: Mapped[int] = mapped_column(default=0, comment="Until when it counts.")
    attempts: Mapped[int] = mapped_column(default=0, comment="Sign-ins tried since one succeeded.")
    locked_until: Mapped[int] = mapped_column(default=0, comment="Until when no sign-in is looked at.")
    admitted: Mapped[bool] = mapped_column(
        default=True, comment="Whether an administrator let it in, where it came by OpenID Connect."
    )
    name: Mapped[str | None] = mapped_column(
        String(200), comment="Whom the provider says it is, for the administrator; none of a local account."
    )
    language: Mapped[str | None] = mapped_column(
        String(16), comment="In which the person reads the pages; none chosen."
    )
    issuer: Mapped[str | None] = mapped_column(String(400), comment="Who comes by OpenID Connect: the provider.")
    subject: Mapped[str | None] = mapped_column(String(255), comment="The person's identifier at that provider.")
    token_hash: Mapped[str | None] = mapped_column(
        String(64), unique=True, comment="Of a program: SHA-256 of its token. A person's account has none."
    )
    token_until: Mapped[int | None] = mapped_column(comment="Of a program: until when its token counts.")
    networks: Mapped[list[str] | None] = mapped_column(
        JSON, comment="Of a program: the addresses and networks from which its token counts."
    )
    changed_by: Mapped[int] = mapped_column(
        default=0, comment="The index of the newest entry of the log that says that it was changed."
    )


class UnknownLoginRow(PeopleRows):
    """Sign-ins that named no account, or one that may not sign in now: counted, as those of an account are.

    One row, written by each such attempt: else the time of a refusal would tell which logins there are.
    """

    __tablename__ = "unknown_login"
    row_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="1.")
    attempts: Mapped[int] = mapped_column(default=0, comment="How many there were.")
    last_at: Mapped[int] = mapped_column(default=0, comment="The last one, seconds since 1970.")


class SessionRow(SealedRow, PeopleRows):
    """A session that was opened."""

    __tablename__ = "session"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True, comment="SHA-256 of the token.")
    session_id: Mapped[str] = mapped_column(String(16), unique=True, comment="By which the person ends it.")
    person: Mapped[str] = mapped_column(
        String(14), ForeignKey("account.person"), index=True, comment="Whose session it is."
    )
    method: Mapped[str] = mapped_column(String(8), comment="password or provider.")
    opened_at: Mapped[int] = mapped_column(comment="Seconds since 1970.")
    seen_at: Mapped[int] = mapped_column(comment="The last call, to within a minute.")
    ends_at: Mapped[int] = mapped_column(index=True, comment="When it ends whatever happens.")


class KeptAnswerRow(PeopleRows):
    """A call with a key of the caller's own (`Idempotency-Key`), and its answer for when it is repeated."""

    __tablename__ = "kept_answer"
    person: Mapped[str] = mapped_column(String(14), primary_key=True, comment="Whose key it is.")
    key: Mapped[str] = mapped_column(String(64), primary_key=True, comment="SHA-256 of the key.")
    began_at: Mapped[int] = mapped_column(index=True, comment="Seconds since 1970.")
    call_digest: Mapped[str | None] = mapped_column(
        String(64), comment="SHA-256 of the call, once it is over; none while it is done, or after a crash in it."
    )
    status: Mapped[int] = mapped_column(default=0, comment="The HTTP status of its answer.")
    body: Mapped[bytes] = mapped_column(default=b"", comment="The answer.")


class ProviderSignInRow(PeopleRows):
    """A sign-in at the provider that has begun and has not come back."""

    __tablename__ = "provider_sign_in"
    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True, comment="SHA-256 of the state.")
    binding_hash: Mapped[str] = mapped_column(String(64), comment="SHA-256 of what the browser keeps.")
    nonce: Mapped[str] = mapped_column(String(64), comment="What the ID token must repeat.")
    verifier: Mapped[str] = mapped_column(String(64), comment="The PKCE verifier, for the provider alone.")
    started_at: Mapped[int] = mapped_column(index=True, comment="Seconds since 1970.")


class NotificationRow(PeopleRows):
    """A person's choice of notifications, and the counts of the last one."""

    __tablename__ = "notification"
    person: Mapped[str] = mapped_column(String(14), ForeignKey("account.person"), primary_key=True, comment="Who.")
    channel: Mapped[str] = mapped_column(String(8), comment="mail or command.")
    address: Mapped[str] = mapped_column(String(254), comment="The mail address, or what the command takes for one.")
    language: Mapped[str] = mapped_column(String(16), comment="In which notifications are written.")
    told: Mapped[dict[str, int] | None] = mapped_column(
        JSON, comment="The counts and times that were told last; none before the first notification."
    )
    told_at: Mapped[int] = mapped_column(default=0, comment="When, in seconds since 1970.")
    told_day: Mapped[int] = mapped_column(default=0, comment="The day of the last daily notification.")
    attempts: Mapped[int] = mapped_column(default=0, comment="Deliveries that failed since one succeeded.")
    retry_at: Mapped[int] = mapped_column(default=0, comment="Before when none is tried again.")
    failing_since: Mapped[int | None] = mapped_column(comment="When the first of them failed.")
    failure: Mapped[str | None] = mapped_column(String(16), comment="Why the last of them failed.")
