"""The first tables of the node."""

import sqlalchemy as sa
from alembic import op

from services.kit.storage.first_tables import create_common_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_common_tables()
    op.create_table(
        "chosen_columns",
        sa.Column("headings", sa.String(length=64), nullable=False, comment="SHA-256 of the headings in sorted order."),
        sa.Column("columns", sa.JSON(), nullable=False, comment="Of each heading in sorted order its field, or null."),
        sa.Column("chosen_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.PrimaryKeyConstraint("headings", name="pk_chosen_columns"),
    )
    op.create_table(
        "erased",
        sa.Column(
            "record_digest",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of the record's own identifier, behind a label.",
        ),
        sa.Column("erased_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.PrimaryKeyConstraint("record_digest", name="pk_erased"),
    )
    op.create_table(
        "import",
        sa.Column("import_id", sa.String(length=32), nullable=False, comment="Random identifier."),
        sa.Column("name", sa.Text(), nullable=False, comment="The operator's name for it."),
        sa.Column("format", sa.String(length=8), nullable=False, comment="csv, ftm, xlsx or ods."),
        sa.Column("records", sa.BigInteger(), nullable=False, comment="Records stored."),
        sa.Column("refused", sa.BigInteger(), nullable=False, comment="Rows that could not be used."),
        sa.Column("imported_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column(
            "complete",
            sa.Boolean(),
            nullable=False,
            comment="Whether all records are there; an incomplete one is deleted.",
        ),
        sa.Column(
            "normalizer",
            sa.BigInteger(),
            nullable=False,
            comment="Version of the normalizer that its records' words are of; 0 before there were any.",
        ),
        sa.Column(
            "digest",
            sa.String(length=64),
            nullable=True,
            comment="SHA-256 of its records in their order; none until it is needed again after an erasure.",
        ),
        sa.Column(
            "for_query",
            sa.Boolean(),
            nullable=False,
            comment="Whether it holds the persons of one query, and is no list of the party.",
        ),
        sa.PrimaryKeyConstraint("import_id", name="pk_import"),
    )
    op.create_table(
        "named_entries",
        sa.Column("row_id", sa.Integer(), autoincrement=False, nullable=False, comment="Always 1."),
        sa.Column("judged", sa.BigInteger(), nullable=False, comment="Up to which entry nothing is open."),
        sa.Column(
            "waiting_since",
            sa.BigInteger(),
            nullable=True,
            comment="Seconds since 1970 when an entry was met that the feed has not explained yet.",
        ),
        sa.PrimaryKeyConstraint("row_id", name="pk_named_entries"),
    )
    op.create_table(
        "named_head",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False, comment="Entries that the log had."),
        sa.Column("root", sa.String(length=64), nullable=False, comment="The head over them, hexadecimal."),
        sa.Column("party", sa.String(length=16), nullable=False, comment="Who named it first here."),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="In which round."),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="Digest of the statement that names it."),
        sa.Column(
            "verified_at",
            sa.BigInteger(),
            nullable=True,
            comment="Seconds since 1970 when it was found to be of the log that is shown here.",
        ),
        sa.PrimaryKeyConstraint("size", "root", name="pk_named_head"),
    )
    op.create_index("ix_named_head_verified_at", "named_head", ["verified_at"], unique=False)
    op.create_table(
        "round",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="From the manifest."),
        sa.Column("manifest", sa.LargeBinary(), nullable=False, comment="The manifest in the matcher's envelope."),
        sa.Column("manifest_digest", sa.String(length=64), nullable=False, comment="Digest of the manifest as signed."),
        sa.Column("discovered_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column("cursor", sa.BigInteger(), nullable=False, comment="The last event of the matcher that is stored."),
        sa.Column(
            "phase", sa.String(length=16), nullable=False, comment="Phase of the round as far as this node knows."
        ),
        sa.Column(
            "state",
            sa.Enum("active", "destroying", "destroyed", name="localroundstate", native_enum=False, length=16),
            nullable=False,
            comment="active, destroying (keys and files go) or destroyed.",
        ),
        sa.Column("outcome", sa.Text(), nullable=True, comment="Why it is being destroyed."),
        sa.Column("consent_digest", sa.String(length=64), nullable=True, comment="Digest of this node's own consent."),
        sa.Column("consent_wished", sa.Boolean(), nullable=False, comment="The operator wants to consent."),
        sa.Column(
            "declared_full",
            sa.BigInteger(),
            nullable=False,
            comment="Elements of the class full that the consent declares.",
        ),
        sa.Column("declared_partial", sa.BigInteger(), nullable=False, comment="The same of the class partial."),
        sa.Column("close_wished", sa.Boolean(), nullable=False, comment="The operator wants the keys destroyed."),
        sa.Column("abort_reason", sa.Text(), nullable=True, comment="The operator wants to leave the round, and why."),
        sa.Column("refused", sa.Text(), nullable=True, comment="Why this node takes no further part, for good."),
        sa.Column(
            "outcomes_changed_at",
            sa.BigInteger(),
            nullable=True,
            comment="Seconds since 1970 of the first outcome that the matcher was not told.",
        ),
        sa.Column(
            "hits_erased_at",
            sa.BigInteger(),
            nullable=True,
            comment="Seconds since 1970 when the round's retention erased its hits and statements.",
        ),
        sa.Column(
            "kept_until",
            sa.BigInteger(),
            nullable=True,
            comment="Until when its manifest keeps hits and statements, in seconds since 1970; none until it was read.",
        ),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.PrimaryKeyConstraint("round_id", name="pk_round"),
    )
    op.create_index("ix_round_discovered_at", "round", ["discovered_at"], unique=False)
    op.create_index("ix_round_outcomes_changed_at", "round", ["outcomes_changed_at"], unique=False)
    op.create_index("ix_round_state_phase", "round", ["state", "phase"], unique=False)
    op.create_table(
        "spent_day",
        sa.Column("origin", sa.String(length=16), nullable=False, comment="For whom."),
        sa.Column("input_class", sa.String(length=8), nullable=False, comment="full or partial."),
        sa.Column(
            "day",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="Days since 1970 in UTC, by this node's clock.",
        ),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="In which round."),
        sa.Column("elements", sa.BigInteger(), nullable=False, comment="How many, padding included."),
        sa.Column("declared", sa.BigInteger(), nullable=False, comment="How many the party declared in that round."),
        sa.PrimaryKeyConstraint("origin", "input_class", "day", "round_id", name="pk_spent_day"),
    )
    op.create_table(
        "standing_query",
        sa.Column("standing_id", sa.String(length=32), nullable=False, comment="Random identifier."),
        sa.Column("import_id", sa.String(length=32), nullable=False, comment="The list of its persons."),
        sa.Column(
            "records_digest",
            sa.String(length=64),
            nullable=False,
            comment="The digest of the approved records; of those that are left when one was erased.",
        ),
        sa.Column(
            "round_id",
            sa.String(length=32),
            nullable=False,
            comment="The round that had its terms when it was approved.",
        ),
        sa.Column(
            "terms",
            sa.JSON(),
            nullable=False,
            comment="Area, legal basis, purpose and category of the rounds in which it may be asked, and the parties.",
        ),
        sa.Column("justification", sa.JSON(), nullable=False, comment="Why it is lawful, and who asked for it."),
        sa.Column("approved_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column("until", sa.BigInteger(), nullable=False, comment="Until when it is asked; seconds since 1970."),
        sa.Column(
            "state",
            sa.Enum(
                "active",
                "withdrawn",
                "expired",
                "replaced",
                "emptied",
                name="standingquerystate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
            comment="active, withdrawn, expired, replaced or emptied.",
        ),
        sa.Column("ended_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970; none while it is active."),
        sa.Column("ended_by", sa.String(length=16), nullable=True, comment="The pseudonymous id of who withdrew it."),
        sa.Column("ended_because", sa.Text(), nullable=True, comment="Why it was withdrawn."),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.PrimaryKeyConstraint("standing_id", name="pk_standing_query"),
    )
    op.create_index("ix_standing_query_import_id", "standing_query", ["import_id"], unique=False)
    op.create_index("ix_standing_query_state", "standing_query", ["state"], unique=False)
    op.create_table(
        "alarm",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The query."),
        sa.Column("asker", sa.String(length=16), nullable=False, comment="Whose query it is."),
        sa.Column("hits", sa.BigInteger(), nullable=False, comment="How many own records it hit."),
        sa.Column("stored", sa.BigInteger(), nullable=False, comment="Hits that were stored, for the receipt."),
        sa.Column("expected", sa.BigInteger(), nullable=False, comment="How many the sizes explain, in thousandths."),
        sa.Column("raised_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column("released_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970; none while it waits."),
        sa.Column(
            "released_by", sa.String(length=16), nullable=True, comment="The pseudonymous id of who released it."
        ),
        sa.Column("acknowledged", sa.Boolean(), nullable=False, comment="Whether the receipt is signed."),
        sa.Column(
            "refused_at",
            sa.BigInteger(),
            nullable=True,
            comment="Seconds since 1970 when a person refused the answer; none otherwise.",
        ),
        sa.Column("refused_by", sa.String(length=16), nullable=True, comment="The pseudonymous id of who refused it."),
        sa.Column("refused_because", sa.Text(), nullable=True, comment="Why, for this party's own people."),
        sa.Column(
            "refusal_signed",
            sa.Boolean(),
            nullable=False,
            comment="Whether the asker's statement of the refusal is signed.",
        ),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_alarm_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "submission_id", name="pk_alarm"),
    )
    op.create_index("ix_alarm_round_id", "alarm", ["round_id"], unique=False)
    op.create_table(
        "pair_check",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("counterpart", sa.String(length=16), nullable=False, comment="The other party."),
        sa.Column(
            "met", sa.String(length=64), nullable=True, comment="Digest of the tags that met; none where none was told."
        ),
        sa.Column("below", sa.BigInteger(), nullable=False, comment="How many pairs were told that nearly are hits."),
        sa.Column(
            "fault", sa.String(length=16), nullable=True, comment="What is wrong; none where nothing was left out."
        ),
        sa.Column("checked_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970 of the last look at it."),
        sa.Column(
            "agreed",
            sa.Boolean(),
            nullable=True,
            comment="Whether the other side found the same; none while it has not said so.",
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_pair_check_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "counterpart", name="pk_pair_check"),
    )
    op.create_index("ix_pair_check_round_id", "pair_check", ["round_id"], unique=False)
    op.create_table(
        "chunk_download",
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="Of which submission."),
        sa.Column("index", sa.BigInteger(), nullable=False, comment="Which chunk."),
        sa.Column(
            "state",
            sa.Enum("waiting", "evaluated", "failed", name="chunkdownloadstate", native_enum=False, length=16),
            nullable=False,
            comment="waiting, evaluated or failed.",
        ),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("attempts", sa.BigInteger(), nullable=False, comment="Fetches that gave other bytes than signed."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_chunk_download_round_id_round"),
        sa.PrimaryKeyConstraint("submission_id", "index", name="pk_chunk_download"),
    )
    op.create_index("ix_chunk_download_round_id", "chunk_download", ["round_id"], unique=False)
    op.create_table(
        "due_statement",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("kind", sa.String(length=8), nullable=False, comment="receipt or closing."),
        sa.Column(
            "submission_id",
            sa.String(length=32),
            nullable=False,
            comment="Of a receipt: the query; empty for the lists and a closing.",
        ),
        sa.Column("hits", sa.BigInteger(), nullable=False, comment="How many hits it will say."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_due_statement_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "kind", "submission_id", name="pk_due_statement"),
    )
    op.create_index("ix_due_statement_round_id", "due_statement", ["round_id"], unique=False)
    op.create_table(
        "evaluation",
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="Of which submission."),
        sa.Column("index", sa.BigInteger(), nullable=False, comment="Which chunk."),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("origin", sa.String(length=16), nullable=False, comment="Whose submission it is."),
        sa.Column("input_class", sa.String(length=8), nullable=False, comment="full or partial."),
        sa.Column("elements", sa.BigInteger(), nullable=False, comment="How many elements were evaluated."),
        sa.Column("output_digest", sa.String(length=64), nullable=False, comment="SHA-256 of the evaluated elements."),
        sa.Column("sent", sa.Boolean(), nullable=False, comment="Whether the matcher has them."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_evaluation_round_id_round"),
        sa.PrimaryKeyConstraint("submission_id", "index", name="pk_evaluation"),
    )
    op.create_index("ix_evaluation_round_id", "evaluation", ["round_id"], unique=False)
    op.create_table(
        "evaluation_download",
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="Of which submission."),
        sa.Column("index", sa.BigInteger(), nullable=False, comment="Which chunk."),
        sa.Column("party", sa.String(length=16), nullable=False, comment="Who evaluated it."),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "verified",
                "acknowledged",
                "failed",
                name="evaluationdownloadstate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
            comment="waiting, verified, acknowledged or failed.",
        ),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("attempts", sa.BigInteger(), nullable=False, comment="Fetches that gave other bytes than signed."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_evaluation_download_round_id_round"),
        sa.PrimaryKeyConstraint("submission_id", "index", "party", name="pk_evaluation_download"),
    )
    op.create_index("ix_evaluation_download_round_id", "evaluation_download", ["round_id"], unique=False)
    op.create_table(
        "exchange",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("hit_id", sa.String(length=32), nullable=False, comment="The same on both sides."),
        sa.Column("counterpart", sa.String(length=16), nullable=False, comment="The other party."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The query; empty for the lists."),
        sa.Column(
            "reference",
            sa.String(length=20),
            nullable=False,
            comment="This party's own number of the hit, drawn at random.",
        ),
        sa.Column(
            "opening",
            sa.LargeBinary(),
            nullable=True,
            comment="What opens the counterpart's note, sealed under the note key; none when it is over.",
        ),
        sa.Column(
            "verified", sa.Boolean(), nullable=False, comment="Whether the counterpart's note was verified here."
        ),
        sa.Column(
            "accepted", sa.Boolean(), nullable=False, comment="Whether the counterpart verified this party's note."
        ),
        sa.Column(
            "fault", sa.String(length=16), nullable=True, comment="What is wrong with the hit, where it is refuted."
        ),
        sa.Column("blamed_by", sa.String(length=16), nullable=True, comment="Which party found the fault."),
        sa.Column("rules", sa.JSON(), nullable=True, comment="Numbers of the rules that met, once verified."),
        sa.Column("note", sa.JSON(), nullable=True, comment="What the counterpart's note says."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_exchange_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "hit_id", name="pk_exchange"),
    )
    op.create_index("ix_exchange_round_id", "exchange", ["round_id"], unique=False)
    op.create_table(
        "finding",
        sa.Column("import_id", sa.String(length=32), nullable=False, comment="The list."),
        sa.Column("number", sa.BigInteger(), nullable=False, comment="Place among its findings, from 0."),
        sa.Column("line", sa.BigInteger(), nullable=False, comment="The line of the file on which the row begins."),
        sa.Column("field", sa.Text(), nullable=False, comment="The column, or empty where the whole row is meant."),
        sa.Column("severity", sa.String(length=16), nullable=False, comment="warning or refusal."),
        sa.Column("reason", sa.Text(), nullable=False, comment="What is wrong and what to do."),
        sa.Column("record_id", sa.Text(), nullable=False, comment="The party's own identifier, or empty."),
        sa.ForeignKeyConstraint(["import_id"], ["import.import_id"], name="fk_finding_import_id_import"),
        sa.PrimaryKeyConstraint("import_id", "number", name="pk_finding"),
    )
    op.create_index("ix_finding_record_id", "finding", ["record_id"], unique=False)
    op.create_table(
        "hit",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("hit_id", sa.String(length=32), nullable=False, comment="The same on both sides."),
        sa.Column("import_id", sa.String(length=32), nullable=False, comment="The import of the own record."),
        sa.Column("position", sa.BigInteger(), nullable=False, comment="The own record's place in the import."),
        sa.Column("record_id", sa.Text(), nullable=False, comment="The own record's identifier."),
        sa.Column("counterpart", sa.String(length=16), nullable=False, comment="The other party."),
        sa.Column("certainty", sa.String(length=8), nullable=False, comment="low, medium or high."),
        sa.Column("families", sa.JSON(), nullable=False, comment="Evidence families that agree."),
        sa.Column("submission_id", sa.String(length=32), nullable=True, comment="The query, or none for the lists."),
        sa.Column(
            "handling_code",
            sa.String(length=2),
            nullable=True,
            comment="The own record's handling code when the hit came, or none.",
        ),
        sa.Column(
            "person",
            sa.String(length=64),
            nullable=True,
            comment="SHA-256 of the own record's number, names and date of birth; none of earlier hits.",
        ),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_hit_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "hit_id", name="pk_hit"),
    )
    op.create_index("ix_hit_person", "hit", ["person"], unique=False)
    op.create_index("ix_hit_record_id", "hit", ["record_id"], unique=False)
    op.create_index("ix_hit_round_id", "hit", ["round_id"], unique=False)
    op.create_table(
        "note_batch",
        sa.Column(
            "batch_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="Number.",
        ),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("counterpart", sa.String(length=16), nullable=False, comment="The other party."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The query; empty for the lists."),
        sa.Column(
            "index", sa.BigInteger(), nullable=False, comment="Its place among the batches of its report, from 0."
        ),
        sa.Column("own", sa.Boolean(), nullable=False, comment="Whether this node makes it."),
        sa.Column("hits", sa.JSON(), nullable=False, comment="Of an own one: its hits."),
        sa.Column(
            "entries",
            sa.LargeBinary(),
            nullable=True,
            comment="Of an own one: the sealed notes, under the note key, until it is signed.",
        ),
        sa.Column("digest", sa.String(length=64), nullable=True, comment="Digest of its statement, once signed."),
        sa.Column("done", sa.Boolean(), nullable=False, comment="Whether its receiver has confirmed it."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_note_batch_round_id_round"),
        sa.PrimaryKeyConstraint("batch_id", name="pk_note_batch"),
    )
    op.create_index("ix_note_batch_digest", "note_batch", ["digest"], unique=False)
    op.create_index("ix_note_batch_round_id", "note_batch", ["round_id"], unique=False)
    op.create_index(
        "ix_note_batch_unconfirmed",
        "note_batch",
        ["round_id"],
        unique=False,
        sqlite_where=sa.text("own = 1 AND done = 0"),
        postgresql_where=sa.text("own AND NOT done"),
    )
    op.create_table(
        "note_secret",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="Nonce, ciphertext and tag."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_note_secret_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", name="pk_note_secret"),
    )
    op.create_index("ix_note_secret_round_id", "note_secret", ["round_id"], unique=False)
    op.create_table(
        "prepared_report",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The query; empty for the lists."),
        sa.Column("prepared_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_prepared_report_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "submission_id", name="pk_prepared_report"),
    )
    op.create_index("ix_prepared_report_round_id", "prepared_report", ["round_id"], unique=False)
    op.create_table(
        "problem",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("place", sa.String(length=200), nullable=False, comment="What it is about; one problem each."),
        sa.Column("sentence", sa.Text(), nullable=False, comment="The problem in words, without personal data."),
        sa.Column("noted_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_problem_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "place", name="pk_problem"),
    )
    op.create_index("ix_problem_round_id", "problem", ["round_id"], unique=False)
    op.create_table(
        "query_hits",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The query."),
        sa.Column("asker", sa.String(length=2), nullable=False, comment="Whose it is."),
        sa.Column(
            "hits",
            sa.BigInteger(),
            nullable=False,
            comment="How many of this node's records it hit that its asker was not told of.",
        ),
        sa.Column("expected", sa.BigInteger(), nullable=False, comment="How many hits persons explain, in millionths."),
        sa.Column("persons", sa.BigInteger(), nullable=False, comment="How many persons it asked for, at least."),
        sa.Column("reported_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column(
            "explained",
            sa.Boolean(),
            nullable=False,
            comment="Whether a person released it, or a later one of this asker: it counts no more.",
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_query_hits_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "submission_id", name="pk_query_hits"),
    )
    op.create_index("ix_query_hits_asker", "query_hits", ["asker"], unique=False)
    op.create_index("ix_query_hits_round_id", "query_hits", ["round_id"], unique=False)
    op.create_table(
        "record",
        sa.Column("import_id", sa.String(length=32), nullable=False, comment="Of which import."),
        sa.Column("position", sa.BigInteger(), nullable=False, comment="Place in the import, from 0."),
        sa.Column("record_id", sa.Text(), nullable=False, comment="The party's own identifier."),
        sa.Column(
            "content", sa.LargeBinary(), nullable=False, comment="The record as JSON: the party's own personal data."
        ),
        sa.Column(
            "words",
            sa.Text(),
            nullable=False,
            comment="The folded words of its names, by which it is searched: as personal as the record.",
        ),
        sa.ForeignKeyConstraint(["import_id"], ["import.import_id"], name="fk_record_import_id_import"),
        sa.PrimaryKeyConstraint("import_id", "position", name="pk_record"),
    )
    op.create_index("ix_record_import_id_position_words", "record", ["import_id", "position", "words"], unique=False)
    op.create_index("ix_record_record_id", "record", ["record_id"], unique=False)
    op.create_table(
        "saved_view",
        sa.Column("view_id", sa.String(length=32), nullable=False, comment="Random identifier."),
        sa.Column("person", sa.String(length=14), nullable=False, comment="Whose view it is."),
        sa.Column("name", sa.String(length=60), nullable=False, comment="The person's own word for it."),
        sa.Column("shows", sa.JSON(), nullable=False, comment="The filter; it holds no word of a record."),
        sa.ForeignKeyConstraint(["person"], ["account.person"], name="fk_saved_view_person_account"),
        sa.PrimaryKeyConstraint("view_id", name="pk_saved_view"),
        sa.UniqueConstraint("person", "name", name="uq_saved_view_person_name"),
    )
    op.create_table(
        "secret",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("name", sa.String(length=64), nullable=False, comment="What it is."),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="Nonce, ciphertext and tag."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_secret_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "name", name="pk_secret"),
    )
    op.create_index("ix_secret_round_id", "secret", ["round_id"], unique=False)
    op.create_table(
        "spent",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("origin", sa.String(length=16), nullable=False, comment="For whom."),
        sa.Column("input_class", sa.String(length=8), nullable=False, comment="full or partial."),
        sa.Column("elements", sa.BigInteger(), nullable=False, comment="How many, padding included."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_spent_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "origin", "input_class", name="pk_spent"),
    )
    op.create_index("ix_spent_round_id", "spent", ["round_id"], unique=False)
    op.create_table(
        "statement",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="Digest of the payload as signed."),
        sa.Column(
            "event_id",
            sa.BigInteger(),
            nullable=True,
            comment="Its place in the matcher's feed; none while an own one has not come back.",
        ),
        sa.Column("party", sa.String(length=16), nullable=False, comment="Who signed it: a party's code, or matcher."),
        sa.Column("sequence", sa.BigInteger(), nullable=True, comment="The party's number for it."),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="The kind of message."),
        sa.Column("envelope", sa.LargeBinary(), nullable=False, comment="The DSSE envelope."),
        sa.Column("own", sa.Boolean(), nullable=False, comment="Whether this node signed it."),
        sa.Column("sent", sa.Boolean(), nullable=False, comment="Of an own one: whether the matcher has it."),
        sa.Column("refusal", sa.Text(), nullable=True, comment="Of an own one: why the matcher will never take it."),
        sa.Column(
            "taken_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970 when it was signed or taken here."
        ),
        sa.Column(
            "erased_at",
            sa.BigInteger(),
            nullable=True,
            comment="Of a submission: since when its justification is erased, and the rest is here unsigned.",
        ),
        sa.Column(
            "promise",
            sa.Enum("signed", "promised", "proved", "excused", name="promise", native_enum=False),
            nullable=True,
            comment="Whether the matcher's log holds it: signed, promised, proved, excused; none if nobody asks.",
        ),
        sa.Column(
            "log_index", sa.BigInteger(), nullable=True, comment="Its place in the matcher's log, once that was proved."
        ),
        sa.Column(
            "unproved", sa.Integer(), nullable=False, comment="How many looks at the matcher's log did not prove it."
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_statement_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "digest", name="pk_statement"),
    )
    op.create_index(
        "ix_statement_own_receipts",
        "statement",
        ["round_id"],
        unique=False,
        sqlite_where=sa.text("own = 1 AND kind = 'receipt'"),
        postgresql_where=sa.text("own AND kind = 'receipt'"),
    )
    op.create_index("ix_statement_promise", "statement", ["promise"], unique=False)
    op.create_index("ix_statement_round_id", "statement", ["round_id"], unique=False)
    op.create_index("ix_statement_round_id_own_sequence", "statement", ["round_id", "own", "sequence"], unique=False)
    op.create_index(
        "ix_statement_unsent",
        "statement",
        ["round_id"],
        unique=False,
        sqlite_where=sa.text("own = 1 AND sent = 0"),
        postgresql_where=sa.text("own AND NOT sent"),
    )
    op.create_table(
        "submission",
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="Random identifier."),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("import_id", sa.String(length=32), nullable=False, comment="The import that it is made of."),
        sa.Column(
            "records_digest",
            sa.String(length=64),
            nullable=True,
            comment="The digest of the list's records that was approved; none of earlier submissions.",
        ),
        sa.Column("kind", sa.String(length=8), nullable=False, comment="list or query."),
        sa.Column(
            "justification", sa.JSON(), nullable=False, comment="Why it is lawful; empty once its three years are over."
        ),
        sa.Column(
            "wished_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970 when two persons wanted it."
        ),
        sa.Column(
            "state",
            sa.Enum(
                "wished",
                "preparing",
                "submitted",
                "finalized",
                "tokens_sent",
                "failed",
                name="submissionstate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
            comment="wished, preparing, submitted, finalized or failed; tokens_sent when all is done.",
        ),
        sa.Column("records", sa.BigInteger(), nullable=False, comment="Records, dummies included."),
        sa.Column("batches", sa.BigInteger(), nullable=False, comment="Batches of records to blind."),
        sa.Column("prepared", sa.BigInteger(), nullable=False, comment="Batches whose runs are on the disk."),
        sa.Column("held_back", sa.JSON(), nullable=False, comment="By rule number, inputs that were not sent."),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_submission_round_id_round"),
        sa.PrimaryKeyConstraint("submission_id", name="pk_submission"),
    )
    op.create_index("ix_submission_round_id", "submission", ["round_id"], unique=False)
    op.create_table(
        "tally",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("counterpart", sa.String(length=16), nullable=False, comment="The other party."),
        sa.Column("certainty", sa.String(length=8), nullable=False, comment="low, medium or high."),
        sa.Column(
            "outcome",
            sa.String(length=16),
            nullable=False,
            comment="confirmed, refuted, unresolved, withdrawn or open.",
        ),
        sa.Column("hits", sa.BigInteger(), nullable=False, comment="How many."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_tally_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "counterpart", "certainty", "outcome", name="pk_tally"),
    )
    op.create_index("ix_tally_round_id", "tally", ["round_id"], unique=False)
    op.create_table(
        "withdrawal",
        sa.Column(
            "withdrawal_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="Number.",
        ),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("hit_id", sa.String(length=32), nullable=False, comment="The hit, the same on both sides."),
        sa.Column("counterpart", sa.String(length=16), nullable=False, comment="The other party."),
        sa.Column("own", sa.Boolean(), nullable=False, comment="Whether this party withdrew it, or the counterpart."),
        sa.Column("ground", sa.String(length=16), nullable=False, comment="incorrect, unlawful, not_needed or erased."),
        sa.Column("late", sa.Boolean(), nullable=False, comment="Whether it came after the correction duty's hours."),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="Seconds since 1970 when it was asked for, or taken."),
        sa.Column("known", sa.Boolean(), nullable=False, comment="Whether this node held the hit."),
        sa.Column(
            "digest",
            sa.String(length=64),
            nullable=True,
            comment="Digest of the statement; none while an own one is not signed.",
        ),
        sa.Column(
            "acknowledged_at",
            sa.BigInteger(),
            nullable=True,
            comment="Seconds since 1970 when the counterpart's acknowledgement came, or ours was signed.",
        ),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_withdrawal_round_id_round"),
        sa.PrimaryKeyConstraint("withdrawal_id", name="pk_withdrawal"),
    )
    op.create_index("ix_withdrawal_digest", "withdrawal", ["digest"], unique=False)
    op.create_index("ix_withdrawal_hit_id", "withdrawal", ["hit_id"], unique=False)
    op.create_index("ix_withdrawal_round_id", "withdrawal", ["round_id"], unique=False)
    op.create_table(
        "chunk",
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="Of which submission."),
        sa.Column("index", sa.BigInteger(), nullable=False, comment="Its place, from 0."),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("input_class", sa.String(length=8), nullable=False, comment="full or partial."),
        sa.Column("elements", sa.BigInteger(), nullable=False, comment="How many elements it has."),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the blinded elements."),
        sa.Column("sent", sa.Boolean(), nullable=False, comment="Whether the matcher has the blinded elements."),
        sa.Column("token_rows", sa.BigInteger(), nullable=True, comment="Token rows, once finalized."),
        sa.Column(
            "token_digest", sa.String(length=64), nullable=True, comment="SHA-256 of the token rows, until the close."
        ),
        sa.Column("tokens_sent", sa.Boolean(), nullable=False, comment="Whether the matcher has the token rows."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_chunk_round_id_round"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name="fk_chunk_submission_id_submission"
        ),
        sa.PrimaryKeyConstraint("submission_id", "index", name="pk_chunk"),
    )
    op.create_index("ix_chunk_round_id", "chunk", ["round_id"], unique=False)
    op.create_table(
        "column_piece",
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="Of which submission."),
        sa.Column("index", sa.BigInteger(), nullable=False, comment="Its place behind the chunks of rows."),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="Bytes."),
        sa.Column("sent", sa.Boolean(), nullable=False, comment="Whether the matcher has it."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_column_piece_round_id_round"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name="fk_column_piece_submission_id_submission"
        ),
        sa.PrimaryKeyConstraint("submission_id", "index", name="pk_column_piece"),
    )
    op.create_index("ix_column_piece_round_id", "column_piece", ["round_id"], unique=False)
    op.create_table(
        "hit_life",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("hit_id", sa.String(length=32), nullable=False, comment="Which hit."),
        sa.Column("arrived_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970 when it was stored."),
        sa.Column(
            "stage",
            sa.String(length=16),
            nullable=False,
            comment="new, known, acknowledged, decided, follow_up, closed or withdrawn.",
        ),
        sa.Column("decision", sa.String(length=16), nullable=True, comment="What the analyst says, once decided."),
        sa.Column("outcome", sa.String(length=16), nullable=True, comment="What came of it, once closed."),
        sa.Column("due_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970 when the next step is due."),
        sa.Column(
            "undo_person",
            sa.String(length=16),
            nullable=True,
            comment="Who can undo the last step, which is then this person's decision; none after another step.",
        ),
        sa.Column(
            "assignee",
            sa.String(length=16),
            nullable=True,
            comment="The pseudonymous id of who looks after it; none for nobody.",
        ),
        sa.Column(
            "known",
            sa.String(length=16),
            nullable=True,
            comment="Of a known pair: unchanged, changed_level or changed_evidence since the earlier hit.",
        ),
        sa.Column(
            "earlier_round_id",
            sa.String(length=32),
            nullable=True,
            comment="Of a known pair: the round of the hit whose decision it carries; it may be erased.",
        ),
        sa.Column("earlier_hit_id", sa.String(length=32), nullable=True, comment="That hit."),
        sa.Column(
            "undo_number",
            sa.BigInteger(),
            nullable=True,
            comment="The first step of the decisions that were taken together with it.",
        ),
        sa.Column(
            "urgent",
            sa.Boolean(),
            nullable=False,
            comment="Whether it came from a query whose asker signed it as urgent.",
        ),
        sa.Column(
            "first",
            sa.Boolean(),
            nullable=False,
            comment="Whether it came from a standing query, and no earlier round had this person and this party.",
        ),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.ForeignKeyConstraint(
            ["round_id", "hit_id"], ["hit.round_id", "hit.hit_id"], name="fk_hit_life_round_id_hit_id_hit"
        ),
        sa.PrimaryKeyConstraint("round_id", "hit_id", name="pk_hit_life"),
    )
    op.create_index("ix_hit_life_arrived_at", "hit_life", ["arrived_at"], unique=False)
    op.create_index("ix_hit_life_assignee", "hit_life", ["assignee"], unique=False)
    op.create_index("ix_hit_life_due_at", "hit_life", ["due_at"], unique=False)
    op.create_index("ix_hit_life_stage_arrived_at", "hit_life", ["stage", "arrived_at"], unique=False)
    op.create_index("ix_hit_life_undo_person_undo_number", "hit_life", ["undo_person", "undo_number"], unique=False)
    op.create_table(
        "hit_step",
        sa.Column(
            "step_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="Ascends in time.",
        ),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("hit_id", sa.String(length=32), nullable=False, comment="Which hit."),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="What was done."),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column(
            "person",
            sa.String(length=16),
            nullable=False,
            comment="The person's pseudonymous id, or the party whose statement it was.",
        ),
        sa.Column("value", sa.String(length=16), nullable=False, comment="The decision, channel, outcome or ground."),
        sa.Column("reference", sa.Text(), nullable=False, comment="The channel's own number, or that of a permission."),
        sa.Column("urgency", sa.String(length=8), nullable=True, comment="Of a follow-up: urgent or normal."),
        sa.Column("remark", sa.Text(), nullable=False, comment="The analyst's own words, which stay at this node."),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.ForeignKeyConstraint(
            ["round_id", "hit_id"], ["hit.round_id", "hit.hit_id"], name="fk_hit_step_round_id_hit_id_hit"
        ),
        sa.PrimaryKeyConstraint("step_id", name="pk_hit_step"),
    )
    op.create_index("ix_hit_step_round_id_hit_id", "hit_step", ["round_id", "hit_id"], unique=False)
