"""Signing in at a ministry's provider: what a return must show, and every way in which it is refused."""

import base64
import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from aquila.audit.roles import Role
from aquila.errors import InputError, OrderError, PolicyError
from aquila.interface.people import AccountState, AccountView, Admission, NewAccount, ProviderReturn, SessionGrant
from services.kit.errors import NotAllowedError, NotFoundError, PeerUnavailableError, SignInError
from services.kit.people import accounts
from services.kit.people.context import People
from services.kit.people.oidc import Provider
from services.kit.people.provider_sign_in import finish, start
from services.kit.people.routes import get_ways, post_provider_start
from services.kit.people.sessions import find_actor
from services.kit.settings import ProviderSettings
from services.kit.storage.files import write_secret
from tests.support.accounts import ADMINISTRATOR, logged

ISSUER = "https://sso.example"
KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one"})


@dataclass
class Ministry:
    claims: dict[str, Any] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: KEY)
    header: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    asked: dict[str, str] = field(default_factory=dict)
    token: dict[str, Any] | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.status != 200:
            return httpx.Response(self.status)
        if request.url.path == "/.well-known/openid-configuration":
            addresses = {"authorization_endpoint": "/auth", "token_endpoint": "/token", "jwks_uri": "/jwks"}
            found = {name: ISSUER + path for name, path in addresses.items()}
            return httpx.Response(200, json={"issuer": ISSUER} | found | self.discovery)
        if request.url.path == "/jwks":
            return httpx.Response(200, json={"keys": [KEY.as_dict(private=False)]})
        secret = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        assert secret == "aquila:the secret"
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if challenge.decode() != self.asked["code_challenge"] or form["code"] != "the code":
            return httpx.Response(400, json={"error": "invalid_grant"})
        if self.token is not None:
            return httpx.Response(200, json=self.token)
        token = jwt.encode({"alg": "RS256", "kid": "one"} | self.header, self.claims, self.key)
        return httpx.Response(200, json={"access_token": "a", "token_type": "Bearer", "id_token": token})


@pytest.fixture
def ministry() -> Ministry:
    return Ministry()


@pytest.fixture
def provider(tmp_path: Path, ministry: Ministry) -> Provider:
    write_secret(tmp_path / "client.secret", b"the secret\n")
    settings = ProviderSettings(
        issuer=ISSUER,
        client_id="aquila",
        client_secret_file=tmp_path / "client.secret",
        redirect_url="https://node.example/sign-in/provider",
        roles={"ct-officer": Role.OFFICER, "boss": Role.SECRETARIAT},
    )
    return Provider(settings, httpx.MockTransport(ministry))


def begin(people: People, provider: Provider, ministry: Ministry, **claims: Any) -> ProviderReturn:
    started = start(people, provider)
    ministry.asked = {name: values[0] for name, values in parse_qs(urlsplit(started.url).query).items()}
    now = people.clock()
    ministry.claims = {
        "iss": ISSUER,
        "aud": "aquila",
        "sub": "7",
        "iat": now,
        "exp": now + 300,
        "nonce": ministry.asked["nonce"],
        "roles": ["ct-officer", "boss", "something else"],
        "amr": ["pwd", "otp"],
        "name": "Ana Novak",
    } | claims
    return ProviderReturn(state=ministry.asked["state"], code="the code", issuer=ISSUER, binding=started.binding)


def let_in(people: People, provider: Provider, ministry: Ministry, **claims: Any) -> SessionGrant:
    with pytest.raises(NotAllowedError):
        finish(people, provider, begin(people, provider, ministry, **claims))
    [view] = [view for view in accounts.list_accounts(people).accounts if view.state is AccountState.INVITED]
    accounts.admit_account(people, ADMINISTRATOR, view.person, shown(view))
    return finish(people, provider, begin(people, provider, ministry, **claims))


def shown(view: AccountView) -> Admission:
    assert view.issuer is not None
    assert view.subject is not None
    return Admission(issuer=view.issuer, subject=view.subject, name=view.name or "")


def test_who_appears_waits_for_an_administrator(people: People, provider: Provider, ministry: Ministry) -> None:
    """No session is opened, however often; the administrator sees issuer, subject and name, and lets in just that."""
    for name in ("Ana Novak", "Bor\u202e Kos"):
        with pytest.raises(NotAllowedError, match="let you in"):
            finish(people, provider, begin(people, provider, ministry, name=name))
    [view] = accounts.list_accounts(people).accounts
    assert (view.state, view.issuer, view.subject, view.name) == ("invited", ISSUER, "7", "Bor[U+202E] Kos")
    with pytest.raises(PolicyError):
        accounts.admit_account(people, ADMINISTRATOR, view.person, shown(view).model_copy(update={"name": "Ana Novak"}))
    accounts.switch_account(people, ADMINISTRATOR, view.person, active=True)
    with pytest.raises(NotAllowedError):
        finish(people, provider, begin(people, provider, ministry))
    assert logged(people) == ["account_changed", "account_changed"]


