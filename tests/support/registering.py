"""Identity keys, invitations, requests and statements on the registry, for tests."""

import hashlib

from aquila.crypto.keys import IdentityKey
from aquila.protocol.registration.self_signed import Invitation, JoinRequest, sign_file
from aquila.protocol.registration.statements import SignedStatement, next_statement, open_statement, sign_statement
from aquila.protocol.registry import RegisteredParty, Registry

NOW = 1_800_000_000
URL = "https://matcher.example.org"
CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def key_of(name: str) -> IdentityKey:
    return IdentityKey(hashlib.sha256(name.encode()).digest())


MATCHER_KEY = key_of("matcher")


def registry_of(*codes: str, left: tuple[str, ...] = ()) -> Registry:
    parties = {code: RegisteredParty(code, f"Party {code}", key_of(code).public, code in left) for code in codes}
    return Registry(MATCHER_KEY.public, parties)


def invitation(party: str = "SI", signer: IdentityKey = MATCHER_KEY, **fields: object) -> bytes:
    content = {
        "invitation_id": "ab" * 16,
        "party": party,
        "name": f"Party {party}",
        "matcher_key": signer.public.hex,
        "url": URL,
        "ca": CA,
        "expires_at": NOW + 100,
    }
    return sign_file(Invitation.model_validate(content | fields), signer)


def request(invited: bytes, party: str = "SI", key: IdentityKey | None = None, **fields: object) -> bytes:
    signer = key or key_of(party)
    content = {
        "party": party,
        "name": f"Party {party}",
        "identity_key": signer.public.hex,
        "invitation": invited.decode().strip(),
    }
    return sign_file(JoinRequest.model_validate(content | fields), signer)


def stated(
    registry: Registry, previous: SignedStatement | None = None, now: int = NOW, url: str = URL
) -> SignedStatement:
    message = next_statement(registry, previous, now, url, CA)
    return open_statement(sign_statement(message, MATCHER_KEY), MATCHER_KEY.public)
