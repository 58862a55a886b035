"""The report's opening: the verdict, the arms on the test set, and gloss by gloss."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from slr_ray.documents.charts import BarSeries, IntervalRow, grouped_bars, intervals
from slr_ray.documents.document import (
    Block,
    Bullets,
    Column,
    Figure,
    Paragraph,
    Section,
    Table,
    Value,
)
from slr_ray.documents.matrices import MAX_NAMED, confusion_chart
from slr_ray.records.runs import ArmRecord
from slr_ray.reporting.run import METRIC_NAMES, Run
from slr_ray.reporting.verdict import Verdict
from slr_ray.reporting.wording import interval_text, p_text, points, span_text, untold_text

_MAX_GLOSSES = 40
"""Glosses in the F1 chart; of more, those that differ most between the arms."""


def verdict_section(run: Run, found: Verdict) -> Section:
    blocks: list[Block] = []
    if run.missing:
        blocks.append(Paragraph(f"{run.state} run. Missing: {' '.join(run.missing)}", "warning"))
    blocks.append(Paragraph(found.headline, "headline", found.outcome))
    blocks.append(Bullets(found.sentences))
    blocks += [Paragraph(caveat, "note") for caveat in found.caveats]
    if found.results:
        blocks += [_arm_figure(run, found), _arm_table(run, found)]
    if found.comparisons:
        blocks.append(_comparison_table(run, found))
    return Section("verdict", "Verdict", blocks)


def _arm_figure(run: Run, found: Verdict) -> Figure:
    metric = shown_metric(run, found)
    rows = [
        IntervalRow(
            run.titles[result.arm],
            result.metrics[metric].mean,
            result.metrics[metric].half_width,
            list(run.test_values(result.arm, metric).values()),
            run.series[result.arm],
        )
        for result in found.results
    ]
    name = METRIC_NAMES[metric]
    told = "; ".join(
        f"{run.titles[one.arm]} {interval_text(one.metrics[metric])}" for one in found.results
    )
    caption = f"Test {name}: mean with 95 % interval over seeds; small dots are single seeds."
    return Figure("arms", intervals(rows, f"Test {name} of each arm: {told}"), caption)


def shown_metric(run: Run, found: Verdict) -> str:
    """The metric by which arms are drawn: people know a WER, not what is left of it."""
    return "wer" if run.of_sentences else found.metric


def _arm_table(run: Run, found: Verdict) -> Table:
    metric = shown_metric(run, found)
    columns = [Column("Method"), *(Column(METRIC_NAMES[name]) for name in run.test_metrics)]
    columns.append(Column(f"{METRIC_NAMES[metric]}, 95 % over signers"))
    columns += [Column("seeds", "count"), Column("steps", "count"), Column("training", "seconds")]
    rows: list[list[Value]] = []
    for result in found.results:
        records = [one for _, one in run.single_arms if one.arm == result.arm]
        people = result.over_signers.get(metric)
        rows.append(
            [
                run.titles[result.arm],
                *(interval_text(result.metrics[name]) for name in run.test_metrics),
                None if people is None else span_text(people),
                len(run.arm(result.arm)),
                round(float(np.mean([one.num_steps for one in records]))),
                float(np.mean([one.training_s for one in records])),
            ]
        )
    caption = "Test set, mean ± 95 % half-width over seeds; steps and training time are means of a "
    caption += "training. Over signers: bootstrap of the mean over seeds."
    return Table(columns, rows, caption)


def _comparison_table(run: Run, found: Verdict) -> Table:
    readings = {"better": "better", "worse": "worse", "open": "within noise"}
    rows: list[list[Value]] = []
    for one in found.comparisons:
        low, high = one.difference.low, one.difference.high
        span = "–" if low is None or high is None else f"{points(low)} to {points(high)}"
        people = one.over_signers
        signers = None if people is None else f"{points(people.low)} to {points(people.high)}"
        corrected = None if one.corrected_p is None else p_text(one.corrected_p).removeprefix("= ")
        rows.append(
            [
                f"{run.titles[one.arm]} − {run.titles[one.reference]}",
                METRIC_NAMES[one.metric],
                one.difference.mean,
                span,
                signers,
                "yes" if one.difference.excludes_zero else "no",
                corrected,
                readings.get(one.outcome) or untold_text(one.difference.num_seeds),
            ]
        )
    columns = [Column("Difference"), Column("metric"), Column("points", "points")]
    columns += [
        Column("95 % interval"),
        Column("over signers"),
        Column("excludes 0"),
        Column("p (Holm)"),
    ]
    columns.append(Column("reading"))
    caption = "Paired over common seeds, in percentage points; positive: the first is higher."
    return Table(columns, rows, caption)


def gloss_section(run: Run) -> Section:
    blocks: list[Block] = []
    better, reference = _pair(run)
    if better is None:
        blocks.append(Paragraph("No test results yet.", "note"))
        return Section("glosses", "Gloss by gloss", blocks)
    blocks.append(_f1_figure(run, better, reference))
    shown = [name for name in (better, reference) if name is not None]
    matrices = {name: mean_confusion(run.arm(name), len(run.record.glosses)) for name in shown}
    for name in shown:
        alt = f"Row-normalised confusion matrix of {run.titles[name]}, mean over seeds"
        caption = f"{run.titles[name]}: share of each true gloss's test clips, mean over seeds."
        if len(run.record.glosses) > MAX_NAMED:
            caption += " Too many glosses to name: see the pairs below."
        drawing = confusion_chart(run.record.glosses, matrices[name].tolist(), alt)
        blocks.append(Figure(f"confusion_{name}", drawing, caption))
    blocks.append(_confused_pairs(run, matrices))
    return Section("glosses", "Gloss by gloss", blocks)


def mean_confusion(records: list[ArmRecord], num_glosses: int) -> Float[np.ndarray, "gloss gloss"]:
    """Row-normalised confusion, mean over seeds; rows of glosses without test clips are 0."""
    total = np.zeros((num_glosses, num_glosses))
    for record in records:
        counts = np.asarray(record.confusion, float).reshape(num_glosses, num_glosses)
        total += counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return total / max(1, len(records))


def _pair(run: Run) -> tuple[str | None, str | None]:
    """The arm to look at and what to hold it against, of those that exist."""
    present = run.arm_names
    arms = [name for name in ("sslr_best", "sslr_default") if name in present]
    references = [name for name in ("fsl_equal_steps", "fsl") if name in present]
    order = [*arms[:1], *references[:1], *present]
    chosen = list(dict.fromkeys(order))[:2]
    return (chosen[0] if chosen else None), (chosen[1] if len(chosen) > 1 else None)


def _f1_figure(run: Run, better: str, reference: str | None) -> Figure:
    drawn = [name for name in run.arm_names if name != "nearest_neighbour"] or run.arm_names
    means = {name: _mean_f1(run.arm(name)) for name in drawn}
    glosses = [gloss for gloss in run.record.glosses if any(gloss in one for one in means.values())]

    def gain(gloss: str) -> float:
        below = means.get(reference or "", {}).get(gloss, 0.0)
        return means.get(better, {}).get(gloss, 0.0) - below

    ordered = sorted(glosses, key=gain, reverse=True)
    caption = "Test F1 by gloss, mean over seeds, ordered by the gain of "
    caption += run.titles[better] + (f" over {run.titles[reference]}." if reference else ".")
    if len(ordered) > _MAX_GLOSSES:
        half = _MAX_GLOSSES // 2
        caption += f" The {half} largest gains and {half} largest losses of {len(ordered)} glosses."
        ordered = ordered[:half] + ordered[-half:]
    bars = [
        BarSeries(run.titles[name], [means[name].get(gloss) for gloss in ordered], run.series[name])
        for name in drawn
    ]
    alt = "Test F1 of each gloss for " + ", ".join(run.titles[name] for name in drawn)
    return Figure("f1_per_gloss", grouped_bars(ordered, bars, alt, "%"), caption)


def _mean_f1(records: list[ArmRecord]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for record in records:
        for gloss, value in record.f1_per_gloss.items():
            found.setdefault(gloss, []).append(value)
    return {gloss: float(np.mean(values)) for gloss, values in found.items()}


def _confused_pairs(run: Run, matrices: dict[str, Float[np.ndarray, "gloss gloss"]]) -> Table:
    names = list(matrices)
    first = matrices[names[0]]
    glosses = run.record.glosses
    off_diagonal = first * (1 - np.eye(len(glosses)))
    order = np.argsort(-off_diagonal, axis=None, kind="stable")[:15]
    rows: list[list[Value]] = []
    for flat in order:
        true, predicted = divmod(int(flat), len(glosses))
        if off_diagonal[true, predicted] > 0:
            shares = [float(matrices[name][true, predicted]) for name in names]
            rows.append([glosses[true], glosses[predicted], *shares])
    columns = [Column("true gloss"), Column("predicted as")]
    columns += [Column(f"{run.titles[name]}, %", "percent") for name in names]
    return Table(columns, rows, f"Most confused pairs of {run.titles[names[0]]}.", sortable=True)
