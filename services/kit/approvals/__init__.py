"""Dual control: a request takes effect after another person has approved exactly that content.

    asked = request(approvals, actor, content)

The content is stored as canonical JSON (RFC 8785) and known by its SHA-256. Who approves names the digest of what they
read; the stored content takes effect in the very transaction that records the approval, or neither happens. A changed
content has another digest and is another request.
"""

from __future__ import annotations

from services.kit.approvals.context import Approvals, Content, UseCase
from services.kit.approvals.requests import request

__all__ = ["Approvals", "Content", "UseCase", "request"]
