"""Several objectives: which trials no other one beats in all of them at once."""

from __future__ import annotations

from slr_ray.documents.charts import Dot, dots
from slr_ray.documents.document import Beside, Block, Column, Figure, Kind, Table, Value
from slr_ray.records.goals import TITLES, figures, is_share
from slr_ray.records.runs import TrialRecord
from slr_ray.reporting.run import Run
from slr_ray.reporting.wording import params_text

_SIDE = 350.0


def pareto_blocks(run: Run) -> list[Block]:
    """The front as figures, the first objective against each other one, and as a table."""
    first, *others = run.goals.objectives
    if not others or not run.front:
        return []
    return [Beside([_figure(run, first, other) for other in others]), front_table(run)]


def front_table(run: Run) -> Table:
    """The front, best first in the first objective."""
    columns = [Column("trial", "count"), *(goal_column(one) for one in run.goals.objectives)]
    columns.append(Column("parameters", "code"))
    rows: list[list[Value]] = []
    for trial in run.front:
        found = figures(trial)
        reached = [found[name] for name in run.goals.objectives]
        rows.append([trial.number, *reached, params_text(trial)])
    caption = "Pareto front: no other trial is as good in every objective and better in one. "
    caption += "The final comparison takes the best in the first."
    return Table(columns, rows, caption, sortable=True)


def goal_column(name: str) -> Column:
    """For a figure of a trial."""
    kind: Kind = "percent" if is_share(name) else "number"
    return Column(TITLES[name] + (", %" if is_share(name) else ""), kind)


def _figure(run: Run, first: str, other: str) -> Figure:
    front = {one.number for one in run.front}
    drawn = []
    for trial in run.trials:
        if trial.status == "complete" and trial.seeds:
            label, series = _told(run, trial, front)
            x, y = (_axis_value(name, trial) for name in (other, first))
            title = f"trial {trial.number}: {first} {y:.4g}, {other} {x:.4g}"
            drawn.append(Dot(x, y, label, series, title, 4.0))
    drawn.sort(key=lambda one: one.label == "front")
    axes = goal_column(other).title, goal_column(first).title
    alt = f"{axes[1]} against {axes[0]}: {len(front)} of {len(drawn)} complete trials are in front"
    return Figure(f"pareto_{other}", dots(drawn, alt, axes, _SIDE))


def _axis_value(name: str, trial: TrialRecord) -> float:
    return figures(trial)[name] * (100 if is_share(name) else 1)


def _told(run: Run, trial: TrialRecord, front: set[int]) -> tuple[str, int]:
    if not run.goals.kept(trial):
        return "beyond a limit", 5
    return ("front", 3) if trial.number in front else ("beaten", 4)
