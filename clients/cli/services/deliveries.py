"""`aquila records deliveries` and `import-delivery`: list files that a system of the party delivered to its node."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, cast

import typer

from clients.cli.options import (
    AcceptRefused,
    Ca,
    FindingLimit,
    HomePath,
    ImportName,
    Json,
    ListColumns,
    ListEncoding,
    ListSheet,
    TokenFile,
    Url,
)
from clients.cli.output.screen import Screen, Table, moment, numbered

if TYPE_CHECKING:
    from aquila.records.reading.layouts import Encoding


def deliveries(
    home: HomePath, url: Url = None, token_file: TokenFile = None, ca: Ca = None, as_json: Json = False
) -> None:
    """Show the list files that wait in a node's folder of deliveries."""
    from clients.cli.connect import connect
    from clients.cli.output.round_views import SHORT

    with connect(home, url, token_file, ca) as reached:
        found = reached.node().deliveries()
    rows = [
        (one.delivery_id[:SHORT], one.name, one.size, moment(one.written_at), one.problem.text if one.problem else "")
        for one in found.deliveries
    ]
    views: list[Table | str] = [Table("Deliveries", ("delivery", "file", "bytes", "written", "problem"), rows)]
    if not rows:
        views = ["No list file waits."]
    if found.left_out:
        views.append(f"{numbered(found.left_out, 'older file')} not shown.")
    Screen(as_json).result(found.model_dump(mode="json"), *views)


def import_delivery(
    delivery: Annotated[str, typer.Argument(metavar="DELIVERY", help="Its id, its beginning, or `latest`.")],
    home: HomePath,
    name: ImportName = "",
    check: Annotated[bool, typer.Option("--check", help="Only report the findings; nothing is stored.")] = False,
    accept_refused: AcceptRefused = False,
    limit: FindingLimit = 50,
    encoding: ListEncoding = None,
    sheet: ListSheet = None,
    column: ListColumns = None,
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Bring a list that waits in a node's folder of deliveries into the node; once stored, it leaves the folder."""
    from aquila.records.reading.layouts import Layout
    from clients.cli.connect import connect, resolve_id
    from clients.cli.list_files import mapped
    from clients.cli.services.records import ImportRequest, report_views, store_list
    from clients.sdk.node import DeliveredList

    screen, layout = Screen(as_json), Layout(encoding=cast("Encoding | None", encoding), sheet=sheet)
    with connect(home, url, token_file, ca) as reached:
        node = reached.node()
        names = {one.delivery_id: one.name for one in node.deliveries().deliveries}
        found = resolve_id("delivery", delivery, list(names))
        source, file_name = DeliveredList(found), names[found]
        if column:
            layout = mapped(layout, node.recognize(source, layout).headings, column)
        if check:
            report = node.check(source, layout).model_copy(update={"name": file_name})
            screen.result(report.model_dump(mode="json"), *report_views(report))
            return
        wanted = ImportRequest(name or file_name, file_name, layout, accept_refused)
        store_list(screen, node, lambda: nullcontext(source), wanted, limit)
