"""Sentences of the pages."""

from __future__ import annotations

from typing import Final

from aquila.sentences.sentence import Table, Text

PAGES: Final[Table] = {
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
    "form_date_unreadable": Text("the date cannot be read", "write it as 2026-11-26"),
    "form_thing_unknown": Text("the form names no such thing"),
    "import_not_listed": Text("the node holds no such import"),
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
}
