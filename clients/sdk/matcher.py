"""The secretariat's client of the matcher: propose rounds, watch them, end them."""

from __future__ import annotations

from aquila.interface.approval import PendingApproval
from aquila.interface.attention import AttentionList
from aquila.interface.proposal import ProposalDefaults
from aquila.interface.rounds import AbortReason, MatcherRoundView, RoundPage, RoundProposal
from aquila.interface.service.health import ServiceHealth
from aquila.interface.service.party import (
    Admittance,
    FileContent,
    NewInvitation,
    NewMatcherAddress,
    OwnRenewal,
    Parties,
    RegistryView,
    RenewedKey,
)
from aquila.interface.statistics import RegionalPicture, Statistics
from clients.sdk.service_client import ServiceClient, acts, answers, reads


class MatcherClient(ServiceClient):
    """The matcher's operator interface. Statistics are rounded; rounds and statistics come newest first."""

    service = "matcher"

    proposal_defaults = answers("get_proposal_defaults", ProposalDefaults)
    propose = answers("post_round", PendingApproval, RoundProposal)
    rounds = answers("get_all_rounds", RoundPage)
    health = answers("get_service_health", ServiceHealth)
    needs = answers("get_needs", AttentionList)
    parties = answers("get_parties", Parties)
    registry = answers("get_registry", RegistryView)
    registry_file = answers("get_file", FileContent)
    restate_registry = answers("post_registry", PendingApproval)
    move = answers("post_move", PendingApproval, NewMatcherAddress)
    invite = answers("post_invitation", FileContent, NewInvitation)
    admit = answers("post_party", PendingApproval, Admittance)
    replace_key = answers("post_renewal", PendingApproval, RenewedKey)
    renew_identity = answers("post_own_renewal", PendingApproval, OwnRenewal)
    remove_party = answers("post_removal", PendingApproval)
    round = answers("get_round", MatcherRoundView)
    close = acts("post_close")
    abort = answers("post_abort", PendingApproval, AbortReason)
    statistics = answers("get_statistics", Statistics)
    picture = answers("get_picture", RegionalPicture)
    statistics_csv = reads("get_statistics_csv")
