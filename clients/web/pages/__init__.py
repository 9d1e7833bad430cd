"""Handlers of a browser's requests: one module for each part of the site."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from clients.web.app.site import Site
from clients.web.pages import approvals, home, matcher_rounds, node_rounds, practice, sign_in, static_files, statistics
from clients.web.pages.administration import accounts, log, registry
from clients.web.pages.hits import erasures, export, hit, queries, review, standing_queries
from clients.web.pages.records import corrections, lists, search

_SHARED = (static_files.router, sign_in.router, accounts.router, approvals.router, log.router)
_HITS = (review.router, export.router, hit.router, erasures.router)
_RECORDS = (lists.router, search.router, corrections.router)
_NODE = (home.node, registry.node, *_HITS, standing_queries.router, queries.router, *_RECORDS, node_rounds.router)
_MATCHER = (home.matcher, registry.matcher, matcher_rounds.router, statistics.router)


def routers_of(site: Site) -> Sequence[APIRouter]:
    """Return the pages of a site."""
    if not site.is_node:
        return (*_SHARED, *_MATCHER)
    return (*_SHARED, *_NODE, practice.router if site.practice else practice.about)
