"""The commands of `deploy/OPERATIONS.md` and of the files next to it, for tests that have no commands of their own."""

import re
from pathlib import Path

PAGES = {path.name: path.read_text("utf-8") for path in sorted((Path(__file__).parents[2] / "deploy").glob("*.md"))}
"""The texts of all files, by name. No heading is in two of them."""

TEXT = "\n".join(PAGES.values())


def blocks(heading: str, language: str = "sh") -> list[str]:
    """Return the blocks of shell commands of a chapter or section, in their order, each as it is written.

    Args:
        heading: The heading, without its marks; sections below it do not belong to it.
        language: `toml` for blocks of settings instead.
    """
    return re.findall(rf"```{language}\n(.*?)```", section(heading), re.DOTALL)


def drop_in() -> str:
    """Return the drop-in that allows a service to reach more than its own machine."""
    [block] = blocks("Which addresses a service may reach")
    [content] = re.findall(r"<<'END'\n(.*)^END$", block, re.DOTALL | re.MULTILINE)
    return str(content)


def command(heading: str, beginning: str) -> str:
    """Return the one command within the sentences and tables of a section that has a beginning."""
    found = {one for one in spans(heading) if f"{one} ".startswith(f"{beginning} ")}
    assert len(found) == 1, f"{heading}: {beginning}: {sorted(found)}"
    return found.pop()


def spans(heading: str) -> list[str]:
    """Return everything within the sentences and tables of a section that is set as code, each in one line."""
    text = re.sub(r"```.*?```", "", section(heading), flags=re.DOTALL)
    found = [" ".join(one.split()) for one in re.findall(r"`([^`]+)`", text)]
    return found + re.findall(r"^ {4}(\S.*)", re.sub(r" *\\\n *", " ", text), re.MULTILINE)


def section(heading: str) -> str:
    """Return the text below a heading up to the next one of any kind."""
    [found] = re.findall(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", _without_comments(), re.DOTALL | re.MULTILINE)
    return str(found)


def _without_comments() -> str:
    """Return all pages with blocks in which no line begins as a heading does."""
    return re.sub(r"```.*?```", lambda block: block[0].replace("\n#", "\n #"), TEXT, flags=re.DOTALL)


def service_settings(unit: str) -> list[tuple[str, str]]:
    """Return the settings of a unit's `[Service]` section, in their order."""
    section, settings = "", []
    for line in unit.replace("\\\n", " ").splitlines():
        content = line.strip()
        if content.startswith("["):
            section = content
        elif section == "[Service]" and content and content[0] not in "#;":
            name, _, value = content.partition("=")
            settings.append((name.strip(), value.strip()))
    return settings
