"""What is printed before a sweep starts: corpora, cells, labels, what can't be."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.text import Text

from slr_ray.corpora.folds import FoldsSplitConfig
from slr_ray.corpora.split_checks import split_warnings
from slr_ray.documents.terminal import terminal_table
from slr_ray.durations import duration
from slr_ray.methods.pretraining import cancelled_flip
from slr_ray.sweeps.plan import Sweep
from slr_ray.sweeps.printed import Labels, by_labels
from slr_ray.training.pretraining.config import PretrainingConfig

_SHOWN = 12


def print_plan(sweep: Sweep, console: Console, *, with_estimate: bool) -> None:
    """Corpora and cells; on request labels, and an estimate of the time."""
    plan, table = sweep.plan, sweep.checked.table
    for block in sweep.blocks:
        console.print(
            Text(table.name, style="bold"),
            f"on {block.title}: {block.num_clips:,} clips, "
            f"{block.num_glosses} glosses, {block.num_signers} signers",
        )
    done = len(plan.cells) - len(plan.to_do)
    draws = "1 seed" if len(sweep.seeds) == 1 else f"{len(sweep.seeds)} seeds"
    draws += "" if sweep.num_folds is None else f" in {sweep.num_folds} folds"
    axes = "".join(
        f" x {len(axis.values)} {table.title_of(path)}" for path, axis in table.grid.items()
    )
    console.print(
        f"{len(table.settings)} settings{axes} on {draws}: {len(plan.entries)} cells, "
        f"{len(plan.cells)} different ones, {done} done already"
    )
    if sweep.options.time_budget_s is not None:
        told = f"the time budget of {duration(sweep.options.time_budget_s)}"
        anew = " begins anew with this start" if sweep.is_resumed else ""
        console.print(f"{told}{anew}: no further cell begins after it")
    for told in _notes(sweep):
        console.print(Text(told), soft_wrap=True)
    reasons = Counter(one.impossible for one in plan.entries if one.impossible is not None)
    for reason, count in reasons.items():
        first = next(one for one in plan.entries if one.impossible == reason)
        told = f"{count} cells can't be, the first {first.name}: {reason}"
        console.print(Text(told, style="yellow"), soft_wrap=True)
    if with_estimate:
        _print_labels(sweep, console)
        from slr_ray.sweeps.estimate import text

        console.print(text(sweep))
    elif not sweep.is_resumed:
        console.print(f"sweep: {sweep.folder.location}", soft_wrap=True)


def _notes(sweep: Sweep) -> list[str]:
    """What people should know of the splits and of the views, each once."""
    found: dict[str, None] = {}
    splits: set[str] = set()
    for one in sweep.plan.prepared.values():
        if one.split.fingerprint not in splits:
            splits.add(one.split.fingerprint)
            warnings = split_warnings(one.corpus, one.split)
            split = one.config.split
            fold = f"fold {split.fold}: " if isinstance(split, FoldsSplitConfig) else ""
            found |= {f"warning: {one.corpus.name}: {fold}{told}": None for told in warnings}
        if isinstance(one.config.initialisation, PretrainingConfig):
            note = cancelled_flip(one)
            found |= {} if note is None else {note: None}
    return list(found)


def _print_labels(sweep: Sweep, console: Console) -> None:
    """Labelled clips of each place of the grid, mean over draws; apart where settings differ."""
    counts: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
    for one in sweep.plan.entries:
        if one.key is None:
            continue
        table = sweep.checked.table
        named = [
            f"{table.title_of(path)} {table.grid[path].named(value)}"
            for path, value in one.point.items()
        ]
        where = (one.block, ", ".join(named), one.setting)
        counts.setdefault(where, []).append(sweep.plan.labels[one.name])
    titles = {one.name: one.title for one in sweep.checked.table.settings}
    found: Labels = {}
    for (block, place, setting), drawn in counts.items():
        labelled, training = (sum(one) / len(drawn) for one in zip(*drawn, strict=True))
        share = f"{100 * labelled / training:.1f} %"
        told = (f"{labelled:,.0f} clips", f"{training:,.0f}", share)
        found.setdefault((block, place), {}).setdefault(told, []).append(titles[setting])
    heads = ["labelled", "of", "share"]
    shown = by_labels(found, ["corpus", "where"], heads, "Labels, mean over draws")
    console.print(terminal_table(shown, len(shown.rows)))
