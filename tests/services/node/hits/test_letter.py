"""The letter: references and terms, and nothing of a person."""

from dataclasses import replace

from aquila.followup.lifecycle import HOUR, Channel
from services.node.hits.letter import Letter, LetterHit, strictest
from tests.support.letter_example import LETTER, head_of


def test_it_says_who_asks_whom_about_which_hit_and_until_when() -> None:
    """All references are there, with the time that an urgent answer has."""
    text = LETTER.text()
    for part in ("AL, counter", "RS, counter", "SIENA", "to be given", "f" * 32, "2027-01-15 16:00 UTC", "high"):
        assert part in text
    assert "Permission" not in text
    assert "Reference" not in text


def test_what_is_known_stands_in_it() -> None:
    """The channel's number, the handling code and the permission take their places."""
    hit = replace(LETTER.hits[0], handling="H1", permission="P-3")
    letter = replace(LETTER, channel=Channel.INTERPOL, reference="I-77", hits=(hit,))
    lines = head_of(letter.view())
    assert (lines["By"], lines["Number in this channel"]) == ("Interpol I-24/7", "I-77")
    assert lines["Permission"] == "P-3"
    assert lines["Handling code"].startswith("H1: not to be disclosed in judicial proceedings")


def test_it_names_both_parties_and_their_conditions() -> None:
    """The registered names, and the condition under which the receiver gave its note."""
    hit = replace(LETTER.hits[0], other_handling="H3")
    letter = replace(LETTER, names={"RS": "Serbia, Police"}, hits=(hit,))
    lines = head_of(letter.view())
    assert (lines["From"], lines["To"]) == ("AL, counter-terrorism unit", "Serbia, Police (RS), counter-terrorism unit")
    assert lines["Handling code"] == "none given"
    assert lines["Handling code of RS"] == "H3: other restrictions, which the provider states"
    hit = replace(LETTER.hits[0], handling="H9")
    assert head_of(replace(LETTER, hits=(hit,)).view())["Handling code"] == "H9"


def test_it_has_no_field_for_a_person() -> None:
    assert not {"name", "record", "record_id", "date_of_birth", "remark"} & set(Letter.__slots__)


def test_it_is_a_message_for_a_channel() -> None:
    """Subject, references and handling codes each in a field of their own; what is not known is left out."""
    message = replace(LETTER, hits=(LetterHit("f" * 32, "high", "AL-1234-5678-9ABC", handling="H1"),)).message()
    assert message.subject == "Request after a hit ffffffff: AL to RS"
    assert message.references == (("hit", "f" * 32), ("round", "0" * 32), ("reference of AL", "AL-1234-5678-9ABC"))
    assert (message.handling_code, message.receiver_handling_code) == ("H1", "")
    assert message.answer_by == LETTER.opened_at + 8 * HOUR
    assert "AL asks RS to look at its record" in message.body[1]


def test_its_sentences_can_be_composed_in_another_language() -> None:
    view = replace(LETTER, hits=(replace(LETTER.hits[0], handling="H1"),)).view()
    assert all(f"{label}:" in view.text for label in head_of(view))
    flowing = " ".join(view.text.split())
    assert all(f"{paragraph.text}." in flowing for paragraph in view.body)


def test_one_letter_asks_about_several_hits() -> None:
    """Each has a line with both numbers and its certainty, and its references in the message are numbered."""
    hits = (LetterHit("a" * 32, "high", "AL-1111-2222-3333", "RS-1111-2222-3333"), LetterHit("b" * 32, "low"))
    letter = replace(LETTER, hits=hits)
    head = head_of(letter.view())
    assert head["Hit 1"] == f"{'a' * 32}; AL: AL-1111-2222-3333; RS: RS-1111-2222-3333; certainty high"
    assert head["Hit 2"] == f"{'b' * 32}; AL: -; RS: -; certainty low"
    message = letter.message()
    assert message.subject == "Request after a hit (2 hits): AL to RS"
    assert ("hit 2", "b" * 32) in message.references
    assert ("reference of RS 1", "RS-1111-2222-3333") in message.references
    assert "each of these hits" in letter.text()


def test_the_strictest_code_is_the_letters_and_each_hit_has_its_own() -> None:
    """H2 comes before H3, and a code that is not known before all; what all have in common stands in the head alone."""
    hits = (
        LetterHit("a" * 32, "high", handling="H3", other_handling="H1"),
        LetterHit("b" * 32, "high", handling="H2", other_handling="H1", permission="P-3"),
        LetterHit("c" * 32, "low", other_handling="H1"),
    )
    letter = replace(LETTER, hits=hits)
    head, message = head_of(letter.view()), letter.message()
    assert head["Handling code"].startswith("H2: ")
    assert head["Handling code of RS"].startswith("H1: ")
    assert head["Permission"] == "P-3"
    ends = [head[f"Hit {number}"].split("certainty ")[1] for number in (1, 2, 3)]
    assert ends == [
        "high; Handling code H3; Permission -",
        "high; Handling code H2; Permission P-3",
        "low; Handling code -; Permission -",
    ]
    assert (message.handling_code, message.receiver_handling_code) == ("H2", "H1")
    assert [text for name, text in message.references if name.startswith("handling code ")] == ["H3", "H2", "-"]
    assert strictest(["H0", "", "H1", "H3"]) == "H3"
    assert strictest(["H2", "H9", "H3"]) == "H9"
    assert strictest([]) == ""


def test_a_reminder_is_the_same_letter_with_its_own_date() -> None:
    """It names the request of which it reminds; references and the time for the answer are those of the request."""
    request, at = LETTER.view(), LETTER.opened_at + 24 * HOUR
    titles = [replace(LETTER, reminders=number, reminded_at=at).view().title.text for number in (1, 2, 3)]
    assert [title.split(" of a request")[0] for title in titles] == ["First reminder", "Second reminder", "Reminder 3"]
    reminder = replace(LETTER, reminders=1, reminded_at=at).view()
    head, before = head_of(reminder), head_of(request)
    assert (head["Date"], head["Reminds of a request of"]) == ("2027-01-16 08:00 UTC", before["Date"])
    assert (head["Hit"], head["Urgency"]) == (before["Hit"], before["Urgency"])
    assert "Reminds of a request of" not in before
    assert reminder.body[1:] == request.body
    assert (reminder.message.reminder, reminder.message.answer_by) == (1, request.message.answer_by)
    assert reminder.message.subject.startswith("First reminder of a request after a hit ffffffff")
