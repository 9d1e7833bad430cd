"""Signed HTTP calls (PROTOCOL.md 9.1)."""

import base64
import hashlib
from typing import Any

from aquila.crypto.keys import IdentityKey
from tests.vectors.making.theme import Theme, octets

SEED, OTHER, NOW, AUTHORITY = octets("identity of SI"), octets("identity of RS"), 1_800_000_000, "matcher.example:8700"

ABOUT = "HTTP calls of a node, each signed by RFC 9421 in the one form of 9.1.1."
SOURCE = "own: hashlib, base64; Ed25519 of the `cryptography` package"
OPERATIONS = """
call: seed of the identity key, method, authority, path, query, body (hexadecimal), content type, seconds and nonce
    to the lines of the call and the signature base
take: a call as it comes, the body's bytes, the receiver's authority and clock, and seeds of the pinned keys:
    whether it is taken
"""


def make() -> Theme:
    theme = Theme("calls", ABOUT, SOURCE, OPERATIONS)
    get = {"method": "GET", "path": "/v1/rounds", "query": "?wait=0&state=a%20b"}
    put = {
        "method": "PUT",
        "path": "/v1/rounds/0123456789abcdef0123456789abcdef/chunks/0",
        "query": "?",
        "body": octets("a chunk", 64),
        "content_type": "application/octet-stream",
    }
    for name, call in (("call_without_a_body", get), ("call_with_a_body", put)):
        given = call | {"seed": SEED, "authority": AUTHORITY, "created": NOW, "nonce": "AAECAwQFBgcICQoLDA0ODw"}
        theme.valid(name, "call", "9.1.1", given, signed(**given))
        theme.valid(f"{name}_taken", "take", "9.1", taken(given))
    _refused(
        theme, get | {"seed": SEED, "authority": AUTHORITY, "created": NOW, "nonce": "AAECAwQFBgcICQoLDA0ODw"}, put
    )
    return theme


def signed(
    seed: bytes, method: str, authority: str, path: str, query: str, created: int, nonce: str, *, body: bytes = b"",
    content_type: str = "",
) -> dict[str, Any]:  # fmt: skip
    """9.1.1."""
    key = IdentityKey(seed)
    covered = {"@method": method, "@authority": authority, "@path": path, "@query": query}
    if body:
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        covered |= {"content-digest": f"sha-256=:{digest}:", "content-type": content_type}
    names = " ".join(f'"{name}"' for name in covered)
    terms = f'created={created};keyid="{key.public.fingerprint}";alg="ed25519";nonce="{nonce}";tag="aquila"'
    parameters = f"({names});{terms}"
    base = "".join(f'"{name}": {value}\n' for name, value in covered.items()) + f'"@signature-params": {parameters}'
    signature = base64.b64encode(key.sign(base.encode("ascii"))).decode()
    headers = {name: value for name, value in covered.items() if not name.startswith("@")}
    headers |= {"signature-input": f"aquila={parameters}", "signature": f"aquila=:{signature}:"}
    return {"headers": headers, "signature_base": base}


def taken(given: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a call as it comes."""
    return {
        "method": given["method"],
        "url": f"https://{given['authority']}{given['path']}{given['query'].rstrip('?')}",
        "headers": signed(**given)["headers"],
        "body": given.get("body", b""),
        "authority": AUTHORITY,
        "now": NOW,
        "registry": [SEED],
    } | changes


def _refused(theme: Theme, get: dict[str, Any], put: dict[str, Any]) -> None:
    put = get | put

    def refused(name: str, of: dict[str, Any], kind: str = "signature", paragraph: str = "9.1", **changes: Any) -> None:
        theme.invalid(name, "take", paragraph, taken(of) | changes, kind)

    def headers(of: dict[str, Any], **changes: str) -> dict[str, str]:
        found = dict(signed(**of)["headers"])
        for name, change in changes.items():
            before, after = change.split(" -> ")
            header = name.replace("_", "-")
            assert before in found[header], (name, found[header])
            found[header] = found[header].replace(before, after)
        return found

    refused("call_with_another_method", get, method="DELETE")
    refused("call_with_another_path", get, url=f"https://{AUTHORITY}/v1/log?wait=0&state=a%20b")
    refused("call_with_another_query", get, url=f"https://{AUTHORITY}/v1/rounds?wait=1&state=a%20b")
    refused("call_with_a_query_decoded", get, url=f"https://{AUTHORITY}/v1/rounds?wait=0&state=a+b")
    refused("call_to_another_service", get | {"authority": "node.example:8700"})
    refused("call_of_an_unknown_key", get, registry=[OTHER])
    refused("call_from_301_seconds_ago", get, "replay", now=NOW + 301)
    refused("call_from_301_seconds_ahead", get, "replay", now=NOW - 301)
    refused("call_with_another_body", put, body=octets("another chunk", 64))
    refused("call_without_its_body", put, body=b"")
    refused("call_with_a_body_that_is_not_signed", get, body=b"a body")
    digest = "sha-256=:" + base64.b64encode(hashlib.sha256(octets("another chunk", 64)).digest()).decode() + ":"
    swapped = dict(signed(**put)["headers"]) | {"content-digest": digest}
    refused("call_with_another_digest", put, headers=swapped, body=octets("another chunk", 64))
    refused("call_with_another_content_type", put, headers=headers(put, content_type="octet-stream -> json"))
    form = {"paragraph": "9.1.1"}
    refused("call_with_another_label", get, **form, headers=headers(get, signature_input="aquila= -> sig1="))
    refused("call_with_blanks_after_semicolons", get, **form, headers=headers(get, signature_input=";nonce -> ; nonce"))
    changed = {"signature_input": '"@method" "@authority" -> "@authority" "@method"'}
    refused("call_with_components_in_another_order", get, **form, headers=headers(get, **changed))
    refused("call_that_does_not_sign_its_query", get, **form, headers=headers(get, signature_input=' "@query" -> '))
    refused("call_with_another_algorithm", get, **form, headers=headers(get, signature_input="ed25519 -> hmac-sha256"))
    refused("call_with_another_tag", get, **form, headers=headers(get, signature_input='tag="aquila" -> tag="other"'))
    refused("call_with_another_nonce", get, **form, headers=headers(get, signature_input="AAEC -> BAEC"))
    without = {name: value for name, value in signed(**get)["headers"].items() if name != "signature"}
    refused("call_without_a_signature", get, **form, headers=without)
