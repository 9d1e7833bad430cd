"""Handlers of a browser's requests: one module for each part of the site."""

from collections.abc import Sequence

from fastapi import APIRouter

from clients.web.app.site import Site
from clients.web.pages import (
    administration,
    approvals,
    home,
    log,
    looks,
    practice,
    report,
    rounds,
    sign_in,
    statistics,
    subjects,
    unit,
    upkeep,
)
from clients.web.pages.hits import export, hit, queries, requests, review
from clients.web.pages.records import lists, search

_SHARED = (sign_in.router, administration.router, log.router, looks.router, approvals.router, upkeep.router)
_HITS = (review.router, requests.router, export.router, hit.router, queries.router)
_NODE = (home.node, unit.router, administration.node, *_HITS, lists.router, search.router, subjects.router, rounds.node)
_MATCHER = (home.matcher, administration.matcher, rounds.matcher, statistics.router, report.router)


def routers_of(site: Site) -> Sequence[APIRouter]:
    if not site.is_node:
        return (*_SHARED, *_MATCHER)
    return (*_SHARED, *_NODE, practice.router if site.practice else practice.about)
