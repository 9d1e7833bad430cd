"""The form for proposing a round: typed values are kept, and errors are shown next to their fields.

The proposal's form has two steps. The first sets one amount for every party and lets all pairs be compared; the second,
for whoever wants it, sets amounts for each party and each pair by itself. Both work without a script.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

from aquila.errors import AquilaError, OrderError
from aquila.interface.rounds import ProposalDefaults, RoundProposal
from aquila.matching.certainty import Level
from aquila.protocol.messages import Mode, Padding, Window
from aquila.protocol.messages.base import MOST_TITLE
from aquila.records.rules import InputClass
from aquila.sentences import Sentence
from clients.web.app.forms import SubmittedForm, whole_number
from clients.web.i18n.languages import n_

WORDS = ("area", "legal_basis", "purpose", "category")
MOMENTS = ("consent_by", "submit_by", "evaluate_by", "closes_at")
_LINE = re.compile(r"[^\x00-\x1f\x7f]{1,500}")  # as `Text` has it
_BASICS = frozenset({*WORDS, *MOMENTS, "title", "party", "mode", "minimum_certainty", "retention_days"})
_LEAST_PARTIES = 2
_LARGEST_SIZE = 255  # as `Padding` has it
_FIRST_YEAR = 1970  # where seconds begin
_NUMBERS: Mapping[str, tuple[int, int]] = {
    "retention_days": (1, 3_660),
    "frequency_limit": (1, 1_000),
    "padding_records": (1, 10_000_000),
}
_MOST_ELEMENTS = 2**40
_MOST_VERSION = 2**31

TOO_FEW = n_("Choose at least two parties.")
UNKNOWN = n_("One of these parties is not registered here.")
NO_WORDS = n_("Write one line of at most 500 characters.")
NO_TITLE = n_("Write one line of at most 80 characters.")
NO_CHOICE = n_("Choose one of these.")
NO_NUMBER = n_("Write a whole number from %(least)s to %(most)s.")
NO_SIZES = n_("Write whole numbers from 1 to 255, the smallest first, or nothing.")
NO_MOMENT = n_("Write a day and a time.")
NOT_IN_ORDER = n_("This has to be later than the deadline before it.")
NO_PAIR = n_("Choose at least one pair.")
MOVED = n_("The parties have changed. Look at the pairs and caps once more.")
PASSED = n_("This time has passed.")


@dataclass(frozen=True, slots=True)
class FieldError:
    """An error of a field, in English, with the values of its sentence."""

    message: str
    values: Mapping[str, object] = field(default_factory=dict)


class FieldErrors(dict[str, str]):
    """Errors in the visitor's language, by field; empty for every other field."""

    def __missing__(self, _name: str) -> str:
        return ""


