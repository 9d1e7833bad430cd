"""The manual as one PDF, set by typst from the project's Markdown documents.

Every text reaches the typesetter as a string and is never read as its markup. Links between documents of the manual
lead to their pages; those to other files are texts.
"""

import json
import posixpath
import re
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from typing import Final

import typst
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

DOCUMENTS: Final = (
    "README.md",
    "deploy/OPERATIONS.md",
    "deploy/REGISTRY.md",
    "deploy/PEOPLE.md",
    "deploy/CERTIFICATES.md",
    "deploy/METRICS.md",
    "deploy/UPGRADES.md",
    "deploy/SETTINGS.md",
    "deploy/PKCS11.md",
    "deploy/DASK.md",
    "deploy/CONTAINERS.md",
    "deploy/DISASTERS.md",
    "docs/PRACTICE.md",
    "docs/GLOSSARY.md",
    "docs/LIMITATIONS.md",
    "docs/THREAT_MODEL.md",
    "SECURITY.md",
    "RELEASING.md",
)
"""The documents, in the order of the manual."""

_WIDEST_COLUMN: Final = 60


def pdf(source: Path, version: str) -> bytes:
    """Return the manual as an accessible PDF; the same documents give the same bytes.

    Args:
        source: The folder of the project's files.
        version: The release, for the front page.
    """
    writer = Writer(source)
    body = "\n".join(writer.document(name) for name in DOCUMENTS)
    template = resources.files("deploy.bundle").joinpath("manual.typ").read_text("utf-8")
    content = {"title": "Aquila", "subtitle": f"The manual of release {version}"}
    made: bytes = typst.compile(  # type: ignore[call-overload] # its types want source and root to be of one kind
        f"{template}\n{body}".encode(),
        root=source,
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"content": json.dumps(content)},
        pdf_standards=["ua-1"],
    )
    return made


def anchor(heading: str) -> str:
    """Return the name by which links lead to a heading, as code hosts make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


class Writer:
    """Writes Markdown documents as typst's markup.

    Args:
        source: The folder of the project's files.
    """

    def __init__(self, source: Path) -> None:
        parser = MarkdownIt("commonmark").enable("table")
        self._trees = {name: SyntaxTreeNode(parser.parse((source / name).read_text("utf-8"))) for name in DOCUMENTS}
        headings = ((name, node) for name, tree in self._trees.items() for node in tree.walk() if _is_heading(node))
        self._places = {(name, anchor(_text(node))) for name, node in headings} | {(name, "") for name in DOCUMENTS}
        self._name = ""
        self._first = False

    def document(self, name: str) -> str:
        """Return a document, by its path, as markup."""
        self._name, self._first = name, True
        return self._inside(self._trees[name])

    def _inside(self, node: SyntaxTreeNode) -> str:
        return "".join(self._node(child) for child in node.children)

    def _node(self, node: SyntaxTreeNode) -> str:
        return _WRITERS[node.type](self, node)

    def text(self, node: SyntaxTreeNode) -> str:
        """Return plain text; the semicolon ends it, whatever comes next."""
        return f"#{_string(node.content)};"

    def code(self, node: SyntaxTreeNode) -> str:
        """Return code within a line."""
        return f"#raw({_string(node.content)});"

    def code_block(self, node: SyntaxTreeNode) -> str:
        """Return lines of code."""
        return f"\n#raw(block: true, {_string(node.content.rstrip())})\n"

    def paragraph(self, node: SyntaxTreeNode) -> str:
        """Return a paragraph."""
        return f"\n{self._inside(node)}\n"

    def heading(self, node: SyntaxTreeNode) -> str:
        """Return a heading, to which links lead; the first is the document's title."""
        place, self._first = "" if self._first else anchor(_text(node)), False
        return f"\n#heading(level: {node.tag[1]})[{self._inside(node)}] {_label(self._name, place)}\n"

    def link(self, node: SyntaxTreeNode) -> str:
        """Return a link to an address or into the manual, and the text alone of one to another file."""
        target, shown = str(node.attrs["href"]), self._inside(node)
        if re.match("https?:", target):
            return f"#link({_string(target)})[{shown}];"
        path, _, place = target.partition("#")
        name = posixpath.normpath(posixpath.join(posixpath.dirname(self._name), path)) if path else self._name
        return f"#link({_label(name, place)})[{shown}];" if (name, place) in self._places else shown

    def picture(self, node: SyntaxTreeNode) -> str:
        """Return a picture with its description."""
        name = posixpath.normpath(posixpath.join(posixpath.dirname(self._name), str(node.attrs["src"])))
        return f"#image({_string(f'/{name}')}, alt: {_string(node.content)});"

    def bullets(self, node: SyntaxTreeNode) -> str:
        """Return a list."""
        return f"\n#list({self._items(node)})\n"

    def numbers(self, node: SyntaxTreeNode) -> str:
        """Return a numbered list."""
        return f"\n#enum(start: {node.attrs.get('start', 1)}, {self._items(node)})\n"

    def _items(self, node: SyntaxTreeNode) -> str:
        return ", ".join(f"[{self._inside(child)}]" for child in node.children) + ","

    def table(self, node: SyntaxTreeNode) -> str:
        """Return a table; columns are as wide as what stands in them asks for."""
        rows = [row.children for part in node.children for row in part.children]
        widths = ", ".join(f"{_width(column)}fr" for column in zip(*rows, strict=True))
        head, *body = [[f"[{self._inside(cell)}]" for cell in row] for row in rows]
        cells = ", ".join(cell for row in body for cell in row)
        return f"\n#table(columns: ({widths},), table.header({', '.join(head)}), {cells})\n"


_WRITERS: Final[dict[str, Callable[[Writer, SyntaxTreeNode], str]]] = {
    "inline": Writer._inside,  # noqa: SLF001 - the table is a part of the class
    "text": Writer.text,
    "softbreak": lambda _, __: "\n",
    "hardbreak": lambda _, __: "#linebreak();",
    "code_inline": Writer.code,
    "strong": lambda writer, node: f"#strong[{writer._inside(node)}];",  # noqa: SLF001
    "em": lambda writer, node: f"#emph[{writer._inside(node)}];",  # noqa: SLF001
    "link": Writer.link,
    "image": Writer.picture,
    "paragraph": Writer.paragraph,
    "heading": Writer.heading,
    "fence": Writer.code_block,
    "code_block": Writer.code_block,
    "bullet_list": Writer.bullets,
    "ordered_list": Writer.numbers,
    "table": Writer.table,
}
"""How each kind of node of the documents is written; one that is missing here is an error."""


def _is_heading(node: SyntaxTreeNode) -> bool:
    return node.type == "heading"


def _text(node: SyntaxTreeNode) -> str:
    """Return the words of a node, without links and emphasis."""
    return "".join(one.content for one in node.walk() if one.type in {"text", "code_inline"})


def _width(cells: Iterable[SyntaxTreeNode]) -> int:
    """Return the width of a column in letters: its longest word at least, and not much more than a line of text."""
    texts = [_text(cell) for cell in cells]
    longest = max((len(word) for text in texts for word in text.split()), default=1)
    return max(longest + 2, min(_WIDEST_COLUMN, max(map(len, texts))), 3)


def _string(text: str) -> str:
    """Return a text as a string of typst."""
    return json.dumps(text, ensure_ascii=False)


def _label(name: str, place: str) -> str:
    """Return the label of a place in a document."""
    return "<" + re.sub(r"\W", "-", f"{name}.{place}") + ">"
