"""Sentences of `audit`."""

from __future__ import annotations

from typing import Final

from aquila.sentences.sentence import Table, Text

AUDIT: Final[Table] = {
    "bundle_too_large": Text("a bundle holds up to 256 entries of up to 65,535 bytes"),
    "checkpoint_fields_unreadable": Text("a checkpoint's origin, size or head cannot be read"),
    "checkpoint_head_size_mismatch": Text("a checkpoint's head does not fit a log of its size"),
    "checkpoint_not_signed_by_log": Text("the checkpoint is not signed by its log"),
    "checkpoint_not_three_lines": Text("a checkpoint has not three lines"),
    "checkpoint_of_another_log": Text("the checkpoint is another log's"),
    "checkpoint_origin_or_head_wrong": Text(
        "a checkpoint needs an origin of one line and a head of 32 bytes", "give both as the log has them"
    ),
    "consistency_proof_sizes_not_ascending": Text(
        "a consistency proof is from an earlier tree, not empty, to a later one"
    ),
    "cosignature_not_72_bytes": Text("a cosignature has not 72 bytes"),
    "cosignature_wrong": Text("the cosignature is wrong: {witness}"),
    "earlier_size_out_of_range": Text("a log only grows: the earlier size is not from 1 to the later"),
    "entry_bundle_count_differs": Text("an entry bundle does not hold as many entries as its name says"),
    "entry_content_not_allowed": Text("an entry of the log may not hold this: {fields}"),
    "entry_malformed": Text("this is not an entry of a log: {fields}"),
    "entry_not_canonical": Text("an entry of the log is not in canonical encoding"),
    "entry_number_outside_tree": Text("the entry's number is not below the tree's size"),
    "entry_too_long": Text("an entry of the log is too long"),
    "entry_unknown_in_tree": Text("there is no such entry in that tree"),
    "hash_tile_length_differs": Text("a hash tile has another length than its name says"),
    "left_out_entries_malformed": Text("{file}: its entries do not ascend, or are not in the log"),
    "left_out_file_unreadable": Text("{file}: it cannot be read"),
    "log_edge_size_mismatch": Text("the edge of a log does not fit its size"),
    "log_forked_for_another_party": Text(
        "the log {origin} forked: another party signed that it saw another head of {size} entries",
        "nothing more is signed or sent; both checkpoints are kept as evidence: compare them with the other "
        "parties by telephone, and have the log's owner explain it",
    ),
    "log_forked_since_seen": Text(
        "the log {origin} forked: its {got} entries do not begin with the {expected} that were seen",
        "nothing more is signed or sent; both checkpoints are kept as evidence: compare them with the other "
        "parties by telephone, and have the log's owner explain it",
    ),
    "log_forked_with_two_heads": Text(
        "the log {origin} forked: it has two different heads of {size} entries",
        "nothing more is signed or sent; both checkpoints are kept as evidence: compare them with the other "
        "parties by telephone, and have the log's owner explain it",
    ),
    "log_growth_size_differs": Text("the log proves its growth from another size than asked for"),
    "log_heads_differ": Text("two heads of one size differ: the log forked"),
    "log_shown_shorter_here": Text(
        "the log {origin} shows {got} entries here, and showed {expected} to another party before",
        "nothing more is signed or sent; both checkpoints are kept as evidence: compare them with the other "
        "parties by telephone, and have the log's owner explain it",
    ),
    "log_shrank": Text(
        "the log {origin} shrank from {expected} to {got} entries",
        "nothing more is signed or sent; both checkpoints are kept as evidence: compare them with the other "
        "parties by telephone, and have the log's owner explain it",
    ),
    "log_signature_wrong": Text("the log's signature is wrong: {origin}"),
    "log_update_malformed": Text("an update of a log does not begin with an old size and a proof"),
    "log_update_too_long": Text("an update of a log is too long"),
    "note_key_name_malformed": Text(
        "the name of a key in a note has a space or a plus sign, or is empty", "name the key without them"
    ),
    "proof_earlier_head_differs": Text("the proof leads to another earlier head"),
    "proof_empty": Text("the proof is empty"),
    "proof_hash_count_differs": Text("the proof has another number of hashes than the tree asks"),
    "proof_hash_not_32_bytes": Text("a hash of the proof has not 32 bytes"),
    "proof_head_differs": Text("the proof leads to another head"),
    "proof_later_head_differs": Text("the proof leads to another later head"),
    "proof_line_not_hash": Text("a line of a consistency proof is not a hash"),
    "proof_of_equal_trees_unexpected": Text("trees of one size need no proof, and this one has hashes"),
    "signed_note_control_character": Text("a signed note has a control character"),
    "signed_note_line_not_signature": Text("a line of a signed note is not a signature"),
    "signed_note_not_utf_8": Text("a signed note is not a UTF-8 text"),
    "signed_note_signature_missing": Text("a signed note has no signature, or ends in the middle of a line"),
    "signed_note_too_long": Text("a signed note is too long"),
    "statement_bundle_count_differs": Text("a bundle of statements does not hold as many as its name says"),
}
