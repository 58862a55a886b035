"""Reports of believable runs: right words, whole page, nothing let through, nothing left out."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import record_factory as factory
from rich.console import Console
from typer.testing import CliRunner

from slr_ray.config import Config
from slr_ray.documents.document import Code, Table
from slr_ray.errors import DataError, StorageError
from slr_ray.records.measured import UnlabelledFigures
from slr_ray.records.run_folder import RunFolder
from slr_ray.report import app
from slr_ray.reporting.background import cost_section, rerun_section
from slr_ray.reporting.report import build_document, write_report
from slr_ray.reporting.result import mean_confusion
from slr_ray.reporting.run import Best, Run, load_run
from slr_ray.reporting.terminal import print_summary
from slr_ray.reporting.verdict import verdict

SECTIONS = {
    "verdict",
    "trials",
    "failures",
    "parameters",
    "training",
    "glosses",
    "pseudo-labels",
    "data",
    "cost",
    "timeline",
    "environment",
    "rerun",
    "limits",
}
_VOID = {"meta", "br", "wbr", "img", "link", "hr", "input"}


class Page(HTMLParser):
    """Collects what a page contains; an end tag that closes nothing open is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.labels: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = {name: value or "" for name, value in attrs}
        self.attributes += list(found.items())
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "svg":
            self.labels.append(found.get("aria-label", ""))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def _run(folder: Path, accuracies: Mapping[str, list[float]], **changes: Any) -> Run:
    factory.write_run(str(folder), accuracies, **changes)
    return load_run(str(folder))


def _page(run: Run) -> tuple[str, Page]:
    write_report(run)
    text = Path(run.location, "report.html").read_text()
    return text, Page(text)


@pytest.mark.parametrize(
    ("accuracies", "outcome", "words"),
    [
        (factory.WIN, "better", r"helped: \+11\.6 points of accuracy .* equal steps"),
        (factory.LOSS, "worse", r"hurt: −9\.4 points of accuracy"),
        (factory.TIE, "open", r"No difference shown: .* within noise \(95 % interval −"),
        (
            {**factory.TIE, "fsl": [0.40, 0.42, 0.39, 0.43, 0.41]},
            "open",
            r"more training steps alone may explain the gain",
        ),
        (
            {**factory.WIN, "fsl": [0.68, 0.75, 0.60, 0.74, 0.69]},
            "open",
            r"Mixed: .* not shown to beat FSL as it is",
        ),
        ({arm: found[:1] for arm, found in factory.WIN.items()}, "undecided", r"\(one seed\)"),
        (
            {one: [0.5, 0.6] for one in ("fsl", "fsl_equal_steps")}
            | {"sslr_best": [0.5125, 0.6125]},
            "undecided",
            r"\+1\.3 points .* \(the same in all 2 seeds\)",
        ),
        ({}, "undecided", r"no test results"),
        ({"sslr_best": [0.6, 0.7]}, "undecided", r"no test results"),
    ],
)
def test_headline(
    tmp_path: Path, accuracies: dict[str, list[float]], outcome: str, words: str
) -> None:
    found = verdict(_run(tmp_path, accuracies, trials=[]))
    assert found.outcome == outcome
    assert re.search(words, found.headline), found.headline


def test_sentences_name_means_intervals_and_noise(tmp_path: Path) -> None:
    sentences = " ".join(verdict(_run(tmp_path, factory.TIE, trials=[])).sentences)
    assert "Fully supervised (FSL): accuracy 53.2 ± 3.0 %" in sentences  # s = 2.387, t = 2.776
    assert re.search(
        r"Best trial against FSL, steps of the best trial: \+0\.2 .*?includes 0", sentences
    )
    assert re.search(r"default against Fully supervised .*? excludes 0: better", sentences)


def test_headline_follows_the_metric_of_the_search(tmp_path: Path) -> None:
    run = _run(tmp_path, factory.WIN, trials=[], metric="validation/macro_f1")
    assert "points of macro-F1" in verdict(run).headline


def test_caveats(tmp_path: Path) -> None:
    few = {arm: found[:3] for arm, found in factory.WIN.items()}
    caveats = verdict(_run(tmp_path, few, trials=[], finished=None)).caveats
    assert any("unfinished" in caveat for caveat in caveats)
    assert any("Only 3 seeds" in caveat for caveat in caveats)


def test_glosses_without_a_training_clip_are_a_caveat(tmp_path: Path) -> None:
    split = {**factory.run_record().split, "untrained_glosses": ["yes", "no"]}
    caveats = verdict(_run(tmp_path, factory.WIN, trials=[], split=split)).caveats
    assert any("2 of 10 glosses" in one and "yes, no" in one for one in caveats)
    assert not verdict(_run(tmp_path, factory.WIN, trials=[])).caveats


