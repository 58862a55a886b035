"""One document as a page, as Markdown and in the terminal; drawings by hand-made numbers."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from rich.console import Console

from slr_ray.documents.charts import BarSeries, Dot, Line, dots, histogram, lines
from slr_ray.documents.document import (
    Beside,
    Block,
    Bullets,
    Code,
    Column,
    Document,
    Figure,
    Paragraph,
    Picture,
    Section,
    Table,
)
from slr_ray.documents.html import to_html
from slr_ray.documents.markdown import figure_files, to_markdown
from slr_ray.documents.matrices import Cell, heat_map
from slr_ray.documents.svg import Canvas, as_file, side_by_side
from slr_ray.documents.terminal import terminal_table

EVIL = "<b onload=\"x\" a='y'>&\x00\x1b{{ 7 * 7 }}"
DRAWING = Canvas(10, 10, EVIL)
TABLE = Table(
    [Column(EVIL), Column("n.x_y", "count"), Column("c", "code")],
    [[EVIL, 12345, EVIL], ["short", None, None], ["not finite", float("nan"), "z"]],
    EVIL,
    sortable=True,
)
BLOCKS: list[Block] = [
    Paragraph(EVIL, "warning"),
    Paragraph(EVIL, "headline", "better"),
    Bullets([EVIL]),
    Code(f"first\n{EVIL}"),
    TABLE,
    Figure("drawn", DRAWING, EVIL),
    Picture("clips/seen.png", b"\x89PNG", EVIL, EVIL),
    Beside([Picture("left.gif", b"GIF", EVIL), Figure("right", DRAWING)]),
]


def _html(*blocks: Block) -> str:
    page = to_html(Document("title", "subtitle", [Section("one", "One", list(blocks))]))
    return page[page.index("<h2>One</h2>") : page.index("</section>")]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda one: type(one).__name__)
def test_texts_stay_texts(block: Block) -> None:
    html = _html(block)
    assert "<b" not in re.sub("<button", "", html)
    assert "&lt;b onload=" in html
    assert "{{ 7 * 7 }}" in html
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", html)
    markdown = to_markdown(Document("t", "s", [Section("one", "One", [block])]))
    assert "<b" not in markdown.replace("\\<b", "") or isinstance(block, Code)


def test_a_page_asks_nobody_for_anything() -> None:
    html = to_html(Document("t", "s", [Section("one", "One", BLOCKS)]))
    assert not re.search(r"https?:|@import|url\(|<link|src=\"(?!data:)", html)
    assert html.count("<script>") == html.count("<style>") == 1
    assert "prefers-color-scheme:dark" in html
    assert "width=device-width" in html
    assert 'src="data:image/gif;base64,R0lG"' in html


def test_lines_of_code_stay_lines() -> None:
    assert "<code>a \\\n  b</code>" in _html(Code("a \\\n  b"))


def test_cells_say_how_they_sort() -> None:
    html = _html(TABLE)
    assert '<td class="n" data-v="12345">12,345</td>' in html
    assert html.count('<td class="n">–</td>') == 2
    assert "n.<wbr>x_<wbr>y" in html
    plain = _html(Table(TABLE.columns, TABLE.rows))
    assert "<button" not in plain


def test_markdown_names_the_files_of_every_figure_and_picture() -> None:
    document = Document("t", "s", [Section("one", "One", BLOCKS)])
    named = re.findall(r"\]\((figures/\S+)\)", to_markdown(document))
    assert sorted(named) == sorted(figure_files(document))
    assert len(named) == 4


def test_the_terminal_prints_texts_literally_and_counts_the_rest() -> None:
    printed = io.StringIO()
    rows = [[f"[red]{index}", index] for index in range(5)]
    table = Table([Column("[b]name"), Column("count", "count")], rows, "[i]caption")
    Console(file=printed, width=80).print(terminal_table(table, 2))
    told = printed.getvalue()
    for text in ("[b]name", "[i]caption", "[red]1", "3 more"):
        assert text in told
    assert "[red]2" not in told


def test_drawings_side_by_side_are_one_file_with_their_colours() -> None:
    line = Line("loss", [(0, 1.0), (1, float("nan")), (2, 0.5)], 3)
    drawn = lines([line], "Loss & more", "steps", "loss", False, width=400)
    row = side_by_side("Both", [drawn, drawn])
    assert (row.width, row.height) == (800, 374)
    root = ET.fromstring(as_file(row))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("Loss & more") == 2
    assert texts.count("Both") == 1
    assert len(list(root.iter("{http://www.w3.org/2000/svg}polyline"))) == 2
    style = root.find("{http://www.w3.org/2000/svg}style")
    assert style is not None
    assert "prefers-color-scheme:dark" in str(style.text)


def test_bars_of_a_histogram_stand_over_their_span() -> None:
    drawn = histogram([BarSeries("clips", [3, 0, 1], 3)], "alt", "frames", (9.5, 15.5))
    titles = re.findall("<title>(.*?)</title>", drawn.svg())
    assert titles == ["9.5 to 11.5: 3 clips", "11.5 to 13.5: 0 clips", "13.5 to 15.5: 1 clips"]


def test_a_heat_map_tells_each_cell_until_there_are_too_many() -> None:
    names = [f"g{index}" for index in range(60)]
    cells = {(row, column): Cell(0.5, "told", "50") for row in range(60) for column in range(2)}
    few = heat_map(names, ["x", "y"], cells, "alt", ("", "signer"), 30).svg()
    assert few.count("<title>told</title>") == 120
    assert few.count(">50<") == 120
    cells = {(row, column): Cell(0.5, "told", "") for row in range(60) for column in range(60)}
    many = heat_map(names, names, cells, "alt", ("", ""), 14).svg()
    assert "told" not in many
    assert many.count("<path") == 1
    assert ">g59<" in many


def test_dots_share_entries_and_a_long_legend_ends() -> None:
    drawn = [
        Dot(index, index % 7, f"g{index % 70}", "#aa3377", f"dot {index}") for index in range(140)
    ]
    svg = dots(drawn, "alt", None, 480).svg()
    assert svg.count("<circle") == 140
    assert svg.count("<rect") == 60
    assert "and 10 more" in svg
    assert "x" in dots(drawn, "alt", ("x", "y"), 480).svg()
    # One place for all is no range.
    assert "nan" not in dots([Dot(1, 1, "a", 3, "t")], "alt", ("x", "y"), 480).svg()


def test_reports_need_neither_torch_nor_ray_nor_matplotlib() -> None:
    code = (
        "import sys, slr_ray.reporting.report\n"
        "print([one for one in ('torch', 'ray', 'matplotlib') if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
