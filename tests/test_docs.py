"""The documentation without its build: pages, parts, commands, settings, examples exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from torch import nn

from docs.check_site import problems
from docs.hooks.commands import command, command_page, subcommands
from docs.hooks.configuration import ROOTS, configuration_page, paths
from docs.hooks.parts import PartError, expand, homes, parts
from slr_ray.__main__ import COMMANDS
from slr_ray.objectives.objective import Objective
from slr_ray.objectives.objectives import ObjectiveConfig
from slr_ray.search.spaces.search_config import SearchConfig

CHECKOUT = Path(__file__).resolve().parents[1]
PAGES = {
    path.relative_to(CHECKOUT / "docs").as_posix(): path.read_text()
    for path in sorted((CHECKOUT / "docs").rglob("*.md"))
}
REPORTS = {
    f"reports/{path.name}": f"{{{{ reports/{path.name} }}}}"
    for path in (CHECKOUT / "reports").glob("*.md")
}
GUIDES = [path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / "cluster").rglob("*.md")]
TEXTS = {f"docs/{name}": text for name, text in PAGES.items()} | {
    name: (CHECKOUT / name).read_text()
    for name in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", *sorted(GUIDES))
}
SETTINGS = set().union(*(paths(root) for root in ROOTS.values()))
SETTINGS |= {f"search.{path}" for path in paths(SearchConfig)}


def called(text: str) -> Iterator[list[str]]:
    """The words of every command of ours in a text, from `slr_ray.NAME` on."""
    for line in re.findall(r"python -m (slr_ray\.\w+[^\n`\"]*)", text):
        words = shlex.split(line, comments=True)
        yield words[: words.index("&&")] if "&&" in words else words


def navigation() -> list[str]:
    def entries(node: Any) -> Iterator[str]:
        if isinstance(node, str):
            yield node
        for below in node.values() if isinstance(node, dict) else node:
            if not isinstance(node, str):
                yield from entries(below)

    return list(entries(yaml.safe_load((CHECKOUT / "mkdocs.yml").read_text())["nav"]))


def parsed(words: list[str]) -> None:
    """Parse a call as its command would; raises what the command would print."""
    found = command(words[0].removeprefix("slr_ray."))
    arguments = words[1:]
    if subcommands(found):
        if not arguments:
            return
        found, arguments = subcommands(found)[arguments[0]], arguments[1:]
    # A bare name, as in a list of commands, is no call.
    if arguments:
        found.make_context(words[0], arguments)


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_is_one_with_these_options(name: str) -> None:
    for words in called(TEXTS[name]):
        parsed(words)


def test_calls_are_found_and_a_wrong_option_is_refused() -> None:
    assert len(list(called(TEXTS["docs/tutorial.md"]))) >= 8
    with pytest.raises(Exception, match="--num-clips"):
        parsed(["slr_ray.tune", "--num-clips", "3"])
    with pytest.raises(Exception, match="checkpoint"):
        parsed(["slr_ray.predict", "new.mp4"])


@pytest.mark.parametrize("name", TEXTS)
def test_every_setting_exists(name: str) -> None:
    for words in called(TEXTS[name]):
        given = [word.partition("=")[0] for word in words if re.match(r"[a-z_.]+=", word)]
        assert set(given) <= SETTINGS, words


def test_navigation_has_every_page_once() -> None:
    listed = [entry for entry in navigation() if not entry.endswith("/")]
    assert sorted(listed) == sorted([*PAGES, "reference/configuration.md"])


def test_pages_show_parts_that_exist_and_their_links_lead_to_pages() -> None:
    shown = homes(PAGES | REPORTS)
    assert ("README.md", "the-search") in shown
    for page, text in (PAGES | REPORTS).items():
        whole = expand(page, text, shown, CHECKOUT)
        assert not re.search(r"^\{\{", whole, re.MULTILINE), "an include that is misspelt"


class TestParts:
    TEXT = "# T\n\nintro\n\n## One a\n\nbody\n\n### Below\n\n**A rule.** more\n\n## Two\n\nend\n"

    def test_a_section_ends_where_the_next_one_begins(self) -> None:
        found = parts(self.TEXT)
        assert found["t"] == "intro"
        assert found["one-a"] == "body\n\n### Below\n\n**A rule.** more"
        assert found["a-rule"] == "**A rule.** more"
        assert found["two"] == "end"

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub/A.md").write_text("# A\n\n## S\n\n[b](../B.md#t) [s](#s) [x](https://x)\n")
        (tmp_path / "B.md").write_text("# B\n\n## T\n\ntext\n")
        return tmp_path

    def test_links_lead_to_the_pages_that_show_their_targets(self, root: Path) -> None:
        pages = {"deep/s.md": "{{ sub/A.md#s }}", "b.md": "{{ B.md }}"}
        filled = expand("deep/s.md", pages["deep/s.md"], homes(pages), root)
        assert filled == "[b](../b.md#t) [s](s.md) [x](https://x)"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{{ C.md }}", "no file 'C.md'"),
            ("{{ B.md#u }}", "no part 'u'; there are b, t"),
            ("{{ sub/A.md#s }}", "B.md#t, which no page shows"),
        ],
    )
    def test_what_is_missing_is_named(self, root: Path, text: str, message: str) -> None:
        with pytest.raises(PartError, match=message):
            expand("page.md", text, homes({"page.md": text}), root)


@pytest.mark.parametrize("page", [name for name in PAGES if "```python" in PAGES[name]])
def test_examples_run(page: str) -> None:
    for code in re.findall(r"```python\n(.*?)```", PAGES[page], re.DOTALL):
        # Pydantic looks up the names of annotations in the module, so it needs one.
        exec(compile(code, page, "exec"), {"__name__": "example"})


def test_the_objective_of_its_page_goes_among_the_others() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGES["howto/objective.md"], re.DOTALL)
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, "objective.md", "exec"), names)
    config, others = names["UniformityConfig"], get_args(get_args(ObjectiveConfig)[0])
    # It is in no module, where its annotations would be looked up.
    config.model_rebuild(_types_namespace=names)
    assert all(hasattr(config, name) for name in ("title", "build", "mixes_clips"))
    assert config.title not in {one.title for one in others}
    assert isinstance(config().build(nn.Identity(), 8), Objective)


@pytest.mark.parametrize("name", COMMANDS)
def test_reference_has_every_option_with_its_help(name: str) -> None:
    page = command_page(name)
    for one in subcommands(command(name)).values() or [command(name)]:
        shown = [parameter for parameter in one.params if not getattr(parameter, "hidden", False)]
        for parameter in shown:
            assert all(f"`{option}`" in page for option in parameter.opts if option[0] == "-")
    assert page.count("|  |  |\n") == 0, "an option without help and default"


def test_configuration_reference_has_every_field() -> None:
    page = configuration_page()
    for path in SETTINGS:
        assert f"`{path.rpartition('.')[2]}`" in page or path.endswith("kind")
    assert "`[0, 1, 2]`" in page
    assert "method.selection.confidence" in SETTINGS
    assert "method.selection.kind" in SETTINGS
    assert set(re.findall(r"\(#(\w+)\)", page)) <= set(re.findall(r"\{ #(\w+) \}", page))


BROKEN = {
    '<a href="gone/">x</a>': "index.html links to gone/, where nothing is",
    '<a href="other.html#b">x</a>': "no such anchor",
    '<script src="https://cdn.example/x.js"></script>': "fetches https://cdn.example/x.js",
    '<link rel="stylesheet" href="//fonts.example/x">': "fetches //fonts.example/x",
    '<img srcset="a.svg 1x, https://img.example/b 2x">': "fetches https://img.example/b",
    '<p style="background: url(https://img.example/c)">': "fetches https://img.example/c",
    '<pre class="mermaid">a</pre>': "mermaid",
}


class TestCheckOfTheSite:
    @pytest.fixture
    def site(self, tmp_path: Path) -> Path:
        (tmp_path / "other.html").write_text('<h1 id="a">A</h1><a href="#a">a</a>')
        (tmp_path / "a.svg").touch()
        return tmp_path

    def test_whole(self, site: Path) -> None:
        (site / "index.html").write_text(
            '<a href="other.html#a">a</a> <a href="https://x.example/">b</a> <img src="a.svg">'
        )
        assert problems(site) == []

    @pytest.mark.parametrize("html", BROKEN)
    def test_broken(self, site: Path, html: str) -> None:
        (site / "index.html").write_text(html)
        (found,) = problems(site)
        assert BROKEN[html] in found

    def test_style_sheets(self, site: Path) -> None:
        (site / "x.css").write_text("@import 'https://css.example/y.css'; a {b: url(c.svg)}")
        assert problems(site) == ["x.css fetches https://css.example/y.css"]

    def test_nothing_built(self, tmp_path: Path) -> None:
        (found,) = problems(tmp_path)
        assert "build the site first" in found
