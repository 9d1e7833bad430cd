"""The one tree of errors, named for who was wrong.

    AquilaError
    ├── InputError            our caller gave something that cannot be used
    ├── ProtocolError         a peer sent something that PROTOCOL.md forbids
    │   ├── MalformedError    bytes that are no message, element, scalar or row
    │   ├── SignatureError    not signed by the key that the registry pins
    │   ├── BindingError      names another round, manifest or set of participants
    │   ├── DigestError       bytes that differ from what was signed
    │   ├── ProofError        a proof that does not verify
    │   ├── SealError         sealed bytes that do not open
    │   ├── OrderError        a step that is not due, or was taken already
    │   │   └── RepeatedError more statements of a kind than a party can make
    │   ├── ReplayError       a call or a statement that was seen before, or is too old
    │   └── EquivocationError two different signed statements where only one may be
    ├── PolicyError           well formed, but refused by rule
    │   ├── CapError          more elements than the manifest's caps allow
    │   └── GridError         a list that looks like guesses, not like persons
    ├── AuditError            a log or a bundle that does not hold together
    │   └── LogRewrittenError a log that forked or shrank: its two checkpoints are evidence
    ├── KeyMaterialError      a key is missing, unreadable, closed or destroyed
    ├── RestoredBackupError   this database is older than what it has already signed
    └── ExecutorError         a worker that did a part of our work is gone

Any bytes from outside end in this tree. An error carries fields (round, expected, got) and never person data,
inputs, blinds, tokens or keys. Services add StoreError and PeerUnavailableError.
"""

from aquila.sentences import Sentence, hint_of, text_of
from aquila.sentences.sentence import machine_fields


class AquilaError(Exception):
    """An error with a sentence for people, which has an id, and fields for machines.

    Args:
        said: The id of a sentence (`aquila.sentences`), or a whole sentence.
        fields: What its places hold, and more that identifies the place: round, party, chunk, expected, got. A value
            that is neither a number nor a sentence is kept as its text.

    Attributes:
        sentence: What is wrong and where, without secrets; whoever shows it composes it in the reader's language.
    """

    def __init__(self, said: str | Sentence, /, **fields: object) -> None:
        values = {name: value if isinstance(value, int | Sentence) else str(value) for name, value in fields.items()}
        whole = Sentence(said.code, {**said.fields, **values}) if isinstance(said, Sentence) else Sentence(said, values)
        super().__init__(whole)
        self.sentence = whole

    def __str__(self) -> str:
        """Return the sentence in English."""
        return self.message

    @property
    def message(self) -> str:
        """The sentence in English."""
        return text_of(self.sentence)

    @property
    def hint(self) -> str:
        """The next step for the reader, in English, or nothing."""
        return hint_of(self.sentence)

    @property
    def fields(self) -> dict[str, str | int]:
        """The fields for machines: all but sentences."""
        return {name: value for name, value in machine_fields(self.sentence) if not isinstance(value, Sentence)}


class InputError(AquilaError):
    """Our caller gave something that cannot be used."""


class ProtocolError(AquilaError):
    """A peer sent something that PROTOCOL.md forbids."""


class MalformedError(ProtocolError):
    """Bytes that are not a message, element, scalar or row of the protocol."""


class SignatureError(ProtocolError):
    """A statement or call that the pinned identity key did not sign."""


class BindingError(ProtocolError):
    """A statement that names another round, manifest or set of participants."""


class DigestError(ProtocolError):
    """Bytes that differ from what their sender signed."""


class ProofError(ProtocolError):
    """A proof of evaluation or of knowledge that does not verify."""


class SealError(ProtocolError):
    """Sealed bytes that do not open: made for another one, with other secrets or in another context."""


class OrderError(ProtocolError):
    """A step that is not due yet, or was taken already."""


class RepeatedError(OrderError):
    """More statements of a kind than a party can make in a round, or one after its last; nobody needs to keep it."""


class ReplayError(ProtocolError):
    """A call or a statement that was seen before, or is too old."""


class EquivocationError(ProtocolError):
    """Two different signed statements where only one may be; both are evidence."""


class PolicyError(AquilaError):
    """Well formed, but refused by rule."""


class GridError(PolicyError):
    """A list that looks like guesses, not like persons."""


class CapError(PolicyError):
    """More elements than the manifest's caps allow."""


class AuditError(AquilaError):
    """A log or a bundle that does not hold together."""


class LogRewrittenError(AuditError):
    """A log whose new checkpoint does not contain the last one that was seen; both are evidence."""


class KeyMaterialError(AquilaError):
    """A key is missing, unreadable, closed or destroyed."""


class RestoredBackupError(AquilaError):
    """This database is older than what the party has already signed in the round."""


class ExecutorError(AquilaError):
    """A worker that did a part of our work ended without an answer; the work can be done again."""