def test_who_was_let_in_is_let_in_once(people: People, provider: Provider, ministry: Ministry) -> None:
    grant = let_in(people, provider, ministry)
    [view] = accounts.list_accounts(people).accounts
    assert (view.state, view.person) == ("active", grant.person)
    local = accounts.add_account(people, ADMINISTRATOR, NewAccount(login="bor", roles=(Role.OFFICER,))).account
    for person in (view.person, local.person):
        with pytest.raises(OrderError):
            accounts.admit_account(people, ADMINISTRATOR, person, shown(view))


def test_whom_the_provider_knows_is_signed_in(people: People, provider: Provider, ministry: Ministry) -> None:
    """The account is made at the first return and known at the next; its roles are those of the claim."""
    grant = let_in(people, provider, ministry)
    assert (ministry.asked["code_challenge_method"], ministry.asked["scope"]) == ("S256", "openid profile")
    again = finish(people, provider, begin(people, provider, ministry), replaced=grant.token)
    assert again.person == grant.person
    assert find_actor(people, grant.token) is None
    actor = find_actor(people, again.token)
    assert actor is not None
    assert actor.roles == {Role.OFFICER}
    assert logged(people) == ["account_changed", "account_changed", "sign_in", "sign_in"]
    assert [view.provider for view in accounts.list_accounts(people).accounts] == [True]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"},
        {"aud": "other"},
        {"nonce": "other"},
        {"exp": 1},
        {"sub": None},
        {"iat": 4_000_000_000},
        {"aud": ["aquila", "other"]},
        {"azp": "other"},
        {"at_hash": "AAAA"},
    ],
)
def test_a_token_that_is_not_for_this_sign_in(
    people: People, provider: Provider, ministry: Ministry, claims: dict[str, Any]
) -> None:
    """Another issuer, audience, nonce, time or subject opens nothing."""
    shown = begin(people, provider, ministry, **claims)
    if claims.get("sub", "") is None:
        del ministry.claims["sub"]
    with pytest.raises(SignInError):
        finish(people, provider, shown)
    assert accounts.list_accounts(people).accounts == ()


def test_a_token_that_the_provider_did_not_sign(people: People, provider: Provider, ministry: Ministry) -> None:
    shown = begin(people, provider, ministry)
    ministry.key = OTHER_KEY
    with pytest.raises(SignInError):
        finish(people, provider, shown)
    shown = begin(people, provider, ministry)
    parts = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (b'{"alg":"none"}', b"{}")]
    ministry.token = {"access_token": "a", "id_token": f"{parts[0]}.{parts[1]}."}
    with pytest.raises(SignInError):
        finish(people, provider, shown)


@pytest.mark.parametrize("change", ["state", "code", "issuer", "binding"])
def test_a_return_that_is_not_the_end_of_this_sign_in(
    people: People, provider: Provider, ministry: Ministry, change: str
) -> None:
    """Another state, code, issuer or browser is refused, and the state is used up."""
    shown = begin(people, provider, ministry)
    with pytest.raises(SignInError):
        finish(people, provider, shown.model_copy(update={change: "https://other.example/another-one-altogether"}))
    if change != "state":
        with pytest.raises(SignInError):
            finish(people, provider, shown)


def test_a_return_counts_once_and_for_ten_minutes(
    people: People, provider: Provider, ministry: Ministry, clock: Any
) -> None:
    let_in(people, provider, ministry)
    shown = begin(people, provider, ministry)
    finish(people, provider, shown)
    with pytest.raises(SignInError):
        finish(people, provider, shown)
    late = begin(people, provider, ministry)
    clock.time += 600
    with pytest.raises(SignInError):
        finish(people, provider, late)


@pytest.mark.parametrize("roles", [[], ["nothing"], ["boss"], "nothing", 7, {"ct-officer": True}])
def test_without_a_role_nobody_gets_in(people: People, provider: Provider, ministry: Ministry, roles: Any) -> None:
    """No value of the claim stands for a role of this service; nothing is stored."""
    with pytest.raises(NotAllowedError):
        finish(people, provider, begin(people, provider, ministry, roles=roles))
    assert accounts.list_accounts(people).accounts == ()


def test_a_deactivated_account_stays_out(people: People, provider: Provider, ministry: Ministry) -> None:
    grant = let_in(people, provider, ministry, roles="ct-officer")
    accounts.switch_account(people, ADMINISTRATOR, grant.person, active=False)
    with pytest.raises(SignInError):
        finish(people, provider, begin(people, provider, ministry))


