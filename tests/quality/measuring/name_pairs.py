"""The share of name pairs that the normalizer gets right, for each language, form and reason.

The pairs are in `tests/quality/name_pairs`. Two names meet in a form if they have a word in common in this form, as
match rules read them (`schemas/records/normalizer.md`). A pair is right if it meets and is the same, or differs and
stays apart. `make schemas` keeps the tables in `docs/MATCHING.md` up to date.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aquila.records.normalize.names import FORMS, name_words
from tests.quality.measuring.report import markdown, replace
from tests.quality.measuring.set_files import rows_of

FOLDER = Path(__file__).parents[1] / "name_pairs"
DOCUMENT = Path(__file__).parents[3] / "docs" / "MATCHING.md"
MEASURED_FORMS = ("folded", "skeleton", "sound")
SAME_REASONS = (
    "other script",
    "transliteration",
    "by ear",
    "vowel by ear",
    "consonant by ear",
    "doubled letter",
    "capitals",
    "marks left out",
    "ASCII spelling",
    "diminutive",
    "feminine form",
    "form of the name",
    "dialect",
    "old spelling",
    "joined words",
    "particle",
    "scanned",
    "typed",
)
EASY_REASON = "other name"
DIFFERENT_REASONS = (
    "one consonant",
    "one vowel",
    "same consonants",
    "other ending",
    "shared beginning",
    "shared ending",
    "contains the other",
    "male and female",
    "same origin",
    "short form of another",
    EASY_REASON,
)


@dataclass(frozen=True, slots=True)
class NamePair:
    """Two names, and a speaker's judgement of them."""

    language: str
    kind: str
    names: tuple[str, str]
    same: bool
    reason: str
    explanation: str

    def is_right(self, form: str) -> bool:
        """Return whether the normalizer agrees with the speaker in a form."""
        first, second = ({FORMS[form](word) for word in name_words(name)} for name in self.names)
        return self.same is not first.isdisjoint(second)


@dataclass(frozen=True, slots=True)
class Share:
    """Counts of pairs that the normalizer gets right."""

    right: Counter[str]
    pairs: int

    def of(self, form: str) -> float:
        """Return the share in a form, from 0 to 1."""
        return self.right[form] / self.pairs

    def cells(self) -> tuple[str, ...]:
        """Return the share in each form, in percent."""
        return tuple(f"{self.of(form):.1%}" for form in MEASURED_FORMS)


@cache
def name_pairs() -> tuple[NamePair, ...]:
    """Read the pairs of all languages, in the order of files and lines."""
    return tuple(
        NamePair(
            path.stem,
            row["kind"],
            (row["name_a"], row["name_b"]),
            {"same": True, "differ": False}[row["judgement"]],
            row["reason"],
            row["explanation"],
        )
        for path in sorted(FOLDER.glob("*.csv"))
        for row in rows_of(path.read_bytes())
    )


def measure_pairs(pairs: Iterable[NamePair]) -> Share:
    right: Counter[str] = Counter()
    count = 0
    for pair in pairs:
        count += 1
        right.update(form for form in MEASURED_FORMS if pair.is_right(form))
    return Share(right, count)


def measured_languages() -> dict[str, tuple[Share, Share]]:
    """Return the shares of each language: of pairs that are the same, and of pairs that differ."""
    found: dict[tuple[str, bool], list[NamePair]] = {}
    for pair in name_pairs():
        found.setdefault((pair.language, pair.same), []).append(pair)
    return {
        language: (measure_pairs(found[language, True]), measure_pairs(found[language, False]))
        for language in sorted({language for language, _ in found})
    }


def pair_tables() -> dict[str, str]:
    languages = [
        (language.capitalize(), *(cell for share in shares for cell in share.cells()))
        for language, shares in measured_languages().items()
    ]
    reasons = []
    for same, known in ((True, SAME_REASONS), (False, DIFFERENT_REASONS)):
        for reason in known:
            share = measure_pairs(pair for pair in name_pairs() if pair.same is same and pair.reason == reason)
            reasons.append((reason if same else f"{reason} (differ)", share.pairs, *share.cells()))
    sides = [f"{side}: {name}" for side in ("same", "differ") for name in MEASURED_FORMS]
    return {
        "name-pairs": markdown(("language", *sides), languages),
        "name-pair-reasons": markdown(("reason", "pairs", *MEASURED_FORMS), reasons),
    }


def wrong_pairs() -> str:
    """Return the pairs that are wrong in the form `sound`, as Markdown, by language, judgement and reason."""
    found: dict[tuple[str, bool, str], list[NamePair]] = {}
    for pair in name_pairs():
        if not pair.is_right("sound"):
            found.setdefault((pair.language, pair.same, pair.reason), []).append(pair)
    lines = []
    for (language, same, reason), pairs in sorted(found.items(), key=lambda one: (one[0][0], -one[0][1], -len(one[1]))):
        names = ", ".join(" / ".join(pair.names) for pair in pairs)
        judgement = "same, but do not meet" if same else "differ, but meet"
        lines.append(f"- {language}, {judgement}, {reason} ({len(pairs)}): {names}\n")
    return "# Pairs of names that the form `sound` gets wrong\n\n" + "".join(lines)


def document() -> str:
    """Return `docs/MATCHING.md` with both tables as they are measured now."""
    return replace(DOCUMENT.read_text("utf-8"), pair_tables())
