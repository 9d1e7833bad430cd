"""The client of a ministry's identity provider: OpenID Connect, authorization code flow with PKCE, on the server side.

It makes the URL for the person's browser and checks what the provider answers to a code; `provider_sign_in` keeps the
state between the two and knows accounts. The provider is asked over TLS alone, answers are small, and none of its
texts reaches a log.
"""

from collections.abc import Mapping
from typing import Any

import httpx
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from aquila.errors import InputError
from services.kit.errors import PeerUnavailableError, SignInError
from services.kit.http.tls import tls_context
from services.kit.logging import Log
from services.kit.settings import PeerSettings, ProviderSettings, is_loopback
from services.kit.storage.files import read_secret

_LOG = Log("kit.provider")
_LEEWAY_SECONDS = 60
_ANSWER_BYTES = 1 << 18
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
# Methods of RFC 8176 section 2 by what they prove: something known, held, or one's own body.
_FACTORS = (
    frozenset({"pwd", "pin", "kba"}),
    frozenset({"otp", "hwk", "swk", "sc", "sms", "tel", "pop"}),
    frozenset({"face", "fpt", "iris", "retina", "vbm"}),
)
_WELL_KNOWN = "/.well-known/openid-configuration"
_SHOWN_BY = "client_secret_basic"


class Provider:
    """The provider of a service's settings. Making one connects to nothing."""

    def __init__(self, settings: ProviderSettings, transport: httpx.BaseTransport | None = None) -> None:
        self.settings = settings
        self._transport = transport

    def sign_in_url(self, state: str, nonce: str, verifier: str) -> str:
        """Return where the person's browser goes to sign in.

        Raises:
            PeerUnavailableError: The provider cannot be reached.
            InputError: It is not the one of the settings.
        """
        with self._session() as session:
            wanted = {"acr_values": self.settings.acr} if self.settings.acr else {}
            url, _ = self._client(session).create_authorization_url(
                self._discovered(session)["authorization_endpoint"],
                state=state,
                nonce=nonce,
                code_verifier=verifier,
                **wanted,
            )
        return str(url)

    def claims(self, code: str, nonce: str, verifier: str, now: int) -> Mapping[str, Any]:
        """Exchange a code and return the checked claims of the ID token.

        Raises:
            SignInError: The provider refuses the code, its ID token is not valid, or it says one factor only.
            PeerUnavailableError: The provider cannot be reached.
            InputError: It is not the one of the settings.
        """
        with self._session() as session:
            return self._claims(session, code, nonce, verifier, now)

    def _claims(self, session: httpx.Client, code: str, nonce: str, verifier: str, now: int) -> Mapping[str, Any]:
        found = self._discovered(session)
        try:
            token = self._client(session).fetch_token(
                found["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=verifier
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
                {"nonce": nonce, "client_id": self.settings.client_id, "access_token": token.get("access_token", "")},
            )
            claims.validate(now=now, leeway=_LEEWAY_SECONDS)
        except (OAuth2Error, JoseError, ValueError, KeyError, TypeError) as error:
            raise refused(type(error).__name__) from None
        except httpx.HTTPError as error:
            raise self._away(error) from None
        if not self._has_two_factors(claims):
            raise refused("second factor")
        return dict(claims)

    def _has_two_factors(self, claims: Mapping[str, Any]) -> bool:
        """Return whether the provider states that a sign-in had two factors, or nobody requires it."""
        if self.settings.one_factor_is_enough:
            return True
        if self.settings.acr:
            return bool(claims.get("acr") == self.settings.acr)
        given = claims.get("amr")
        methods = {word for word in given if isinstance(word, str)} if isinstance(given, list) else set[str]()
        return "mfa" in methods or sum(bool(methods & factor) for factor in _FACTORS) > 1

    def _discovered(self, session: httpx.Client) -> Mapping[str, Any]:
        """Return the provider's metadata (OpenID Connect Discovery 4.3).

        Raises:
            PeerUnavailableError: It cannot be reached.
        """
        try:
            found = _answer(session, self.settings.issuer.rstrip("/") + _WELL_KNOWN)
        except httpx.HTTPError as error:
            raise self._away(error) from None
        except ValueError:
            found = {}
        wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if found.get("issuer") != self.settings.issuer or not all(_is_safe(found.get(name)) for name in wanted):
            raise InputError("identity_provider_differs")
        return found

    def _client(self, session: httpx.Client) -> OAuth2Client:
        return _Client(
            session,
            client_id=self.settings.client_id,
            client_secret=read_secret(self.settings.client_secret_file).decode().strip(),
            token_endpoint_auth_method=_SHOWN_BY,
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
            "identity_provider_unreachable", peer=self.settings.issuer, kind=type(error).__name__
        )


class _Basic(ClientAuth):  # type: ignore[misc]  # Authlib ships no types
    """Authlib's way to show the client's secret, as httpx calls it."""

    def __call__(self, request: httpx.Request) -> httpx.Request:
        self.prepare(request.method, str(request.url), request.headers, request.content)
        return request


class _Client(OAuth2Client):  # type: ignore[misc]  # likewise
    client_auth_class = _Basic


def _answer(session: httpx.Client, url: str) -> dict[str, Any]:
    """Return a small JSON object that the provider answers with."""
    response = session.get(url)
    response.raise_for_status()
    match response.json() if len(response.content) <= _ANSWER_BYTES else None:
        case dict() as found:
            return found
    raise ValueError("too large, or not an object")


def _is_safe(url: object) -> bool:
    """Return whether an address protects what is sent to it in transit."""
    if not isinstance(url, str):
        return False
    parts = httpx.URL(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.host))


def refused(why: str) -> SignInError:
    """Return the error that every caller gets; the log states which check failed."""
    _LOG.warning("provider_sign_in_refused", problem=why)
    return SignInError("provider_sign_in_failed")