def test_the_rerun_command_names_the_trial_then_the_seed_of_the_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "my run"
    factory.write_run(str(folder), factory.WIN)
    run = RunFolder(str(folder))
    before = load_run(str(folder))
    trial = f"'{folder}/trials/{before.ranked[0].number:04d}/config.yaml'"
    assert f"slr_ray.train --config {trial} Its searched" in _page(before)[1].text
    result = run.arm("sslr_best", 3)
    result.write_config(Config())
    result.write_checkpoint(b"")
    run.write_best(result, 3)
    _, page = _page(load_run(str(folder)))
    location = f"'{folder}/best/config.yaml'"
    assert f"slr_ray.train --config {location} --seed 3" in page.text
    changes = "training.with_validation=true training.keep=last"
    assert f"slr_ray.train --config {location} --out for_use {changes}" in page.text


def test_the_rerun_command_has_the_settings_of_the_fold_that_is_handed_out(tmp_path: Path) -> None:
    trials = [
        factory.in_folds(factory.trial_record(n, value=0.5 + n / 10, params={"a.b": n}), 3)
        for n in range(3)
    ]
    run = _run(tmp_path, factory.WIN, trials=trials, num_folds=3, chosen=[2, 2, 0])
    best = Best({"split": {"kind": "folds", "num_folds": 3, "fold": 2}}, "checkpoint.pt", 0)
    told = [getattr(one, "text", "") for one in rerun_section(replace(run, best=best)).blocks]
    at = told.index("Its searched settings (trial 0), usable as overrides:")
    assert told[at + 1] == "a.b=0"


@pytest.mark.parametrize(
    ("tree", "changes"),
    [
        ({"method": {"kind": "sslr", "patience_rounds": 2}}, "method.patience_rounds=null"),
        ({"training": {"patience_epochs": 2}}, "training.patience_epochs=null"),
        ({"method": {"kind": "sslr_sentences", "reject": {}}}, "training.keep=last"),
        ({"method": {"kind": "sslr", "calibration": "temperature"}}, None),
        ({"method": {"kind": "consistency", "reject": {"kind": "energy"}}}, None),
        ({"method": {"kind": "linear"}}, None),
    ],
)
def test_a_model_for_use_learns_validation_where_nothing_needs_it(
    tmp_path: Path, tree: dict[str, Any], changes: str | None
) -> None:
    run = replace(_run(tmp_path, factory.WIN), best=Best(tree, "checkpoint.pt", 0))
    codes = [one.text for one in rerun_section(run).blocks if isinstance(one, Code)]
    found = [one for one in codes if "with_validation" in one]
    assert bool(found) is (changes is not None)
    assert changes is None or found[0].endswith(changes)


def test_holm_caveat(tmp_path: Path) -> None:
    close = {
        "fsl": [0.50, 0.50, 0.50],
        "fsl_equal_steps": [0.50, 0.50, 0.50],
        "sslr_default": [0.50, 0.53, 0.47],
        "sslr_best": [0.52, 0.53, 0.54],  # p = 0.035 against either, 0.14 corrected
    }
    found = verdict(_run(tmp_path, close, trials=[], final_seeds=[0, 1, 2]))
    assert any(caveat.startswith("2 of 4 comparisons") for caveat in found.caveats)


def test_page_is_whole_and_self_contained(tmp_path: Path) -> None:
    text, page = _page(_run(tmp_path, factory.WIN))
    assert set(page.ids) == SECTIONS
    assert not re.search(r"https?://|//cdn|@import|url\(", text)
    assert not {"img", "link", "iframe", "object", "embed"} & set(page.tags)
    targets = {value for name, value in page.attributes if name in ("href", "src")}
    assert targets == {f"#{anchor}" for anchor in SECTIONS}
    assert len(page.labels) >= 10
    assert all(page.labels)
    assert "not finite in round 2" in page.text
    assert "python -m slr_ray.train --config" in page.text
    assert "reading only" in page.text


