"""A ministry's own identity provider: OpenID Connect, authorization code flow with PKCE, on the server's side.

1. `start` keeps state, nonce and the PKCE verifier here, and returns the provider's URL for the person's browser, with
   a binding that the browser keeps: whoever comes back needs both it and the state (RFC 6749 section 10.12).
2. The person signs in at the provider, which sends the browser back with a code.
3. `finish` uses up the state, exchanges the code with the verifier (RFC 7636), and checks the ID token: signature by a
   key of the provider, issuer, audience, times, nonce (OpenID Connect Core 3.1.3.7), and `iss` (RFC 9207) if it came.
4. The provider says that there were two factors, by `acr` or `amr` (RFC 8176), unless the settings do not ask for it.
5. The account is known by issuer and subject; its roles are those that the settings give for the provider's claim. One
   that appears is *invited*: an administrator sees whom the provider names, and lets it in or does not. So nobody is
   two persons here, by accounts of both kinds or by two at the provider, without an administrator's knowing.

The provider is asked over TLS alone, answers are small, and none of its texts reaches a log.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Any

import httpx
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import delete, select

from aquila.audit.entries import Word
from aquila.audit.roles import Role, role_table
from aquila.errors import InputError
from aquila.protocol.messages.people_views import Method, ProviderStart
from aquila.visible import visible
from services.kit.calls import tls_context
from services.kit.errors import NotAllowedError, PeerUnavailableError, SignInError
from services.kit.files import read_secret
from services.kit.logs import Log
from services.kit.people.accounts import new_person
from services.kit.people.entries import EntryKind, note
from services.kit.people.sessions import open_session
from services.kit.people.tables import AccountRow, ProviderSignInRow
from services.kit.settings import PeerSettings, is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from aquila.protocol.messages.people_views import ProviderReturn, SessionGrant
    from services.kit.people.desk import People
    from services.kit.settings import ProviderSettings

_LOG = Log("kit.provider")
_SECRET_BYTES = 32
_START_SECONDS = 600
_LEEWAY_SECONDS = 60
_ANSWER_BYTES = 1 << 18
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
# Methods of RFC 8176 section 2 by what they prove: something known, held, or one's own body.
_FACTORS = (
    frozenset({"pwd", "pin", "kba"}),
    frozenset({"otp", "hwk", "swk", "sc", "sms", "tel", "pop"}),
    frozenset({"face", "fpt", "iris", "retina", "vbm"}),
)
_LONGEST_NAME = 200
_WELL_KNOWN = "/.well-known/openid-configuration"


class Provider:
    """The provider of a service's settings. Making one connects to nothing."""

    def __init__(self, settings: ProviderSettings, transport: httpx.BaseTransport | None = None) -> None:
        """Prepare.

        Args:
            settings: Who the provider is, and who we are to it.
            transport: Instead of the network, in tests.
        """
        self.settings = settings
        self._transport = transport

    def start(self, people: People) -> ProviderStart:
        """Begin a sign-in.

        Raises:
            PeerUnavailableError: The provider cannot be reached.
            InputError: It is not the one of the settings.
        """
        state, nonce, verifier, binding = (secrets.token_urlsafe(_SECRET_BYTES) for _ in range(4))
        with self._session() as session:
            wanted = {"acr_values": self.settings.acr} if self.settings.acr else {}
            url, _ = self._client(session).create_authorization_url(
                self._discovered(session)["authorization_endpoint"],
                state=state,
                nonce=nonce,
                code_verifier=verifier,
                **wanted,
            )
        now = people.clock()
        with people.store.transaction("provider.start") as stored:
            stored.execute(delete(ProviderSignInRow).where(ProviderSignInRow.started_at <= now - _START_SECONDS))
            stored.add(
                ProviderSignInRow(
                    state_hash=_hashed(state), binding_hash=_hashed(binding), nonce=nonce, verifier=verifier,
                    started_at=now,
                )
            )  # fmt: skip
        return ProviderStart(url=url, binding=binding)

    def finish(self, people: People, shown: ProviderReturn, replaced: str = "") -> SessionGrant:
        """Open a session for whoever the provider says it is.

        Raises:
            SignInError: The return is not the end of a sign-in that this browser began here, or one factor only.
            NotAllowedError: The provider gives the person no role of this service, or nobody has let the account in.
            PeerUnavailableError: The provider cannot be reached.
        """
        begun = _take(people, shown)
        if shown.issuer and shown.issuer != self.settings.issuer:
            raise _refused("issuer")
        with self._session() as session:
            claims = self._claims(session, people, begun, shown.code)
        roles = self._roles(people, claims)
        with people.store.transaction("session.open") as stored:
            account = _account(stored, people, self.settings.issuer, claims)
            if not account.active:
                raise _refused("deactivated")
            account.roles = [role.value for role in roles]
            people.revoke(stored, people, account, None)
            if account.admitted:
                note(stored, people, EntryKind.SIGN_IN, account.person, ids={"by": Word.OIDC})
                return open_session(stored, people, account, Method.PROVIDER, replaced)
            account.name = _name_of(claims)
        raise NotAllowedError(
            "an administrator has to let you in first",
            hint="tell the administrator of this service who you are",
            person=account.person,
        )

    def _claims(self, session: httpx.Client, people: People, begun: ProviderSignInRow, code: str) -> Mapping[str, Any]:
        """Exchange the code and return the checked claims of the ID token."""
        found = self._discovered(session)
        try:
            token = self._client(session).fetch_token(
                found["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=begun.verifier
            )
            keys = KeySet.import_key_set({"keys": list(_answer(session, found["jwks_uri"])["keys"])})
            opened = jwt.decode(str(token.get("id_token", "")), keys, algorithms=_ALGORITHMS)
            claims = CodeIDToken(
                opened.claims,
                opened.header,
                {
                    "iss": {"essential": True, "value": self.settings.issuer},
                    "aud": {"essential": True, "value": self.settings.client_id},
                },
                {
                    "nonce": begun.nonce,
                    "client_id": self.settings.client_id,
                    "access_token": token.get("access_token", ""),
                },
            )
            claims.validate(now=people.clock(), leeway=_LEEWAY_SECONDS)
        except (OAuth2Error, JoseError, ValueError, KeyError, TypeError) as error:
            raise _refused(type(error).__name__) from None
        except httpx.HTTPError as error:
            raise self._away(error) from None
        if not self._has_two_factors(claims):
            raise _refused("second factor")
        return dict(claims)

    def _has_two_factors(self, claims: Mapping[str, Any]) -> bool:
        """Tell whether the provider says that a sign-in had two factors, or nobody asks for it."""
        if self.settings.one_factor_is_enough:
            return True
        if self.settings.acr:
            return bool(claims.get("acr") == self.settings.acr)
        given = claims.get("amr")
        methods = {word for word in given if isinstance(word, str)} if isinstance(given, list) else set[str]()
        return "mfa" in methods or sum(bool(methods & factor) for factor in _FACTORS) > 1

    def _roles(self, people: People, claims: Mapping[str, Any]) -> list[Role]:
        """Return the roles that the provider's claim stands for at this service."""
        given = claims.get(self.settings.roles_claim, [])
        words = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        mapped = {self.settings.roles[word] for word in words if isinstance(word, str) and word in self.settings.roles}
        roles = sorted(mapped & set(role_table().roles_of(people.service)))
        if not roles:
            raise NotAllowedError(
                "the provider gives you no role here", hint="the administrator of the provider can give one"
            )
        return roles

    def _discovered(self, session: httpx.Client) -> Mapping[str, Any]:
        """Return what the provider says of itself (OpenID Connect Discovery 4.3).

        Raises:
            PeerUnavailableError: It cannot be reached.
            InputError: It is another one than that of the settings, or names unsafe addresses.
        """
        try:
            found = _answer(session, self.settings.issuer.rstrip("/") + _WELL_KNOWN)
        except httpx.HTTPError as error:
            raise self._away(error) from None
        except ValueError:
            found = {}
        wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if found.get("issuer") != self.settings.issuer or not all(_is_safe(found.get(name)) for name in wanted):
            raise InputError(
                "the identity provider is not the one of the settings", hint="compare [provider] issuer with it"
            )
        return found

    def _client(self, session: httpx.Client) -> OAuth2Client:
        return _Client(
            session,
            client_id=self.settings.client_id,
            client_secret=read_secret(self.settings.client_secret_file).decode().strip(),
            token_endpoint_auth_method="client_secret_basic",  # noqa: S106 - the name of a method
            scope=self.settings.scope,
            redirect_uri=self.settings.redirect_url,
            code_challenge_method="S256",
        )

    def _session(self) -> httpx.Client:
        verify: Any = True
        if self.settings.issuer.startswith("https"):
            verify = tls_context(PeerSettings(url=self.settings.issuer, ca=self.settings.ca))
        return httpx.Client(
            verify=verify, timeout=10.0, follow_redirects=False, trust_env=False, transport=self._transport
        )

    def _away(self, error: httpx.HTTPError) -> PeerUnavailableError:
        return PeerUnavailableError(
            f"the identity provider cannot be reached: {type(error).__name__}",
            hint="try again, or sign in with a local account",
            peer=self.settings.issuer,
        )


class _Basic(ClientAuth):  # type: ignore[misc]  # Authlib ships no types
    """Authlib's way to show the client's secret, as httpx calls it."""

    def __call__(self, request: httpx.Request) -> httpx.Request:
        self.prepare(request.method, str(request.url), request.headers, request.content)
        return request


class _Client(OAuth2Client):  # type: ignore[misc]  # likewise
    client_auth_class = _Basic


def _take(people: People, shown: ProviderReturn) -> ProviderSignInRow:
    """Use up the state of a return, whatever comes of it, and return what was kept under it."""
    with people.store.transaction("provider.take") as stored:
        row = stored.scalar(select(ProviderSignInRow).where(ProviderSignInRow.state_hash == _hashed(shown.state)))
        if row is not None:
            stored.delete(row)
    if row is None or people.clock() >= row.started_at + _START_SECONDS:
        raise _refused("state")
    if not hmac.compare_digest(row.binding_hash, _hashed(shown.binding)):
        raise _refused("binding")
    return row


def _account(stored: Session, people: People, issuer: str, claims: Mapping[str, Any]) -> AccountRow:
    """Return the account of a person of the provider; at the first sign-in an invited one is made."""
    subject = str(claims["sub"])
    row = stored.scalar(select(AccountRow).where(AccountRow.issuer == issuer, AccountRow.subject == subject))
    if row is None:
        person = new_person()
        row = AccountRow(
            person=person, login=f"sso-{person[2:]}", roles=[], active=True, created_at=people.clock(), issuer=issuer,
            subject=subject, admitted=False,
        )  # fmt: skip
        stored.add(row)
        stored.flush()
        note(stored, people, EntryKind.ACCOUNT_CHANGED, None, ids={"account": person, "what": Word.CREATED})
    return row


def _name_of(claims: Mapping[str, Any]) -> str:
    """Return whom the provider says a person is, as far as a reader sees it; nothing where it does not say."""
    given = (claims.get(claim) for claim in ("name", "preferred_username", "email"))
    name = next((text for text in given if isinstance(text, str) and text.strip()), "")
    return visible(" ".join(name.split()))[:_LONGEST_NAME]


def _answer(session: httpx.Client, url: str) -> dict[str, Any]:
    """Return a small JSON object that the provider answers with.

    Raises:
        HTTPError: The provider is away or refuses.
        ValueError: The answer is none.
    """
    response = session.get(url)
    response.raise_for_status()
    if len(response.content) > _ANSWER_BYTES:
        raise ValueError("too large")
    found = response.json()
    if not isinstance(found, dict):
        raise ValueError("no object")  # noqa: TRY004 - to the caller both are no answer
    return found


def _is_safe(url: object) -> bool:
    """Tell whether an address keeps what is sent to it from others on the way."""
    if not isinstance(url, str):
        return False
    parts = httpx.URL(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.host))


def _refused(why: str) -> SignInError:
    """Return what everyone is told; the log says which check it was."""
    _LOG.warning("provider_sign_in_refused", problem=why)
    return SignInError("the sign-in at the provider did not succeed", hint="begin anew; the service's log says why")


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
