"""Sentences of `protocol`."""

from typing import Final

from aquila.sentences.sentence import Table, Text

PROTOCOL: Final[Table] = {
    "already_consented_with_other_keys": Text("{party} has consented already, with other keys"),
    "announcement_signed_twice": Text("the matcher signed two different announcements of the kind {kind}"),
    "check_columns": Text("the tags that met do not fit the rows that met, so the matcher reported nothing of it"),
    "check_earlier": Text(
        "the report of the lists or of an earlier query between the two is missing or was not found whole, so this "
        "query cannot be checked"
    ),
    "check_levels": Text("too many pairs are called too weak to be hits"),
    "check_pairs": Text("a record was left out that shares the tags of a reported hit"),
    "check_tags": Text("other tags met than follow from the reported hits, so hits were left out"),
    "chunk_already_evaluated_otherwise": Text("{party} has evaluated this chunk already, with another answer"),
    "consent_declares_too_much": Text(
        "the consent of {party} declares {got} {input_class} elements, and the manifest allows it {expected}"
    ),
    "consented_manifest_differs": Text(
        "{party} consented to another manifest",
        "the secretariat showed two manifests under one number; keep both as evidence",
    ),
    "consents_not_over": Text("some parties may still consent"),
    "consents_too_few": Text("no two parties that may be compared consented; the round can only be aborted"),
    "fault_foreign": Text("the matcher reports agreement on values that the record does not have"),
    "fault_level": Text("the matcher's level is not the one that follows from the rules that met"),
    "fault_repeated": Text("a second note came for the same hit"),
    "fault_sealed": Text(
        "the note does not open: the two sides do not hold the same values, or it was made for another hit"
    ),
    "fault_told": Text("the matcher told the two sides different things about the hit"),
    "fault_unreadable": Text("the note opens, but its content is none that a note can have"),
    "fault_unreported": Text("a note came for a hit that the matcher did not report here"),
    "fault_withheld": Text("the matcher withheld rules that met: both records agree in more than it reported"),
    "file_changed_or_foreign": Text(
        "this file is not {wanted}, or it was changed on its way",
        "have it sent again, as an attached file; nobody may open and save it in between",
    ),
    "file_kind_invitation": Text("an invitation"),
    "file_kind_join_request": Text("a request to join"),
    "file_kind_key_renewal": Text("the renewal of a key"),
    "file_kind_registry_statement": Text("a statement on the registry"),
    "file_of_another_kind": Text(
        "this file is {present}, and {wanted} is needed here",
        "the secretariat sends the invitation (.invite), the party its request to join (.join)",
    ),
    "follow_up_not_opened": Text(
        "what {party} tells of its follow-up does not open",
        "call {party}: its node has another key of the pair, or it sealed something else",
    ),
    "follow_up_unreadable": Text(
        "what {party} tells of its follow-up opens, but no follow-up has such a content", "call {party}"
    ),
    "invitation_expired": Text(
        "the invitation of {party} has expired", "the secretariat makes a new one: aquila matcher invite"
    ),
    "invitation_of_another_matcher": Text(
        "the request of {party} answers an invitation that this matcher did not make",
        "somebody came between you and {party}, or the invitation is of another matcher: speak to {party} by telephone",
    ),
    "invitation_of_another_party": Text(
        "{party} answers an invitation that was made for {invited}",
        "the secretariat makes one for each party: aquila matcher invite",
    ),
    "list_already_submitted": Text("{party} has submitted its list already"),
    "list_without_inputs": Text(
        "no record of this list gives an input under the round's match rules",
        "see with `aquila records check` which fields are missing",
    ),
    "lock_not_opened": Text(
        "the lock that {counterpart} made with this party does not open: it was sealed to another key, or for another "
        "pair or round",
        "ask {counterpart} which version it runs, and the secretariat for a new round",
    ),
    "log_head_missing": Text(
        "{party} names no checkpoint of the matcher's log, as each statement of this round must",
        "all parties need the same release of Aquila",
    ),
    "manifest_identity_key_differs": Text(
        "the manifest names another identity key for {party} than the registry",
        "compare fingerprints with the secretariat by telephone before you take part",
    ),
    "manifest_lacks_party_key": Text("the manifest does not name {party} with its identity key"),
    "matcher_log_not_seen": Text("the matcher's log has not been seen yet: nothing is signed"),
    "matcher_match_rules_differ": Text("the matcher has other match rules than the round"),
    "node_match_rules_differ": Text(
        "this node has other match rules than the round's '{rules}'",
        "install the rule table that the secretariat distributed, and compare its digest",
    ),
    "node_name_normalization_differs": Text(
        "this node normalizes names otherwise than the round demands", "all parties need the same release of Aquila"
    ),
    "note_too_long": Text("a note is too long", "shorten category and contact point"),
    "nothing_to_submit": Text(
        "there is nothing to submit: too many records share every value",
        "submit a longer list, or ask the secretariat for a round with a higher frequency limit",
    ),
    "opening_consent_not_shown": Text("the opening names a consent of {party} that was not shown here"),
    "party_binding_differs": Text(
        "{party} names another binding: it was shown another manifest or other consents",
        "compare the binding with the other parties by telephone; the secretariat must explain a difference",
    ),
    "party_element_cap_exceeded": Text(
        "{party} would pass its cap of {expected} {input_class} elements with {got}",
        "submit fewer records, or consent to the next round for a longer list",
    ),
    "party_not_in_round": Text("{party} does not take part in the round"),
    "party_unknown_to_registry": Text(
        "the registry does not know the party {party}",
        "a party that has left comes back by a new invitation, under another key: `aquila matcher invite`; "
        "accept a newer registry that waits: `aquila party accept`",
    ),
    "record_inputs_too_many": Text("a record has more inputs than can be sent"),
    "registry_file_names_twice": Text(
        "the registry file names a party or a key twice", "each party has one key of its own"
    ),
    "registry_file_party_malformed": Text(
        "the registry file has a party whose code is not two capital letters or that has no name",
        "correct it, or bring the registry's file from the last backup",
    ),
    "registry_file_unreadable": Text(
        "the registry file cannot be read: {fault}",
        "it needs [matcher] identity_key, and for each party [[party]] code, name and identity_key",
    ),
    "registry_lacks_party": Text(
        "the newer registry lacks {party}, which is registered here",
        "a party that leaves stays in the registry, marked as having left; call the secretariat",
    ),
    "registry_party_returns": Text(
        "the newer registry has {party} again, which had left", "a party that returns gets another registry of all"
    ),
    "registry_replaces_key": Text(
        "the newer registry names another identity key for {party} than the one registered here",
        "accept nothing, and call {party} and the secretariat by telephone: somebody may speak in its name",
    ),
    "registry_returns_to_key": Text(
        "the newer registry goes back to an identity key of {party} that was replaced",
        "accept nothing: it is an older registry, or somebody uses a stolen key; call {party} and the secretariat",
    ),
    "registry_stated_twice": Text(
        "the matcher signed two different registries after number {number}",
        "accept nothing; compare the words of `aquila party registry` with the other parties by telephone, "
        "then call the secretariat: its matcher, or somebody who speaks in its name, shows each party something else",
    ),
    "registry_without_own_key": Text(
        "the registry does not name {party} with this node's own identity key",
        "accept nothing, and call the secretariat by telephone: it admitted somebody else as {party}",
    ),
    "round_already_ended": Text("the round has ended ({outcome}) and takes no {kind}"),
    "round_already_open": Text("the round is open already"),
    "round_closed_before_reports": Text("a round is closed after its hits were reported; before that it is aborted"),
    "round_differs_from_template": Text(
        "the round names the template {template} and differs from it in: {fields}",
        "propose it without the template, or with the template's own terms",
    ),
    "round_hits_not_acknowledged": Text(
        "the round cannot be closed yet: {missing}", "wait until every party has fetched its hits, or abort the round"
    ),
    "round_hits_not_confirmed": Text(
        "the round cannot be closed yet: {party} has not confirmed its hits with {counterpart}",
        "wait until the sealed notes are exchanged, or until the round's time is over",
    ),
    "round_joined_too_late": Text("the round is open; no party joins late"),
    "round_not_open": Text("round {round} is not open yet"),
    "round_opened_without_consent": Text(
        "round {round} was opened without the consent of {party}",
        "if the consent was sent in time, ask the secretariat why it was left out",
    ),
    "round_queries_used_up": Text(
        "{party} has asked {expected} queries in this round, which is the most that a round takes of a party",
        "ask in the next round",
    ),
    "round_retention_over": Text("the round's retention has passed"),
    "round_secrets_unreadable": Text("the round's secrets cannot be read", "restore nothing; abort the round"),
    "round_takes_no_queries": Text("this round takes no queries"),
    "round_template_unknown": Text(
        "the registry in force here does not have the template {template} in version {version}, as the round names it",
        "accept a newer registry that waits: `aquila party accept`",
    ),
    "spoken_digits_misheard": Text(
        "these are not {expected} digits of a registry or request ({got} came)", "have them read again, group by group"
    ),
    "spoken_word_unknown": Text(
        "word number {place} is not on the list of words", "have it spelled; its first four letters are enough"
    ),
    "spoken_words_differ": Text(
        "these are the words of something else than what is here",
        "do not go on: somebody may have changed it on its way; compare again by telephone, then have it sent again",
    ),
    "spoken_words_misheard": Text(
        "one of the words was misheard: together they do not stand for anything", "have all of them read again"
    ),
    "spoken_words_not_all": Text("there are {expected} words, and {got} came", "have all of them read again"),
    "statement_by_replaced_key": Text(
        "{party} signed with an identity key that was replaced",
        "call {party}: a holder of the old key may speak in its name",
    ),
    "statement_number_signed_twice": Text("{party} signed two different statements under the number {sequence}"),
    "statement_time_over": Text("the time for a {what} is over", "ask the secretariat for a new round"),
    "template_restated": Text(
        "the template {template} had other content in version {version} before", "give what changed a new version"
    ),
    "templates_unreadable": Text("the file of templates cannot be read: {fault}"),
    "templates_unusable": Text("the file of templates has unusable fields: {fields}"),
    "withheld_answer_out_of_order": Text(
        "an answer is on hold after an alarm, and refused once, after it was on hold; {party} did otherwise"
    ),
    "round_phase_already_reached": Text("the round is {phase} already"),
    "counterpart_not_matchable": Text("{party} can have no hit with {counterpart} in this round"),
}