@dataclass(slots=True)
class ProposalForm:
    """The form of a proposal as it was typed."""

    texts: dict[str, str]
    """What stands in fields, by name."""
    parties: list[str]
    faults: dict[str, FieldError] = field(default_factory=dict)
    """What is wrong, by field."""
    refusal: Sentence | None = None
    """What the service said against the whole of it."""
    each: list[str] = field(default_factory=list)
    """For which parties the second step is shown; nobody in the first."""
    pairs: set[str] = field(default_factory=set)
    """Which pairs are chosen in the second step, as `AL-RS`."""

    def text(self, name: str) -> str:
        return self.texts.get(name, "")

    def field_errors(self, say: Callable[..., str]) -> FieldErrors:
        return FieldErrors({name: say(fault.message, **fault.values) for name, fault in self.faults.items()})

    def refuse(self, error: AquilaError) -> None:
        """Add the service's refusal of the whole form; a time that has passed is shown at its field."""
        if isinstance(error, OrderError) and "consent_by" in self.texts:
            self.faults["consent_by"] = FieldError(PASSED)
        else:
            self.refusal = error.sentence

    def terms(self, known: Iterable[str]) -> dict[str, Any]:
        """Return the terms of the first step, and collect their errors.

        Args:
            known: The parties that may be chosen.
        """
        if len(self.parties) < _LEAST_PARTIES:
            self.faults["party"] = FieldError(TOO_FEW)
        elif not set(self.parties) <= set(known):
            self.faults["party"] = FieldError(UNKNOWN)
        for name in WORDS:
            if not _LINE.fullmatch(self.text(name)):
                self.faults[name] = FieldError(NO_WORDS)
        title = self.text("title") or None
        if title and (len(title) > MOST_TITLE or not _LINE.fullmatch(title)):
            self.faults["title"] = FieldError(NO_TITLE)
        for name, kind in (("mode", Mode), ("minimum_certainty", Level)):
            if self.text(name) not in set(kind):
                self.faults[name] = FieldError(NO_CHOICE)
        said = {name: self.text(name) for name in (*WORDS, "mode", "minimum_certainty")}
        return {"participants": sorted(self.parties), "title": title, **said}

    @property
    def shown_pairs(self) -> list[str]:
        return _pairs(self.each)

    @property
    def opened(self) -> bool:
        """Return whether the rarely needed part has to be open: the second step, or an error in it."""
        return bool(self.each) or bool(self.faults.keys() - _BASICS)

    def spread(self, known: Iterable[str]) -> None:
        """Go to the second step, or adapt it to other parties: what is new there has what holds for everyone.

        Args:
            known: The parties that may be chosen.
        """
        chosen = sorted(set(self.parties) & set(known))
        if len(chosen) < _LEAST_PARTIES:
            self.faults["party"] = FieldError(TOO_FEW)
            return
        before, self.each = set(_pairs(self.each)), chosen
        after = set(_pairs(self.each))
        self.pairs = (self.pairs & after) | (after - before)
        for party in self.each:
            for kind in InputClass:
                self.texts.setdefault(f"cap-{party}-{kind}", self.text(f"cap_{kind}"))

    def proposal(self, defaults: ProposalDefaults) -> RoundProposal | None:
        """Return the proposal; or None, with what is wrong, where something is."""
        content = self.terms(defaults.parties)
        if self.each and self.each != content["participants"] and "party" not in self.faults:
            self.spread(defaults.parties)
            self.faults["party"] = FieldError(MOVED)
        content |= {"rules": self._choice("rules", defaults.rules), "caps": self._caps(content["participants"])}
        content |= {"window": self._window(), "padding": self._padding(), "pairs": self._chosen_pairs()}
        for name in ("retention_days", "frequency_limit"):
            content[name] = self._number(name, *_NUMBERS[name])
        if self.text("template"):
            version = self._number("template_version", 1, _MOST_VERSION)
            content["template"] = {"template_id": self.text("template"), "version": version}
        given = {name: value for name, value in content.items() if value is not None}
        return None if self.faults else RoundProposal.model_validate(given)

    def _choice(self, name: str, choices: Sequence[str]) -> str | None:
        if self.text(name) and self.text(name) not in choices:
            self.faults[name] = FieldError(NO_CHOICE)
        return self.text(name) or None

    def _number(self, name: str, least: int, most: int) -> int | None:
        """Return a number, or None where the field is empty: then the service's own counts."""
        text = self.text(name)
        if not text:
            return None
        number = whole_number(text, len(str(most)))
        if number is not None and least <= number <= most:
            return number
        self.faults[name] = FieldError(NO_NUMBER, {"least": least, "most": most})
        return None

    def _caps(self, parties: Sequence[str]) -> list[dict[str, Any]] | None:
        """Return each party's amounts; None where the form leaves them all to the service."""
        prefixes = {party: f"cap-{party}-" if party in self.each else "cap_" for party in parties}
        names = [prefix + kind for prefix in prefixes.values() for kind in InputClass]
        if not any(map(self.text, names)):
            return None
        found = {name: self._number(name, 0, _MOST_ELEMENTS) for name in names}
        for name in [name for name in names if not self.text(name)]:
            # A zero, or what the service takes? Whoever sets one amount says all of them.
            self.faults[name] = FieldError(NO_NUMBER, {"least": 0, "most": _MOST_ELEMENTS})
        return [
            {"party": party, "elements": {kind: found[prefix + kind] for kind in InputClass}}
            for party, prefix in prefixes.items()
        ]

    def _window(self) -> dict[str, int] | None:
        """Return the deadlines; None where the form leaves them all to the service."""
        if not any(map(self.text, MOMENTS)):
            return None
        found: dict[str, int] = {}
        for name in MOMENTS:
            moment = _moment(self.text(name))
            if moment is None:
                self.faults[name] = FieldError(NO_MOMENT)
            elif found and moment < max(found.values()):
                self.faults[name] = FieldError(NOT_IN_ORDER)
            else:
                found[name] = moment
        return found

    def _padding(self) -> dict[str, Any] | None:
        """Return how sizes are hidden; None where the form leaves it to the service."""
        multiple = self._number("padding_records", *_NUMBERS["padding_records"])
        words = self.text("padding_inputs").replace(",", " ").split()
        sizes = [size for word in words if (size := whole_number(word, len(str(_LARGEST_SIZE)))) is not None]
        if (
            len(sizes) < len(words)
            or sizes != sorted(set(sizes))
            or any(not 1 <= size <= _LARGEST_SIZE for size in sizes)
        ):
            self.faults["padding_inputs"] = FieldError(NO_SIZES)
        return None if multiple is None else {"inputs_per_record": sizes, "records_multiple": multiple}

    def _chosen_pairs(self) -> list[tuple[str, ...]] | None:
        """Return the pairs of the second step; None in the first, where all are compared."""
        if not self.each:
            return None
        chosen = [pair for pair in self.shown_pairs if pair in self.pairs]
        if not chosen:
            self.faults["pair"] = FieldError(NO_PAIR)
        return [tuple(pair.split("-")) for pair in chosen]


