"""A sentence in an operator's interface: its id and fields, which a client composes in its reader's language."""

from typing import Any, Self

from aquila.protocol.messages.base import Message
from aquila.sentences import Sentence, hint_of, text_of
from aquila.sentences.sentence import from_json, quoted, to_json


class SentenceView(Message):
    """A sentence of a service."""

    code: str
    """The id in the table of sentences."""
    fields: dict[str, Any]
    """What its places hold: texts, numbers, and sentences as objects of `code` and `fields`."""
    text: str

    @classmethod
    def of(cls, sentence: Sentence) -> Self:
        content = to_json(sentence)
        return cls(code=sentence.code, fields=content["fields"], text=text_of(sentence))

    @property
    def sentence(self) -> Sentence:
        """The sentence; where it is not one of the table, its English text as it came."""
        return from_json({"code": self.code, "fields": self.fields}) or quoted(self.text)


class FaultView(SentenceView):
    """The sentence of a fault, with its remedy."""

    hint: str = ""

    @classmethod
    def of(cls, sentence: Sentence) -> Self:
        return super().of(sentence).model_copy(update={"hint": hint_of(sentence)})
