"""The secretariat's client of the matcher: propose rounds, watch them, end them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from aquila.interface.approval import PendingApproval
from aquila.interface.attention import AttentionList
from aquila.interface.proposal import ProposalDefaults
from aquila.interface.rounds import AbortReason, MatcherRoundView, RoundPage
from aquila.interface.service.health import ServiceHealth
from aquila.interface.service.party import (
    Admittance,
    FileContent,
    NewMatcherAddress,
    OwnRenewal,
    Parties,
    RegistryView,
    RenewedKey,
)
from aquila.interface.statistics import RegionalPicture, Statistics
from clients.sdk.connection import list_query

if TYPE_CHECKING:
    from aquila.interface.rounds import RoundProposal
    from aquila.interface.service.party import NewInvitation
    from clients.sdk.connection import Connection

_ROUNDS = "/v1/operator/rounds"
_REGISTRY = "/v1/operator/registry"


class MatcherClient:
    """The matcher's operator interface. Every method raises the error in the matcher's problem document."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def proposal_defaults(self) -> ProposalDefaults:
        """Return the default values of a proposal, and its choices."""
        return self._connection.fetch(ProposalDefaults, "GET", "/v1/operator/proposal-defaults")

    def propose(self, proposal: RoundProposal) -> PendingApproval:
        """Ask for a new round; it waits for a second person."""
        return self._connection.fetch(PendingApproval, "POST", _ROUNDS, json=proposal.model_dump(mode="json"))

    def rounds(self, offset: int = 0, limit: int | None = None, *, ongoing: bool = False) -> RoundPage:
        """Return rounds, newest first.

        Args:
            offset: How many newer ones are left out.
            limit: At most so many; all of them if None.
            ongoing: Only those that are not over.
        """
        query = list_query(offset, limit, ongoing=ongoing)
        return self._connection.fetch(RoundPage, "GET", _ROUNDS, params=query)

    def health(self) -> ServiceHealth:
        """Return the report on the matcher's health."""
        return self._connection.fetch(ServiceHealth, "GET", "/v1/service/health")

    def needs(self) -> AttentionList:
        """Return rounds that need attention: contradictions, alarms and delays, the most pressing first."""
        return self._connection.fetch(AttentionList, "GET", "/v1/operator/needs")

    def parties(self) -> Parties:
        """Return the parties that the matcher knows, with their keys and last contacts."""
        return self._connection.fetch(Parties, "GET", "/v1/operator/parties")

    def registry(self) -> RegistryView:
        """Return the registry and who has accepted it."""
        return self._connection.fetch(RegistryView, "GET", _REGISTRY)

    def restate_registry(self) -> RegistryView:
        """State the registry again, after its file was changed."""
        return self._connection.fetch(RegistryView, "POST", _REGISTRY)

    def move(self, url: str, ca: str | None) -> str:
        """State another address of the matcher, and return the content of the file for the parties."""
        body = NewMatcherAddress(url=url, ca=ca).model_dump(mode="json")
        return self._connection.fetch(FileContent, "POST", f"{_REGISTRY}/move", json=body).content

    def invite(self, wanted: NewInvitation) -> str:
        """Return the content of an invitation's file."""
        body = wanted.model_dump(mode="json")
        return self._connection.fetch(FileContent, "POST", f"{_REGISTRY}/invitations", json=body).content

    def admit(self, request: str, spoken: str) -> RegistryView:
        """Register the party of a request to join, by the words that it reads aloud."""
        body = Admittance(content=request, spoken=spoken).model_dump(mode="json")
        return self._connection.fetch(RegistryView, "POST", f"{_REGISTRY}/parties", json=body)

    def replace_key(self, renewal: str, spoken: str, *, revoked: bool) -> RegistryView:
        """Put a party's new identity key in the place of its old one, by the words that the party reads aloud."""
        body = RenewedKey(content=renewal, spoken=spoken, revoked=revoked).model_dump(mode="json")
        return self._connection.fetch(RegistryView, "POST", f"{_REGISTRY}/renewals", json=body)

    def renew_identity(self, *, revoked: bool) -> RegistryView:
        """Renew the matcher's own identity key; it takes effect at the matcher's next start."""
        body = OwnRenewal(revoked=revoked).model_dump(mode="json")
        return self._connection.fetch(RegistryView, "POST", f"{_REGISTRY}/own-renewal", json=body)

    def remove_party(self, party: str) -> RegistryView:
        """Let a party leave."""
        return self._connection.fetch(RegistryView, "POST", f"{_REGISTRY}/parties/{quote(party, safe='')}/remove")

    def round(self, round_id: str) -> MatcherRoundView:
        """Return one round as the matcher sees it."""
        return self._connection.fetch(MatcherRoundView, "GET", _round(round_id))

    def close(self, round_id: str) -> None:
        """Ask the matcher to close a round whose hits every party has."""
        self._connection.call("POST", _round(round_id, "/close"))

    def abort(self, round_id: str, reason: str) -> PendingApproval:
        """Ask for the end of a round, in which every party destroys its keys; it waits for a second person."""
        body = AbortReason(reason=reason).model_dump(mode="json")
        return self._connection.fetch(PendingApproval, "POST", _round(round_id, "/abort"), json=body)

    def statistics(  # noqa: PLR0913 - each is a parameter of the call
        self,
        category: str = "",
        since: str = "",
        until: str = "",
        offset: int = 0,
        limit: int | None = None,
        *,
        matched: bool = False,
    ) -> Statistics:
        """Return rounds in numbers, each by itself and rounded, newest first.

        Args:
            category: Only rounds of this category of persons.
            since: The first day (YYYY-MM-DD).
            until: The last day.
            offset: How many newer ones are left out.
            limit: At most so many; all of them if None.
            matched: Only rounds of which lists were matched.
        """
        chosen = _chosen(category=category, since=since, until=until, matched="true" if matched else "")
        query = chosen | list_query(offset, limit)
        return self._connection.fetch(Statistics, "GET", "/v1/operator/statistics", params=query)

    def picture(self, category: str = "", since: str = "", until: str = "", round_id: str = "") -> RegionalPicture:
        """Return one round in numbers, next to the newest others of its category: the latest by default."""
        query = _chosen(category=category, since=since, until=until, round_id=round_id)
        return self._connection.fetch(RegionalPicture, "GET", "/v1/operator/picture", params=query)

    def statistics_csv(self, category: str = "", since: str = "", until: str = "") -> bytes:
        """Return the statistics as CSV; arguments are those of `statistics`."""
        query = _chosen(category=category, since=since, until=until)
        return self._connection.call("GET", "/v1/operator/statistics.csv", params=query)


def _chosen(**query: str) -> dict[str, str]:
    """Return the parameters that have a value."""
    return {name: value for name, value in query.items() if value}


def _round(round_id: str, rest: str = "") -> str:
    return f"{_ROUNDS}/{quote(round_id, safe='')}{rest}"
