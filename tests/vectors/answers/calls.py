"""Signed calls."""

from aquila.crypto.keys import IdentityKey
from services.kit.http.signatures import CallVerifier, SignedRequest, content_digest, signature_base
from tests.support.memory_nonces import MemoryNonces
from tests.vectors.answers.given import Given, Operation, raw
from tests.vectors.making.calls import signed


def call(given: Given) -> Given:
    """Return the call, whose digest and base are the product's."""
    made = signed(**{name: raw(one) if name in {"seed", "body"} else one for name, one in given.items()})
    covered = {"@method": given["method"], "@authority": given["authority"], "@path": given["path"]}
    covered |= {"@query": given["query"]}
    if "body" in given:
        covered |= {"content-digest": content_digest(raw(given["body"])), "content-type": given["content_type"]}
    parameters = made["headers"]["signature-input"].removeprefix("aquila=")
    return {"headers": made["headers"], "signature_base": signature_base(covered, parameters).decode()}


def take(given: Given) -> None:
    keys = {
        IdentityKey(raw(seed)).public.fingerprint: ("SI", IdentityKey(raw(seed)).public) for seed in given["registry"]
    }
    verifier = CallVerifier(keys, MemoryNonces(), [given["authority"]], lambda: given["now"])
    headers = [(name.encode(), value.encode()) for name, value in given["headers"].items()]
    head = verifier.verify_head(SignedRequest(given["method"], given["url"], headers))
    verifier.verify_body(head, raw(given.get("body", "")))


OPERATIONS: dict[str, Operation] = {"call": call, "take": take}
