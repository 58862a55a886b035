"""Parts of the repository's own texts in pages of the site: written once, read in both places.

A line `{{ README.md#the-search }}` stands for the body of that section, `{{ CHANGELOG.md }}` for a
whole file. Links in them lead to the pages that show their targets.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

_INCLUDE = re.compile(r"^\{\{ (?P<file>[\w./-]+?)(?:#(?P<part>[\w-]+))? \}\}$", re.MULTILINE)
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:)(?P<file>[^)#\s]*)(?:#(?P<part>[^)\s]+))?(?=\))")
_HEADING = re.compile(r"^(?P<level>#+) (?P<title>.+)$")
# ARCHITECTURE.md opens the paragraphs below one heading with their names.
_LEAD = re.compile(r"^\*\*(?P<title>[^*]+)\.\*\* ")


class PartError(ValueError):
    """A page names a file or section that does not exist, or a link leads to no page."""


def slug(title: str) -> str:
    """A heading's anchor, as Markdown's table of contents and public forges make it."""
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower())


def parts(text: str) -> dict[str, str]:
    """The bodies of all sections and named paragraphs, by anchor.

    A section ends at the next heading that is not below its own; the title's ends at the next one,
    which makes it the introduction.
    """
    lines = text.splitlines()
    headings = [
        (number, len(found["level"]), slug(found["title"]))
        for number, line in enumerate(lines)
        if (found := _HEADING.match(line))
    ]
    bodies: dict[str, str] = {}
    for place, (start, level, anchor) in enumerate(headings):
        after = headings[place + 1 :]
        end = next((number for number, below, _ in after if level == 1 or below <= level), None)
        bodies[anchor] = "\n".join(lines[start + 1 : end]).strip()
    for paragraph in text.split("\n\n"):
        if found := _LEAD.match(paragraph):
            bodies.setdefault(slug(found["title"]), paragraph)
    return bodies


def included(text: str) -> Iterator[tuple[str, str | None]]:
    """The files and parts that a page shows."""
    for found in _INCLUDE.finditer(text):
        yield found["file"], found["part"]


def homes(pages: Mapping[str, str]) -> dict[tuple[str, str | None], str]:
    """Which page shows a file or a part of one; `pages` are Markdown texts by their address."""
    return {shown: page for page, text in pages.items() for shown in included(text)}


def expand(page: str, text: str, shown: Mapping[tuple[str, str | None], str], root: Path) -> str:
    """The page's text with its parts in place. Raises `PartError` that says what is missing."""

    def filled(include: re.Match[str]) -> str:
        file = include["file"]
        body = _read(page, root, file, include["part"])
        return _LINK.sub(lambda link: target(link["file"], link["part"], file), body)

    def target(file: str, part: str | None, source: str) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), file))
        if not file:
            path = source
        if (path, part) in shown:
            home, anchor = shown[path, part], ""
        elif (path, None) in shown:
            home, anchor = shown[path, None], f"#{part}" if part else ""
        elif path.startswith("docs/"):
            home, anchor = path.removeprefix("docs/"), f"#{part}" if part else ""
        else:
            named = f"{path}#{part}" if part else path
            raise PartError(
                f"{source} links to {named}, which no page shows; add a page below docs/ with the "
                f"line {{{{ {named} }}}}"
            )
        return posixpath.relpath(home, posixpath.dirname(page) or ".") + anchor

    return _INCLUDE.sub(filled, text)


def _read(page: str, root: Path, file: str, part: str | None) -> str:
    path = root / file
    if not path.is_file():
        raise PartError(f"{page}: there is no file {file!r} in the repository")
    text = path.read_text()
    if part is None:
        return text
    found = parts(text)
    if part not in found:
        raise PartError(f"{page}: {file} has no part {part!r}; there are {', '.join(found)}")
    return found[part]
