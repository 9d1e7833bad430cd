"""The cost of rounds on this machine, which nobody who runs Aquila needs: `python -m tests.bench`, `make bench`.

Steps, records, the join, and rounds as they grow; or one round of any size; or
rounds and queries among real services. `docs/PERFORMANCE.md` explains the figures.
"""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from aquila.crypto.backend import Backend
from clients.cli.options import BackendChoice, Json, Rules
from clients.cli.output.screen import Screen, numbered, write_result
from tests.bench.joining import measure_join
from tests.bench.queries import run as of_queries
from tests.bench.records import measure_records
from tests.bench.report import RoundResults
from tests.bench.rounds import measure_round
from tests.bench.services import run as of_services
from tests.bench.steps import Bench, backends, this_machine

Watch = Callable[[str, str, int, int], None]
app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
_SIZES = (1_000, 10_000, 100_000)
_SIZES_PARTIES = 3
_PARTIES = (2, 3, 5, 12)
_PARTIES_RECORDS = 10_000
_MOST_PARTIES = 12
_REPEATS = 5
_ROUND_RECORDS = 100_000
_QUERY_PARTIES, _QUERY_RECORDS = 5, 5_000
_LEAST = 20  # records of a list


@app.command()
def bench(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the tables go, as Markdown and JSON.")] = Path(
        "bench"
    ),
    parties: Annotated[
        int | None, typer.Option(min=2, max=_MOST_PARTIES, help="Play one round of so many parties, and nothing else.")
    ] = None,
    records: Annotated[
        int | None,
        typer.Option(
            min=20, help="Records of each party of that one round: 100,000, or 5,000 with --queries or --services."
        ),
    ] = None,
    rules: Rules = "exact",
    backend: BackendChoice = "auto",
    queries: Annotated[
        bool, typer.Option("--queries", help="Ask queries among real services on two networks, and watch them idle.")
    ] = False,
    count: Annotated[int, typer.Option(min=1, help="Queries on each network, with --queries.")] = 20,
    stopped: Annotated[
        int, typer.Option(min=0, help="With --queries: so many nodes are killed before half of the queries.")
    ] = 0,
    services: Annotated[
        bool,
        typer.Option("--services", help="Play rounds among real services, and the same as rehearsals, default rules."),
    ] = False,
    lists: Annotated[
        str,
        typer.Option(
            metavar="N,N,...", help="Records of each list, with --services, of one round without a rehearsal."
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Measure steps, records, the join, and rounds as they grow; a few minutes, or one round of any size."""
    if (queries or services) and backend != "auto":
        raise typer.BadParameter("--backend is not for --queries and --services: services choose their own")
    screen, results = Screen(as_json), RoundResults(this_machine(backend))
    if services or lists:
        _services(screen, out, parties, records, lists)
        return
    if queries:
        wanted = of_queries.QueryBenchSize(
            parties=parties or _QUERY_PARTIES,
            records=_QUERY_RECORDS if records is None else records,
            queries=count,
            stopped=stopped,
        )
        _queries(screen, out, wanted)
        return
    with screen.progress() as watch, tempfile.TemporaryDirectory(prefix="aquila-") as scratch:
        folder = Path(scratch)
        if parties is None:
            _steps(results, folder, backend, watch)
            _join_and_growth(results, folder, rules, backend, watch)
        else:
            results.alone = [measure_round(folder, parties, records or _ROUND_RECORDS, rules, backend)]
    name = "bench" if parties is None else f"round-{parties}x{records or _ROUND_RECORDS}-{Path(rules).stem}"
    screen.result(results.document(), results.page(), _written(results, out, name))


def _queries(screen: Screen, out: Path, wanted: of_queries.QueryBenchSize) -> None:
    with screen.progress() as watch, tempfile.TemporaryDirectory(prefix="aquila-") as scratch:
        results = of_queries.run(Path(scratch) / "services", this_machine(), wanted, watch)
    screen.result(
        results.document(), results.page(), _written(results, out, f"queries-{wanted.parties}x{wanted.records}")
    )


def _services(screen: Screen, out: Path, parties: int | None, records: int | None, lists: str) -> None:

    rounds: tuple[tuple[int, ...], ...] = of_services.SIZES
    if lists:
        rounds = (_lengths(lists),)
    elif parties is not None or records is not None:
        rounds = ((records or _QUERY_RECORDS,) * (parties or _SIZES_PARTIES),)
    with screen.progress() as watch, tempfile.TemporaryDirectory(prefix="aquila-") as scratch:
        results = of_services.run(Path(scratch), this_machine(), rounds, watch, rehearsed=not lists)
    name = "services" if rounds is of_services.SIZES else f"services-{'-'.join(map(str, rounds[0]))}"
    screen.result(results.document(), results.page(), _written(results, out, name))


def _lengths(lists: str) -> tuple[int, ...]:
    parts = lists.split(",")
    if len(parts) not in range(2, _MOST_PARTIES + 1) or not all(
        part.isdecimal() and int(part) >= _LEAST for part in parts
    ):
        raise typer.BadParameter(f"--lists takes 2 to {_MOST_PARTIES} lengths of lists of at least {_LEAST}: N,N,...")
    return tuple(map(int, parts))


def _steps(results: RoundResults, folder: Path, backend: Backend, watch: Watch) -> None:
    for one in backends() if backend == "auto" else [backend]:
        for step in Bench(one, _REPEATS).run():
            results.steps.append(step)
        watch("steps", one, 1, 1)
    results.records = list(measure_records(folder))
    watch("steps", "records", 1, 1)


def _join_and_growth(results: RoundResults, folder: Path, rules: str, backend: Backend, watch: Watch) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as tokens:
        results.join = measure_join(Path(tokens))
    watch("join", "matcher", 1, 1)
    for size in _SIZES:
        results.sizes.append(measure_round(folder, _SIZES_PARTIES, size, rules, backend))
        watch("round", f"{_SIZES_PARTIES} x {size:,}", 1, 1)
    for parties in _PARTIES:
        results.parties.append(measure_round(folder, parties, _PARTIES_RECORDS, rules, backend))
        watch("round", f"{parties} x {_PARTIES_RECORDS:,}", 1, 1)


def _written(results: RoundResults | of_queries.QueryResults | of_services.ServiceResults, out: Path, name: str) -> str:
    """Write both forms of the results, and report their paths."""
    out.mkdir(parents=True, exist_ok=True)
    write_result(out / f"{name}.md", results.page())
    write_result(out / f"{name}.json", json.dumps(results.document(), ensure_ascii=False, indent=2) + "\n")
    return f"{numbered(2, 'file')} in {out}: {name}.md and {name}.json."


if __name__ == "__main__":
    app(prog_name="python -m tests.bench")
