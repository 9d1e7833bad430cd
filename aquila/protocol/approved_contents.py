"""Digests of the contents that two persons approve, so that an auditor can make them again (PROTOCOL.md 10.2.1).

A content is approved as a whole. Its digest is over its canonical JSON, in which three members stand for what the log
does not tell: the manifest for the digest that every consent names, the list and the terms of a standing query for
SHA-256 digests, which the entries of the request and of its approval hold.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from aquila.crypto.envelope import digest_of_payload
from aquila.protocol.encoding import canonical
from aquila.protocol.messages import Manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aquila.protocol.messages import Justification, Submission


def content_digest(content: Mapping[str, Any]) -> str:
    """Return the digest of what two persons approve, hexadecimal.

    Args:
        content: As it is stored and shown: JSON.
    """
    return digest(summary(content))


def summary(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a content with digests in the places of manifest, list and terms; the list's salt goes into its digest."""
    found = dict(content)
    if "manifest" in found:
        found["manifest"] = digest_of_payload(Manifest.payload_type, canonical(found["manifest"]))
    if "import" in found:
        found["import"] = digest({"import": found["import"], "salt": found.pop("salt", "")})
    if "terms" in found:
        found["terms"] = digest(found["terms"])
    return found


def digest(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document's canonical JSON, hexadecimal."""
    return hashlib.sha256(canonical(dict(document))).hexdigest()


def proposal(round_id: str, manifest_digest: str, suggestion_id: str | None) -> dict[str, Any]:
    """Return the summary of an approved proposal, which may answer a suggestion."""
    found = {"kind": "proposal", "round_id": round_id, "manifest": manifest_digest}
    return found if suggestion_id is None else found | {"suggestion_id": suggestion_id}


def consent(round_id: str, manifest_digest: str) -> dict[str, Any]:
    """Return the summary of an approved consent."""
    named = {"manifest_digest": manifest_digest, "manifest": manifest_digest}
    return {"kind": "consent", "round_id": round_id} | named


def submission(signed: Submission, manifest_digest: str, list_digest: str) -> dict[str, Any]:
    """Return the summary of an approved list or query, from what was signed of it.

    Args:
        signed: The signed submission.
        manifest_digest: Of the round's manifest, as the party's consent names it.
        list_digest: Of the list, as the entry of the approval names it.
    """
    return {
        "kind": "submission",
        "round_id": signed.round_id,
        "manifest_digest": manifest_digest,
        "submission_id": signed.submission_id,
        "submission_kind": signed.kind.value,
        "import": list_digest,
        "justification": signed.justification.model_dump(mode="json"),
    }


def standing_query(
    justification: Justification, ids: Mapping[str, str], digests: Mapping[str, str], until: int
) -> dict[str, Any]:
    """Return the summary of an approved standing query.

    Args:
        justification: Of a query that was asked under it.
        ids: `standing` and `like_round`, as the entry of the approval names them.
        digests: `import` and `terms`, likewise.
        until: Until when it may be asked, in seconds since 1970.
    """
    return {
        "kind": "standing_query",
        "round_id": None,
        "like_round": ids.get("like_round"),
        "standing_id": ids.get("standing"),
        "import": digests.get("import"),
        "justification": justification.model_dump(mode="json"),
        "terms": digests.get("terms"),
        "until": until,
    }


def abort(round_id: str, reason: str) -> dict[str, Any]:
    """Return the summary of an approved end of a round."""
    return {"kind": "abort", "round_id": round_id, "reason": reason}


def named_in_entry(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the ids, digests and counts with which entries name what the digest of a content cannot tell."""
    found = summary(content)
    ids = {"suggestion": "suggestion_id", "standing": "standing_id", "like_round": "like_round"}
    return {
        "ids": {name: found[member] for name, member in ids.items() if member in found},
        "digests": {name: found[name] for name in ("import", "terms") if name in found},
        "counts": {"until": found["until"]} if "until" in found else {},
    }