def test_markdown_has_its_figures(tmp_path: Path) -> None:
    run = _run(tmp_path, factory.WIN)
    write_report(run, str(tmp_path / "out"))
    text = (tmp_path / "out" / "report.md").read_text()
    figures = re.findall(r"\]\((figures/\w+\.svg)\)", text)
    assert len(figures) == len(set(figures)) >= 10
    for name in figures:
        root = ET.fromstring((tmp_path / "out" / name).read_bytes())
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert text.index("Semi-supervised training helped") < text.index("## Trials")


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    evil = '<script>alert("x")</script>|`*\x00"onload=\'y\''
    glosses = [evil, "</title></svg><img src=x>", *factory.GLOSSES[2:]]
    trials = [
        factory.trial_record(n, params={evil: n / 10, "kind": f"{evil}{n % 2}"}) for n in range(9)
    ]
    trials.append(factory.trial_record(9, "failed", error=f"[bold]{evil}\n"))
    run = _run(tmp_path, factory.WIN, trials=trials, glosses=glosses, name=evil, corpus=evil)
    text, page = _page(run)
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert "wbr" in page.tags
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert "\x00" not in text
    markdown = Path(run.location, "report.md").read_text()
    unquoted = "\n".join(line for line in markdown.splitlines() if not line.startswith("    "))
    assert not re.search(r"(?<!\\)<(script|img)", unquoted)
    for figure in Path(run.location, "figures").iterdir():
        ET.fromstring(figure.read_bytes())


def test_unfinished_run_says_what_is_missing(tmp_path: Path) -> None:
    accuracies = {"fsl": [0.5, 0.6], "sslr_best": [0.6, 0.7]}
    run = _run(tmp_path, accuracies, finished=None, wall_s=None, num_trials=40)
    _, page = _page(run)
    assert "Unfinished run. Missing: 24 of 40 trials have ended." in page.text
    assert "FSL, steps of the best trial: no test result for seed 0, 1, 2, 3, 4." in page.text
    assert "Best trial: no test result for seed 2, 3, 4." in page.text


def test_finished_run_misses_nothing(tmp_path: Path) -> None:
    assert _run(tmp_path, factory.WIN, num_trials=40).state == "Finished"


def test_no_complete_trial(tmp_path: Path) -> None:
    trials = [factory.trial_record(n, "failed", error=None) for n in range(3)]
    run = _run(tmp_path, {}, trials=trials)
    _, page = _page(run)
    assert set(page.ids) == SECTIONS
    assert "No trial is complete" in page.text
    assert "no reason recorded" in page.text
    assert "Too few trials for parameter importance: 0 complete" in page.text


def test_run_without_anything_yet(tmp_path: Path) -> None:
    _, page = _page(_run(tmp_path, {}, trials=[], finished=None))
    assert set(page.ids) == SECTIONS
    assert "No trial has ended yet." in page.text


def test_values_that_are_not_finite(tmp_path: Path) -> None:
    trials = [factory.trial_record(n) for n in range(9)]
    trials.append(factory.trial_record(9, value=float("nan")))
    run = _run(tmp_path, factory.WIN, trials=trials)
    assert len(run.ranked) == 9
    text, _ = _page(run)
    assert "nan" not in re.sub(r"<script>.*</script>", "", text, flags=re.S).lower()


def test_ranking_turns_for_a_loss(tmp_path: Path) -> None:
    trials = [factory.trial_record(n, value=value) for n, value in enumerate([0.9, 0.2, 0.5])]
    run = _run(tmp_path, {}, trials=trials, metric="loss")
    assert [trial.number for trial in run.ranked] == [1, 2, 0]


def test_confusion_is_normalised_by_the_true_gloss() -> None:
    records = [
        factory.arm_record("fsl", seed, 0.5, ("a", "b", "c")).model_copy(
            update={"confusion": confusion}
        )
        for seed, confusion in enumerate(
            ([[3, 1, 0], [2, 2, 0], [0, 0, 0]], [[2, 2, 0], [0, 8, 0], [0, 0, 0]])
        )
    ]
    expected = [[0.625, 0.375, 0], [0.25, 0.75, 0], [0, 0, 0]]
    assert mean_confusion(records, 3).tolist() == expected


def test_cost_leaves_reused_rounds_out_of_the_steps(tmp_path: Path) -> None:
    # Each has three rounds of 400 steps and 20 s, the first one reused.
    trials = [factory.trial_record(n) for n in range(2)]
    run = _run(tmp_path, {}, trials=trials)
    table = cost_section(run).blocks[0]
    assert isinstance(table, Table)
    facts = {str(name): value for name, value in table.rows}
    assert facts["Gradient steps in trials, without reused ones"] == "1,600"
    assert facts["Rounds reused from other trials"] == "2 of 6 (33 %), 40 s saved"
    assert facts["Platform share of trial time"] == "14.3 %"  # 120 of 140 s trained


