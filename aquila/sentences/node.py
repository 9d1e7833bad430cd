"""Sentences of `node`."""

from typing import Final

from aquila.sentences.sentence import Table, Text

NODE: Final[Table] = {
    "both_notes_verified": Text("both sides have verified that they hold the same values"),
    "check_differs": Text("the other side was told of other tags, or found something left out"),
    "chunk_cannot_be_had": Text("the chunk cannot be had: {reason}"),
    "chunk_evaluated_wrongly": Text("{party} evaluated chunk {chunk} wrongly: {reason}"),
    "chunk_not_evaluated": Text("chunk {chunk} of {party} is not evaluated: {reason}"),
    "chunk_not_taken": Text("the matcher does not take a chunk now: {reason}"),
    "colleague_unknown": Text("there is no such person who may decide on hits", "choose one of the list"),
    "confirms_notes_not_sent": Text("{party} confirms notes that this node did not send to it"),
    "consents_over": Text("the round takes no consent any more"),
    "correction_refused": Text("these fields give no record; nothing was changed", "check them again"),
    "decision_hits_ambiguous": Text("a decision is about the hits that are chosen, or about all that a filter leaves"),
    "decision_not_undoable": Text("there is no such decision of yours to undo", "decide again if it was wrong"),
    "decision_reason_missing": Text(
        "a decision on several persons needs a reason", "one for all of them; it stays at this node"
    ),
    "declares_far_more": Text(
        "{party} declares {got} {input_class} elements for this round, and declared {expected} in the last one in "
        "which this node evaluated for it; with more it can guess more of your list, so ask {party} what has changed"
    ),
    "deliveries_unreadable": Text("the folder of deliveries cannot be read: {fault}", "see `deliveries` in node.toml"),
    "delivery_not_removable": Text(
        "the node may not remove the file from the folder of deliveries: {fault}",
        "let the node's user write in that folder, or remove the file there",
    ),
    "delivery_too_large": Text("the file is larger than {limit} MiB, the most for a list (limits.import_mebibytes)"),
    "delivery_unknown": Text(
        "this file does not wait in the folder of deliveries any more, or was written again", "look at the lists again"
    ),
    "delivery_unsettled": Text("the file was written to less than {seconds} seconds ago and may not be whole yet"),
    "evaluation_cannot_be_had": Text("an evaluation of {party} cannot be had: {reason}"),
    "evaluation_limit_reached": Text(
        "this node has evaluated as many elements of the class {input_class} for {party} as its own caps "
        "allow: {in_day} in a day, {in_window} in {days} days; the rest waits until there is room again "
        "(caps.day_{input_class}, caps.window_{input_class}); after a restore without the node's mark, the days since "
        "the backup count as used, and there is room again from the next day on"
    ),
    "far_too_many_hits": Text(
        "{of} of {party} hit {hits} of this node's records, where about {expected} are explained: the last "
        "report is held back until an approver releases it, or the round ends"
    ),
    "far_too_many_queries": Text(
        "{of} of {party} are {queries}, for at least {persons} persons: the last report, with hits on this node's "
        "records, is held back until an approver releases it, or the round ends"
    ),
    "file_number_names_person": Text(
        "the file number has a part of the person's name or numbers, and it is stored", "use another one"
    ),
    "filter_hits_changed": Text(
        "the filter leaves {count} hits by now, and {total} were shown",
        "look at the list again; hits came or were decided meanwhile",
    ),
    "filter_hits_too_many": Text(
        "the filter leaves more than {most} hits, the most at once", "narrow it, by round, party or certainty"
    ),
    "follow_up_not_open": Text("a letter belongs to an open follow-up", "open one first: `aquila call open_follow_up`"),
    "given_up": Text("{problem} (tried {attempts} times)"),
    "hit_erased_only_with_record": Text(
        "a hit is withdrawn as erased by erasing its record", "`aquila call erase_record`"
    ),
    "hit_unknown": Text("the node holds no such hit", "see them with `aquila call get_hits`"),
    "hits_hidden_by_matcher": Text(
        "notes of {counterpart} on hits that the matcher did not report here: {hits}; it hid them"
    ),
    "hits_not_prepared": Text(
        "hits of this round stay unconfirmed: they could not be prepared before the round's key was destroyed: {reason}"
    ),
    "hits_not_trusted": Text("the hits of {pair} in this round are not to be trusted: {what}"),
    "hit_differs_from_report": Text(
        "the matcher's signed report of round {round} says something else of the hit {hit} than this node's database",
        "somebody changed the database: look who did; DISASTERS.md, *A row that the service did not write*",
    ),
    "hits_not_authentic": Text(
        "{count} hits are not shown, because they are not as this node stored them or as the matcher's signed report "
        "says",
        "somebody changed the database: tell the administrator; DISASTERS.md, *A row that the service did not write*",
    ),
    "hits_on_records_never_sent": Text(
        "the matcher reports {hits} hits with {party} on records that this node never sent; they are left out, and the "
        "report is not acknowledged"
    ),
    "hits_refuted_by_counterpart": Text("hits with {counterpart} refuted by {party}: {hits}; {fault}"),
    "hits_refuted_here": Text("hits with {counterpart} refuted here: {hits}; {fault}"),
    "hits_stay_unconfirmed": Text(
        "hits of this round stay unconfirmed: this version does not have its match rules, or notes came later"
    ),
    "hits_unconfirmed": Text(
        "hits with {counterpart} unconfirmed after the round's time: {hits}; its note or its confirmation did not come"
    ),
    "import_name_malformed": Text("an import needs a name of one printable line"),
    "import_unknown": Text("the node holds no such import", "see them with `aquila call get_imports`"),
    "last_record_of_list": Text("this is the last record of its list", "delete the list"),
    "letter_date_in_future": Text("the date of a letter is not in the future"),
    "letter_date_missing": Text("a letter is recorded with its date"),
    "letter_hits_ambiguous": Text("a letter is about the hits that are chosen, or about those that a text names"),
    "letter_names_no_hit": Text(
        "the text names no hit of this node", "paste the letter with its references, or the ids of the hits"
    ),
    "letter_number_missing": Text("a number is needed"),
    "list_being_prepared": Text(
        "a list with this record is being prepared for a round",
        "try again when the list is submitted, or leave the round",
    ),
    "list_differs_from_request": Text("the list is not the one any more that was asked for", "ask for it again"),
    "list_in_unfinished_round": Text("the list is in a round that is not over", "close the round first"),
    "list_not_being_read": Text("no list is read under this key now"),
    "list_of_standing_query": Text(
        "a standing query asks for the persons of this list",
        "withdraw it first, with `aquila call post_standing_withdrawal`",
    ),
    "list_record_erased_meanwhile": Text(
        "a record of this list was erased while another round uses the list",
        "wait until that round is over, or import the list again without the record",
    ),
    "list_records_differ_from_request": Text(
        "the list's records are not those that were approved: one was erased, or the database was changed",
        "ask for the submission again",
    ),
    "list_rows_all_refused": Text("no row of the list can be used; nothing was stored"),
    "list_rows_refused": Text(
        "{refused} rows cannot be used; nothing was stored",
        "see them with `aquila records check`, or import without them by --accept-refused",
    ),
    "log_entry_differs_from_known": Text(
        "entry {index} of the log {origin} says of this party what it does not know: {kind}",
        "nothing more is signed or sent; have the log's owner explain the entry, and keep both as evidence",
    ),
    "log_lacks_taken_statement": Text(
        "the log {origin} does not hold a statement that the matcher took: {kind}",
        "nothing more is signed or sent; have the log's owner explain where it is",
    ),
    "manifest_names_left_party": Text("the round names {parties}, which the registry does not have or which has left"),
    "manifest_names_replaced_key": Text(
        "the round names an identity key of {parties} that was replaced", "the secretariat proposes a new round"
    ),
    "manifest_of_another_round": Text("the matcher gave another round's manifest"),
    "matched_record_stays": Text(
        "the record has hits, which show what was matched", "erase it with its hits, and import the corrected one again"
    ),
    "matcher_has_no_room": Text("the matcher has no room now, and sending waits for it: {reason}"),
    "matcher_log_growth_not_proved": Text("the matcher does not prove its log since a head that a party saw"),
    "neither_note_verified": Text("neither side has verified the other's note yet"),
    "node_already_consented": Text("this node has consented to the round already"),
    "node_evaluation_cap_reached": Text("this node has evaluated as many elements as the cap allows"),
    "node_indicators_differ": Text(
        "this node has another table of indicators than the round's '{table}'",
        "name the file that the parties agreed on as `indicators` in the node's settings, and compare its SHA-256",
    ),
    "node_list_already_in_round": Text(
        "this node has a list in the round already", "a round takes one list of each party"
    ),
    "node_not_consented": Text("this node has not consented to the round", "consent first"),
    "node_part_ended": Text("this node takes no further part in the round"),
    "node_part_refused": Text("this node takes no part in the round: {reason}"),
    "node_queries_used_up": Text(
        "this node has asked {expected} queries in this round, the most that a round takes of a party",
        "ask in the next round",
    ),
    "node_rule_table_unknown": Text("the node has no rule table of this name", "it has {known}"),
    "note_awaited": Text("the counterpart has confirmed our note; its own has not come yet"),
    "note_key_missing": Text("the key for the notes of this round is missing: hits that are unconfirmed stay so"),
    "notes_cannot_be_read": Text("a batch of notes of {counterpart} cannot be read: {reason}"),
    "notification_address_refused": Text(
        "mail of this node does not go to that address", "give an address of the ministry's own"
    ),
    "notification_channel_unknown": Text(
        "this node does not send notifications in that way", "its settings name the ways"
    ),
    "number_used_before": Text("the matcher has another statement under this node's number {number}: {reason}"),
    "one_query": Text("a query"),
    "own_note_not_verified": Text(
        "this side has verified the counterpart's note; the counterpart has not confirmed ours yet"
    ),
    "pair_never_compared": Text("the lists of {pair} were never compared, though both sides signed their tokens"),
    "queries_in_days": Text("the queries in {days} days"),
    "queries_in_round": Text("the queries in this round"),
    "query_hits_not_trusted": Text("what {pair} is told of the query {submission} is not to be trusted: {what}"),
    "query_person_unusable": Text("person {number} cannot be asked for: {reason}"),
    "query_persons_too_many": Text("a query takes at most {most} persons, and this list has {got}"),
    "query_unknown": Text("the node has no such query", "see them with `aquila call get_queries`"),
    "query_without_persons": Text(
        "a query is of persons that are typed, or of a stored list", "give one of them, and not both"
    ),
    "record_differs_from_request": Text("the record has other hits or lists than when its erasure was asked for"),
    "record_has_hits": Text(
        "the record has {hits} hits: a second person has to approve its erasure", "ask for it with a reason"
    ),
    "record_identifier_unknown": Text("the node holds no record of this identifier"),
    "record_met_by_many": Text(
        "{own} records of this node are each met by at least {least} different records of {party}, one of them by "
        "{most} (hit {hit}): a person may stand in its list several times, or somebody tries names and dates; look at "
        "these hits together, and ask {party}"
    ),
    "record_unknown": Text("the node holds no such record", "search for it again; it may have been erased"),
    "registry_file_of_statements_unreadable": Text(
        "this file holds no statements on the registry", "the secretariat makes it: aquila matcher move"
    ),
    "registry_identity_key_differs": Text(
        "the registry pins another identity key for {party} than this node's",
        "compare fingerprints, and correct the registry at every party",
    ),
    "registry_statement_not_newest": Text(
        "this is not the newest registry that waits", "read it again: aquila party registry"
    ),
    "report_back_unknown": Text("the node holds no such report back", "see them with `aquila call get_round`"),
    "restored_backup": Text(
        "this node's database is older than what it has said or evaluated: it was restored from a backup",
        "open rounds are refused for good; when it is explained, an administrator goes on with `aquila call "
        "post_acknowledge`",
    ),
    "round_cannot_be_consented_to": Text("{reason}", "the round cannot be consented to from this node"),
    "round_element_cap_exceeded": Text(
        "the submission would pass the {expected} {kind} elements that this party's consent declares with {got}",
        "submit fewer records; say at the consent to the next round for how many it is",
    ),
    "round_hits_not_here": Text("the round cannot be closed before its hits are here", "wait, or abort it"),
    "round_is_over": Text("the round is over"),
    "round_key_exposed": Text(
        "the key {path} of this round is open to others; the round goes on after chmod 600 {path}",
        "consider known what the key seals: others on the machine could have read it",
    ),
    "round_key_missing": Text(
        "the key of this round is missing",
        "restore nothing, keys are in no backup; abort the round and propose a new one",
    ),
    "round_lost_at_matcher": Text(
        "the matcher does not know this round any more, so no withdrawal of its hits is sent: tell the other parties "
        "yourselves"
    ),
    "round_manifest_differs": Text("the round has another manifest than was asked for"),
    "round_needs_new_proposal": Text("{reason}", "let the secretariat abort the round and propose it again"),
    "round_over_at_node": Text("the round is over at this node"),
    "round_report_on_hold": Text(
        "the round cannot be closed while the report on a query is on hold", "release or refuse the report first"
    ),
    "round_secret_missing": Text("a secret of this round is missing"),
    "round_unknown_to_node": Text("the node knows no such round", "see them with `aquila call get_rounds`"),
    "search_terms_missing": Text("a search needs a name, a number or a reference"),
    "standing_query_has_ended": Text("the standing query has ended"),
    "standing_query_over": Text("the end of the standing query has passed", "choose a later one"),
    "standing_query_too_long": Text(
        "a standing query is approved for at most {most} days",
        "choose an earlier end; before it, another approval can prolong the query",
    ),
    "standing_query_unknown": Text(
        "the node has no such standing query", "see them with `aquila call get_standing_queries`"
    ),
    "standing_query_urgent": Text("a standing query has no urgency", "ask an urgent query once, in the round of today"),
    "text_may_name_own_person": Text(
        "a text has what may be the name of a person of the own lists or of the query; it would go to the matcher",
        "look at {name}, and write the number under which it is on file; if no word of it names one of them, confirm "
        "that with --names-checked",
    ),
    "text_names_asked_person": Text(
        "a text names a person who is asked for; it would go to the matcher and stay in its log for three years",
        "look at {name}, and write the number under which it is on file",
    ),
    "statement_does_not_count": Text("a statement does not count: {reason}"),
    "statement_refused": Text("the matcher refuses a {kind}: {reason}"),
    "statements_not_kept": Text("statements of {party} do not count and are not kept: it says too much"),
    "stored_list_records_differ": Text(
        "the stored records of this list are not those that were imported",
        "somebody changed the database; import the list again",
    ),
    "subject_searched_too_often": Text(
        "20 searches for persons were made at once; another one can be made every ten minutes"
    ),
    "subject_search_unknown": Text(
        "you made no search for this file number within a day, or it is answered", "search again, then answer"
    ),
    "submission_time_over": Text("the time for a submission is over"),
    "time_for_consent_is_over": Text("the time for a consent is over"),
    "time_for_notes_is_over": Text(
        "the time for notes is over, and hits that are unconfirmed stay so: the matcher withheld a note or "
        "its confirmation, or hid a hit from the other side"
    ),
    "tokens_not_in_feed": Text(
        "the matcher took the statement of tokens for {counterpart} and does not show it in its feed: a query's tokens "
        "are not sent before it does, and later queries to {counterpart} in this round wait",
        "ask the secretariat; queries to {counterpart} go on when the feed shows the statement",
    ),
    "tokens_refused": Text(
        "the matcher refuses the tokens for {counterpart}: {reason}; they are not sent again, and later queries to "
        "{counterpart} in this round wait",
        "ask the secretariat",
    ),
    "triangle_not_closed": Text(
        "{counterpart} tells of {count} persons whom {third} has as well, and {party} was told of no such hit with "
        "{third}: {counterpart} or {third} is not honest, or the matcher",
        "call both; a party may have sent the two of you different lists",
    ),
    "two_manifests_signed": Text("the matcher signed two different manifests under this round's number; both are kept"),
    "view_unknown": Text("there is no such view"),
    "views_too_many": Text("no more views can be kept", "remove one first"),
    "withdrawal_reason_missing": Text(
        "the correction duty's 48 hours are over; a later withdrawal needs a reason",
        "give it with --reason; it stays at this node",
    ),
    "withdraws_unknown_hits": Text("{party} withdraws {hits} hits that this node does not hold"),
}

