"""`python -m clients.web.i18n.catalogues`: bring the catalogues up to the messages that the pages have.

Messages are collected from templates and code, from the tables whose sentences pages show (match rules, roles,
fields, corroboration), and from the table of sentences of core and services (`aquila.sentences`): these have the
context `sentence`, their id as message, and their English as a comment.
A message that is new comes without a translation; one that is gone is left out. Latin Serbian is written from the
Cyrillic catalogue, letter by letter. With `--check` nothing is written: it ends with 1 where a catalogue is not whole.
With `--first TAG` it prints what a native reader should read first: each message of `catalogues/first.txt` in English
and in that language.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from aquila.audit.roles import role_table
from aquila.followup.lifecycle import handling_codes
from aquila.matching.corroboration import corroboration_table
from aquila.records.field_table import field_table
from aquila.records.indicators import load_indicators
from aquila.records.rules import BUILT_IN, load_rules
from aquila.sentences import SHOWN
from clients.web.i18n.languages import SENTENCE, TAGS, languages

HERE = Path(__file__).parents[1]
FOLDER = HERE / "catalogues"
WRITTEN_BY_HAND = tuple(tag for tag in TAGS if tag not in {"en", "sr-Latn"})
_PLURALS = {"mk": "(n%10==1 && n%100!=11 ? 0 : 1)"}
"""Which form a number has, where Babel's rule is not CLDR's."""
READ_BY_NATIVE_SPEAKERS: dict[str, str] = {}
"""The day on which a native speaker had read a whole catalogue, by its tag."""
_KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "n_": None,
    "say": None,
    "ngettext": (1, 2),
    "counted": (1, 2),
}
_WIDTH = 120

# The thirty letters of Serbian, each in Latin; capitals of the three that are two letters are written as in a word.
LATIN = dict(
    zip(
        "абвгдђежзијклљмнњопрстћуфхцчџш",
        [*"abvgdđežzijkl", "lj", "m", "n", "nj", *"oprstćufhcč", "dž", "š"],
        strict=True,
    )
)
LATIN |= {letter.upper(): latin.capitalize() for letter, latin in LATIN.items()}

Message = str | tuple[str, ...]


def messages() -> list[Message]:
    found: dict[Message, None] = {}
    for message in _messages():
        found[message if isinstance(message, str) else tuple(message)] = None
    return list(found)


def update(path: Path, wanted: list[Message]) -> Catalog:
    """Return a catalogue with exactly the wanted messages, all sentences, and the translations that it has of them."""
    old = read_po(BytesIO(path.read_bytes())) if path.exists() else Catalog()
    made = Catalog(locale=languages()[path.stem].locale, charset="utf-8", fuzzy=False)
    for message in wanted:
        known = old.get(message)
        made.add(message, known.string if known is not None else "")
    for code, sentence in sorted(SHOWN.items()):
        known = old.get(code, SENTENCE)
        string = known.string if known is not None else ""
        made.add(code, string, context=SENTENCE, auto_comments=[sentence.text])
    return made


def written(catalogue: Catalog, tag: str) -> bytes:
    body = BytesIO()
    write_po(body, catalogue, width=_WIDTH, omit_header=True, no_location=True)
    plural = _PLURALS.get(tag, catalogue.plural_expr)
    head = (
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Language: {tag}\\n"\n"Plural-Forms: nplurals={catalogue.num_plurals}; plural={plural};\\n"\n'
        f'"X-Native-Reader: {READ_BY_NATIVE_SPEAKERS.get(tag, "not read by a native speaker yet")}\\n"\n\n'
    )
    return head.encode() + body.getvalue().strip() + b"\n"


def in_latin(catalogue: Catalog) -> Catalog:
    """Return the Cyrillic catalogue of Serbian in Latin letters; what is Latin in it already stays."""
    made = Catalog(locale="sr_Latn", charset="utf-8", fuzzy=False)
    for message in catalogue:
        if message.id:
            strings = message.string
            latin = tuple(map(_latin, strings)) if isinstance(strings, tuple) else _latin(str(strings))
            made.add(message.id, latin, context=message.context, auto_comments=message.auto_comments)
    return made


def missing(catalogue: Catalog) -> list[Message]:
    return [_strings(message.id) for message in catalogue if message.id and not all(_strings(message.string))]


def files() -> dict[str, bytes]:
    wanted, made = messages(), dict[str, bytes]()
    for tag in WRITTEN_BY_HAND:
        made[f"{tag}.po"] = written(update(FOLDER / f"{tag}.po", wanted), tag)
    made["sr-Latn.po"] = written(in_latin(update(FOLDER / "sr-Cyrl.po", wanted)), "sr-Latn")
    return made


def _messages() -> Iterator[Message]:
    for path in sorted((HERE / "templates").glob("*.html")):
        yield from _extracted("jinja2.ext:babel_extract", path)
    for path in sorted(HERE.rglob("*.py")):
        yield from _extracted("python", path)
    for name in BUILT_IN:
        rules = load_rules(name)
        yield from dict(rules.families).values()
        for rule in rules.rules:
            yield rule.sentence
            yield from (text for part in rule.shown for text in (part.sentence, part.differs) if text)
    yield from (entry.label for entry in field_table().values())
    yield from corroboration_table().sentences
    yield from (code.condition for code in handling_codes().values())
    indicators = load_indicators()
    yield from (*indicators.groups.values(), *indicators.indicators.values())
    for row in role_table().rows.values():
        yield row.means


def _extracted(method: str, path: Path) -> Iterator[Message]:
    options = {"silent": "false", "extensions": "jinja2.ext.do"} if "jinja2" in method else None
    for _, message, _, _ in extract_from_file(method, path, keywords=_KEYWORDS, options=options):
        yield message


def _latin(text: str) -> str:
    return "".join(LATIN.get(letter, letter) for letter in text)


def _strings(strings: object) -> tuple[str, ...]:
    return tuple(map(str, strings)) if isinstance(strings, (tuple, list)) else (str(strings),)


def first(tag: str) -> list[tuple[str, str]]:
    """Return what a native reader should read first, in English and in that language, the most harmful first."""
    found = {}
    for message in read_po(BytesIO((FOLDER / f"{tag}.po").read_bytes())):
        english = message.auto_comments[0] if message.context else " / ".join(_strings(message.id))
        found[_strings(message.id)[0]] = (english, " / ".join(_strings(message.string)))
    return [found[line] for line in (FOLDER / "first.txt").read_text(encoding="utf-8").splitlines()]


def main(arguments: list[str]) -> int:
    """Write the catalogues, check them, or print what to read first of one."""
    if arguments[:1] == ["--first"]:
        sys.stdout.write("".join(f"{english}\n    {text}\n\n" for english, text in first(arguments[1])))
        return 0
    whole = True
    for name, content in files().items():
        path = FOLDER / name
        if arguments == ["--check"]:
            whole &= path.read_bytes() == content and not missing(read_po(BytesIO(content)))
        else:
            path.write_bytes(content)
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
