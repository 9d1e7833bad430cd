"""Sentences of records, matching, followup, audit and crypto; of the pages, and of the request after a hit."""

from typing import Final

from aquila.sentences.sentence import Table, Text

CORE: Final[Table] = {
    # Records.
    "cell_holds_error": Text("holds an error of the spreadsheet and is not used; correct its formula"),
    "check_digits_unknown": Text(
        "has check digits that no known national number has; it is used; look for a typing error"
    ),
    "chosen_columns_of_another_list": Text("the chosen columns are not those of the list", "choose them again"),
    "code_not_used": Text("is an unknown code and is not used; use one of {codes}"),
    "column_field_unknown": Text("a column is read into an unknown field", "known: {known}"),
    "column_named_twice": Text("the first line names a column twice", "leave one of them out"),
    "column_not_read": Text("is an unknown column and is not read"),
    "columns_unknown": Text(
        "the first line names columns that are not known: {names}",
        "choose the fields of those that are to be read (--column HEADING=FIELD for each), or name them as the fields; "
        "a column whose name is nearly that of a field has to be chosen, named otherwise or left out; a list needs "
        "record_id and two of given_names, family_names and date_of_birth",
    ),
    "country_unknown": Text(
        "is a country that the tables do not know; it agrees with the same text alone; write a country code"
    ),
    "date_day_not_used": Text("has an impossible day; only year and month are used; check it against the source"),
    "date_form_unknown": Text("a date has an unknown form", "write YYYY-MM-DD, YYYY-MM or YYYY"),
    "date_impossible": Text("the {part} of a date is impossible", "write YYYY-MM-DD, YYYY-MM or YYYY"),
    "birth_to_come": Text("lies in the future; check it against the source"),
    "date_month_not_used": Text("has an impossible month; only the year is used; check it against the source"),
    "date_not_used_impossible_year": Text("has an impossible year and is not used; check it against the source"),
    "date_not_used_placeholder": Text("is what programs put for an unknown date and is not used; leave it empty"),
    "date_not_used_unknown_form": Text("has an unknown form and is not used; write YYYY-MM-DD, YYYY-MM or YYYY"),
    "date_order_unknown": Text(
        "can have the day or the month first, and the column does not say which; only the year is used; "
        "write YYYY-MM-DD"
    ),
    "date_read_day_first": Text(
        "has no such month; day and month are used the other way round; check it against the source"
    ),
    "dates_not_read": Text(
        "of {values} dates of birth in column {column} {unread} cannot be read, the first in line {line}, which has "
        "the form {shape} (9 stands for a digit, A for a letter)",
        "write dates as 1980-03-04, 19800304, 4.3.1980, 4/3/1980 or 4 March 1980; or name or choose another column as "
        "date_of_birth, or none",
    ),
    "document_number_too_short": Text("holds too few letters and digits to identify a document"),
    "email_incomplete": Text("has no part before and after one @"),
    "encoding_unknown": Text("this encoding is unknown", "use {known}"),
    "family_name_is_given_name": Text(
        "looks like a given name, and the given name like a family name; look whether they are in each other's column"
    ),
    "family_name_missing": Text("is empty; look whether it stands among the given names"),
    "first_line_malformed": Text("the first line {fault}"),
    "id_of_earlier_record": Text("is the id of an earlier record; give every record an id of its own"),
    "known_column_missing": Text("the first line names no known column", "known: {known}"),
    "leading_zeros_restored": Text(
        "was typed as a number and has lost its leading zeros; they were put back where the check digits are "
        "right; format the column as text"
    ),
    "line_holds_nul": Text("holds a NUL byte; save the file as UTF-8 text"),
    "line_is_no_entity": Text("is not an entity; it needs id, schema and properties with lists of texts"),
    "line_is_no_json": Text("is not a JSON text; write one entity a line"),
    "line_not_in_encoding": Text(
        "is not text in the encoding of the list; choose another one, or save the file as UTF-8"
    ),
    "line_too_long": Text("is longer than {most} bytes; look for a missing line end before it"),
    "list_columns_too_few": Text(
        "the list has too few columns to match on",
        "give two of given_names, family_names (or full_name or aliases for both) and date_of_birth",
    ),
    "heading_line_missing": Text(
        "line {line} is not one of the first lines with any text", "choose the line that names the columns"
    ),
    "heading_line_too_small": Text("lines are counted from 1", "give the number of the line that names the columns"),
    "lines_above_headings": Text("line {line} names the columns, and the lines above it are not read"),
    "list_empty": Text("the list is empty", "its first line names the columns, such as record_id"),
    "list_format_unknown": Text("this format of lists is unknown", "use {known}"),
    "list_without_person_entity": Text("the list holds no Person entity", "export Person entities as JSON lines"),
    "list_without_records": Text("the list has a header and no record", "export the list again and look at the file"),
    "name_without_known_letter": Text("holds no letter of the scripts that the letter tables know"),
    "national_number_contradicts_record": Text(
        "tells of another date of birth or sex than the record; both are used; check them against the source"
    ),
    "national_number_too_short": Text("holds too few digits, or one digit only, for a national number"),
    "number_lost_digits": Text(
        "is a number of which a spreadsheet keeps 15 digits and is not used; format the column as text and "
        "type it again"
    ),
    "person_not_comparable": Text("no match rule compares anything that is given of the person"),
    "phone_number_length_impossible": Text("holds too few or too many digits for a telephone number"),
    "reading_ended": Text(
        "the reading was ended, because its caller is gone", "begin again, and ask for its progress until it is over"
    ),
    "record_erased_here": Text(
        "a record of this identifier was erased at this node; if it may be held again, give it a new one"
    ),
    "record_fields_too_few": Text(
        "a record holds too little to match on", "give two of given names, family names and date of birth"
    ),
    "record_id_column_missing": Text("the list has no column record_id", "give every record an id of its own"),
    "record_id_missing": Text("a record has no record id", "give every record an id of its own"),
    "record_value_unknown": Text("a record has an unknown {field}", "use one of {codes}"),
    "records_look_like_guesses": Text(
        "this looks like guesses, not like persons: {what}",
        "submit persons of a case; to search for a person with an unknown date, use the other data",
    ),
    "row_has_fewer_fields": Text("has fewer fields than the first line; quote fields that hold the separator"),
    "row_has_more_fields": Text("has more fields than the first line; quote fields that hold the separator"),
    "row_has_too_little_left": Text(
        "too little is left to match on; give two of given names, family names and date of birth"
    ),
    "row_is_no_csv": Text(
        "is not well-formed CSV; look for a quote that is not closed or not doubled, or a bare line end"
    ),
    "row_without_id": Text("is missing or unusable; give every row an id of its own"),
    "rule_table_unknown": Text("there is no such rule table", "name one of {known}, or a TOML file"),
    "several_values": Text("has several values; the first is used"),
    "sheet_columns_too_many": Text("the sheet has too many columns", "leave out what a list does not need"),
    "sheet_number_too_small": Text("sheets are counted from 1", "give the number of a sheet"),
    "sheet_rows_too_many": Text("the sheet has too many rows", "save the list as CSV"),
    "sheet_unknown": Text("the spreadsheet has no such sheet", "count its sheets from 1"),
    "spreadsheet_damaged": Text("the spreadsheet is damaged", "open it, save it again, and give the new file"),
    "spreadsheet_defines_document_type": Text(
        "the spreadsheet defines a document type, which lists do not", "save it again"
    ),
    "spreadsheet_not_recognized": Text(
        "the archive is not a spreadsheet that can be read", "give .xlsx, .ods or the CSV file itself"
    ),
    "spreadsheet_old_or_protected": Text(
        "the file is an old .xls workbook, or is protected by a password", "save it as .xlsx without a password"
    ),
    "spreadsheet_too_costly": Text(
        "the spreadsheet takes more memory or processor time to read than a list does",
        "save the list as CSV (UTF-8), which may be of any length",
    ),
    "spreadsheet_too_large": Text(
        "the spreadsheet is too large when it is unpacked", "save the list as CSV (UTF-8), which may be of any length"
    ),
    "too_many_values": Text("has more than {most} values; the first {most} are used"),
    "value_not_used": Text("{fault}; it is not used"),
    "value_too_long": Text("is longer than {most} characters"),
    "word_of_unknown_script": Text(
        "holds a word of a script that is read letter by letter, and meets the same spelling more surely than another; "
        "add the name in Latin letters as an alias"
    ),
    # Matching.
    "values_above_limit": Text(
        "{values} values of the rule '{rule}' occur in more than {limit} records, up to {most}: no node as "
        "it is shipped sends them"
    ),
    "values_repeated": Text("of the rule '{rule}' {share} of the values occur in several records"),
    # The life of a hit.
    "handling_code_blocks_export": Text(
        "the handling code {handling} blocks an export without the originator's permission",
        "record the permission that was given: `aquila call permit`",
    ),
    "hit_acknowledged": Text("acknowledged", "decide first: `aquila call decide`"),
    "hit_already_withdrawn": Text("the hit was withdrawn already", "a withdrawal cannot be undone"),
    "hit_closed": Text("closed", "reopen it first, with a reason: `aquila call reopen_hit`"),
    "hit_decided": Text("decided", "open a follow-up first: `aquila call open_follow_up`"),
    "hit_follow_up": Text("in follow-up"),
    "hit_known": Text("known", "decide first: `aquila call decide`"),
    "hit_new": Text("new", "decide first: `aquila call decide`"),
    "hit_on_another_person": Text(
        "a hit on another person is not followed up", "decide again if that was wrong, or close the hit"
    ),
    "hit_replaced": Text("replaced by the hit of a later round", "decide on that one"),
    "hit_step_not_allowed": Text("a hit that is {stage} cannot be {step}"),
    "hit_withdrawn": Text("withdrawn", "a withdrawal cannot be undone"),
    "last_step_not_decision": Text("the last step of this hit is not a decision", "decide again if it was wrong"),
    "reopening_reason_missing": Text("a closed hit is reopened with a reason", "say why; it stays at this node"),
    "reply_without_follow_up": Text("a reply belongs to a follow-up, and none was opened"),
    "answer_without_request": Text("an answer belongs to a request of the other party, and none is open"),
    "reminder_not_due": Text("a reminder follows a request that went and has no reply"),
    "step_acknowledged": Text("acknowledged"),
    "step_answered": Text("answered"),
    "step_assigned": Text("assigned"),
    "step_carried": Text("carried on"),
    "step_closed": Text("closed"),
    "step_decided": Text("decided"),
    "step_exported": Text("exported"),
    "step_opened": Text("followed up"),
    "step_permitted": Text("given a permission"),
    "step_received": Text("asked about by the other party"),
    "step_referenced": Text("given a reference"),
    "step_remarked": Text("remarked on"),
    "step_reminded": Text("reminded of"),
    "step_reopened": Text("reopened"),
    "step_replaced": Text("replaced"),
    "step_replied": Text("given a reply"),
    "step_undone": Text("undone"),
    "step_withdrawn": Text("withdrawn"),
    # Logs.
    "log_forked_for_another_party": Text(
        "the log {origin} forked: another party signed that it saw another head of {size} entries",
        "nothing more is signed or sent; both checkpoints are kept as evidence: compare them with the other "
        "parties by telephone, and have the log's owner explain it",
    ),
    "log_forked_since_seen": Text(
        "the log {origin} forked: its {got} entries do not begin with the {expected} that were seen",
        "nothing more is signed or sent; both checkpoints are kept as evidence: compare them with the other "
        "parties by telephone, and have the log's owner explain it",
    ),
    "log_forked_with_two_heads": Text(
        "the log {origin} forked: it has two different heads of {size} entries",
        "nothing more is signed or sent; both checkpoints are kept as evidence: compare them with the other "
        "parties by telephone, and have the log's owner explain it",
    ),
    "log_shown_shorter_here": Text(
        "the log {origin} shows {got} entries here, and showed {expected} to another party before",
        "nothing more is signed or sent; both checkpoints are kept as evidence: compare them with the other "
        "parties by telephone, and have the log's owner explain it",
    ),
    "log_shrank": Text(
        "the log {origin} shrank from {expected} to {got} entries",
        "nothing more is signed or sent; both checkpoints are kept as evidence: compare them with the other "
        "parties by telephone, and have the log's owner explain it",
    ),
    # Pages.
    "box_not_ticked": Text("tick this before you send the form"),
    "certainty_level_unknown": Text("there is no such level of certainty"),
    "field_choice_unknown": Text("the field {name} holds none of its choices"),
    "field_not_whole_number": Text("the field {name} needs a whole number"),
    "field_unusable": Text("this is missing, or cannot be used as it is written"),
    "fields_unusable": Text("these fields cannot be used: {listed}"),
    "file_not_waiting": Text("the file does not wait here any more: choose it again"),
    "form_of_another_session": Text(
        "the form is not of this session", "open the page again and send the form once more"
    ),
    "form_sent_by_another_site": Text("the form was sent by another site"),
    "report_days_reversed": Text("the first day is after the last", "name the earlier day first"),
    "form_date_unreadable": Text("the date cannot be read", "write it as 2026-11-26"),
    "form_thing_unknown": Text("the form names no such thing"),
    "letter_changed_meanwhile": Text("the letter changed while it was made", "ask for it again"),
    "log_entry_kind_unknown": Text("the log has no such kind of entry"),
    "no_file_chosen": Text("no file was chosen"),
    "no_row_chosen": Text("no row is chosen", "go back and choose some"),
    "paper_hits_too_many": Text(
        "a paper has at most {most} hits", "narrow the filter, or take the file for a spreadsheet"
    ),
    "practice_code_used": Text(
        "this person signed in a moment ago, and each code counts once", "try again in half a minute"
    ),
    "query_line_unreadable": Text(
        "line {number} of the pasted persons has more than {columns} columns, or a text that is too long"
    ),
    "role_not_allowed": Text("none of your roles allows this"),
    "role_unknown": Text("there is no such role"),
    "round_id_malformed": Text("a round has an id of 32 digits"),
    "search_not_kept": Text("the name that was searched for is not kept any more", "search for it again"),
    "template_unknown": Text("there is no such template"),
    "text_too_long": Text("a text is too long"),
    # The request after a hit, which is written in more than one language.
    "letter_answer_by_normal": Text("normal, answer asked for by {due}"),
    "letter_answer_by_urgent": Text("urgent, answer asked for by {due}"),
    "letter_area": Text("Area"),
    "letter_asks": Text(
        "{sender} asks {receiver} to look at its record under this hit, and to say by this channel whether it can give "
        "the information that it holds, and under which conditions"
    ),
    "letter_asks_of_several": Text(
        "{sender} asks {receiver} to look at its record under each of these hits, and to say of each by this channel "
        "whether it can give the information that it holds, and under which conditions"
    ),
    "letter_bilateral": Text("bilateral channel"),
    "letter_by": Text("By"),
    "letter_certainty": Text("Certainty of the match"),
    "letter_certainty_high": Text("high"),
    "letter_certainty_low": Text("low"),
    "letter_certainty_medium": Text("medium"),
    "letter_condition": Text("{code}: {condition}"),
    "letter_date": Text("Date"),
    "letter_first_reminder_title": Text("First reminder of a request after a hit"),
    "letter_from": Text("From"),
    "letter_handling": Text("Handling code"),
    "letter_handling_none": Text("none given"),
    "letter_handling_of": Text("Handling code of {party}"),
    "letter_hit": Text("Hit"),
    "letter_hit_line": Text("{hit}; {sender}: {own}; {receiver}: {other}; certainty {certainty}"),
    "letter_hit_term": Text("{line}; {term} {text}"),
    "letter_hit_numbered": Text("Hit {number}"),
    "letter_legal_basis": Text("Legal basis"),
    "letter_number": Text("Number in this channel"),
    "letter_number_later": Text("to be given by the channel"),
    "letter_permission": Text("Permission"),
    "letter_practice": Text("Practice"),
    "letter_practice_only": Text(
        "This is practice with invented persons. Nothing in this letter is real, and nobody is to be asked by it"
    ),
    "letter_practice_persons": Text("all persons are invented, nothing here is real"),
    "letter_practice_title": Text("Practice, not real: {title}"),
    "letter_purpose": Text("Purpose"),
    "letter_reference_of": Text("Reference of {party}"),
    "letter_references_only": Text(
        "This request holds references only. It holds no data of any person, and none may be added to it outside this "
        "channel"
    ),
    "letter_reminder_title": Text("Reminder {number} of a request after a hit"),
    "letter_reminds": Text(
        "{sender} asked {receiver} for an answer about this by the same channel, on the day named above, and has "
        "recorded none. It asks for that answer now"
    ),
    "letter_reminds_of": Text("Reminds of a request of"),
    "letter_round": Text("Round"),
    "letter_second_reminder_title": Text("Second reminder of a request after a hit"),
    "letter_title": Text("Request after a hit"),
    "letter_to": Text("To"),
    "letter_unit": Text("{who}, counter-terrorism unit"),
    "letter_urgency": Text("Urgency"),
    "letter_what_hits_say": Text(
        "In the round named above records of {sender} and records of {receiver} hit. A hit says that two records may "
        "be about the same person, with the certainty stated. It is not evidence, and it is not an identification"
    ),
    "letter_what_a_hit_says": Text(
        "In the round named above a record of {sender} and a record of {receiver} hit. A hit says that both records "
        "may be about the same person, with the certainty stated. It is not evidence, and it is not an identification"
    ),
    "evaluation_proof_not_verified": Text("a proof of evaluation does not verify"),
}