NODE_FAULTS: Final[Table] = {
    "changes_cursor_of_another_history": Text(
        "the cursor is not of this node's history: it was restored from an older copy",
        "begin again without a cursor, and replace what you have",
    ),
    "health_clock_differs": Text(
        "the clock differs by {seconds} seconds from the matcher's",
        "set the clock; calls are refused beyond 300 seconds",
    ),
    "health_matcher_away": Text(
        "the matcher has not answered for {minutes} minutes: {reason}",
        "nothing is lost, and the node continues by itself; if it lasts, `aquila doctor` looks for the cause",
    ),
    "health_matcher_not_called": Text(
        "the matcher at {url} has not answered since the start",
        "wait a minute after a start; then `aquila doctor` looks at address, network, certificates and clock",
    ),
    "health_rounds_need_people": Text(
        "{count} rounds have an obstacle that somebody has to look at",
        "see them on the first page, or with `aquila call get_rounds`",
    ),
    "high_water_mark_unreadable": Text(
        "the high-water mark next to the round keys cannot be read: nothing shows how old this database is",
        "open rounds are refused for good; when it is explained, an administrator goes on with `aquila call "
        "post_acknowledge`",
    ),
    "key_replaced_in_open_round": Text(
        "the registry replaces the key of {party}, and the round {round} with it is not over here",
        "wait until this node has seen the end of the round, or let the secretariat abort it",
    ),
    "key_without_account": Text("the key of the home folder is not the account of a person", "sign in with an account"),
    "matcher_address_unusable": Text("the registry names an address of the matcher that is not https"),
    "matcher_feed_goes_backwards": Text("the matcher's feed goes backwards"),
    "matcher_feed_page_unreadable": Text("a page of the matcher's feed cannot be read"),
    "matcher_round_list_unreadable": Text("the matcher's list of rounds cannot be read"),
    "matcher_seen_size_missing": Text("the matcher does not say how many entries of our log it has seen"),
    "node_registry_unreadable": Text(
        "the registry {registry} cannot be read: {fault}",
        "give it to the service's user if it is there: chown; else put the file there that the parties exchanged",
    ),
    "registry_feed_unreadable": Text("the matcher's answer about the registry cannot be read"),
    "statement_already_numbered": Text("a statement has this number already"),
}
"""Faults of machines, keys, files and bytes, which no officer can mend: in English on every page."""
