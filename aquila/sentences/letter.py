"""Sentences of the request after a hit, which is written in more than one language."""

from __future__ import annotations

from typing import Final

from aquila.sentences.sentence import Table, Text

LETTER: Final[Table] = {
    "letter_answer_by_normal": Text("normal, answer asked for by {due}"),
    "letter_answer_by_urgent": Text("urgent, answer asked for by {due}"),
    "letter_area": Text("Area"),
    "letter_asks": Text(
        "{sender} asks {receiver} to look at its record under this hit, and to say by this channel whether it can give "
        "the information that it holds, and under which conditions"
    ),
    "letter_bilateral": Text("bilateral channel"),
    "letter_by": Text("By"),
    "letter_certainty": Text("Certainty of the match"),
    "letter_certainty_high": Text("high"),
    "letter_certainty_low": Text("low"),
    "letter_certainty_medium": Text("medium"),
    "letter_condition": Text("{code}: {condition}"),
    "letter_date": Text("Date"),
    "letter_from": Text("From"),
    "letter_handling": Text("Handling code"),
    "letter_handling_none": Text("none given"),
    "letter_handling_of": Text("Handling code of {party}"),
    "letter_hit": Text("Hit"),
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
    "letter_round": Text("Round"),
    "letter_title": Text("Request after a hit"),
    "letter_to": Text("To"),
    "letter_unit": Text("{who}, counter-terrorism unit"),
    "letter_urgency": Text("Urgency"),
    "letter_what_a_hit_says": Text(
        "In the round named above a record of {sender} and a record of {receiver} hit. A hit says that both records "
        "may be about the same person, with the certainty stated. It is not evidence, and it is not an identification"
    ),
}
