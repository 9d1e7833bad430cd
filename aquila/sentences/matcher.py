"""Sentences of `matcher`."""

from typing import Final

from aquila.sentences.sentence import Table, Text

MATCHER: Final[Table] = {
    "report_checkpoint_unknown": Text(
        "the log has no checkpoint of the size that the report names",
        "make the report anew, once the log has a checkpoint",
    ),
    "aborted_by_secretariat": Text("the secretariat aborted it"),
    "answer_refused": Text("{owner} refuses its answer to a query of {asker}; the round goes on without it"),
    "checks_differ": Text("{left} and {right} do not both find that nothing was left out between them"),
    "cap_of_party_outside_round": Text("a cap is for a party that does not take part"),
    "caps_exceed_free_disk": Text(
        "the round's caps may take {needed} MiB of disk, and what other rounds have reserved leaves {free} MiB free",
        "propose lower caps, close other rounds, make room, or lower limits.free_mebibytes",
    ),
    "consent_exceeds_free_disk": Text(
        "the matcher's disk has no room for the lists of this party now: they may take {needed} MiB",
        "the consent is sent again by itself; the secretariat can make room, or end rounds that reserve it",
    ),
    "consent_time_before_proposal": Text("the time for consents is over before the round is proposed"),
    "ended_aborted": Text("aborted: {reason}"),
    "ended_closed": Text("closed: {reason}"),
    "evaluation_quota_used_up": Text(
        "the round's quota of evaluations is used up until their origins fetch them",
        "the call is repeated by itself; look whether all nodes are running",
    ),
    "every_party_has_its_hits": Text("every party has its hits"),
    "faulty_tokens": Text("{party} sent faulty tokens for {counterpart}: {reason}"),
    "guesses_list": Text("list of {party}: {sign}"),
    "guesses_query": Text("query of {party}: {sign}"),
    "match_rules_of_round_missing": Text(
        "the matcher does not have the match rules of this round any more",
        "name the rule table's file in the settings (rules)",
    ),
    "match_rules_unknown": Text("the matcher has no match rules of this name", "it has {listed}"),
    "matcher_key_with_open_rounds": Text(
        "{count} rounds are not over, such as {round}: the matcher's key changes between rounds",
        "close or abort them first",
    ),
    "matcher_restored": Text("the matcher was restored from a backup, which holds no elements and tokens"),
    "participant_named_twice": Text("a participant is named twice"),
    "participants_not_registered": Text(
        "the registry does not know {parties}", "register the party's card, then start the matcher again"
    ),
    "party_in_open_rounds": Text(
        "{party} is in {count} rounds that are not over, such as {round}", "close or abort these rounds first"
    ),
    "party_not_registered": Text(
        "{party} is not registered here, or has left", "see the parties with `aquila party registry`"
    ),
    "party_registered_already": Text(
        "{party} is registered here already, with the key that it has or had",
        "a party that lost its key cannot be invited again under its code",
    ),
    "party_takes_no_further_part": Text("{party} takes no further part: {reason}"),
    "proposal_unusable": Text("the proposal makes no manifest: {fields}"),
    "registry_accepted_otherwise": Text(
        "{party} accepted another registry under number {number} than this matcher stated",
        "somebody spoke to {party} in this matcher's name: compare the words by telephone",
    ),
    "registry_matcher_key_differs": Text(
        "the registry pins another key for the matcher than this one",
        "compare `aquila party card` with the registry file",
    ),
    "report_held_back": Text("{owner} holds back the report of a query of {asker}: {hits} hits are far too many"),
    "round_ended_or_ending": Text("the round has ended or is to be aborted"),
    "round_lacks_consents": Text("no two parties that may be compared consented in time"),
    "round_report_on_hold_at": Text(
        "the round cannot be closed while {parties} holds the report on a query back",
        "an approver there releases or refuses the report, or the round is aborted",
    ),
    "round_time_over": Text("its time is over"),
    "round_time_over_without_hits": Text("its time is over, and not every party has its hits"),
    "round_unknown": Text("there is no such round"),
    "round_waits_for_nobody": Text("the round {round} waits for no party"),
    "statements_repeated": Text("{party} said {statements} times more what it had said as often as it can"),
    "submission_unknown": Text("the round has no such submission"),
    "template_in_open_round": Text(
        "the round {round} is not over, and comes from version {version} of the template {template}",
        "keep this version in the file until the round is over",
    ),
    "template_not_stated": Text(
        "the registry in force has no template {template}", "state it first: aquila call post_templates"
    ),
    "to_be_aborted": Text("to be aborted: {reason}"),
    "to_be_closed": Text("to be closed: {reason}"),
}

MATCHER_FAULTS: Final[Table] = {
    "bytes_for_another_party": Text("these bytes are for another party"),
    "chunk_not_here": Text("the chunk is not here"),
    "chunk_not_sent_by_signer": Text("only the party that signed a chunk may send it"),
    "chunk_size_differs": Text("the chunk has another size than was signed"),
    "chunk_statement_not_accepted": Text(
        "no statement that was accepted tells of this chunk", "send the signed statement first"
    ),
    "evaluation_not_here": Text("the evaluation is not here"),
    "health_consents_without_room": Text(
        "the disk lacks {missing} MiB for the parties that have not consented to round {round}",
        "make room, or end rounds that reserve it; their consents are sent again by themselves",
    ),
    "health_rounds_failed": Text(
        "{count} open rounds have a pair whose tokens cannot be joined",
        "see them on the first page, or with `aquila call get_all_rounds`",
    ),
    "join_disk_refused": Text(
        "the join of tokens could not write to {folder} or read from it",
        "check whether the disk is full; the join starts again by itself",
    ),
    "join_memory_too_small": Text(
        "the join of tokens needs more than {memory} MiB of memory",
        "raise `match.memory_mebibytes` in the settings, or lower `match.rows_per_range`, and restart the service",
    ),
    "matcher_address_unknown": Text(
        "the matcher's own address is not known: its port is left to the system",
        "set listen.public_url or listen.port in matcher.toml",
    ),
    "matcher_ca_unreadable": Text(
        "the CA {path} cannot be read", "set command.ca in matcher.toml to the CA of its certificate"
    ),
    "matcher_registry_unreadable": Text(
        "the registry {registry} cannot be read: {fault}",
        "give it to the service's user if it is there: chown; else register the parties' cards: aquila party register",
    ),
    "new_home_settings_unreadable": Text("the settings file {settings} cannot be read: {fault}"),
    "round_takes_no_chunks": Text("the round has ended and takes no chunks"),
    "rounding_key_missing": Text("the key by which published numbers are rounded is missing from the database"),
    "settings_file_of_another_home": Text(
        "the settings file {settings} is of another home", "a new home needs {wanted}"
    ),
    "stored_events_invalid": Text(
        "the stored events of round {round} do not hold together: {reason}",
        "was the registry or the database changed? restore both from the same backup",
    ),
    "worker_scratch_folder_missing": Text(
        "a worker that joins tokens does not see the matcher's scratch folder",
        "put the matcher's home on storage that every worker mounts at the same place, or join locally",
    ),
}
"""Faults of machines, keys, files and bytes, which no officer can mend: in English on every page."""
