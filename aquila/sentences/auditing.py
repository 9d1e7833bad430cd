"""Sentences of `aquila/protocol/auditing`, which auditors alone read."""

from typing import Final

from aquila.sentences.sentence import Table, Text

_TWO_PERSONS = "ask the service's administrator for both persons: two must stand behind it"

AUDITING: Final[Table] = {
    "another_copy_of_log": Text("another copy of it"),
    "approval_by_one_person": Text(
        "entry {index}: one person asked for the {what} of round {round} and approved it", _TWO_PERSONS
    ),
    "approval_missing": Text(
        "entry {index}: no approval before it is of exactly this {what} of round {round}", _TWO_PERSONS
    ),
    "approval_without_request": Text(
        "entry {index}: the {what} of round {round} was approved and nobody had asked for exactly that", _TWO_PERSONS
    ),
    "report_differs_from_signature": Text(
        "the file is not the report that was signed: its SHA-256 is {got}, the signed one is {expected}",
        "ask the secretariat for the report together with its signature",
    ),
    "registry_without_two_persons": Text(
        "entry {index}: the log does not show that one person asked for exactly this registry and another approved it",
        _TWO_PERSONS,
    ),
    "checkpoint_differs_from_name": Text("{name}: it is another checkpoint than its name says"),
    "checkpoint_head_differs_from_tiles": Text("checkpoint: its head is not the one that the hash tiles give"),
    "checkpoint_index_malformed": Text("checkpoints/index: it does not list one size in each line"),
    "checkpoint_index_not_ascending": Text("checkpoints/index: the sizes do not ascend to that of the checkpoint"),
    "checkpoint_log_differs_from_name": Text("{name}: it is a checkpoint of another log than its name says"),
    "close_not_asked_for": Text("entry {index}: round {round} was closed before its time and nobody had asked for it"),
    "ending_not_cosigned": Text(
        "round {round}: {party} has cosigned no checkpoint that holds all that it said and the ending"
    ),
    "entries_left_out": Text("this copy leaves out {count} of {size} entries, by its owner's word"),
    "entry_batch_sent_twice": Text("entry {index}: {sender} sends a batch of notes twice"),
    "entry_dated_after_witnessed": Text("entry {index}: it is dated after a witness saw it"),
    "entry_dated_before_witnessed": Text("entry {index}: it is dated before a witness saw the log without it"),
    "entry_differs_from_matcher_log": Text(
        "entry {index} of the log of {party}: the matcher's log says something else of the same statement"
    ),
    "entry_differs_from_statement": Text("entry {index}: it says something else than its statement: {listed}"),
    "entry_differs_from_tree": Text("{name}: entry {index} is not the one that the tree holds"),
    "entry_erased_before_witnessed": Text(
        "entry {index}: contents were erased that no witness saw {expected} days before, by its own clock"
    ),
    "entry_erased_too_early": Text("entry {index}: contents were erased after {got} days"),
    "entry_erased_without_retention_entry": Text(
        "entry {early}: its content is gone, and no entry says that retention allowed it"
    ),
    "entry_form_wrong": Text("entry {index}: it does not have the form of a {kind}"),
    "entry_key_change_unknown": Text(
        "entry {index}: it replaces a key of {party} in another way than the registry knows",
        "use the newest registry file, after its words were compared",
    ),
    "entry_key_never_introduced": Text(
        "entry {index}: {party} signed with a key by which this log never says that it replaced another"
    ),
    "entry_manifest_invalid": Text("entry {index}: the manifest of round {round} does not count: {reason}"),
    "entry_not_allowed_by_round": Text("entry {index}: round {round_id} does not allow it: {reason}"),
    "entry_not_left_out": Text("{file}: entry {index} is not left out"),
    "entry_notes_not_due": Text("entry {index}: {sender} sends notes to {receiver} that are not due"),
    "entry_opening_too_early": Text(
        "entry {index}: round {round} is opened before everybody has answered, or without two that may be compared"
    ),
    "entry_pair_wrongly_matched": Text("entry {index}: {left} and {right} are matched twice, or may not be"),
    "entry_report_hits_differ": Text(
        "entry {index}: the report to {party} says {got} hits, and {expected} by its levels"
    ),
    "entry_report_not_due": Text("entry {index}: {party} is sent a report that is not due"),
    "entry_report_page_out_of_order": Text("entry {index}: a page of the report to {party} is not the next one"),
    "entry_report_sent_twice": Text("entry {index}: {party} is sent a second report of the same"),
    "entry_round_not_proposed": Text("entry {index}: it is of a round that was never proposed"),
    "entry_round_proposed_twice": Text(
        "entry {index}: round {round} was proposed before, by entry {first}",
        "a round has one proposal: the two entries are the evidence, and nothing of this round counts",
    ),
    "entry_seen_head_differs": Text(
        "entry {index}: {party} signed that it had seen another head of {size} entries",
        "its owner showed two logs: this log and the statement are the evidence",
    ),
    "entry_seen_size_too_large": Text(
        "entry {expected}: {party} signed that it had seen {got} entries, more than came before"
    ),
    "entry_signed_by_replaced_key": Text("entry {index}: {party} signed with a key that was replaced before"),
    "entry_statement_differs": Text("entry {index}: the statement there is another one"),
    "entry_statement_invalid": Text("entry {index}: its statement is not valid: {reason}"),
    "entry_statement_missing": Text("entry {index}: the statement that it is about is missing"),
    "entry_statement_number_reused": Text("entry {index}: {party} said something else under the number {number}"),
    "entry_statement_repeated": Text("entry {index}: its statement is that of entry {seen} already"),
    "entry_statement_unexpected": Text("entry {index}: there is a statement for it, and it is about none"),
    "entry_statement_wrongly_refused": Text(
        "entry {index}: the matcher refused a statement of {recipient} that the round allows"
    ),
    "hits_of_aborted_round": Text(
        "the round was aborted before {left} or {right} signed how many hits they have {of_query}"
    ),
    "hash_differs_from_tile_below": Text("{name}: hash {place} is not that of the tile below it"),
    "hits_not_acknowledged": Text("neither {left} nor {right} signed how many hits they have {of_query}"),
    "kept_checkpoint": Text("the checkpoint that was kept"),
    "last_words_not_cosigned": Text("round {round}: {party} has cosigned no checkpoint that holds all that it said"),
    "log_alarm_found": Text(
        "entry {index} of the log of {holder}: it raised an alarm over the log of {counterpart} ({what}), {state}"
    ),
    "log_alarm_not_acknowledged": Text("which nobody has acknowledged"),
    "log_alarm_acknowledged": Text("which was acknowledged by entry {index}"),
    "log_copy_older": Text(
        "the log of {holder} has {got} entries, and is older than {whose}: {expected}",
        "it was cut, or exported before: export it again",
    ),
    "log_file_invalid": Text("{name}: {reason}"),
    "log_file_missing": Text("{name}: the file is missing"),
    "log_forked_at_checkpoint": Text(
        "{name}: the log forked: this checkpoint is not the head of its first {size} entries",
        "its owner signed two logs: this file and the checkpoint are the evidence",
    ),
    "log_forked_between_copies": Text(
        "the log of {holder} forked: {whose} is not the head of its first {expected} entries",
        "its owner signed two logs: both checkpoints are the evidence",
    ),
    "log_holder_unknown": Text("the log is of nobody whom the registry names"),
    "log_lacks_own_statement": Text(
        "the log of {party} lacks its own statement number {number} in round {round}",
        "its database was restored from a backup, or somebody else signs with its key",
    ),
    "log_registry_key_differs": Text(
        "registry.json: the log names another key for {holder} than the auditor's registry",
        "compare fingerprints with the parties by telephone, and use the registry that they exchanged",
    ),
    "log_registry_unreadable": Text("registry.json: it cannot be read"),
    "log_too_long_for_auditor": Text("checkpoint: the log has more entries than an auditor can hold"),
    "named_head_refused": Text("{reason}; the matcher refused it: {party} was shown another log, or made it up"),
    "newest_entries_not_cosigned": Text("no witness has cosigned entry {index}, nor what follows it"),
    "number_of_refused_unshown": Text(
        "number {number} of {party} is of a statement that the matcher says it refused, and does not show: whether "
        "{party} made it only its own log shows"
    ),
    "number_of_unconfirmed_notes": Text(
        "number {number} of {party} is of sealed notes that nobody confirmed: whether {party} sent them only its own "
        "log shows"
    ),
    "numbers_perhaps_left_out": Text("the numbers {numbers} of {party} may be of entries that this copy leaves out"),
    "numbers_perhaps_refused": Text(
        "the numbers {numbers} of {party} may be of statements that the matcher refused: it refused more than it keeps"
    ),
    "pair_checks_differ": Text(
        "{left} and {right} each signed {of_query} that no hit was left out, and cannot both be right: they have "
        "other keys for their tags, or were told of other pairs"
    ),
    "pair_left_out": Text("{party} signed of its hits with {other} {of_query}: {why}"),
    "pair_not_reported": Text(
        "the lists of {left} and {right} were never compared, though both signed their tokens, and nothing says why"
    ),
    "pair_not_checked": Text("{party} has not signed {of_query} whether hits with {other} were left out"),
    "point_of_round": Text("round {round}: {point}"),
    "published_statistics_differ_from_log": Text(
        "{name}: the matcher published other statistics than the log's entries give"
    ),
    "query_not_answered": Text(
        "the query {submission_id} of {party} was never answered by {listed}, though its tokens came, and nothing says "
        "why"
    ),
    "query_not_evaluated": Text(
        "the query {submission_id} of {party} has no answer: the round ended before {listed} had evaluated it, unless "
        "this log left that out, which their own logs show"
    ),
    "query_without_tokens": Text(
        "the query {submission_id} of {party} has no answer: the round ended before {party} had sent its tokens, "
        "unless this log left them out, which its own log shows"
    ),
    "report_of_aborted_round": Text(
        "the round was aborted before {party} signed a receipt of its report with {other} {of_query}: how many hits it "
        "was told only its own log shows"
    ),
    "report_not_acknowledged": Text(
        "{party} signed no receipt of its report with {other} {of_query}: how many hits it was told only its own log "
        "shows"
    ),
    "round_checkpoint_not_cosigned": Text(
        "round {round}: {party} worked in it and cosigned no checkpoint that holds {part}",
        "if it happened a moment ago, wait for the party's next contact and export again; else ask the party "
        "for its log and compare (--with)",
    ),
    "round_closed_before_confirmation": Text(
        "round {round_id} was closed before {party} had confirmed its hits with {other}"
    ),
    "round_closed_before_pair": Text(
        "round {round_id} was closed while the lists of {party} and {other} could still be compared"
    ),
    "round_closed_without_statement": Text("round {round_id} was closed without the {what} of {party} with {other}"),
    "round_closing_missing": Text("{party} never said that its keys are destroyed"),
    "round_ending": Text("its ending and the party's last word"),
    "round_ending_seen_without_closing": Text(
        "round {round}: {party} never said that its keys are destroyed, and has seen the ending",
        "if it happened a moment ago, wait for the party's next contact and export again; else ask the party "
        "for its log and compare (--with)",
    ),
    "round_hit_count_differs": Text(
        "round {round_id}: {party} was told of {got} hits of the level {level} with {other} {of_query}, and {expected} "
        "were matched"
    ),
    "round_opening": Text("its opening"),
    "round_pair_not_matched": Text("round {round_id}: {left} and {right} were not matched {of_query}"),
    "round_pair_tags_differ": Text(
        "round {round_id}: {party} signed that other tags met with {other} than the match says",
        "the matcher told its parties something else than its log: the check and this entry are the evidence",
    ),
    "round_statements_missing": Text(
        "round {round}: statements of {party} are missing, with the numbers {numbers}",
        "the matcher left them out, or must show what it refused; see the party's own log (--with)",
    ),
    "seen_by_witness": Text("what {witness} has seen of it"),
    "statement_nobody_signed": Text(
        "the matcher's log says that {party} sent sealed notes, number {number} in round {round}, and its own log has "
        "none: nothing shows who made them up"
    ),
    "statement_left_out": Text("{lacking}", "the matcher had seen the party's log with it: it left the statement out"),
    "statement_not_entered": Text(
        "entry {index} of the log of {holder}: the matcher's log has no entry of this {kind}, number "
        "{number} in round {round}"
    ),
    "statement_perhaps_not_sent": Text("{lacking}; it may not have been sent yet, or be in what this copy lacks"),
    "statement_refused_unshown": Text(
        "{lacking}; it is said to have been refused, and the matcher's log does not show what was"
    ),
    "unproven_in_strict_audit": Text("{point}", "without --strict this is printed and passes"),
}
