"""How training went: accuracy by round and learning curves, on the validation set."""

from __future__ import annotations

import numpy as np

from slr_ray.documents.charts import Line, lines
from slr_ray.documents.document import Block, Figure, Paragraph, Section
from slr_ray.records.folds import draw_text
from slr_ray.records.measured import EpochRecord, RoundRecord, SeedRecord, UnlabelledFigures
from slr_ray.reporting.run import METRIC_NAMES, Run

_NUM_TOP_TRIALS = 5
_MAX_POINTS = 150
"""Of a learning curve; more would not be seen at the figure's width."""


def training_section(run: Run) -> Section:
    metric = run.metric
    share = metric != "loss"
    name = f"validation {METRIC_NAMES[metric]}"
    blocks: list[Block] = []
    trained = {arm: seeds for arm in run.arm_names if (seeds := run.trainings(arm))}
    by_round = [
        line
        for arm, seeds in trained.items()
        for line in _round_lines(run.titles[arm], seeds, metric, run.series[arm])
    ]
    if by_round:
        alt = f"{name} by round for " + ", ".join(run.titles[arm] for arm in trained)
        drawing = lines(by_round, alt, "round", name, share, whole_x=True)
        caption = f"Final comparison, mean over {run.repeats} with single {run.repeats} behind it; "
        caption += "FSL has round 0 only."
        blocks.append(Figure("rounds_arms", drawing, caption))
    by_round = [
        line
        for index, trial in enumerate(run.ranked[:_NUM_TOP_TRIALS])
        for line in _round_lines(f"trial {trial.number}", trial.seeds, metric, 3 + index)[-1:]
    ]
    if by_round:
        alt = f"{name} by round for the {len(by_round)} best trials"
        drawing = lines(by_round, alt, "round", name, share, whole_x=True)
        caption = f"Best trials, mean over the search's {run.repeats}."
        blocks.append(Figure("rounds_trials", drawing, caption))
    for field, label, is_share in (
        (metric, name, share),
        ("training_loss", "training loss", False),
        ("non_blank_share", "steps with a gloss", True),
        ("pseudo_share", "unlabelled clips trained on", True),
        ("pseudo_threshold", "threshold of pseudo-labels", True),
        ("pseudo_precision", "right pseudo-labels, for reading only", True),
        ("rejected", "unlabelled clips rejected", True),
        ("pseudo_unknown", "pseudo-labels on clips of unknown glosses, for reading only", True),
    ):
        curves = [
            Line(
                run.titles[arm],
                points,
                run.series[arm],
                title=f"{run.titles[arm]}, {draw_text(seed.seed, seed.fold)}",
                marks=False,
            )
            for arm, seeds in trained.items()
            for seed in seeds
            if (points := _curve(seed.epochs, field))
        ]
        if curves:
            one = run.repeats.removesuffix("s")
            alt = f"Learning curves: {label} by gradient step, one line an arm and {one}"
            drawing = lines(curves, alt, "gradient steps", label, is_share)
            caption = f"Final comparison, one line a {one}."
            blocks.append(Figure(f"curves_{field}", drawing, caption))
    if not blocks:
        blocks.append(Paragraph("No rounds or epochs are recorded yet.", "note"))
    return Section("training", "Training", blocks)


def _round_lines(label: str, seeds: list[SeedRecord], metric: str, series: int) -> list[Line]:
    """Single seeds, faint, then their mean over the rounds that each of them reached."""
    found = [
        Line(
            label,
            [(float(one.round), _of_round(one, metric)) for one in seed.rounds],
            series,
            faint=True,
            title=f"{label}, {draw_text(seed.seed, seed.fold)}",
        )
        for seed in seeds
        if seed.rounds
    ]
    by_round: dict[int, list[float]] = {}
    for seed in seeds:
        for one in seed.rounds:
            by_round.setdefault(one.round, []).append(_of_round(one, metric))
    # Later rounds that only some seeds reached would compare other seeds than the round before.
    everyone = max((len(values) for values in by_round.values()), default=0)
    means = [
        (float(at), float(np.mean(values)))
        for at, values in sorted(by_round.items())
        if len(values) == everyone
    ]
    if not means:
        return []
    return [*(found if len(found) > 1 else []), Line(label, means, series)]


def _of_round(record: RoundRecord, metric: str) -> float:
    return float(getattr(record.validation, metric))


def _curve(epochs: list[EpochRecord], field: str) -> list[tuple[float, float]]:
    """A figure by gradient step, where epochs have it."""
    found = [(float(one.num_steps), _of_epoch(one, field)) for one in _thin(epochs)]
    return [(steps, value) for steps, value in found if value is not None]


def _of_epoch(record: EpochRecord, field: str) -> float | None:
    if field == "training_loss":
        return record.training_loss
    is_of_unlabelled = field in UnlabelledFigures.model_fields
    holder = record.unlabelled if is_of_unlabelled else record.validation
    value = None if holder is None else getattr(holder, field, None)
    return None if value is None else float(value)


def _thin(epochs: list[EpochRecord]) -> list[EpochRecord]:
    if len(epochs) <= _MAX_POINTS:
        return epochs
    chosen = np.linspace(0, len(epochs) - 1, _MAX_POINTS).round().astype(int)
    return [epochs[index] for index in chosen]
