"""The auditor's side: every claim of a log is checked with its files and the registry (PROTOCOL.md 10.6).

    1.  The registry that the log names is the auditor's.
    2.  The checkpoint is signed by the log's owner, and every cosignature on it verifies.
    3.  The hash tiles lead to the checkpoint's head.
    4.  Every saved checkpoint is signed, and is the head over the first entries of this very log: so any two of them
        are consistent.
    5.  Every entry is the one that its leaf is the hash of, in its one encoding.
    6.  Entries lie between the cosignatures around them, and an entry whose content was erased was older than the
        retention that the log names, both by witnesses' clocks.
    7.  Every statement that an entry is about is there, signed by its pinned key, and the entry says what it says.
        Entries of matches, reports and sealed notes have the form of their kind: the log keeps no envelope of them.
    8.  Every round has one proposal and, taken through its statements in the order of the log, keeps to PROTOCOL.md
        section 3: binding, caps, deadlines, proofs of knowledge, sequence. A round that lost a content to retention in
        between is left out. No number of a party's statements is missing without a signature that explains it.
    9.  Of every round that was closed each pair of lists has both reports or none, and none only where a party was
        away; before its time was over it had all receipts, and each note was confirmed.
    10. Each report has as many hits of each level as its party's matches, and each receipt as many as the match, pair
        by pair and level by level. What no receipt shows is not proven. Each check names the tags that the match
        names. A pair of lists is not proven if a side did not check it, or reported a fault.
    11. The statistics that the matcher published are those that the entries give.
    12. Every party that worked in a round has cosigned a checkpoint that covers its opening; one that said its last
        word in a round that was closed, one that covers this and the ending.
    13. Several logs, and what each owner has seen of the others, do not contradict each other (`compare`).
    14. Two different persons wanted each proposal, consent, list, query, wished abort and registry, as far as the log
        says.

A copy that leaves entries out (10.9) is checked as far as it goes: of what is left out the leaves alone, and of a round
that lacks something neither 9, 10 nor 11. What is neither proven nor refuted is kept beside (`UnprovenClaim`).

The first thing that is wrong is raised, with the file or the entry where it is.
"""

from aquila.protocol.auditing.comparison import check_at_least, compare, still_unproven
from aquila.protocol.auditing.coverage import LastStatement, last_statements
from aquila.protocol.auditing.log_files import Files, read_log
from aquila.protocol.auditing.log_record import LogRecord, UnprovenClaim, count_shown, refuse_unproven
from aquila.protocol.auditing.round_audit import RoundAudit
from aquila.protocol.auditing.rounds import audit_rounds
