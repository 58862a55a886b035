"""The pages that the site's build makes: reports, commands, configuration, modules.

A navigation entry of `mkdocs.yml` that ends in `/` stands for the pages made below that folder.
"""

from __future__ import annotations

import importlib.util
import pkgutil
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from docs.hooks.commands import command_page
from docs.hooks.configuration import configuration_page
from docs.hooks.parts import expand, homes
from slr_ray.__main__ import COMMANDS

ROOT = Path(__file__).resolve().parents[2]


def made_pages() -> dict[str, str]:
    """Their Markdown by their address in the site."""
    made = {
        f"reports/{report.name}": f"{{{{ reports/{report.name} }}}}\n"
        for report in sorted((ROOT / "reports").glob("*.md"), reverse=True)
    }
    made |= {f"reference/commands/{name}.md": command_page(name) for name in COMMANDS}
    made["reference/configuration.md"] = configuration_page()
    for name in _rooms():
        made[f"reference/modules/{name}.md"] = f"# {name}\n\n::: slr_ray.{name}\n"
    return made


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the made pages into the navigation."""
    made = made_pages()

    def filled(entries: list[Any]) -> list[Any]:
        full: list[Any] = []
        for entry in entries:
            title, below = next(iter(entry.items())) if isinstance(entry, dict) else (None, entry)
            if isinstance(below, list):
                below = filled(below)
            elif below.endswith("/"):
                below = [address for address in made if address.startswith(below)]
            if title is not None:
                full.append({title: below})
            else:
                full += below if isinstance(below, list) else [below]
        return full

    assert config.nav is not None
    config.nav = filled(config.nav)
    config.extra["made"] = made
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the made pages, and find which page shows which part."""
    for address, text in config.extra["made"].items():
        files.append(File.generated(config, address, content=text))
    pages = {one.src_uri: one.content_string for one in files.documentation_pages()}
    config.extra["shown"] = homes(pages)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Put the repository's texts where a page names them."""
    return expand(page.file.src_uri, markdown, config.extra["shown"], ROOT)


def _rooms() -> list[str]:
    """The packages and modules of slr_ray that are no commands."""
    spec = importlib.util.find_spec("slr_ray")
    assert spec is not None
    found = pkgutil.iter_modules(spec.submodule_search_locations)
    return [one.name for one in found if one.name not in COMMANDS and one.name != "__main__"]
