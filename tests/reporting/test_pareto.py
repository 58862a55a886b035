"""Several objectives, limits and slices in a report and in the terminal."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import record_factory as factory
from rich.console import Console

from slr_ray.documents.document import Beside, Figure, Paragraph, Section, Table
from slr_ray.reporting.report import build_document
from slr_ray.reporting.run import Run, load_run
from slr_ray.reporting.searches.page import build_comparison
from slr_ray.reporting.terminal import print_searches, print_summary
from slr_ray.reporting.verdict import verdict

ASKED = {"objectives": ["accuracy", "num_steps"], "constraints": {"num_steps": 300}}


def trials() -> list[Any]:
    """By number: 0 and 1 are in front, 2 is beaten by 0, 3 is best but beyond the limit."""
    found = []
    for number, (accuracy, steps) in enumerate([(0.7, 200), (0.6, 100), (0.6, 200), (0.9, 400)]):
        seed = factory.seed_record(0, accuracy, 2, num_epochs=2, round_steps=steps // 2)
        found.append(factory.trial_record(number, value=accuracy, seeds=[seed]))
    return found


def run_of(folder: Path, given: list[Any], **changes: Any) -> Run:
    factory.write_run(str(folder), factory.WIN, trials=given, **changes)
    return load_run(str(folder))


def tables(run: Run) -> list[Table]:
    return [one for part in build_document(run).sections for one in tables_of(part)]


def tables_of(section: Section) -> list[Table]:
    return [one for one in section.blocks if isinstance(one, Table)]


def test_the_front_is_drawn_and_listed(tmp_path: Path) -> None:
    run = run_of(tmp_path, trials(), **ASKED)
    assert [one.number for one in run.ranked] == [0, 1, 2, 3]
    assert [one.number for one in run.front] == [0, 1]
    drawing = run.figure("pareto_num_steps").drawing
    assert "2 of 4 complete trials are in front" in drawing.alt
    titles = "".join(drawing.parts)
    for word in ("front", "beaten", "beyond a limit", "trial 3: accuracy 90, num_steps 400"):
        assert word in titles
    (front,) = [one for one in tables(run) if "Pareto" in one.caption]
    assert [row[:3] for row in front.rows] == [
        [0, pytest.approx(0.7), 200.0],
        [1, pytest.approx(0.6), 100.0],
    ]


def test_limits_stand_in_the_table_of_trials(tmp_path: Path) -> None:
    run = run_of(tmp_path, [*trials(), factory.trial_record(4, "failed")], **ASKED)
    (table,) = [one for one in tables(run) if "Limits: num_steps <= 300" in one.caption]
    titles = [one.title for one in table.columns]
    column = titles.index("limits")
    assert titles[column - 1] == "gradient steps"
    assert [row[column] for row in table.rows] == ["kept", "kept", "kept", "broken", None]


def test_the_terminal_has_the_front_and_no_trial_beyond_a_limit(tmp_path: Path) -> None:
    out = StringIO()
    print_summary(run_of(tmp_path, trials(), **ASKED), Console(file=out, width=200))
    best, front = out.getvalue().split("Best trials within num_steps <= 300")[1].split("Pareto")
    assert "0.9000" not in best
    assert "0.7000" in best
    assert "70.0" in front


def test_one_objective_has_no_front(tmp_path: Path) -> None:
    run = run_of(tmp_path, trials())
    assert run.also_shown == []
    assert not [one for one in run.figures if one.startswith("pareto")]
    assert "Pareto" not in "".join(one.caption for one in tables(run))


def slices(run: Run) -> list[Figure]:
    (section,) = [one for one in build_document(run).sections if one.anchor == "parameters"]
    rows = [one for one in section.blocks if isinstance(one, Beside)]
    return [one for row in rows for one in row.blocks if isinstance(one, Figure)]


def test_slices_show_every_parameter_by_how_trials_ended(tmp_path: Path) -> None:
    given = [factory.trial_record(number) for number in range(6)]
    given += [factory.trial_record(6, "pruned"), factory.trial_record(7, "pruned")]
    given.append(factory.trial_record(8, "failed"))
    drawn = {one.name: "".join(one.drawing.parts) for one in slices(run_of(tmp_path, given))}
    assert set(drawn) == {
        f"slice_{name}"
        for name in (
            "training.learning_rate",
            "method.selection.kind",
            "method.selection.confidence",
            "method.selection.num_clips",
            "method.num_rounds",
        )
    }
    rate = drawn["slice_training.learning_rate"]
    assert rate.count("<circle") == 8
    assert "stopped early" in rate
    assert "complete" in rate
    with_confidence = sum("method.selection.confidence" in one.params for one in given[:8])
    assert drawn["slice_method.selection.confidence"].count("<circle") == with_confidence


def test_slices_need_eight_trials(tmp_path: Path) -> None:
    run = run_of(tmp_path, [factory.trial_record(number) for number in range(7)])
    assert slices(run) == []


@pytest.mark.parametrize(
    ("chosen", "told"),
    [([0, 1], "(trials 0, 1)"), (None, "(trials 0, 0)")],
    ids=["recorded", "not yet"],
)
def test_folds_tell_the_trials_that_they_took_within_the_limits(
    tmp_path: Path, chosen: list[int] | None, told: str
) -> None:
    given = [factory.in_folds(one, 2) for one in trials()]
    run = run_of(tmp_path, given, num_folds=2, chosen=chosen, **ASKED)
    (caveat,) = [one for one in verdict(run).caveats if one.startswith("Each of 2 folds")]
    assert told in caveat
    assert "within num_steps <= 300" in caveat


_BEYOND = (
    "no complete trial keeps num_steps <= 1, so none is compared; trial 3, the best of the "
    "others, has num_steps 400"
)


def test_no_trial_is_best_where_none_keeps_the_limits(tmp_path: Path) -> None:
    asked = {"constraints": {"num_steps": 1}}
    none = run_of(tmp_path / "none", trials(), **asked)
    some = run_of(tmp_path / "some", trials())
    out = StringIO()
    print_summary(none, Console(file=out, width=200))
    assert f"{_BEYOND}." in out.getvalue()
    assert "Best trials" not in out.getvalue()
    out = StringIO()
    print_searches({"A": none, "B": some}, Console(file=out, width=200))
    assert f"4 trials, {_BEYOND}\n" in out.getvalue()
    assert "trial 3 is best with 0.9000" in out.getvalue()
    sections = {one.anchor: one for one in build_comparison({"A": none, "B": some}).sections}
    winners, best = sections["winners"].blocks
    assert winners == Paragraph(f"A has no best trial: {_BEYOND}.", "warning")
    assert isinstance(best, Table)
    assert [one.title for one in best.columns] == ["setting", "B"]
    (taken,) = [one for one in tables_of(sections["searches"]) if "Hours" in one.caption]
    at = [one.title for one in taken.columns].index("best trial")
    assert [row[at:] for row in taken.rows] == [[None, None], [3, 0.9]]
    told = {one.anchor: one.blocks for one in build_document(none).sections}
    assert Paragraph(f"There is no best trial: {_BEYOND}.", "warning") in told["trials"]
    assert not [one for one in told["rerun"] if "slr_ray.train" in getattr(one, "text", "")]
    assert none.winner is None


def test_the_best_so_far_is_of_trials_that_keep_the_limits(tmp_path: Path) -> None:
    best_breaks = [trials()[3].model_copy(update={"number": 0}), *trials()[1:]]
    run = run_of(tmp_path / "one", best_breaks, **ASKED)
    assert run.figure("search_progress").alt.endswith("the best reached 0.6")
    beside = {one.name: one for one in build_comparison({"A": run, "B": run}).figures()}
    assert beside["best_by_trial"].alt.endswith("by trial: A 0.6; B 0.6")
    beyond = run_of(tmp_path / "other", best_breaks[:1], **ASKED)
    assert beyond.figure("search_progress").alt.endswith("none keeps the limits")
