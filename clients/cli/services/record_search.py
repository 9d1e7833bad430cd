"""`aquila records search` and `show`: a party's own records in its node, by number or name, and one with its history.

The name is asked for and never an argument. That somebody searched or looked is logged at the node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from clients.cli.options import Ca, HomePath, Json, TokenFile, Url
from clients.cli.output.screen import Screen, Table, moment, numbered, printable

if TYPE_CHECKING:
    from aquila.interface.records import FoundRecord, RecordHit, RecordPage, RecordView

_LONGEST = 200
_DIGITS = 12
_NAMES = ("given_names", "family_names", "full_name", "date_of_birth")


def search(
    home: HomePath,
    number: Annotated[str, typer.Option(help="The record's number, in full, in place of a name.")] = "",
    alike: Annotated[
        bool, typer.Option("--alike", help="Also names that sound alike, and other forms of a name.")
    ] = False,
    offset: Annotated[int, typer.Option(min=0, max=10_000, help="How many to pass over.")] = 0,
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Search the party's own records in a node. Asks for the name, or a part of it; scripts give it as a line of stdin.

    Any script and spelling of the region finds it, and the beginning of each name is enough.
    """
    from aquila.interface.records import RecordSearch
    from clients.cli.connect import connect
    from clients.cli.prompts import ask

    name = "" if number else ask("Name or part of it", echo=True)
    wanted = RecordSearch(
        number=printable(number)[:_LONGEST], name=printable(name)[:_LONGEST], alike=alike, offset=offset
    )
    with connect(home, url, token_file, ca) as reached:
        page = reached.records().search(wanted)
    Screen(as_json).result(page.model_dump(mode="json"), *page_views(page))


def show(
    place: Annotated[str, typer.Argument(metavar="LIST/PLACE", help="The record's place, as a search shows it.")],
    home: HomePath,
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Show one of the party's own records with its history; its hits too, to whom hits are shown."""
    from clients.cli.connect import connect

    import_id, position = _place(place)
    with connect(home, url, token_file, ca) as reached:
        view = reached.records().show(import_id, position)
    Screen(as_json).result(view.model_dump(mode="json"), *record_views(view))


def page_views(page: RecordPage) -> list[Table | str]:
    """Return a page of records as a table, and how many there are."""
    if not page.records:
        return ["No record of the own lists is like this; it says nothing of other parties' lists."]
    rows = [(_address(one), one.record_id, _person(one), one.list_name) for one in page.records]
    last = page.offset + len(page.records)
    return [
        Table("Own records", ("list/place", "record", "name, date of birth", "list"), rows),
        f"{page.offset + 1} to {last} of {numbered(page.total, 'record')}.",
    ]


def record_views(view: RecordView) -> list[Table | str]:
    """Return all that the node holds of one record."""
    from clients.cli.output.round_views import SHORT

    one = view.entry
    fields = [(name, value if isinstance(value, str) else ", ".join(value)) for name, value in one.record.items()]
    origin = [("list", one.list_name), ("in the node since", moment(view.imported_at))]
    origin += [("also in the lists", ", ".join(view.elsewhere))] if view.elsewhere else []
    names = [(name.field, name.written, " ".join(name.words)) for name in view.names]
    uses = [(use.round_id[:SHORT], use.kind.value, use.state, moment(use.wished_at)) for use in view.uses]
    views: list[Table | str] = [
        Table(f"Record {one.record_id}", ("", ""), [*fields, *origin]),
        Table("How its names are read", ("field", "as written", "compared as"), names),
    ]
    if uses:
        views.append(Table("Rounds that its list was in", ("round", "as", "state", "when"), uses))
    for hit in view.hits or ():
        views += _hit_views(hit)
    left_out = ((view.uses_left_out, "submission"), (view.elsewhere_left_out, "list"), (view.hits_left_out, "hit"))
    return [*views, *(f"Not shown: {numbered(count, f'older {word}')}." for count, word in left_out if count)]


def _hit_views(hit: RecordHit) -> list[Table | str]:
    """Return a hit on the record, and what was done with it."""
    from clients.cli.output.hit_views import step_row, withdrawal_sentence
    from clients.cli.output.round_views import SHORT

    one = hit.entry
    said = (
        f"Hit {one.hit_id[:SHORT]} with {one.counterpart}, {one.certainty.value}: {one.stage.value.replace('_', ' ')}."
    )
    steps = [Table("Done so far", ("when", "who", "what", "as"), [step_row(step) for step in hit.history])]
    return [said, *(steps if hit.history else []), *map(withdrawal_sentence, hit.withdrawals)]


def _person(one: FoundRecord) -> str:
    texts = [one.record.get(name, "") for name in _NAMES]
    return " ".join(filter(None, (text if isinstance(text, str) else " ".join(text) for text in texts)))


def _address(one: FoundRecord) -> str:
    return f"{one.import_id}/{one.position}"


def _place(text: str) -> tuple[str, int]:
    """Return import and position of a place.

    Raises:
        InputError: It is none.
    """
    from aquila.errors import InputError

    import_id, _, position = text.partition("/")
    if not (import_id and position.isascii() and position.isdigit() and len(position) <= _DIGITS):
        raise InputError("record_place_malformed")
    return import_id, int(position)