@pytest.mark.parametrize("amr", [None, [], ["pwd"], ["pwd", "pin"], ["otp", "hwk"], ["pwd", 7], ["MFA"]])
def test_one_factor_is_not_enough(people: People, provider: Provider, ministry: Ministry, amr: Any) -> None:
    """Unless the settings say so by name: two of one kind are one, and what is not said is not there."""
    with pytest.raises(SignInError):
        finish(people, provider, begin(people, provider, ministry, amr=amr))
    assert accounts.list_accounts(people).accounts == ()
    provider.settings = provider.settings.model_copy(update={"one_factor_is_enough": True})
    assert let_in(people, provider, ministry, amr=amr)


@pytest.mark.parametrize("amr", [["mfa"], ["pwd", "otp"], ["hwk", "fpt"], ["pin", "face", "new"]])
def test_two_factors_are_enough(people: People, provider: Provider, ministry: Ministry, amr: Any) -> None:
    assert let_in(people, provider, ministry, amr=amr)


def test_an_authentication_context_stands_for_two_factors(
    people: People, provider: Provider, ministry: Ministry
) -> None:
    provider.settings = provider.settings.model_copy(update={"acr": "two"})
    for claims in ({"acr": "one"}, {}):
        with pytest.raises(SignInError):
            finish(people, provider, begin(people, provider, ministry, **claims))
    assert ministry.asked["acr_values"] == "two"
    assert let_in(people, provider, ministry, acr="two", amr=["pwd"])


def test_a_role_that_the_provider_takes_back(people: People, provider: Provider, ministry: Ministry) -> None:
    """What was asked for by it is withdrawn as with an administrator's change, in the same transaction."""
    grant, seen = let_in(people, provider, ministry), list[tuple[str, list[str], object]]()
    heard = replace(people, revoke=lambda _s, _p, account, actor: seen.append((account.person, account.roles, actor)))
    provider.settings = provider.settings.model_copy(update={"roles": {"reader": Role.ANALYST}})
    finish(heard, provider, begin(people, provider, ministry, roles=["reader"]))
    assert seen == [(grant.person, ["analyst"], None)]


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": " Ana  Novak\n"}, "Ana Novak"),
        ({"name": 7, "preferred_username": "ana"}, "ana"),
        ({"name": "", "email": "ana@example.org"}, "ana@example.org"),
        ({"name": None}, ""),
        ({"name": "x" * 300}, "x" * 200),
    ],
)
def test_whom_the_provider_names(
    people: People, provider: Provider, ministry: Ministry, claims: dict[str, Any], name: str
) -> None:
    """By name, else by what it has; nothing that a reader does not see, and not without end."""
    with pytest.raises(NotAllowedError):
        finish(people, provider, begin(people, provider, ministry, **claims))
    assert [view.name for view in accounts.list_accounts(people).accounts] == [name]


@pytest.mark.parametrize(
    "discovery", [{"issuer": "https://other.example"}, {"token_endpoint": "http://sso.example/token"}, {"jwks_uri": 7}]
)
def test_another_provider_is_not_asked(
    people: People, provider: Provider, ministry: Ministry, discovery: dict[str, Any]
) -> None:
    """One that names itself otherwise, or an address in the clear."""
    ministry.discovery = discovery
    with pytest.raises(InputError):
        start(people, provider)


def test_a_provider_that_is_away(people: People, provider: Provider, ministry: Ministry) -> None:
    shown = begin(people, provider, ministry)
    ministry.status = 503
    for call in (lambda: start(people, provider), lambda: finish(people, provider, shown)):
        with pytest.raises(PeerUnavailableError):
            call()


@pytest.mark.parametrize("answer", [b"[]", b"no json", b"x" * 300_000])
def test_an_answer_that_is_none(people: People, provider: Provider, answer: bytes) -> None:
    broken = Provider(provider.settings, httpx.MockTransport(lambda _: httpx.Response(200, content=answer)))
    with pytest.raises(InputError):
        start(people, broken)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"issuer": "http://sso.example"}, "issuer needs https"),
        ({"redirect_url": "ftp://x"}, "redirect_url needs https"),
        ({"scope": "email"}, "scope needs openid"),
        ({"acr": "two", "one_factor_is_enough": True}, "acr demands two factors"),
    ],
)
def test_settings_that_are_not_safe(provider: Provider, change: dict[str, str], told: str) -> None:
    """Plain HTTP is for loopback alone, and without openid there is no ID token."""
    with pytest.raises(ValueError, match=told):
        ProviderSettings.model_validate(provider.settings.model_dump() | change)


async def test_the_calls_of_a_service_with_and_without_a_provider(people: People, provider: Provider) -> None:
    assert not (await get_ways(people)).provider
    with pytest.raises(NotFoundError):
        await post_provider_start(people)
    known = replace(people, provider=provider)
    assert (await get_ways(known)).provider
    assert (await post_provider_start(known)).url.startswith(f"{ISSUER}/auth?")
