"""Sentences of `matching`."""

from __future__ import annotations

from typing import Final

from aquila.sentences.sentence import Table, Text

MATCHING: Final[Table] = {
    "evaluation_not_4x4": Text("this is not an evaluation of the 4x4 system"),
    "expectation_needs_records_and_share": Text("an expectation of hits needs records and a share"),
    "prior_operands_out_of_range": Text("a prior needs two lists with records and a share above 0 and at most 1"),
    "rule_mask_empty_or_unknown": Text("a mask of rules is empty or names a rule that the table does not have"),
    "token_row_rule_impossible": Text("a token row names a rule that no table can have"),
    "token_rows_not_whole": Text("these are not whole token rows"),
    "values_above_limit": Text(
        "{values} values of the rule '{rule}' occur in more than {limit} records, up to {most}: no node as "
        "it is shipped sends them"
    ),
    "values_repeated": Text("of the rule '{rule}' {share} of the values occur in several records"),
}
