"""Whether the built site is whole and closed: no dead link, nothing fetched from other hosts.

Links to other hosts are allowed where a reader may click them, never where a browser would fetch.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

_ADDRESSES = ("src", "href", "poster", "data")
_CSS_ADDRESS = re.compile(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s]+)""")


@dataclass
class _Page(HTMLParser):
    """What one page refers to, and the anchors that it has."""

    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    drawn_by_script: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        self.drawn_by_script |= "mermaid" in given.get("class", "").split()
        self.fetched += _CSS_ADDRESS.findall(given.get("style", ""))
        refers = self.links if tag == "a" else self.fetched
        refers += [given[name] for name in _ADDRESSES if given.get(name)]
        sets = given.get("srcset", "").split(",")
        self.fetched += [one.split()[0] for one in sets if one.strip()]


def problems(site: Path) -> list[str]:
    """What is wrong with the site in that folder, one sentence each."""
    pages = {path: _read(path) for path in sorted(site.rglob("*.html"))}
    found = [] if pages else [f"{site} has no page; build the site first"]
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        if page.drawn_by_script:
            found.append(f"{name} has a mermaid drawing, whose script comes from another host")
        found += [f"{name} fetches {one}" for one in page.fetched if _is_elsewhere(one)]
        for address in dict.fromkeys(page.links + page.fetched):
            if not urlsplit(address).scheme and not address.startswith("//"):
                found += _dead(address, name, site, pages)
    for path in sorted(site.rglob("*.css")):
        name = path.relative_to(site).as_posix()
        found += [f"{name} fetches {one}" for one in _CSS_ADDRESS.findall(path.read_text())]
    return found


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text())
    return page


def _is_elsewhere(address: str) -> bool:
    return address.startswith("//") or urlsplit(address).scheme in ("http", "https")


def _dead(address: str, name: str, site: Path, pages: dict[Path, _Page]) -> list[str]:
    parts = urlsplit(urljoin(f"/{name}", address))
    target = site / unquote(parts.path).lstrip("/")
    if parts.path.endswith("/"):
        target /= "index.html"
    if not target.is_file():
        return [f"{name} links to {address}, where nothing is"]
    anchor = unquote(parts.fragment)
    # Browsers scroll to the top at an empty anchor.
    if anchor and target in pages and anchor not in pages[target].anchors:
        return [f"{name} links to {address}, but that page has no such anchor"]
    return []


def main() -> None:
    """Entry of `python docs/check_site.py SITE`."""
    found = problems(Path(sys.argv[1]))
    for problem in found:
        print(problem, file=sys.stderr)
    raise SystemExit(1 if found else 0)


if __name__ == "__main__":
    main()