def test_large_run_stays_readable(tmp_path: Path) -> None:
    trials = [factory.trial_record(n, seeds=[]) for n in range(1000)]
    glosses = [f"gloss_{index:03d}" for index in range(120)]
    two = {arm: found[:2] for arm, found in factory.WIN.items()}
    text, page = _page(_run(tmp_path, two, trials=trials, glosses=glosses, num_trials=1000))
    assert len(text) < 2_000_000
    assert page.tags.count("polyline") < 500
    assert "Most confused pairs" in page.text
    assert "985 more rows" in Path(tmp_path, "report.md").read_text()


def test_terminal_prints_brackets_literally(tmp_path: Path) -> None:
    trials = [factory.trial_record(0, params={"kind": "[red]x[/red]"})]
    run = _run(tmp_path, factory.LOSS, trials=trials, finished=None)
    out = StringIO()
    print_summary(run, Console(file=out, width=120))
    assert "Semi-supervised training hurt" in out.getvalue()
    assert "kind=[red]x[/red]" in out.getvalue()
    assert "unfinished:" in out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("run.json", None, "is no run"),
        ("run.json", "[]", "expected a record"),
        ("run.json", '{"name": "x", ', "half-written"),
        ("trials/0000/record.json", '{"number": 0', "trials/0000/record.json is half-written"),
        ("final/fsl/0/record.json", '{"arm": "fsl"}', "not a record of this version"),
    ],
)
def test_broken_records(tmp_path: Path, name: str, content: str | None, words: str) -> None:
    factory.write_run(str(tmp_path), {"fsl": [0.5]}, trials=[factory.trial_record(0)])
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=words):
        load_run(str(tmp_path))


def test_uri_reads_like_a_folder(tmp_path: Path) -> None:
    local = _run(tmp_path, factory.WIN)
    remote = load_run(tmp_path.as_uri())
    assert remote.trials == local.trials
    assert build_document(remote).sections[0] == build_document(local).sections[0]


def test_report_that_cannot_be_written(tmp_path: Path) -> None:
    run = _run(tmp_path / "run", {}, trials=[])
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="choose another --out"):
        write_report(run, str(tmp_path / "file"))


def test_command(tmp_path: Path) -> None:
    factory.write_run(str(tmp_path), factory.WIN)
    done = CliRunner().invoke(app, [str(tmp_path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "report.html" in done.output
    assert (tmp_path / "out" / "report.html").is_file()
    nothing = CliRunner().invoke(app, [str(tmp_path / "out")])
    assert nothing.exit_code == 2
    assert "is no run" in nothing.output


def test_the_audit_is_that_of_an_arm_that_chose_pseudo_labels(tmp_path: Path) -> None:
    run = _run(tmp_path, factory.WIN)
    best = [
        one.model_copy(update={"trained": factory.seed_record(one.seed, 0.6, 1)})
        if one.arm == "sslr_best"
        else one
        for one in run.arms
    ]
    _, page = _page(replace(run, arms=best))
    assert "Space's default in the final comparison" in page.text
    assert "nothing to audit" not in page.text


def test_trials_whose_rule_selected_nothing_are_told(tmp_path: Path) -> None:
    told = "the rule selected no clip in round 1 (highest confidence 0.871)"
    only = factory.seed_record(0, 0.6, 1).model_copy(update={"stopped_because": told})
    trials = [factory.trial_record(0), factory.trial_record(1, seeds=[only])]
    factory.write_run(str(tmp_path), factory.WIN, trials=trials)
    write_report(load_run(str(tmp_path)))
    text = Path(tmp_path, "report.md").read_text()
    assert f"| {told} |" in text
    assert "1 of 2 trials are supervised learning: their rule selected no clip at all (1)." in text


def test_what_steps_say_of_unlabelled_clips_is_drawn(tmp_path: Path) -> None:
    run = _run(tmp_path, {"sslr_best": [0.7]}, trials=[])
    said = UnlabelledFigures(
        pseudo_share=0.5,
        pseudo_threshold=0.8,
        pseudo_precision=0.7,
        pseudo_unknown=0.2,
        rejected=0.3,
    )
    (arm,) = run.arms
    assert arm.trained is not None
    epochs = [one.model_copy(update={"unlabelled": said}) for one in arm.trained.epochs]
    trained = arm.trained.model_copy(update={"epochs": epochs})
    by_steps = replace(run, arms=[arm.model_copy(update={"trained": trained})])
    drawn = {name.removeprefix("curves_") for name in by_steps.figures}
    told = {name for name, value in said.model_dump().items() if value is not None}
    assert told == {*UnlabelledFigures.model_fields} & drawn
