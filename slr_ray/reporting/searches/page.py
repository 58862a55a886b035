"""The page of several searches: what each took, how far it came when, winners and verdicts."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

from slr_ray.documents.charts import IntervalRow, Line, intervals, lines
from slr_ray.documents.document import (
    Block,
    Column,
    Document,
    Figure,
    Paragraph,
    Section,
    Table,
    Value,
)
from slr_ray.errors import DataError
from slr_ray.evaluation.statistics import holm, paired_difference
from slr_ray.locations import masked
from slr_ray.reporting.background import cell, flat
from slr_ray.reporting.importance import branch_free, parameter_names
from slr_ray.reporting.result import shown_metric
from slr_ray.reporting.run import METRIC_NAMES, Run
from slr_ray.reporting.searches.searches import Searches, alike, unlike
from slr_ray.reporting.spending import cost, spent_by
from slr_ray.reporting.trials.progress import best_so_far, ended_after_h
from slr_ray.reporting.trials.winners import taken
from slr_ray.reporting.verdict import Comparison, verdict
from slr_ray.reporting.wording import interval_text, p_text, points, untold_text

_WINNER = "sslr_best"
_JUDGED = (_WINNER, "fsl_equal_steps", "fsl")
_READINGS = {"better": "higher", "worse": "lower", "open": "within noise"}


def build_comparison(searches: Searches) -> Document:
    """Every section of the page."""
    first = next(iter(searches.values()))
    metric = METRIC_NAMES[first.metric]
    subtitle = f"{first.record.corpus} · {len(first.record.glosses)} glosses · {metric}"
    sections = [
        _overview(searches),
        _progress(searches),
        _settings(searches),
        _verdicts(searches),
    ]
    return Document(f"{len(searches)} searches beside each other", subtitle, sections)


def _overview(searches: Searches) -> Section:
    told: list[Block] = [Paragraph(alike(searches))]
    told += [Paragraph(sentence, "warning") for sentence in unlike(searches)]
    told += [
        Paragraph(f"{name} is {run.state.lower()}: {' '.join(run.missing)}", "warning")
        for name, run in searches.items()
        if run.missing
    ]
    rows: list[list[Value]] = [
        [
            name,
            masked(run.location),
            str(run.record.space.get("name", run.record.name)),
            ", ".join(dict.fromkeys(map(branch_free, parameter_names(run.trials)))) or None,
        ]
        for name, run in searches.items()
    ]
    columns = [Column("search"), Column("run", "code"), Column("space"), Column("searched", "code")]
    spaces = Table(columns, rows, "What each letter stands for.")
    return Section("searches", "Searches", [*told, spaces, _taken_table(searches)])


def _taken_table(searches: Searches) -> Table:
    """Trials, hours, money and the best value, one row a search."""
    run = next(iter(searches.values()))
    share = not run.lower_is_better
    columns = [
        Column("search"),
        *(Column(one, "count") for one in ("trials", "complete", "pruned", "failed")),
        Column("time", "seconds"),
        *(Column(one, "number") for one in ("processor-hours", "GPU-hours")),
        Column("cost", "number"),
        Column("best trial", "count"),
        Column(
            f"validation {METRIC_NAMES[run.metric]}" + ", %" * share,
            "percent" if share else "number",
        ),
    ]
    caption = (
        "Hours are those reserved by trials and arms, every try counted; cost where a price was "
        "given."
    )
    return Table(columns, [[name, *_taken(one)] for name, one in searches.items()], caption)


def _taken(run: Run) -> list[Value]:
    counted = Counter(trial.status for trial in run.trials)
    whole, _ = spent_by(run)
    price, best = run.record.price_per_hour, run.winner
    return [
        len(run.trials),
        *(counted[status] for status in ("complete", "pruned", "failed")),
        run.record.wall_s,
        whole.cpu_h or None,
        whole.gpu_h or None,
        None if price is None else cost(whole, price),
        None if best is None else best.number,
        None if best is None else best.value,
    ]


def _progress(searches: Searches) -> Section:
    by_trial, by_hour, silent = [], [], []
    for series, (name, run) in enumerate(searches.items()):
        ordered = sorted(run.ranked, key=lambda trial: trial.number)
        at = [(float(one.number), best) for one, best in best_so_far(run, ordered)]
        by_trial.append(Line(name, at, series))
        ended = ended_after_h(run)
        logged = sorted(
            (one for one in ordered if one.number in ended), key=lambda one: ended[one.number]
        )
        if len(logged) < len(ordered):
            silent.append(name)
        at = [(ended[one.number], best) for one, best in best_so_far(run, logged)]
        by_hour.append(Line(name, at, series))
    blocks: list[Block] = [
        _curves(searches, by_trial, "trial", "Complete trials in the order they were suggested."),
        _curves(
            searches,
            by_hour,
            "hours",
            "Hours that the search had run for, all its starts together.",
        ),
    ]
    if silent:
        told = f"The logs of {', '.join(silent)} do not say when every trial ended."
        blocks.append(Paragraph(told, "note"))
    return Section("progress", "Best so far", blocks)


def _curves(searches: Searches, drawn: list[Line], over: str, caption: str) -> Figure:
    run = next(iter(searches.values()))
    name = METRIC_NAMES[run.metric]
    reached = "; ".join(f"{one.label} {one.points[-1][1]:.4g}" for one in drawn if one.points)
    alt = f"Best validation {name} so far by {over}: {reached}"
    share = not run.lower_is_better
    drawing = lines(drawn, alt, over, f"validation {name}", share, whole_x=over == "trial")
    return Figure(f"best_by_{over}", drawing, f"Best validation {name} so far. {caption}")


def _settings(searches: Searches) -> Section:
    """What the winners have in different ways, and all that was searched."""
    blocks: list[Block] = [
        Paragraph(f"{name} has no best trial: {run.no_winner}.", "warning")
        for name, run in searches.items()
        if not taken(run)
    ]
    found = {
        title: cells
        for name, run in searches.items()
        for title, cells in _settings_of(name, run).items()
    }
    if not found:
        return Section("winners", "Winners", blocks)
    searched = {
        branch_free(name) for run in searches.values() for name in parameter_names(run.trials)
    }
    every = dict.fromkeys(path for one in found.values() for path in one)
    rows: list[list[Value]] = [
        [path, *values]
        for path in every
        if len(set(values := [one.get(path) for one in found.values()])) > 1 or path in searched
    ]
    columns = [Column("setting", "code"), *(Column(name, "code") for name in found)]
    caption = "The best trials' settings, where they differ or any search varied them."
    blocks.append(Table(columns, rows, caption, markdown_rows=100))
    return Section("winners", "Winners", blocks)


def _settings_of(name: str, run: Run) -> dict[str, dict[str, Value]]:
    """All settings that a search's best trial ran with, by dotted path; with folds that took
    different trials those of each.
    """
    numbers = sorted({one.number for one in taken(run).values()})
    titles = [name] if len(numbers) == 1 else [f"{name}, trial {one}" for one in numbers]
    try:
        trees = [run.folder.trial(one).read_config() for one in numbers]
    except OSError as error:
        raise DataError(f"cannot read the best trial of {run.location}: {error}") from None
    return {
        title: {path: cell(value) for path, value in flat(tree, ".")}
        for title, tree in zip(titles, trees, strict=True)
    }


def _verdicts(searches: Searches) -> Section:
    found = {name: verdict(run) for name, run in searches.items()}
    blocks: list[Block] = []
    for name, one in found.items():
        blocks.append(Paragraph(f"{name}: {one.headline}", "headline", one.outcome))
    arms: list[IntervalRow] = []
    rows: list[list[Value]] = []
    for series, (name, run) in enumerate(searches.items()):
        metric = shown_metric(run, found[name])
        for result in found[name].results:
            title = run.titles[result.arm]
            values = run.test_values(result.arm, metric)
            own = result.metrics[metric]
            if result.arm in _JUDGED:
                label = f"{name}: {title}"
                arms.append(
                    IntervalRow(label, own.mean, own.half_width, list(values.values()), series)
                )
            shown = [interval_text(result.metrics[one]) for one in run.test_metrics]
            rows.append([name, title, *shown, len(values)])
    if arms:
        run = next(iter(searches.values()))
        name = METRIC_NAMES[shown_metric(run, next(iter(found.values())))]
        caption = f"Test {name}: mean with 95 % interval over seeds; a colour for each search."
        blocks.append(Figure("arms", intervals(arms, f"Test {name} of the arms"), caption))
        columns = [Column("search"), Column("method")]
        columns += [Column(METRIC_NAMES[one]) for one in run.test_metrics]
        table = Table([*columns, Column("seeds", "count")], rows, "Test set, mean ± 95 %.")
        blocks.append(table)
    pairs = winners_table(searches)
    if pairs.rows:
        blocks += [
            pairs,
            Paragraph(
                "To choose one search by these figures is to choose on the test set: go by "
                "validation, and take these as what came of it.",
                "note",
            ),
        ]
    return Section("verdicts", "On the test set", blocks)


def winners_table(searches: Searches) -> Table:
    """Each two searches' best trials, paired by the seeds that both have."""
    metric = next(iter(searches.values())).headline_metric
    pairs, compared = [], []
    for (first, one), (second, other) in combinations(searches.items(), 2):
        difference = paired_difference(
            one.test_values(_WINNER, metric), other.test_values(_WINNER, metric)
        )
        if difference is not None:
            pairs.append(f"{first} − {second}")
            compared.append(difference)
    corrected = iter(holm([item.p_value for item in compared if item.p_value is not None]))
    rows: list[list[Value]] = []
    for pair, found in zip(pairs, compared, strict=True):
        p_value = None if found.p_value is None else next(corrected)
        span = None
        if found.low is not None and found.high is not None:
            span = f"{points(found.low)} to {points(found.high)}"
        told = None if p_value is None else p_text(p_value).removeprefix("= ")
        outcome = Comparison(_WINNER, _WINNER, metric, found, p_value).outcome
        reading = _READINGS.get(outcome) or untold_text(found.num_seeds)
        rows.append([pair, found.mean, span, told, found.num_seeds, reading])
    columns = [Column("best trials of"), Column("points", "points"), Column("95 % interval")]
    columns += [Column("p (Holm)"), Column("seeds", "count"), Column("reading")]
    caption = (
        f"Test {METRIC_NAMES[metric]}, paired over common seeds; positive: the first is higher."
    )
    return Table(columns, rows, caption)
