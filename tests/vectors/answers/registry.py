"""Words, invitations, requests, statements, acceptances and renewals."""

from aquila.crypto.keys import IdentityKey, VerifyKey
from aquila.protocol.registration.self_signed import (
    accepted_invitation,
    check_renewal,
    check_time,
    open_invitation,
    open_renewal,
    open_request,
)
from aquila.protocol.registration.spoken_words import check_spoken, spoken
from aquila.protocol.registration.statements import check_acceptable, check_order, open_acceptance, open_statement
from aquila.protocol.registry import MATCHER, RegisteredParty, Registry
from tests.vectors.answers.given import Given, Operation, raw


def public(seed: str) -> VerifyKey:
    return IdentityKey(raw(seed)).public


def in_force(given: Given) -> Registry:
    keys = {holder: public(seed) for holder, seed in given["in_force"].items()}
    parties = {code: RegisteredParty(code, code, key) for code, key in keys.items() if code != MATCHER}
    return Registry(keys[MATCHER], parties)


def words(given: Given) -> Given:
    found = spoken(given["digest"])
    return {"words": list(found.words), "digits": list(found.digits)}


def invitation(given: Given) -> None:
    check_time(open_invitation(given["envelope"].encode()).message, given["now"])


def request(given: Given) -> None:
    accepted_invitation(open_request(given["envelope"].encode()).message, public(given["matcher"]), given["now"])


def statements(given: Given) -> None:
    check_order([open_statement(one.encode(), public(given["matcher"])) for one in given["envelopes"]])


def acceptable(given: Given) -> None:
    registry = in_force(given)
    check_acceptable(
        open_statement(given["envelope"].encode(), registry.matcher), registry, given["party"], public(given["seed"])
    )


def acceptance(given: Given) -> None:
    open_acceptance(given["envelope"].encode(), in_force(given))


def renewal(given: Given) -> None:
    found = open_renewal(given["envelope"].encode())
    check_renewal(found, public(given["registered"]), revoked=given["revoked"])


OPERATIONS: dict[str, Operation] = {
    "words": words,
    "heard": lambda given: check_spoken(given["digest"], given["heard"]),
    "invitation": invitation,
    "request": request,
    "statements": statements,
    "acceptable": acceptable,
    "acceptance": acceptance,
    "renewal": renewal,
}