PROTOCOL_FAULTS: Final[Table] = {
    "acknowledged_hit_count_differs": Text("{party} acknowledges another number of hits than its report has"),
    "acknowledged_hits_not_withdrawn": Text("{party} acknowledges more hits than were withdrawn"),
    "acknowledged_report_not_sent": Text("{party} acknowledges a report that it was not sent"),
    "acknowledged_withdrawal_not_sent": Text("{party} acknowledges a withdrawal that it was not sent"),
    "alarm_or_report_already_answered": Text("{party} has raised its alarm, or acknowledged the report"),
    "alarm_query_of_another_party": Text("an alarm is about another party's query"),
    "announcement_not_by_matcher": Text("only the matcher announces"),
    "announcement_not_within_round": Text("a {kind} is not an announcement within a round"),
    "batch_already_sent": Text("{party} has sent this batch of notes already"),
    "batch_not_base64": Text("a batch of notes is not base64"),
    "batch_note_count_differs": Text("a batch holds another number of notes than its sender signed"),
    "batches_more_than_hits": Text("{party} sends more batches of notes than it has hits"),
    "checked_before_tokens": Text("{party} says what it has checked before the tokens are in"),
    "checked_tags_not_told": Text("{party} says that other tags met than its report tells"),
    "chunk_element_count_differs": Text("the chunk holds another number of elements than its origin signed"),
    "chunk_elements_not_whole": Text("a chunk is a whole number of elements"),
    "chunk_not_full": Text("a chunk of the class {input_class} that is not its last is not full"),
    "chunk_too_large": Text("a chunk is larger than the manifest allows"),
    "chunk_unknown": Text("there is no such chunk"),
    "closing_before_hits": Text("{party} closes before it has its hits"),
    "closing_of_another_round": Text("{party} closes another round than this"),
    "confirmed_notes_for_another_party": Text("{party} confirms notes that were not for it"),
    "confirmed_notes_of_another_size": Text("{party} confirms notes of another number than were sent"),
    "confirmed_notes_not_sent": Text("the confirmation is of no notes that were sent"),
    "elements_not_ascending": Text("the elements are not in strictly ascending order"),
    "evaluated_chunk_differs": Text(
        "{party} evaluated another chunk than {origin} signed: class, size or digest differ"
    ),
    "follow_up_before_receipts": Text("{party} tells {counterpart} of hits before both have acknowledged them"),
    "follow_up_of_another_size": Text(
        "what {party} tells {counterpart} of its follow-up has not the size of their hits"
    ),
    "hits_already_withdrawn": Text("{party} has withdrawn {count} of these hits already"),
    "key_handover_not_by_former_key": Text(
        "the identity key that {party} replaces did not sign for the new one",
        "accept nothing, and call {party} by telephone: somebody may try to put a key in the place of its own",
    ),
    "key_renewal_broken": Text(
        "the renewals of {party}'s identity key do not lead to the key that the registry names",
        "accept nothing, and call {party} and the secretariat by telephone",
    ),
    "key_renewal_key_malformed": Text("the renewal of {party} names a former key that is not valid"),
    "key_renewal_of_another_key": Text(
        "the renewal of {party} replaces another identity key than the registered one",
        "let the party make its renewal again: aquila node renew-identity",
    ),
    "key_renewal_signed_by_revoked_key": Text(
        "the renewal of {party} is signed by its former key, though that key is to be revoked",
        "register it without --revoke if the party has renewed its key in order; else ask it for one that was made "
        "with --lost, and make sure by telephone that the party itself has made it",
    ),
    "key_renewal_without_former_key": Text(
        "the former identity key of {party} did not sign the renewal",
        "if that key is lost or stolen, as the party says by telephone, use --revoke; else accept nothing",
    ),
    "locks_already_signed": Text("{party} has signed its locks already, with other contents"),
    "locks_not_for_counterparts": Text("the locks of {party} are not for exactly those that it may be compared with"),
    "log_entry_kind_without_entry": Text("the log has no entry for a {kind}"),
    "message_kind_not_of_round": Text("a round takes no {kind}"),
    "message_malformed": Text("this is not a valid {message_type} message: {fields}"),
    "message_not_canonical": Text("this {message_type} message is not in canonical encoding"),
    "note_opening_key_unreadable": Text("the key that opens a note cannot be read"),
    "notes_already_confirmed": Text("{party} has confirmed these notes already"),
    "notes_before_reports": Text("notes before both sides have their report"),
    "notes_pair_not_matchable": Text("notes for a party with which this one may not be matched"),
    "opening_binding_differs": Text("the opening names another binding"),
    "own_elements_not_evaluated_here": Text("a party evaluates its own elements by itself"),
    "pair_without_locks": Text("a key of a pair needs the locks of {listed}"),
    "party_already_ended": Text("{party} has ended its part in the round and says no {kind} any more"),
    "peer_answer_not_problem_document": Text("the peer's answer is not a problem document"),
    "query_checked_before_asker": Text(
        "{party} says what it has checked of a query before its asker does, or of a refused answer"
    ),
    "query_tokens_before_lists": Text("{party} sends tokens of a query before those of both lists are in"),
    "receipt_of_refused_answer": Text("{party} acknowledges a report after it has refused its answer"),
    "registry_acceptance_of_another_party": Text("an acceptance of the registry names {party}, which did not sign it"),
    "registry_statement_missing": Text("the statement on the registry with number {number} is missing"),
    "registry_statement_of_another_matcher": Text(
        "the statement on the registry names another matcher than its signer"
    ),
    "report_already_acknowledged": Text("{party} has acknowledged this report already"),
    "report_already_checked": Text("{party} has checked its report already"),
    "report_before_earlier_query": Text("the report of a query comes before that of an earlier one"),
    "report_before_tokens": Text("the report comes before the tokens of {party} and {counterpart}"),
    "report_binding_differs": Text("the report names another binding"),
    "report_hits_below_least_certainty": Text("the report has hits below the round's least certainty"),
    "report_list_size_differs": Text("the report tells another size for the list of {counterpart} than it signed"),
    "report_of_refused_answer": Text("a report has hits of {counterpart}, which has refused its answer"),
    "report_page_out_of_order": Text("a page of the report of {party} is not the next one"),
    "report_pages_differ": Text("the pages of the report of {party} are not of one report"),
    "report_pair_not_matchable": Text("the report tells of a pair that may not be matched"),
    "report_party_outside_round": Text("the report is for a party that is not in the round"),
    "report_share_below_least": Text(
        "the report says that fewer persons are common with {counterpart} than is ever learned"
    ),
    "reports_back_too_many": Text("{party} has said more often what came of its hits than they can have changed"),
    "shadow_column_too_long": Text("{party} sends more tags than its list can have"),
    "share_already_used": Text("{party} brings a share that is in use already"),
    "signed_bytes_differ": Text("the bytes are not those that were signed", "fetch or send them again"),
    "statement_of_another_round": Text("the statement belongs to another round"),
    "statement_signed_by_another_party": Text("the statement is signed by another party than it names"),
    "submission_before_locks": Text("{party} submits before it has signed its locks"),
    "submission_chunk_unknown": Text("the submission has no such chunk"),
    "submission_id_taken": Text("this submission id is taken"),
    "submission_not_evaluated_here": Text("this submission is not to be evaluated here"),
    "submission_unknown_of_party": Text("{party} has no such submission"),
    "token_columns_differ": Text("{party} sends one counterpart other rules than another"),
    "token_row_count_differs": Text("{party} sends {got} token rows for another number of elements"),
    "token_row_rule_unknown": Text("a token row names a rule that the round does not have"),
    "token_row_of_other_class": Text("{party} sent tokens of another class in a chunk of the class {kind}"),
    "token_rows_not_ordered": Text("{party} sent tokens of the class {kind} that are not in ascending order"),
    "token_rules_differ": Text("{party} sends other numbers of rows under the rules than it signed"),
    "tokens_already_sent": Text("{party} has sent these tokens already"),
    "tokens_before_evaluations": Text("tokens before {count} evaluations"),
    "tokens_before_list": Text("tokens before the list of {listed}"),
    "told_hits_not_acknowledged": Text("{party} speaks of more hits than it has acknowledged"),
    "told_report_not_sent": Text("{party} tells of a report that it was not sent"),
    "withdrawal_already_acknowledged": Text("{party} has acknowledged this withdrawal already"),
    "withdrawn_hits_not_reported": Text(
        "{party} withdraws hits of a query before {counterpart} has its report of it",
        "while an alarm holds the report back, its hits are disclosed to nobody",
    ),
    "withdrawn_query_unknown": Text("{party} withdraws hits of a query that does not exist"),
    "withheld_answer_query_not_answered_here": Text(
        "an answer that is withheld is to the query of a party whose records may be joined"
    ),
    "withheld_answer_too_late": Text("{party} withholds an answer that it has acknowledged, or that the asker has"),
}
"""Refusals of statements that no honest node or matcher signs: in English on every page."""
