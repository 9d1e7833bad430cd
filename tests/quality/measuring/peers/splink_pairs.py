"""Splink, plaintext and unsupervised: Fellegi and Sunter with levels of likeness, weights by expectation-maximization.

The second argument chooses how names are compared: `each` given and family name by itself, or the `whole` name in
levels of its own. Both compare dates in levels made for this: swapped, mistyped, partial; and places and nationalities
where the lists have any, with more pairs to look at then, because more of them can be told apart.
"""

import json
import logging
import sys
from pathlib import Path

import pandas as pd
import splink
import splink.comparison_level_library as levels
import splink.comparison_library as comparisons
from splink import Linker, SettingsCreator, block_on
from splink.backends.duckdb import DuckDBAPI

_BLOCKS = (
    ("born",),
    ("given", "family"),
    ("family", "year"),
    ("given", "year"),
    ("family", "day_month"),
    ("given", "day_month"),
    ("given_first", "family_first"),
)
_WIDER_BLOCKS = (("family",), ("given",), ("given_first", "place"), ("family_first", "place"))
_LEAST = 0.01


def main() -> None:
    logging.disable(logging.CRITICAL)
    lists = json.loads(Path(sys.argv[1]).read_text("utf-8"))["lists"]
    database = DuckDBAPI()
    tables = [database.register(_frame(party, rows), dataset_display_name=party) for party, rows in lists.items()]
    others = _others([row for rows in lists.values() for row in rows])
    blocks = (*_BLOCKS, *(_WIDER_BLOCKS if others else ()))
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[*(_whole_name() if sys.argv[2] == "whole" else _each_name()), _born(), *others],
        blocking_rules_to_generate_predictions=[block_on(*block) for block in blocks],
        retain_matching_columns=False,
    )
    linker = Linker(tables, settings)
    exact = block_on("given", "family", "born")
    linker.training.estimate_probability_two_random_records_match([exact], recall=0.5)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    for block in (("born",), ("given", "family")):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*block))
    found = linker.inference.predict(threshold_match_probability=_LEAST).as_pandas_dataframe()
    columns = ["source_dataset_l", "unique_id_l", "source_dataset_r", "unique_id_r", "match_weight"]
    pairs = found[columns].to_numpy().tolist()
    json.dump({"peer": f"Splink {splink.__version__}", "pairs": pairs}, sys.stdout)


def _frame(party: str, rows: list[list[str]]) -> pd.DataFrame:
    """Return a list with the columns that comparisons and blocks read."""
    frame = pd.DataFrame(rows, columns=["unique_id", "given", "family", "born", "place", "nation"]).replace("", None)
    frame["source_dataset"] = party
    frame["full_name"] = frame.given.fillna("") + " " + frame.family.fillna("")
    frame["given_first"], frame["family_first"] = frame.given.str.split(" ").str[0], frame.family.str.split(" ").str[0]
    frame["year"], frame["day_month"] = frame.born.str[:4], frame.born.str[5:]
    return frame


def _others(rows: list[list[str]]) -> list[object]:
    """Compare places and nationalities, if any record has one."""
    place = [comparisons.JaroWinklerAtThresholds("place", [0.9, 0.8])] if any(row[4] for row in rows) else []
    return place + ([comparisons.ExactMatch("nation")] if any(row[5] for row in rows) else [])


def _each_name() -> list[object]:
    return [comparisons.NameComparison("given"), comparisons.NameComparison("family")]


def _whole_name() -> list[object]:
    """Levels of both names together, from equal over swapped and like to one equal name."""

    def both(likeness: float) -> object:
        return levels.And(levels.JaroWinklerLevel("given", likeness), levels.JaroWinklerLevel("family", likeness))

    return [
        comparisons.CustomComparison(
            output_column_name="name",
            comparison_levels=[
                levels.And(levels.NullLevel("given"), levels.NullLevel("family")),
                levels.And(levels.ExactMatchLevel("given"), levels.ExactMatchLevel("family")),
                levels.ColumnsReversedLevel("given", "family"),
                both(0.92),
                both(0.88),
                levels.JaroWinklerLevel("full_name", 0.92),
                both(0.7),
                levels.ExactMatchLevel("family"),
                levels.ExactMatchLevel("given"),
                levels.JaroWinklerLevel("family", 0.88),
                levels.JaroWinklerLevel("given", 0.88),
                levels.ElseLevel(),
            ],
        )
    ]


def _born() -> object:
    """Levels of the date: equal, day and month swapped, one slip, known in part, two slips, the year."""
    swapped = "substr(born_l, 6, 2) = substr(born_r, 9, 2) and substr(born_l, 9, 2) = substr(born_r, 6, 2)"
    partial = (
        "length(born_l) < 10 and starts_with(born_r, born_l) or length(born_r) < 10 and starts_with(born_l, born_r)"
    )
    return comparisons.CustomComparison(
        output_column_name="born",
        comparison_levels=[
            levels.NullLevel("born"),
            levels.ExactMatchLevel("born"),
            levels.CustomLevel(f"year_l = year_r and {swapped}"),
            levels.DamerauLevenshteinLevel("born", 1),
            levels.CustomLevel(partial),
            levels.DamerauLevenshteinLevel("born", 2),
            levels.CustomLevel("year_l = year_r"),
            levels.ElseLevel(),
        ],
    )


if __name__ == "__main__":
    main()
