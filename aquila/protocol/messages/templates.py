"""Templates of rounds: terms that the parties agree on once, for many rounds (PROTOCOL.md 11.10)."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, StringConstraints, model_validator

from aquila.crypto.envelope import digest_of_payload
from aquila.matching.certainty import Level
from aquila.protocol.messages import base
from aquila.protocol.messages.manifest import Mode, TableReference, TemplateId, TemplateReference, TemplateVersion

MOST_TEMPLATES = 40
"""How many templates one statement on the registry has at most."""

Days = Annotated[int, Field(ge=1, le=366)]


class Wording(base.Message):
    """A template's title and terms in another language of the pages."""

    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?$")]
    """As BCP 47 writes it, such as `sq` and `sr-Cyrl`."""
    title: base.Title
    area: base.Text
    legal_basis: base.Text
    purpose: base.Text
    category: base.Text


class TemplateDays(base.Message):
    """How long each step of a round takes, in days after the one before, and the hour at which its day ends."""

    consent: Days
    submit: Days
    evaluate: Days
    close: Days
    hour: Annotated[int, Field(ge=0, le=23)]
    """Of a working day, in the secretariat's time."""


class RoundTemplate(base.Message):
    """Terms of rounds of one kind, in the language in which manifests are signed."""

    payload_type: ClassVar[str] = "application/vnd.aquila.roundtemplate+json"

    template_id: TemplateId
    version: TemplateVersion
    title: base.Title
    """To which the month of a round is added."""
    mode: Mode
    area: base.Text
    legal_basis: base.Text
    purpose: base.Text
    category: base.Text
    rules: base.Text
    """The name of the match rules."""
    minimum_certainty: Level
    frequency_limit: Annotated[int, Field(ge=1, le=1_000)]
    retention_days: Annotated[int, Field(ge=1, le=3_660)]
    indicators: TableReference | None = base.optional()
    """As in a manifest."""
    pairs: tuple[tuple[base.PartyCode, base.PartyCode], ...] | None = base.optional()
    """The pairs that may be matched; any pair where it has none."""
    records: base.Positive
    """Records of a party's list for its cap, where no earlier list of the party is known."""
    queries: base.Count
    """Queries of a party for its cap."""
    days: TemplateDays
    wordings: tuple[Wording, ...]
    """By language, ascending."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        base.ascending([one.language for one in self.wordings], "languages")
        base.ascending(["".join(pair) for pair in self.pairs or ()], "pairs")
        if any(left >= right for left, right in self.pairs or ()):
            raise ValueError("a pair names two parties in ascending order")
        return self

    @property
    def reference(self) -> TemplateReference:
        """The reference to it in a manifest; the digest is that of a message with this content (PROTOCOL.md 2.2)."""
        digest = digest_of_payload(self.payload_type, self.payload())
        return TemplateReference(template_id=self.template_id, version=self.version, digest=digest)

    def worded(self, language: str) -> "Wording | RoundTemplate":
        """Return title and terms in a language, or as manifests have them where the template lacks that language."""
        return next((one for one in self.wordings if one.language == language), self)
