"""The demo, step by step: what happens, what each one sees, and what nobody sees.

Each step speaks to the services as an officer would, through the typed client, and tells what came of it.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from aquila.followup.lifecycle import Urgency
from aquila.interface import rounds as round_views
from aquila.interface.queries import QueryAnswer, QueryPerson, QueryRequest
from aquila.matching.certainty import Level
from aquila.protocol.messages import Kind, Mode
from aquila.protocol.registry import MATCHER
from aquila.protocol.rounds.round_state import Phase
from clients.cli.demo.checks import LEAST_BYTES, check_log, left_in, samples_of, search, still_there
from clients.cli.demo.population import IN_ALL, IN_TWO, NAMES, DemoHomes, Population, make_homes, questions
from clients.cli.demo.round_views import SHORT, follow_round, hits_table, query_views
from clients.cli.output.screen import Screen, Table, numbered
from clients.local_services.accounts import StaffSessions, open_all
from clients.local_services.processes import DemoProcesses
from clients.people.nationals import COUNTRIES
from clients.sdk import MatcherClient, NodeClient, QueryClient, find_home
from clients.sdk.services import LogClient
from services.kit.errors import PeerUnavailableError

_SHOWN_HITS = 10
_PATIENCE_SECONDS = 300.0
_LOOK_SECONDS = 0.3
_BASIS = "PCC SEE (demo)"
_PURPOSE = "find persons whom several parties noted"
_CATEGORY = "foreign terrorist fighters"
_TWO = ("officer", "approver")
_ASKING = "SI"


@dataclass(slots=True)
class DemoScenario:
    """One demo; `play_all` plays it."""

    screen: Screen
    stage: DemoProcesses
    population: Population
    steps: int = 0
    round_id: str = ""
    document: dict[str, object] = field(default_factory=dict)
    """What came of it, for `--json`."""
    told: set[tuple[str, str]] = field(default_factory=set)
    """Which phases of which parties were shown as done."""
    keep: bool = False
    """Whether the services keep running: then a second round is left waiting."""

    def play_all(self) -> DemoHomes:
        """Play every step; the services are still running at the end."""
        started = time.monotonic()
        self._show_lists()
        demo_homes = self._make_services()
        with ExitStack() as opened:
            all_staff = self._sign_in(opened)
            secretariat = all_staff.pop(MATCHER)
            matcher = secretariat.matcher("secretariat-1")
            imports = self._import_lists(demo_homes, {code: staff.node("officer") for code, staff in all_staff.items()})
            self._open_round(secretariat, all_staff)
            self._submit(matcher, all_staff, imports)
            self._show_hits({code: staff.node("analyst") for code, staff in all_staff.items()})
            self._ask(all_staff[_ASKING])
            self._search_matcher(demo_homes)
            self._close(demo_homes, matcher)
            self._audit(demo_homes, LogClient(secretariat.connections["auditor"]))
            if self.keep:
                self._leave_waiting(secretariat, all_staff)
        self.document["seconds"] = round(time.monotonic() - started, 1)
        return demo_homes

    def _show_lists(self) -> None:
        self._head("Three lists of invented persons")
        rows = [
            (code, NAMES[code], len(self.population.rows[code]), _sample(self.population, code)) for code in COUNTRIES
        ]
        self.screen.narrate(
            Table("", ("party", "", "rows", "one person whom all three noted, each in its own way"), rows),
            f"{IN_TWO} persons stand in two of the lists and {IN_ALL} in all three, written in different ways: "
            f"{len(self.population.common)} pairs of records to find. Only this demo knows which.",
        )

    def _make_services(self) -> DemoHomes:
        self._head("A matcher and three nodes, each a process of its own with its own keys")
        demo_homes = make_homes(self.stage.folder, self.population)
        processes = self.stage.start([(name, home) for name, home in demo_homes.homes.items()])
        prints = {card.code: card.key.short_fingerprint for card in demo_homes.cards}
        rows = [(p.name, p.url, str(p.pid), str(p.home.path), prints[p.name]) for p in processes]
        self.screen.narrate(
            Table("", ("who", "address", "process", "home", "fingerprint of its key"), rows),
            "Each has the others' public keys from a file, as if compared by telephone. Nodes call the matcher; nobody "
            "calls a node but its own officer.",
        )
        return demo_homes

    def _sign_in(self, opened: ExitStack) -> dict[str, StaffSessions]:
        self._head("Everyone has an account: a password and an authenticator, and the roles of the work")
        all_staff = open_all(self.stage.processes, opened)
        rows = [(name, ", ".join(staff.pseudonyms)) for name, staff in all_staff.items()]
        officer = all_staff[COUNTRIES[0]].pseudonyms["officer"]
        self.screen.narrate(
            Table("", ("who", "accounts"), rows),
            f"The log knows them by pseudonyms alone: {COUNTRIES[0]}'s officer is {officer}.",
        )
        return all_staff

    def _import_lists(self, demo_homes: DemoHomes, nodes: Mapping[str, NodeClient]) -> dict[str, str]:
        self._head("Each party brings its list into its own node")
        imports, rows = {}, []
        for code, node in nodes.items():
            with demo_homes.list_file(code).open("rb") as stream:
                report = node.import_list(stream, demo_homes.list_file(code).name, accept_refused=True)
            assert report.import_id is not None
            imports[code] = report.import_id
            refused = [f"line {found.line}" for found in report.findings if found.severity == "refusal"]
            rows.append((code, report.accepted, report.warnings, report.refused, ", ".join(refused)))
        self.screen.narrate(
            Table("", ("party", "records", "warnings", "refused", "which"), rows),
            "The last row of each list holds too little to match on; `aquila records check` says so line by line.",
        )
        return imports

    def _open_round(self, secretariat: StaffSessions, all_staff: Mapping[str, StaffSessions]) -> None:
        self._head("The secretariat proposes a round; each party reads it and consents, always two persons together")
        proposal = round_views.RoundProposal(
            participants=COUNTRIES,
            area="counter-terrorism",
            legal_basis=_BASIS,
            purpose=_PURPOSE,
            category=_CATEGORY,
            mode=Mode.LISTS_AND_QUERIES,
        )
        matcher = secretariat.matcher("secretariat-1")
        asked = matcher.propose(proposal)
        secretariat.approve("secretariat-2", asked)
        assert asked.round_id is not None  # a proposal names its round
        self.round_id = asked.round_id
        for code, staff in all_staff.items():
            node = staff.node("officer")
            self._until(partial(self._knows, node), f"{code} to hear of the round")
            staff.approve("approver", node.consent(self.round_id))
        view = self._follow(matcher, Phase.OPEN)
        self.screen.narrate(
            f"Round {self.round_id[:SHORT]}: {view.entry.title}.",
            f"Each node made a key for this round alone. What binds it to all consents: {str(view.binding)[:16]}...",
        )

    def _submit(
        self, matcher: MatcherClient, all_staff: Mapping[str, StaffSessions], imports: Mapping[str, str]
    ) -> None:
        self._head("Each party submits its list: an officer gives the reason, another person approves exactly that")
        started, rows = time.monotonic(), list[tuple[object, ...]]()
        for code, staff in all_staff.items():
            justification = round_views.JustificationInput(
                legal_basis=_BASIS, purpose=_PURPOSE, case_reference=f"{code} 2026-001 (demo)", category=_CATEGORY
            )
            request = round_views.SubmissionRequest(
                import_id=imports[code], kind=Kind.LIST, justification=justification
            )
            asked = staff.node("officer").submit(self.round_id, request)
            staff.approve("approver", asked)
            rows.append((code, justification.case_reference, asked.digest[:16], *map(staff.pseudonyms.get, _TWO)))
        self.screen.narrate(
            Table("", ("party", "case", "digest of what was approved", "asked by", "approved by"), rows)
        )
        view = self._follow(matcher, Phase.REPORTING)
        seconds = round(time.monotonic() - started, 1)
        chunks = sum(party.blinded.of for party in view.parties)
        self.screen.narrate(
            f"Each node blinded its list, evaluated the others' lists with its own key and checked every proof "
            f"({numbered(chunks, 'chunk')}, {seconds} s)."
        )
        self.document["round_seconds"] = seconds

    def _show_hits(self, nodes: Mapping[str, NodeClient]) -> None:
        self._head("What each party sees: its own records that others hold too, and why")
        self._until(lambda: all(node.round(self.round_id).hits is not None for node in nodes.values()), "the reports")
        hits: dict[str, round_views.Hits] = {}

        def exchanged() -> bool:
            hits.update({code: node.hits(self.round_id) for code, node in nodes.items()})
            return all(hit.exchange and hit.exchange.state != "unconfirmed" for hit in _every(hits))

        self._until(exchanged, "the sealed notes of all hits")
        for code, found in hits.items():
            self.screen.narrate(
                f"{code}, {NAMES[code]}: {numbered(len(found.hits), 'hit')}", *hits_table(found, _SHOWN_HITS)
            )
        self._read_notes(hits)
        self._check_reports(nodes)
        self._compare(hits)

    def _read_notes(self, hits: Mapping[str, round_views.Hits]) -> None:
        states = Counter(hit.exchange.state for hit in _every(hits) if hit.exchange)
        told = [hit.exchange.intelligence for hit in _every(hits) if hit.exchange and hit.exchange.intelligence]
        raised = [one for one in told if one.before != one.after]
        self.screen.narrate(
            "For each hit both nodes sealed a note that only the holder of the same inputs can open: "
            f"{states['confirmed'] // 2} hits are confirmed by both sides, {states['refuted'] // 2} refuted.",
            f"The counterpart's note raised the certainty of the intelligence in {len(raised)} of {len(told)} records"
            + (f", for example {raised[0].before} -> {raised[0].after}: {raised[0].sentence}." if raised else "."),
        )
        self.document["notes"] = {"confirmed": states["confirmed"] // 2, "raised": len(raised)}

    def _check_reports(self, nodes: Mapping[str, NodeClient]) -> None:
        """Report what both sides of each pair found when they checked that no hit was left out."""

        def told() -> bool:
            found = [one for node in nodes.values() for one in node.safeguards(self.round_id).checks]
            return bool(found) and all(one.told for one in found)

        self._until(told, "what the nodes found when they checked their reports")
        rows = [
            (f"{code}-{one.counterpart}", one.below, "nothing" if one.agreed and one.fault is None else "something")
            for code, node in nodes.items()
            for one in node.safeguards(self.round_id).checks
            if code < one.counterpart
        ]
        self.screen.narrate(
            Table("Was anything left out? ReportCheck by both sides", ("pair", "nearly hits", "left out"), rows),
            "Beside its rows each node sent tags that only the two of a pair can make. Just those met that follow from "
            "the reported pairs: a matcher that leaves out a hit has to guess its tags among thousands.",
        )
        self.document["checks"] = {"pairs": len(rows), "nothing_left_out": sum(row[2] == "nothing" for row in rows)}

    def _compare(self, hits: Mapping[str, round_views.Hits]) -> None:
        """Report the known pairs that were found; both sides show a hit under one id, so the demo can join them."""
        sides: dict[str, list[tuple[str, str]]] = {}
        levels: dict[str, Level] = {}
        for code in COUNTRIES:
            for hit in hits[code].hits:
                sides.setdefault(hit.hit_id, []).append((code, hit.record_id))
                levels[hit.hit_id] = hit.certainty
        pairs = {(*one, *other): levels[hit_id] for hit_id, (one, other) in sides.items()}
        common = self.population.common
        found, extra = pairs.keys() & common, pairs.keys() - common
        rows = [
            (level.value, sum(pairs[pair] is level for pair in found), sum(pairs[pair] is level for pair in extra))
            for level in reversed(Level)
        ]
        self.screen.narrate(
            Table("How good is it?", ("certainty", "known pairs found", "other persons taken for one"), rows),
            f"Of {len(common)} known pairs {len(found)} were found and {len(common) - len(found)} missed; "
            f"{numbered(len(extra), 'hit is wrong', 'hits are wrong')}.",
        )
        self.document["pairs"] = {
            "known": len(common),
            "found": len(found),
            "missed": len(common) - len(found),
            "extra": len(extra),
        }

    def _ask(self, staff: StaffSessions) -> None:
        """Play a query, from the officer's question to the answers of the other parties."""
        self._head(f"A query: {NAMES[_ASKING]} asks for three persons, and two persons stand for it")
        client = QueryClient(staff.connections["officer"])
        justification = round_views.JustificationInput(
            legal_basis=_BASIS,
            purpose="a check at the border",
            case_reference=f"{_ASKING} 2026-002 (demo)",
            category=_CATEGORY,
            urgency=Urgency.URGENT,
        )
        persons = tuple(QueryPerson(**fields) for fields in questions(self.population, _ASKING))
        asked = client.ask(QueryRequest(round_id=self.round_id, persons=persons, justification=justification))
        started = time.monotonic()
        staff.approve("approver", asked)
        answers: list[QueryAnswer] = []

        def answered() -> bool:
            answers[:] = [client.answer(one.submission_id) for one in client.queries().queries]
            if not answers or answers[0].entry.answer is not round_views.AnswerState.ANSWERED:
                return False
            return _is_confirmed(answers[0]) and all(one.told for one in answers[0].checks)

        self._until(answered, "the answers to the query")
        seconds = round(time.monotonic() - started, 1)
        self.screen.narrate(
            *query_views(answers[0]),
            f"{seconds} s from the approval to hits that both sides have confirmed. The others' analysts see that it "
            "is a query, its case and its urgency, and which of their own records it hit.",
        )
        hits = [sorted({hit.party for hit in person.hits}) for person in answers[0].persons]
        checked = sorted(one.counterpart for one in answers[0].checks if one.agreed)
        self.document["query"] = {"seconds": seconds, "hits": hits, "checked": checked}

    def _search_matcher(self, demo_homes: DemoHomes) -> None:
        self._head("What the matcher holds: no name, no date, no number")
        rows = [row for listed in self.population.rows.values() for row in listed]
        result = search(demo_homes.homes[MATCHER], rows)
        found = ", ".join(map(str, result.found_in)) or "none"
        self.screen.narrate(
            f"Looked for {result.needles:,} names, dates and numbers of all three lists, as written and in "
            f"small letters, in {numbered(result.files, 'file')} of the matcher ({result.octets:,} bytes).",
            f"Found in: {found}.",
            f"(Names under {LEAST_BYTES} bytes only as given and family name together: alone, chance finds them.)",
        )
        self.document["search"] = {
            "needles": result.needles,
            "files": result.files,
            "bytes": result.octets,
            "found_in": len(result.found_in),
        }

    def _close(self, demo_homes: DemoHomes, matcher: MatcherClient) -> None:
        self._head("The round is closed: keys and tokens are destroyed")
        before = {name: left_in(home) for name, home in demo_homes.homes.items()}
        samples = samples_of(demo_homes.homes.values())
        self._until(
            lambda: all(p.acknowledged for p in matcher.round(self.round_id).parties), "every party to fetch its hits"
        )
        matcher.close(self.round_id)
        self._until(
            lambda: all(p.closed for p in matcher.round(self.round_id).parties), "every party to destroy its keys"
        )
        self._until(lambda: left_in(demo_homes.homes[MATCHER]).chunks == 0, "the matcher to delete the tokens")
        after = {name: left_in(home) for name, home in demo_homes.homes.items()}
        rows = [
            (name, f"{one.keys} -> {after[name].keys}", f"{one.chunks} -> {after[name].chunks}", f"{one.octets:,}")
            for name, one in before.items()
        ]
        still = still_there(demo_homes.homes.values(), samples)
        self.screen.narrate(
            Table("", ("who", "round keys", "chunks of elements and tokens", "bytes before"), rows),
            f"{numbered(len(samples), 'sample')} of these bytes, looked for again in every file of all homes: found in "
            f"{', '.join(map(str, still)) or 'none'}. What stays are hits as opaque ids, counts and signed statements.",
        )
        self.document["left"] = {name: {"keys": one.keys, "chunks": one.chunks} for name, one in after.items()}
        self.document["samples_still_found"] = len(still)

    def _leave_waiting(self, secretariat: StaffSessions, all_staff: Mapping[str, StaffSessions]) -> None:
        """Leave something to do: a second round, to which one party's officer asks to consent."""
        self._head("A second round waits, for whoever wants to go on by hand")
        proposal = round_views.RoundProposal(
            participants=COUNTRIES,
            title="Single questions",
            area="counter-terrorism",
            legal_basis=_BASIS,
            purpose="single questions",
            category=_CATEGORY,
            mode=Mode.LISTS_AND_QUERIES,
        )
        asked = secretariat.matcher("secretariat-1").propose(proposal)
        secretariat.approve("secretariat-2", asked)
        assert asked.round_id is not None
        for code, staff in all_staff.items():
            node = staff.node("officer")
            known = partial(self._knows, node, asked.round_id)
            self._until(known, f"{code} to hear of the round")
        all_staff[_ASKING].node("officer").consent(asked.round_id)
        self.screen.narrate(
            f"Round {asked.round_id[:SHORT]}: {_ASKING}'s officer asks to consent, and its approver has to decide; "
            "the other parties have not read it yet."
        )

    def _audit(self, demo_homes: DemoHomes, auditor: LogClient) -> None:
        self._head("An auditor takes the log away and checks it alone, with nothing but the parties' public keys")
        ended = auditor.entries(limit=1).size

        def witnessed() -> bool:
            sizes = [one.size for one in auditor.view().witnesses]
            return len(sizes) == len(COUNTRIES) and min(sizes) >= ended

        self._until(witnessed, "every party to witness the end of the round")
        archive = demo_homes.homes[MATCHER].with_name("log.tar")
        archive.write_bytes(auditor.export())
        log, rounds, forged = check_log(archive, find_home(demo_homes.homes[MATCHER]).registry)
        kinds = Counter(entry.kind.value.replace("_", " ") for entry in log.entries if entry is not None)
        self.screen.narrate(
            Table("", ("what the log holds", "entries"), [*sorted(kinds.items())]),
            f"{numbered(log.checkpoint.size, 'entry', 'entries')} under one signed head, witnessed by "
            f"{', '.join(sorted(log.cosigned))}; every statement, proof of knowledge, count and step of "
            f"{numbered(len(rounds), 'round')} was checked again, without the matcher: all holds together.",
            f"The same log with one bit of one entry changed: {forged}",
        )
        self.document["log"] = {"entries": log.checkpoint.size, "rounds": len(rounds), "witnesses": len(log.cosigned)}

    def _follow(self, matcher: MatcherClient, until: Phase) -> round_views.MatcherRoundView:
        """Show progress until the round reaches a phase.

        Raises:
            PeerUnavailableError: The round was aborted, or a process ended.
        """

        def look() -> round_views.MatcherRoundView:
            self._check_processes()
            return matcher.round(self.round_id)

        with self.screen.progress() as shown:

            def told(phase: str, party: str, done: int, of: int) -> None:
                if (phase, party) not in self.told:
                    shown(phase, party, done, of)
                if done >= of:
                    self.told.add((phase, party))

            view = follow_round(look, told, until, pause=lambda _: time.sleep(_LOOK_SECONDS))
        if view.entry.phase == Phase.ABORTED:
            raise PeerUnavailableError("demo_round_aborted", ending=view.ending.text if view.ending else "")
        return view

    def _knows(self, node: NodeClient, round_id: str = "") -> bool:
        wanted = round_id or self.round_id
        return any(entry.round_id == wanted for entry in node.rounds().rounds)

    def _until(self, reached: Callable[[], bool], what: str) -> None:
        """Wait for something; raises PeerUnavailableError if a process ended, or patience did."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not reached():
            self._check_processes()
            if time.monotonic() > deadline:
                raise PeerUnavailableError("demo_waited_in_vain", what=what)
            time.sleep(_LOOK_SECONDS)

    def _check_processes(self) -> None:
        for process in self.stage.ended():
            raise PeerUnavailableError("demo_process_ended", process=process.name)

    def _head(self, title: str) -> None:
        self.steps += 1
        self.screen.narrate("", f"{self.steps}. {title}")


def _is_confirmed(answer: QueryAnswer) -> bool:
    """Return whether both sides have verified every hit of a query."""
    return all(hit.exchange != "unconfirmed" for person in answer.persons for hit in person.hits)


def _every(hits: Mapping[str, round_views.Hits]) -> list[round_views.OwnHit]:
    return [hit for found in hits.values() for hit in found.hits]


def _sample(population: Population, code: str) -> str:
    """Return how a list notes the first person whom all three know."""
    ids: dict[str, dict[str, str]] = {}
    for left, left_id, right, right_id in sorted(population.common):
        known = ids.setdefault(left_id, {left: left_id})
        known[right] = right_id
    chosen = next((known for known in ids.values() if len(known) == len(COUNTRIES)), {})
    row = next((row for row in population.rows[code] if row["record_id"] == chosen.get(code)), None)
    return f"{row['given_names']} {row['family_names']}, {row['date_of_birth']}" if row else ""