CORE_FAULTS: Final[Table] = {
    "counted_families_wrong": Text(
        "a family that the rule table has counted is unknown or named twice, or a part of it lacks a share or a chance"
    ),
    "expected_share_out_of_range": Text("an expected share of a rule table is not above 0 and at most 1"),
    "family_usualness_incomplete": Text("some parts of a family state how usual they are, and others do not"),
    "missing_evidence_weight_wrong": Text(
        "the weight of a family's missing evidence is out of range, or the family is unknown"
    ),
    "part_family_or_weight_wrong": Text("a part has an unknown family, a weight out of range, or a name with `:`"),
    "part_kind_unknown": Text("a part is of an unknown kind", "known kinds: {known}"),
    "part_required_only_has_weight": Text("a part that only requires a value has a weight, or is marked as usual"),
    "rule_admits_no_record": Text("a rule admits no record", "set most_records to 1 or more"),
    "rule_class_wrong": Text(
        "a rule that reads no number, and no more of a date than its year, is not of the class coarse, or another is",
        "give rules that read no number, and no more of a date than its year, the class coarse, and no other rule",
    ),
    "rule_family_named_twice": Text("a rule names two parts of one family"),
    "rule_number_or_name_wrong": Text("a rule has a number outside 1 to {most_rules}, or a name with `;` or none"),
    "rule_part_unknown": Text("a rule names a part that the table does not weigh"),
    "rule_requirement_wrong": Text("a rule requires a value more than once, or compares nothing else"),
    "rule_table_fields_wrong": Text(
        "the rule table lacks a field, or has one of a wrong type", "compare it with a built-in table"
    ),
    "rule_table_not_toml": Text("the rule table is not TOML: {fault}", "correct the line that is named"),
    "rule_table_number_inexact": Text(
        "a number of the rule table is out of range, or has more than {decimals} decimals: {where}",
        "state weights with two decimals, and shares with six",
    ),
    "rule_table_rules_wrong": Text("a rule table has no rule, or two of one number or name", "number each rule once"),
    "rule_too_weak": Text("a rule is made of one weak attribute alone", "add a second part"),
    "settings_indicators_unusable": Text(
        "the table of indicators in the settings cannot be used: {fault}",
        "name a file of the form of aquila/records/indicators.toml",
    ),
    "shadow_sets_wrong": Text(
        "the sets of rules of shadow columns are missing, not in order, or name rules that the table does not have",
        "compare them with a built-in table",
    ),
    "stored_record_fields_wrong": Text("a stored record has an unknown field or code, or a value of a wrong type"),
    "stored_record_not_json": Text("a stored record is not JSON text"),
    "evaluation_not_4x4": Text("this is not an evaluation of the 4x4 system"),
    "expectation_needs_records_and_share": Text("an expectation of hits needs records and a share"),
    "prior_operands_out_of_range": Text("a prior needs two lists with records and a share above 0 and at most 1"),
    "rule_mask_empty_or_unknown": Text("a mask of rules is empty or names a rule that the table does not have"),
    "token_row_rule_impossible": Text("a token row names a rule that no table can have"),
    "token_rows_not_whole": Text("these are not whole token rows"),
    "bundle_too_large": Text("a bundle holds up to 256 entries of up to 65,535 bytes"),
    "checkpoint_fields_unreadable": Text("a checkpoint's origin, size or head cannot be read"),
    "checkpoint_head_size_mismatch": Text("a checkpoint's head does not fit a log of its size"),
    "checkpoint_not_signed_by_log": Text("the checkpoint is not signed by its log"),
    "checkpoint_not_three_lines": Text("a checkpoint has not three lines"),
    "checkpoint_of_another_log": Text("the checkpoint is another log's"),
    "checkpoint_origin_or_head_wrong": Text(
        "a checkpoint needs an origin of one line and a head of 32 bytes", "give both as the log has them"
    ),
    "consistency_proof_sizes_not_ascending": Text(
        "a consistency proof is from an earlier tree, not empty, to a later one"
    ),
    "cosignature_not_72_bytes": Text("a cosignature has not 72 bytes"),
    "cosignature_wrong": Text("the cosignature is wrong: {witness}"),
    "earlier_size_out_of_range": Text("a log only grows: the earlier size is not from 1 to the later"),
    "entry_bundle_count_differs": Text("an entry bundle does not hold as many entries as its name says"),
    "entry_content_not_allowed": Text("an entry of the log may not hold this: {fields}"),
    "entry_malformed": Text("this is not an entry of a log: {fields}"),
    "entry_not_canonical": Text("an entry of the log is not in canonical encoding"),
    "entry_number_outside_tree": Text("the entry's number is not below the tree's size"),
    "entry_too_long": Text("an entry of the log is too long"),
    "entry_unknown_in_tree": Text("there is no such entry in that tree"),
    "hash_tile_length_differs": Text("a hash tile has another length than its name says"),
    "left_out_entries_malformed": Text("{file}: its entries do not ascend, or are not in the log"),
    "left_out_file_unreadable": Text("{file}: it cannot be read"),
    "left_out_rounds_malformed": Text("{file}: its rounds lack more entries than are left out"),
    "log_edge_size_mismatch": Text("the edge of a log does not fit its size"),
    "log_growth_size_differs": Text("the log proves its growth from another size than asked for"),
    "log_heads_differ": Text("two heads of one size differ: the log forked"),
    "log_signature_wrong": Text("the log's signature is wrong: {origin}"),
    "entry_proof_malformed": Text("a file is not the proof of a log's entry (C2SP tlog-proof)"),
    "log_update_malformed": Text("an update of a log does not begin with an old size and a proof"),
    "log_update_too_long": Text("an update of a log is too long"),
    "note_key_name_malformed": Text(
        "the name of a key in a note has a space or a plus sign, or is empty", "name the key without them"
    ),
    "proof_earlier_head_differs": Text("the proof leads to another earlier head"),
    "proof_empty": Text("the proof is empty"),
    "proof_hash_count_differs": Text("the proof has another number of hashes than the tree asks"),
    "proof_hash_not_32_bytes": Text("a hash of the proof has not 32 bytes"),
    "proof_head_differs": Text("the proof leads to another head"),
    "proof_later_head_differs": Text("the proof leads to another later head"),
    "proof_line_not_hash": Text("a line of a consistency proof is not a hash"),
    "proof_of_equal_trees_unexpected": Text("trees of one size need no proof, and this one has hashes"),
    "signed_note_control_character": Text("a signed note has a control character"),
    "signed_note_line_not_signature": Text("a line of a signed note is not a signature"),
    "signed_note_not_utf_8": Text("a signed note is not a UTF-8 text"),
    "signed_note_signature_missing": Text("a signed note has no signature, or ends in the middle of a line"),
    "signed_note_too_long": Text("a signed note is too long"),
    "statement_bundle_count_differs": Text("a bundle of statements does not hold as many as its name says"),
    "batch_length_no_multiple": Text("a batch of {what} must be a multiple of {width} bytes"),
    "batch_lengths_differ": Text("two batches that belong together differ in length"),
    "c_extension_not_built": Text(
        "the backend {backend} was not built here",
        "install with a C compiler; only x86-64 processors have ifma and avx2",
    ),
    "domain_separation_tag_length_wrong": Text("a domain separation tag has 1 to 255 bytes"),
    "ed25519_key_not_32_bytes": Text("an Ed25519 public key has 32 bytes"),
    "ed25519_key_not_canonical": Text("an Ed25519 public key is not in its canonical encoding"),
    "ed25519_key_small_order": Text("an Ed25519 public key has small order"),
    "element_not_ristretto255": Text(
        "the bytes at position {index} are not a ristretto255 element, or they are the identity"
    ),
    "envelope_key_unknown": Text("an envelope is signed by a key that is not known here"),
    "envelope_malformed": Text("these bytes are not an envelope with one signature"),
    "envelope_not_canonical_or_unexpected": Text(
        "an envelope is not canonical, or of a type that is not expected here"
    ),
    "envelope_too_long": Text("an envelope is too long"),
    "envelope_type_unexpected": Text("an envelope is of a type that is not expected here"),
    "identity_key_not_ed25519": Text(
        "an identity key must be an Ed25519 key",
        "bring the right file from the safe, or correct the setting `identity`",
    ),
    "identity_key_unreadable": Text("an identity key cannot be read", "it must be unencrypted PEM"),
    "integers_not_multiple_of_64": Text("integers to reduce must be a multiple of 64 bytes"),
    "key_already_closed": Text("this {kind} is closed"),
    "key_not_copyable": Text("a {kind} is neither pickled nor copied"),
    "knowledge_proof_not_verified": Text("a proof of knowledge does not verify"),
    "libsodium_missing": Text(
        "neither the system nor the package {package} has libsodium",
        "install the system's libsodium (Debian: libsodium23), or the pinned requirements",
    ),
    "libsodium_not_initialized": Text("libsodium, {origin}, cannot be initialized"),
    "libsodium_package_unexpected": Text(
        "the package {package} does not hold libsodium as expected",
        "install the system's libsodium (Debian: libsodium23), or the pinned requirements",
    ),
    "messages_not_whole": Text("messages must be a whole number of messages of at least one byte"),
    "nonce_not_32_bytes": Text("the nonce needs 32 fresh bytes"),
    "outputs_not_multiple_of_64": Text("outputs must be a multiple of 64 bytes"),
    "processor_feature_missing": Text("the processor lacks {listed}", "use another backend"),
    "proof_inputs_missing": Text("a proof needs at least one input, and an output for each"),
    "proof_scalars_not_canonical": Text("a proof must be two canonical scalars of 32 bytes"),
    "public_key_not_64_digits": Text("a public key must be 64 lower-case hexadecimal digits"),
    "round_key_not_32_bytes": Text("a round key has 32 bytes"),
    "scalar_out_of_range": Text("the scalar at position {index} is zero or not below the group's order"),
    "sealed_batch_not_opened": Text("a sealed batch does not open"),
    "sealed_note_not_opened": Text("a sealed note does not open"),
    "sealed_stream_changed": Text(
        "the sealed file was changed, or its end is missing, at piece {number}", "use another copy of the file"
    ),
    "sealed_stream_for_another_key": Text(
        "the file is sealed to the key {expected}, and this is the key {got}", "use the private key of that name"
    ),
    "sealed_stream_missing": Text("this is not a sealed file of Aquila, or its beginning is missing"),
    "sealing_key_not_x_wing": Text("a sealing key is not an X-Wing key"),
    "secret_key_not_32_bytes": Text("a secret key has 32 bytes"),
    "share_key_not_32_bytes": Text("a share's public key has 32 bytes"),
    "share_malformed": Text("these bytes are not a share"),
    "signature_not_verified": Text("a signature does not verify"),
    "stored_secret_not_opened": Text(
        "a stored secret does not open", "the round's key was replaced, or the stored bytes were changed"
    ),
    "stream_not_whole_blocks": Text("a stream gives whole blocks of 16 bytes"),
    "thread_count_too_small": Text("at least one thread is needed"),
    "transcript_part_too_long": Text("a part of a transcript is too long for its length field"),
    "weighted_sum_empty": Text("a weighted sum needs at least one element"),
}
"""Faults of rule tables, logs, keys and bytes, which no officer can mend: in English on every page."""