def fresh(defaults: ProposalDefaults) -> ProposalForm:
    """Return the form with the service's defaults in it, or with the proposal that it filled in."""
    draft = defaults.draft
    return (
        _filled(defaults, defaults.window, defaults.padding, Mode.LISTS, defaults.rules[0])
        if draft is None
        else _drafted(defaults, draft)
    )


def _filled(
    terms: ProposalDefaults | RoundProposal, window: Window, padding: Padding, mode: Mode, rules: str
) -> ProposalForm:
    """Return the form with what defaults and proposals have in common."""
    moments = window.model_dump()
    texts = {name: written(moments[name]) for name in MOMENTS} | {
        "mode": mode.value,
        "minimum_certainty": terms.minimum_certainty.value,
        "retention_days": str(terms.retention_days),
        "frequency_limit": str(terms.frequency_limit),
        "rules": rules,
        "padding_inputs": " ".join(map(str, padding.inputs_per_record)),
        "padding_records": str(padding.records_multiple),
    }
    if isinstance(terms, ProposalDefaults):
        texts |= {f"cap_{kind}": str(terms.caps.of(kind)) for kind in InputClass}
    return ProposalForm(texts, [])


def _drafted(defaults: ProposalDefaults, draft: RoundProposal) -> ProposalForm:
    """Return the form of a proposal; in its second step where not all parties have the same cap and all pairs."""
    form = _filled(draft, draft.window or defaults.window, draft.padding or defaults.padding, draft.mode, draft.rules)
    form.parties = sorted(draft.participants)
    form.texts |= {"title": draft.title or "", **{name: getattr(draft, name) for name in WORDS}}
    if draft.template is not None:
        form.texts |= {"template": draft.template.template_id, "template_version": str(draft.template.version)}
    caps = {one.party: one.elements for one in draft.caps} or dict.fromkeys(draft.participants, defaults.caps)
    for kind in InputClass:
        form.texts[f"cap_{kind}"] = str(next(iter(caps.values())).of(kind))
    pairs = {"-".join(sorted(pair)) for pair in draft.pairs}
    if len(set(caps.values())) > 1 or (pairs and pairs != set(_pairs(form.parties))):
        form.each, form.pairs = form.parties, pairs or set(_pairs(form.parties))
        form.texts |= {f"cap-{party}-{kind}": str(cap.of(kind)) for party, cap in caps.items() for kind in InputClass}
    return form


def typed(sent: SubmittedForm, defaults: ProposalDefaults) -> ProposalForm:
    each = sorted(set(sent.texts("each")) & set(defaults.parties))
    names = [
        "title",
        "template",
        "template_version",
        *WORDS,
        *MOMENTS,
        *_NUMBERS,
        "mode",
        "minimum_certainty",
        "rules",
        "padding_inputs",
    ]
    names += [f"cap_{kind}" for kind in InputClass]
    names += [f"cap-{party}-{kind}" for party in each for kind in InputClass]
    texts = {name: sent.text(name) for name in names if name in sent.data}
    return ProposalForm(texts, sorted(set(sent.texts("party"))), each=each, pairs=set(sent.texts("pair")))


def written(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%dT%H:%M")


def _moment(text: str) -> int | None:
    """Return a moment that was typed, or None where the text is none."""
    try:
        moment = datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        return None
    return int(moment.timestamp()) if moment.year >= _FIRST_YEAR else None


def _pairs(parties: Sequence[str]) -> list[str]:
    return [f"{left}-{right}" for left, right in combinations(sorted(parties), 2)]
