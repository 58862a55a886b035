"""The audit of the pseudo-labels: how many, how sure, and how right where that is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from slr_ray.documents.charts import BarSeries, Line, grouped_bars, histogram, lines
from slr_ray.documents.document import Block, Column, Figure, Paragraph, Section, Table, Value
from slr_ray.records.audits.audit import Audit
from slr_ray.records.measured import RoundRecord, SeedRecord
from slr_ray.reporting.run import Run

_MAX_GLOSSES = 40

_NOTE = (
    "Precision, what is right in the pool and calibration use hidden labels of the unlabelled "
    "pool, where the corpus has them. They are for reading only: no selection, stop or trial was "
    "decided by them."
)


def pseudo_label_section(run: Run) -> Section:
    title, seeds = _audited(run)
    audits = _by_round(seeds)
    if not audits:
        nothing = Paragraph("No round chose pseudo-labels, so there is nothing to audit.", "note")
        return Section("pseudo-labels", "Pseudo-labels", [nothing])
    blocks: list[Block] = [Paragraph(f"{title}, {_counted(seeds)}. {_NOTE}")]
    blocks.append(_round_table(audits, run.repeats))
    if any(one.precision is not None for found in audits.values() for one in found):
        blocks.append(_precision_figure(audits, run.repeats))
    last, at = audits[max(audits)], max(audits)
    blocks += [_confidence_figure(last, at, run.repeats), _gloss_figure(run, last, at)]
    return Section("pseudo-labels", "Pseudo-labels", blocks)


def _counted(trained: list[SeedRecord]) -> str:
    """How many there are; a seed may be in several folds."""
    seeds, folds = {one.seed for one in trained}, {one.fold for one in trained}
    if folds == {None}:
        return f"{len(trained)} seed(s)"
    return f"{len(trained)} trainings ({len(seeds)} seed(s), {len(folds)} folds)"


def _audited(run: Run) -> tuple[str, list[SeedRecord]]:
    """The trainings to look at: the best trial's in the final comparison, else the best there is.

    The best trial may have no round with pseudo-labels.
    """
    for arm in ("sslr_best", "sslr_default"):
        seeds = run.trainings(arm)
        if _by_round(seeds):
            return f"{run.titles[arm]} in the final comparison", seeds
    for trial in run.ranked[:1]:
        return f"Trial {trial.number} in the search", trial.seeds
    return "", []


def _by_round(seeds: Iterable[SeedRecord]) -> dict[int, list[Audit]]:
    found: dict[int, list[Audit]] = {}
    rounds: list[RoundRecord] = [one for seed in seeds for one in seed.rounds]
    for one in rounds:
        if one.audit is not None:
            found.setdefault(one.round, []).append(one.audit)
    return dict(sorted(found.items()))


def _mean(audits: list[Audit], read: Callable[[Audit], float | None]) -> float | None:
    values = [value for audit in audits if (value := read(audit)) is not None]
    return float(np.mean(values)) if values else None


def _round_table(audits: dict[int, list[Audit]], repeats: str) -> Table:
    counts = ("round", repeats, "unlabelled", "selected", "added", "changed")
    columns = [Column(name, "count") for name in counts]
    columns += [
        Column(f"{name}, %", "percent")
        for name in ("precision", "right in the pool", "calibration error")
    ]
    is_open = any(one.open_pool for found in audits.values() for one in found)
    if is_open:
        names = ("pool", "selected", "rejected")
        columns += [Column(f"{name} of unknown glosses", "count") for name in names]
    of_sentences = any(one.sentences for found in audits.values() for one in found)
    if of_sentences:
        columns += [Column("WER, %", "percent"), Column("WER in the pool, %", "percent")]
        columns += [Column("glosses a sentence", "number")]
    some_rejected = any(one.num_rejected for found in audits.values() for one in found)
    if some_rejected:
        columns += [Column("rejected", "count"), Column("of them wrongly", "count")]
    rows: list[list[Value]] = [
        [
            at,
            len(found),
            _mean(found, lambda one: one.num_unlabelled),
            _mean(found, lambda one: one.num_selected),
            _mean(found, lambda one: one.num_added),
            _mean(found, lambda one: one.num_changed),
            _mean(found, lambda one: one.precision),
            _mean(found, lambda one: one.pool_accuracy),
            _mean(found, lambda one: one.calibration_error),
            *(_open_cells(found) if is_open else ()),
            *(_sentence_cells(found) if of_sentences else ()),
            *(_rejection_cells(found) if some_rejected else ()),
        ]
        for at, found in audits.items()
    ]
    caption = f"Means over the {repeats} that reached the round. Added: not used in the round "
    caption += "before; changed: used before with another gloss."
    if is_open:
        caption += " Clips of glosses that the corpus lacks count as wrong."
    return Table(columns, rows, caption)


def _open_cells(audits: list[Audit]) -> list[Value]:
    """Of clips whose gloss the corpus does not have."""
    found = [one.open_pool for one in audits if one.open_pool is not None]
    if not found:
        return [None, None, None]
    counts = [(one.num_unknown, one.num_selected, one.num_rejected) for one in found]
    means: list[Value] = np.mean(counts, axis=0).tolist()
    return means


def _sentence_cells(audits: list[Audit]) -> list[Value]:
    """Errors of the pseudo-labels, and how long they are."""
    found = [one.sentences for one in audits if one.sentences is not None]
    lengths = [
        length for one in found for length, count in one.num_by_length.items() for _ in range(count)
    ]
    return [
        _mean(audits, lambda one: one.sentences.wer if one.sentences else None),
        _mean(audits, lambda one: one.sentences.pool_wer if one.sentences else None),
        float(np.mean(lengths)) if lengths else None,
    ]


def _rejection_cells(audits: list[Audit]) -> list[Value]:
    return [
        _mean(audits, lambda one: one.num_rejected),
        _mean(audits, lambda one: one.num_rejected_wrongly),
    ]


def _precision_figure(audits: dict[int, list[Audit]], repeats: str) -> Figure:
    readings: list[tuple[str, int, Callable[[Audit], float | None]]] = [
        ("precision of the selected", 3, lambda one: one.precision),
        ("right on the whole pool", 4, lambda one: one.pool_accuracy),
        (
            "share of the pool selected",
            1,
            lambda one: one.num_selected / max(1, one.num_unlabelled),
        ),
    ]
    drawn = [
        Line(
            label,
            [
                (float(at), value)
                for at, found in audits.items()
                if (value := _mean(found, read)) is not None
            ],
            series,
        )
        for label, series, read in readings
    ]
    alt = "Precision of the pseudo-labels, what is right on the pool and share selected, by round"
    drawing = lines(drawn, alt, "round", "share", share=True, whole_x=True)
    return Figure("pseudo_label_precision", drawing, f"Means over {repeats}.")


def _confidence_figure(audits: list[Audit], at: int, repeats: str) -> Figure:
    num_bins = len(audits[0].confidence_counts)
    everything = [
        float(np.mean([one.confidence_counts[index] for one in audits]))
        for index in range(num_bins)
    ]
    chosen = [
        float(np.mean([one.selected_confidence_counts[index] for one in audits]))
        for index in range(num_bins)
    ]
    alt = f"Unlabelled clips by confidence in round {at}, with the selected ones in front"
    drawn = [
        BarSeries("unlabelled clips", everything, 4),
        BarSeries("selected clips", chosen, 3),
    ]
    drawing = histogram(drawn, alt, "confidence of the predicted gloss")
    return Figure("confidence", drawing, f"Round {at}, the last one; mean over {repeats}.")


def _gloss_figure(run: Run, audits: list[Audit], at: int) -> Figure:
    counts = {
        gloss: float(np.mean([one.selected_per_gloss.get(gloss, 0) for one in audits]))
        for gloss in run.record.glosses
    }
    ordered = sorted(counts, key=lambda gloss: -counts[gloss])
    caption = f"Selected clips by gloss in round {at}, mean over {run.repeats}"
    if len(ordered) > _MAX_GLOSSES:
        half = _MAX_GLOSSES // 2
        caption += f"; the {half} most and {half} least chosen of {len(ordered)} glosses"
        ordered = ordered[:half] + ordered[-half:]
    labels = [gloss + _precision_text(audits, gloss) for gloss in ordered]
    alt = f"Selected clips by gloss in round {at}"
    bars = [BarSeries("selected", [counts[gloss] for gloss in ordered], 3)]
    drawing = grouped_bars(labels, bars, alt, "clips")
    known = any(one.precision_per_gloss for one in audits)
    caption += ". In brackets: precision where hidden labels exist." if known else "."
    return Figure("selected_per_gloss", drawing, caption)


def _precision_text(audits: list[Audit], gloss: str) -> str:
    found = _mean(audits, lambda one: (one.precision_per_gloss or {}).get(gloss))
    return "" if found is None else f" ({100 * found:.0f} %)"
