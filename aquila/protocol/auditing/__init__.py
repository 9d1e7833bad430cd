"""The auditor's side: every claim of a log is checked with its files and the registry (PROTOCOL.md 10.6).

Checks have the numbers of the table there: `log_files` makes (1) to (7), with the witnesses' clocks in `coverage`,
`entry_checks` (8), (14) and what two persons wanted, `rounds` (9) and (12), `hits` (10), `round_audit` (11) and
`coverage` (13). `comparison` holds logs together (10.6.2).

A copy that leaves entries out (10.9) is checked as far as it goes: of what is left out the leaves alone, and of a round
that lacks something neither (10) nor (12). What is neither proven nor refuted is kept beside (`UnprovenClaim`).

The first thing that is wrong is raised, with the file or the entry where it is.
"""

from aquila.protocol.auditing.comparison import check_at_least, compare, still_unproven
from aquila.protocol.auditing.coverage import LastStatement, last_statements
from aquila.protocol.auditing.log_files import Files, read_log
from aquila.protocol.auditing.log_record import LogRecord, UnprovenClaim, count_shown, refuse_unproven
from aquila.protocol.auditing.round_audit import RoundAudit
from aquila.protocol.auditing.rounds import audit_rounds
