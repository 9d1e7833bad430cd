"""State shared by all visits of one site: the service, its templates, and files that wait to be confirmed."""

from dataclasses import dataclass, field
from functools import cache, partial
from importlib import resources

from anyio import CapacityLimiter
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import aquila
from aquila.audit.roles import Service
from aquila.visible import visible
from clients.sdk import Connection
from clients.web.app.practice import Practice
from clients.web.app.uploads import Inbox, Searches, Uploads
from clients.web.i18n.languages import languages
from clients.web.text import labels
from clients.web.text.glossary import TERMS
from clients.web.text.log_story import entry_sentence
from services.kit.work.threads import MOST_STRANGERS

_THREADS = 20
_OPEN_THREADS = MOST_STRANGERS + 8
_STATIC = ("aquila.css", "copy.js", "live.js", "mark.svg", "review.js", "upload.js")


@dataclass(slots=True)
class Site:
    """The pages of one service."""

    service: Service
    name: str
    """The party's or the secretariat's name, in the head of each page."""
    connection: Connection
    """The way to the service; each visit calls with the token of its own session."""
    secure: bool
    """Whether the browser comes over TLS."""
    mark: str = ""
    """Tells the cookies of several sites on one host apart, where they differ in their port alone."""
    threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_THREADS))
    """Where handlers run; apart from the service's own threads, for which they wait."""
    open_threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_OPEN_THREADS))
    """Where handlers run that need no session: more than can wait for a password or the provider, so that a visitor who
    signs in finds one."""
    inbox: Inbox = field(default_factory=Inbox)
    """Where lists lie that wait to be confirmed."""
    uploads: Uploads = field(default_factory=Uploads)
    searches: Searches = field(default_factory=Searches)
    """Names that lists of hits are searched for."""
    practice: Practice | None = None
    """Where all persons are invented, how a visitor becomes one of its people; else None."""
    static: dict[str, bytes] = field(default_factory=dict)
    ended: bool = False
    """The process is about to stop: whoever watches is let go."""

    def __post_init__(self) -> None:
        folder = resources.files("clients.web").joinpath("static")
        self.static = {name: folder.joinpath(name).read_bytes() for name in _STATIC}

    @property
    def is_node(self) -> bool:
        return self.service is Service.NODE

    def cookie(self, name: str) -> str:
        """Return a cookie's name; with TLS the browser sees to it that only this host can set it."""
        return f"__Host-aquila-{name}" if self.secure else f"aquila-{name}-{self.mark}"

    def end(self) -> None:
        """Release all who watch a round, so that the process can stop at once, and files that wait."""
        self.ended = True
        self.uploads.clear()


@cache
def environment_of(tag: str) -> Environment:
    """Return the templates in one language, compiled once for all sites of this process.

    A value that is not there is an error, never an empty text.
    """
    language = languages()[tag]
    environment = Environment(
        loader=PackageLoader("clients.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        finalize=_seen,
    )
    environment.install_gettext_translations(language.catalogue, newstyle=True)  # type: ignore[attr-defined] # the extension's
    environment.globals.update(
        terms=TERMS, language=language, languages=languages(), version=aquila.__version__, ngettext=language.counted
    )
    environment.filters.update(
        date=language.date,
        moment=language.moment,
        day=language.day,
        span=language.span,
        number=language.number,
        percent=language.percent,
        **labels.filters(language),
        entry_sentence=partial(entry_sentence, language=language),
    )
    return environment


def _seen(value: object) -> object:
    """Return a template's value, with the name of each letter in its place that a reader would not see."""
    if isinstance(value, Markup):
        return Markup(visible(value))  # noqa: S704 - what was markup stays it: a name has no signs of markup
    return visible(value) if isinstance(value, str) else value
