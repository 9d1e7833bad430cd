"""The registry on the screen: parties, changes, and the words that people compare by telephone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aquila.crypto.keys import short_digits
from aquila.interface.approval import PendingApproval
from aquila.interface.service.party import RegistryPartyView, RegistryStatementView, RegistryView
from aquila.protocol.registry import MATCHER
from clients.cli.output.screen import Screen, Table

_IN_A_LINE = 4
_WORDS_DO_NOT_SHOW = (
    "Equal words show that all of you have the same registry. They do not show that a party in it exists: one that the "
    "secretariat invented is in everybody's. Know who joins before you accept, from a source of your own."
)


def show_registry(screen: Screen, view: RegistryView, sentence: str) -> None:
    """Show a registry: its parties, what waits, and the words to compare."""
    warn_of_fetch(screen, view)
    rows = [_row(one) for one in view.parties]
    shown: list[Table | str] = [sentence] if sentence else []
    shown.append(Table("Registry in force", ("party", "name", "state", "has accepted"), rows))
    if view.asked is not None:
        request = view.asked.approval_id
        shown += [
            f"Asked for, and waiting for a second person: aquila call get_approval approval_id={request}.",
            f"Take back: aquila call post_withdraw approval_id={request}.",
        ]
    if view.obstacle is not None:
        shown.append(f"The newer registry cannot be accepted: {view.obstacle.text}.")
    for statement, state in ((view.in_force, "in force"), (view.waiting, "waits for you: aquila party accept")):
        if statement is not None:
            shown += _moves(statement)
            shown.append(f"Registry number {statement.number}, {state}. Its words:")
            shown += spoken_views(statement.words, statement.digits)
    if view.in_force is not None or view.waiting is not None:
        shown.append(_WORDS_DO_NOT_SHOW)
    if view.restart_needed:
        shown.append("Restart the service: its new identity key takes effect at the next start.")
    if view.in_force is None and view.waiting is None:
        shown.append("No statement of the matcher has been accepted here yet.")
    screen.result(view.model_dump(mode="json"), *shown)


def show_asked(screen: Screen, asked: PendingApproval, *more: str) -> None:
    """Report that a second person is awaited, and what is to be done then."""
    given = f"approval_id={asked.approval_id[:8]}"
    screen.result(
        asked.model_dump(mode="json"),
        f"The {asked.kind.value} waits for a second person.",
        f"Another person now reads it with `aquila call get_approval {given}`, and approves the digest that stands "
        f"there with `aquila call post_approve {given} digest=DIGEST`.",
        *more,
    )


def warn_of_fetch(screen: Screen, view: RegistryView) -> None:
    if view.fetch_problem is not None:
        screen.warn(f"the matcher's statements were not fetched: {view.fetch_problem.text}")


def changes(statement: RegistryStatementView) -> Iterator[Table | str]:
    yield Table(
        f"Registry number {statement.number}",
        ("party", "name", "state", "has accepted"),
        [_row(one, statement) for one in statement.parties],
    )
    for party in map(_named, statement.replaced):
        yield f"{party} has a new identity key, and its old key signed for it."
    for party in map(_named, statement.revoked):
        yield (
            f"{party} HAS A NEW IDENTITY KEY WITHOUT THE SIGNATURE OF ITS OLD ONE, which is said to be lost or stolen. "
            f"Call {party} itself, and hear the words from it."
        )
    yield from _moves(statement)
    if statement.moved:
        yield f"The matcher is at {statement.url} from now on, or its CA changes."
    yield from _templates([one.model_dump(mode="json") for one in statement.templates])
    yield "Its words have to come from another party, not from the matcher: call it, or join its conference."
    yield _WORDS_DO_NOT_SHOW


def _templates(templates: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield all that is accepted with templates of rounds, a line for each field, and their wordings last."""
    for one in templates:
        yield f"Template {one['template_id']}, number {one['version']}:"
        for name, value in one.items():
            if name not in {"template_id", "version", "wordings"} and value is not None:
                yield f"    {name.replace('_', ' ')}: {_in_words(value)}"
        for words in one["wordings"]:
            yield f"    in {words['language']}: {'; '.join(words[name] for name in words if name != 'language')}"


def _in_words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    return ", ".join("-".join(pair) for pair in value) if isinstance(value, list | tuple) else str(value)


def _moves(statement: RegistryStatementView) -> Iterator[str]:
    """Yield a sentence for each party that joins or leaves with a registry, by code and name."""
    for one in statement.parties:
        if one.party in statement.joined:
            yield f"{one.party} JOINS: {one.name}, with the identity key {short_digits(one.identity_fingerprint)}."
        elif one.party in statement.left:
            yield f"{one.party} LEAVES: {one.name}."


def spoken_views(words: Sequence[str], digits: Sequence[str]) -> Iterator[str]:
    """Yield words and digits in lines that are read aloud well."""
    for parts in (words, digits):
        for start in range(0, len(parts), _IN_A_LINE):
            yield "    " + "   ".join(parts[start : start + _IN_A_LINE])
        yield ""


def _named(holder: str) -> str:
    return "The matcher" if holder == MATCHER else holder


def _row(one: RegistryPartyView, changes: RegistryStatementView | None = None) -> tuple[str, str, str, str]:
    state = "has left" if one.left else "takes part"
    if changes is not None:
        state = "joins" if one.party in changes.joined else state
        state = "new key" if one.party in {*changes.replaced, *changes.revoked} else state
    accepted = "nothing yet" if one.accepted is None else f"number {one.accepted}"
    return one.party, one.name, state, f"{accepted}: ANOTHER REGISTRY" if one.differs else accepted
