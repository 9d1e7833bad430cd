"""The form of a query: persons in rows or pasted, and why they are asked for; what was typed is kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from pydantic import ValidationError

from aquila.errors import AquilaError, InputError
from aquila.followup.lifecycle import Urgency
from aquila.interface.queries import MOST_PERSONS, Queries, QueryPerson, QueryRequest, StandingQueryRequest
from aquila.interface.rounds import JustificationInput
from aquila.records.person import LIST_FIELDS
from aquila.records.reading.columns import read_texts
from aquila.records.rows import RefusedRow
from aquila.sentences import Sentence
from clients.sdk.services import PASTED_FIELDS, end_of_day, pasted_persons
from clients.web.app.forms import MAY_NAME, SubmittedForm
from clients.web.app.navigation import identifier
from clients.web.i18n.languages import n_
from clients.web.rounds.proposal_form import NO_CHOICE, NO_WORDS, FieldError, FieldErrors

TYPED = PASTED_FIELDS
"""The fields of a row."""

_REASON = ("legal_basis", "purpose", "case_reference", "category")
_KEPT = (*_REASON, "round_id", "urgency", "pasted", "import_id", "template", "until")
_ROWS = 3
_LONGEST = 500
_NEEDED = ("given_names", "family_names", "date_of_birth")
_USED = frozenset({"country_unknown", "word_of_unknown_script"})  # findings on values that are compared all the same
_FIELD_OF_REFUSAL = {
    "query_persons_too_many": "import_id",
    "standing_query_over": "until",
    "standing_query_too_long": "until",
    "standing_query_urgent": "urgency",
}
OF_ROUND = "round"
"""The template that takes over the texts of the chosen round."""

NO_PERSON = n_("Type or paste at least one person, or choose a list.")
TWO_WAYS = n_("Give the persons in one way: in rows, pasted, or as a list.")
TOO_LONG = n_("A text is too long.")
NO_DAY = n_("Write the day as 2027-03-31.")
NO_END = n_("This round takes no query any more. Give a day until which later rounds of its terms are asked.")


@dataclass(slots=True)
class QueryForm:
    """The form as it was typed."""

    texts: dict[str, str]
    """What stands in fields, by name."""
    rows: list[dict[str, str]]
    """What stands in the rows of persons, by field."""
    faults: dict[str, FieldError | Sentence] = field(default_factory=dict)
    """What is wrong, by field; of a row, by its field and its number from 1, as in `date_of_birth-2`."""
    refusal: Sentence | None = None
    """What the service said against the whole of it."""

    @classmethod
    def empty(cls, found: Queries) -> Self:
        """Return a form with the newest round chosen, and its texts as the justification."""
        form = cls({"urgency": Urgency.NORMAL.value}, [{} for _ in range(_ROWS)])
        if rounds := (*found.rounds, *found.earlier):
            form.texts["round_id"] = rounds[0].round_id
            form.fill(OF_ROUND, found)
        return form

    @classmethod
    def sent(cls, sent: SubmittedForm, found: Queries) -> Self:
        """Return the form that was sent; rows that are empty are kept, so that a person stays in its place."""
        columns = {name: sent.texts(name)[: found.most_persons] for name in TYPED}
        count = max((len(column) for column in columns.values()), default=0)
        rows = [
            {name: column[place].strip() for name, column in columns.items() if place < len(column)}
            for place in range(count)
        ]
        return cls({name: sent.text(name) for name in _KEPT}, rows or [{}])

    def text(self, name: str) -> str:
        return self.texts.get(name, "")

    def field_errors(self, say: Callable[..., str], compose: Callable[[Sentence], str]) -> FieldErrors:
        return FieldErrors(
            {
                name: compose(fault) if isinstance(fault, Sentence) else say(fault.message, **fault.values)
                for name, fault in self.faults.items()
            }
        )

    def refuse(self, error: AquilaError) -> None:
        """Add the service's refusal: at the field that it is about, or of the whole form."""
        name = _FIELD_OF_REFUSAL.get(error.sentence.code)
        if name is None:
            self.refusal = error.sentence
        else:
            self.faults[name] = error.sentence

    @property
    def may_name(self) -> bool:
        """Return whether the service found a possible name, so that the officer has to confirm the texts."""
        return self.refusal is not None and self.refusal.code == MAY_NAME

    def add_rows(self) -> None:
        self.rows += [{} for _ in range(min(_ROWS, MOST_PERSONS - len(self.rows)))]

    def fill(self, template: str, found: Queries) -> None:
        rounds = (*found.rounds, *found.earlier)
        chosen = next((one for one in rounds if one.round_id == self.text("round_id")), None)
        texts = next((one for one in found.templates if one.name == template), None)
        if chosen is not None and not self.text("legal_basis"):
            self.texts["legal_basis"] = chosen.legal_basis
        source = chosen if template == OF_ROUND else texts
        if source is not None:
            self.texts |= {"purpose": source.purpose, "category": source.category}

    def request(self, found: Queries) -> QueryRequest | None:
        """Return the request, of a standing query where an end is given; None where a field is wrong, as in `faults`.

        Args:
            found: The rounds from which one is chosen.
        """
        typed = [row for row in self.rows if any(row.values())]
        pasted = self._pasted()
        import_id = self.text("import_id")
        ways = sum(map(bool, (typed, self.text("pasted"), import_id)))
        if ways != 1:
            self.faults["persons"] = FieldError(TWO_WAYS if ways else NO_PERSON)
        for number, row in enumerate(self.rows, start=1):
            if any(row.values()):
                self.faults |= {f"{name}-{number}": fault for name, fault in _faults_of(row).items()}
        if not self.text("round_id"):
            self.faults["round_id"] = FieldError(NO_CHOICE)
        until = self._until()
        if until is None and self.text("round_id") in {one.round_id for one in found.earlier}:
            self.faults.setdefault("until", FieldError(NO_END))
        why = self._justification()
        if self.faults or why is None:
            return None
        persons = pasted or tuple(QueryPerson.model_validate(row) for row in typed)
        wanted = QueryRequest(
            round_id=identifier(self.text("round_id")),
            persons=persons,
            import_id=identifier(import_id) if import_id else None,
            justification=why,
        )
        return wanted if until is None else StandingQueryRequest(**dict(wanted), until=until)

    def _pasted(self) -> tuple[QueryPerson, ...]:
        """Return the pasted persons; a line that cannot be used is a fault of the field."""
        try:
            persons = pasted_persons(self.text("pasted"))
        except InputError as error:
            self.faults["pasted"] = error.sentence
            return ()
        for number, person in enumerate(persons, start=1):
            for fault in _faults_of(person.model_dump()).values():
                if isinstance(fault, Sentence):
                    unusable = Sentence.of("query_person_unusable", number=number, reason=fault)
                    self.faults.setdefault("pasted", unusable)
        return persons

    def _until(self) -> int | None:
        """Return the end of a standing query, or None where none is given or it cannot be read."""
        try:
            return end_of_day(self.text("until")) if self.text("until") else None
        except InputError:
            self.faults["until"] = FieldError(NO_DAY)
            return None

    def _justification(self) -> JustificationInput | None:
        texts = {name: self.text(name) for name in _REASON}
        urgent = self.text("urgency") == Urgency.URGENT.value
        try:
            return JustificationInput.model_validate(texts | {"urgency": Urgency.URGENT if urgent else None})
        except ValidationError as error:
            self.faults |= {str(fault["loc"][0]): FieldError(NO_WORDS) for fault in error.errors() if fault["loc"]}
            return None


def _faults_of(person: Mapping[str, str]) -> dict[str, FieldError | Sentence]:
    """Return the faults of a person who is typed, by field; too little data is a fault of an empty one."""
    texts = {name: text.strip() for name, text in person.items() if text.strip()}
    found: dict[str, FieldError | Sentence] = {
        name: FieldError(TOO_LONG) for name, text in texts.items() if len(text) > _LONGEST
    }
    if found:
        return found
    split = {name: text.split(";") if name in LIST_FIELDS else [text] for name, text in texts.items()}
    row = read_texts(1, {"record_id": ["typed"], **split})
    for finding in row.findings if isinstance(row, RefusedRow) else row.warnings:
        empty = next((name for name in _NEEDED if name not in texts and name not in found), _NEEDED[0])
        if finding.sentence.code not in _USED:
            found.setdefault(finding.field or empty, finding.sentence)
    return found
