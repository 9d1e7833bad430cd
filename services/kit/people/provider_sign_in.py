"""Signing in at a ministry's own identity provider.

1. `start` keeps state, nonce and the PKCE verifier here, and returns the provider's URL for the person's browser, with
   a binding that the browser keeps: whoever comes back needs both it and the state (RFC 6749 section 10.12).
2. The person signs in at the provider, which sends the browser back with a code.
3. `finish` uses up the state, exchanges the code with the verifier (RFC 7636), and checks the ID token: signature by a
   key of the provider, issuer, audience, times, nonce (OpenID Connect Core 3.1.3.7), and `iss` (RFC 9207) if it came.
4. The provider says that there were two factors, by `acr` or `amr` (RFC 8176), unless the settings do not ask for it.
5. The account is known by issuer and subject; its roles are those that the settings give for the provider's claim. One
   that appears is *invited*: an administrator sees whom the provider names, and lets it in or does not. So nobody is
   two persons here, by accounts of both kinds or by two at the provider, without an administrator's knowing.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind, Word
from aquila.audit.roles import Role, role_table
from aquila.interface.people import Method, ProviderReturn, ProviderStart, SessionGrant
from aquila.visible import visible
from services.kit.errors import NotAllowedError
from services.kit.people.accounts import new_person
from services.kit.people.context import People, log_change, log_entry
from services.kit.people.oidc import Provider, refused
from services.kit.people.sessions import open_session
from services.kit.people.tables import AccountRow, ProviderSignInRow
from services.kit.settings import ProviderSettings

_SECRET_BYTES = 32
_START_SECONDS = 600
_LONGEST_NAME = 200


def start(people: People, provider: Provider) -> ProviderStart:
    """Begin a sign-in.

    Raises:
        PeerUnavailableError: The provider cannot be reached.
        InputError: It is not the one of the settings.
    """
    state, nonce, verifier, binding = (secrets.token_urlsafe(_SECRET_BYTES) for _ in range(4))
    url = provider.sign_in_url(state, nonce, verifier)
    now = people.clock()
    with people.store.transaction("provider.start") as stored:
        stored.execute(delete(ProviderSignInRow).where(ProviderSignInRow.started_at <= now - _START_SECONDS))
        stored.add(
            ProviderSignInRow(
                state_hash=_hashed(state), binding_hash=_hashed(binding), nonce=nonce, verifier=verifier, started_at=now
            )
        )
    return ProviderStart(url=url, binding=binding)


def finish(people: People, provider: Provider, shown: ProviderReturn, replaced: str = "") -> SessionGrant:
    """Open a session for the person whom the provider names.

    Raises:
        SignInError: The return is not the end of a sign-in that this browser began here, or one factor only.
        PeerUnavailableError: The provider cannot be reached.
    """
    begun = _take(people, shown)
    if shown.issuer and shown.issuer != provider.settings.issuer:
        raise refused("issuer")
    claims = provider.claims(shown.code, begun.nonce, begun.verifier, people.clock())
    roles = [role.value for role in _roles(people, provider.settings, claims)]
    with people.store.transaction("session.open") as stored:
        account = _account(stored, people, provider.settings.issuer, claims, roles)
        if not account.active:
            raise refused("deactivated")
        if account.roles != roles:
            account.roles = roles
            log_change(stored, people, account, None, Word.ROLES)
        people.revoke(stored, people, account, None)
        if account.admitted:
            log_entry(stored, people, EntryKind.SIGN_IN, account.person, ids={"by": Word.OIDC})
            return open_session(stored, people, account, Method.PROVIDER, replaced)
        account.name = _name_of(claims)
    raise NotAllowedError("account_not_let_in", person=account.person)


def _take(people: People, shown: ProviderReturn) -> ProviderSignInRow:
    """Use up the state of a return, in any case, and return the data stored under it."""
    with people.store.transaction("provider.take") as stored:
        row = stored.scalar(select(ProviderSignInRow).where(ProviderSignInRow.state_hash == _hashed(shown.state)))
        if row is not None:
            stored.delete(row)
    if row is None or people.clock() >= row.started_at + _START_SECONDS:
        raise refused("state")
    if not hmac.compare_digest(row.binding_hash, _hashed(shown.binding)):
        raise refused("binding")
    return row


def _roles(people: People, settings: ProviderSettings, claims: Mapping[str, Any]) -> list[Role]:
    """Return the roles at this service for the provider's claim."""
    given = claims.get(settings.roles_claim, [])
    words = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    mapped = {settings.roles[word] for word in words if isinstance(word, str) and word in settings.roles}
    roles = sorted(mapped & set(role_table().roles_of(people.service)))
    if not roles:
        raise NotAllowedError("provider_role_missing")
    return roles


def _account(stored: Session, people: People, issuer: str, claims: Mapping[str, Any], roles: list[str]) -> AccountRow:
    """Return the account of a person of the provider; at the first sign-in an invited one is made, with these roles."""
    subject = str(claims["sub"])
    row = stored.scalar(select(AccountRow).where(AccountRow.issuer == issuer, AccountRow.subject == subject))
    if row is None:
        person = new_person()
        row = AccountRow(
            person=person,
            login=f"sso-{person[2:]}",
            roles=roles,
            active=True,
            created_at=people.clock(),
            issuer=issuer,
            subject=subject,
            admitted=False,
        )
        stored.add(row)
        stored.flush()
        log_change(stored, people, row, None, Word.CREATED)
    return row


def _name_of(claims: Mapping[str, Any]) -> str:
    """Return the name that the provider gives a person, in visible letters; empty if it gives none."""
    given = (claims.get(claim) for claim in ("name", "preferred_username", "email"))
    name = next((text for text in given if isinstance(text, str) and text.strip()), "")
    return visible(" ".join(name.split()))[:_LONGEST_NAME]


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
