"""The manual has every document whole, and the same documents give the same bytes."""

from pathlib import Path

import pytest

from deploy.bundle.manual import DOCUMENTS, Writer, anchor, pdf

ROOT = Path(__file__).parents[4]


def laid_out(folder: Path, text: str) -> Path:
    for name in DOCUMENTS:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"# {name}\n", encoding="utf-8")
    (folder / DOCUMENTS[0]).write_text(f"# Title\n\n{text}\n", encoding="utf-8")
    return folder


def test_the_manual_is_set_twice_alike() -> None:
    """From the project's own documents, without a word that no font has."""
    made = pdf(ROOT, "1.2.3")
    assert made.startswith(b"%PDF-")
    assert b"pdfuaid" in made, "it says that it is accessible"
    assert pdf(ROOT, "1.2.3") == made
    assert pdf(ROOT, "1.2.4") != made


def test_all_that_documents_have_is_written(tmp_path: Path) -> None:
    text = r"""
Words *with* **weight** and `code #1`, "quotes" \\ and #set page() $x$ @ref.

- one
- [two](docs/PRACTICE.md), [three](https://example.org/a), [four](elsewhere.md), [five](#a-part)

3. three

Indented:

    words

```sh
fenced "line"
```

| a | b |
|---|---|
| `c` | d |

## A part
"""
    source = laid_out(tmp_path, text)
    made = Writer(source).document(DOCUMENTS[0])
    for part in (
        '#emph[#"with";];',
        '#strong[#"weight";];',
        '#raw("code #1");',
        "#set page() $x$ @ref",
        '#link(<docs-PRACTICE-md->)[#"two";];',
        '#link("https://example.org/a")[#"three";];',
        '#"four";',
        '#link(<README-md-a-part>)[#"five";];',
        "#enum(start: 3,",
        '#raw(block: true, "words")',
        '#raw(block: true, "fenced \\"line\\"")',
        'table.header([#"a";], [#"b";]), [#raw("c");]',
        '#heading(level: 2)[#"A part";] <README-md-a-part>',
    ):
        assert part in made
    assert pdf(source, "1")


def test_a_kind_of_text_that_is_not_known_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="html_block"):
        pdf(laid_out(tmp_path, "<div>\nwords\n</div>"), "1")


def test_an_anchor_is_as_code_hosts_make_it() -> None:
    """Words in small letters with hyphens; signs are left out."""
    assert anchor("What `a` does, and why") == "what-a-does-and-why"
