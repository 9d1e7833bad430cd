"""Sentences of `simulation`."""

from typing import Final

from aquila.sentences.sentence import Table, Text

SIMULATION: Final[Table] = {
    "list_refused": Text("{list}: {reason}"),
    "simulated_parties_too_few": Text("a round needs at least two parties"),
    "source_rows_all_refused": Text(
        "no row can be used; {refused} row{plural_ending} refused", "see why with `aquila records check {source}`"
    ),
    "source_unreadable": Text("{fault}", "check the file's name and who may read it"),
}
