"""Sentences of `records`."""

from __future__ import annotations

from typing import Final

from aquila.sentences.sentence import Table, Text

RECORDS: Final[Table] = {
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
    "counted_families_wrong": Text(
        "a family that the rule table has counted is unknown or named twice, or a part of it lacks a share or a chance"
    ),
    "date_day_not_used": Text("has an impossible day; only year and month are used; check it against the source"),
    "date_form_unknown": Text("a date has an unknown form", "write YYYY-MM-DD, YYYY-MM or YYYY"),
    "date_impossible": Text("the {part} of a date is impossible", "write YYYY-MM-DD, YYYY-MM or YYYY"),
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
    "expected_share_out_of_range": Text("an expected share of a rule table is not above 0 and at most 1"),
    "family_usualness_incomplete": Text("some parts of a family state how usual they are, and others do not"),
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
        "give two of given_names, family_names (or full_name for both) and date_of_birth",
    ),
    "list_empty": Text("the list is empty", "its first line names the columns, such as record_id"),
    "list_format_unknown": Text("this format of lists is unknown", "use {known}"),
    "list_without_person_entity": Text("the list holds no Person entity", "export Person entities as JSON lines"),
    "list_without_records": Text("the list has a header and no record", "export the list again and look at the file"),
    "missing_evidence_weight_wrong": Text(
        "the weight of a family's missing evidence is out of range, or the family is unknown"
    ),
    "name_without_known_letter": Text("holds no letter of the scripts that the letter tables know"),
    "national_number_contradicts_record": Text(
        "tells of another date of birth or sex than the record; both are used; check them against the source"
    ),
    "national_number_too_short": Text("holds too few digits, or one digit only, for a national number"),
    "number_lost_digits": Text(
        "is a number of which a spreadsheet keeps 15 digits and is not used; format the column as text and "
        "type it again"
    ),
    "part_family_or_weight_wrong": Text("a part has an unknown family, a weight out of range, or a name with `:`"),
    "part_kind_unknown": Text("a part is of an unknown kind", "known kinds: {known}"),
    "part_required_only_has_weight": Text("a part that only requires a value has a weight, or is marked as usual"),
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
    "rule_admits_no_record": Text("a rule admits no record", "set most_records to 1 or more"),
    "rule_family_named_twice": Text("a rule names two parts of one family"),
    "rule_number_or_name_wrong": Text("a rule has a number outside 1 to {most_rules}, or a name with `;` or none"),
    "rule_part_unknown": Text("a rule names a part that the table does not weigh"),
    "rule_requirement_wrong": Text("a rule requires a value more than once, or compares nothing else"),
    "rule_table_fields_wrong": Text(
        "the rule table lacks a field, or has one of a wrong type", "compare it with a built-in table"
    ),
    "rule_table_not_toml": Text("the rule table is not TOML: {fault}", "correct the line that is named"),
    "rule_table_rules_wrong": Text("a rule table has no rule, or two of one number or name", "number each rule once"),
    "rule_table_unknown": Text("there is no such rule table", "name one of {known}, or a TOML file"),
    "rule_too_weak": Text("a rule is made of one weak attribute alone", "add a second part"),
    "several_values": Text("has several values; the first is used"),
    "shadow_sets_wrong": Text(
        "the sets of rules of shadow columns are missing, not in order, or name rules that the table does not have",
        "compare them with a built-in table",
    ),
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
    "stored_record_fields_wrong": Text("a stored record has an unknown field or code, or a value of a wrong type"),
    "stored_record_not_json": Text("a stored record is not JSON text"),
    "too_many_values": Text("has more than {most} values; the first {most} are used"),
    "value_not_used": Text("{fault}; it is not used"),
    "value_too_long": Text("is longer than {most} characters"),
    "word_of_unknown_script": Text(
        "holds a word of a script that the letter tables do not know; the other words are used"
    ),
}
