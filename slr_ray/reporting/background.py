"""What the result rests on: pools and split, cost, environment, how to rerun, limits."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from slr_ray.documents.document import (
    Block,
    Bullets,
    Code,
    Column,
    Paragraph,
    Section,
    Table,
    Value,
)
from slr_ray.durations import duration
from slr_ray.reporting.run import Best, Run
from slr_ray.reporting.spending import (
    comparison_facts,
    reused_text,
    spending_facts,
    trials_at_once,
)
from slr_ray.reporting.trials.winners import handed_out

_MAX_NAMES = 20
_MAX_ORIGINS = 5


def data_section(run: Run) -> Section:
    record = run.record
    facts = f"{record.corpus}: {len(record.glosses)} glosses, fingerprint {record.fingerprint}"
    skipped = (
        f"; {record.num_skipped_clips:,} unusable clips left out."
        if record.num_skipped_clips
        else "."
    )
    blocks: list[Block] = [Paragraph(facts + skipped)]
    budget = _budget(run)
    if budget is not None:
        blocks.append(Paragraph(budget))
    blocks += _split_blocks(record.split)
    pools = _pools(run)
    if pools.rows:
        blocks.append(pools)
    if record.provenance:
        for index, item in enumerate(record.provenance[:_MAX_ORIGINS]):
            blocks.append(_facts(item, f"Origin of the poses, {index + 1}."))
        more = len(record.provenance) - _MAX_ORIGINS
        if more > 0:
            blocks.append(Paragraph(f"{more} more origins stand in run.json.", "note"))
    return Section("data", "Data and split", blocks)


def cost_section(run: Run) -> Section:
    trials = run.trials
    rounds = [one for trial in trials for seed in trial.seeds for one in seed.rounds]
    wall_s = sum(trial.wall_s for trial in trials)
    training_s = sum(trial.training_s for trial in trials)
    choosing_s = sum(one.choosing_s for one in rounds if not one.reused)
    facts: list[tuple[str, str]] = []
    if run.record.wall_s is not None:
        facts.append(("Wall time of the run", duration(run.record.wall_s)))
    facts += spending_facts(run)
    facts.append(("Time in trials, added up", duration(wall_s)))
    at_once = trials_at_once(run)
    if at_once is not None:
        facts.append(("Trials at the same time, mean", f"{at_once:.1f}"))
    facts.append(("Training in trials, validation included", duration(training_s)))
    facts.append(("Pools predicted and chosen from, in trials", duration(choosing_s)))
    if wall_s > 0:
        own = 1 - (training_s + choosing_s) / wall_s
        facts.append(("Platform share of trial time", f"{100 * own:.1f} %"))
    steps = sum(one.num_steps for one in rounds if not one.reused)
    facts.append(("Gradient steps in trials, without reused ones", f"{steps:,}"))
    if rounds:
        facts.append(("Rounds reused from other trials", reused_text(rounds)))
    for status in ("complete", "pruned", "failed"):
        found = [trial for trial in trials if trial.status == status]
        spent = duration(sum(trial.wall_s for trial in found))
        facts.append((f"Trials {status}", f"{len(found)} ({spent})"))
    facts += comparison_facts(run)
    rows: list[list[Value]] = [[name, value] for name, value in facts]
    return Section("cost", "Cost", [Table([Column("what"), Column("how much")], rows)])


def environment_section(run: Run) -> Section:
    record = run.record
    facts: dict[str, Any] = {
        "run": record.name,
        "created": record.created,
        "finished": record.finished,
        "metric of the search": record.metric,
        "seeds of the search": record.search_seeds,
        "seeds of the final comparison": record.final_seeds,
        "data fingerprint": record.fingerprint,
        **record.environment,
    }
    return Section("environment", "Environment", [_facts(facts, "")])


def rerun_section(run: Run) -> Section:
    location = run.location
    blocks: list[Block] = [Paragraph("This run:"), Code(shlex.join(run.record.command))]
    best = handed_out(run)
    if best is not None:
        own = run.folder.trial(best.number) if run.best is None else run.folder.best
        config = shlex.quote(own.config_location)
        seed = "" if run.best is None else f" --seed {run.best.seed}"
        blocks += [
            Paragraph("The best trial again, trained alone:"),
            Code(f"python -m slr_ray.train --config {config}{seed}"),
            *_for_use(run.best, config),
            Paragraph(f"Its searched settings (trial {best.number}), usable as overrides:"),
            Code(
                " \\\n  ".join(
                    shlex.quote(f"{name}={_yaml(value)}") for name, value in best.params.items()
                )
                or "(none: the default setting)"
            ),
        ]
    blocks += [
        Paragraph("This report again:"),
        Code(f"python -m slr_ray.report {shlex.quote(location)}"),
    ]
    return Section("rerun", "Run it again", blocks)


def _for_use(best: Best | None, location: str) -> list[Block]:
    """How validation's labels train as well, now that they have chosen; empty where they can't."""
    if best is None:
        return []
    method, training = best.config.get("method", {}), best.config.get("training", {})
    by_likeness = method.get("kind") in ("sslr", "consistency") and method.get("reject") is not None
    if by_likeness or method.get("calibration") == "temperature" or method.get("kind") == "linear":
        return []
    changes = ["training.with_validation=true", "training.keep=last"]
    changes += ["training.patience_epochs=null"] if training.get("patience_epochs") else []
    changes += ["method.patience_rounds=null"] if method.get("patience_rounds") else []
    told = "The same for use: validation's labels, which have chosen, train as well:"
    return [
        Paragraph(told),
        Code(f"python -m slr_ray.train --config {location} --out for_use {' '.join(changes)}"),
    ]


def limits_section(run: Run) -> Section:
    items = [
        "Validation labels chose the trial, the round and the epoch. They are extra supervision "
        "that a user with few labels may not have; the test set was used once, at the end.",
        "Validation values of the best of many trials are too high by selection; only test values "
        "compare methods.",
        "Intervals are over seeds: draw of the labelled pool, initial weights, order of clips. "
        "All seeds share the test clips, so the choice of test signers is not in them; that is in "
        "the intervals over signers, as far as the tested people stand for others.",
        "Clips of one signer recorded in one go are nearly copies: there are fewer independent "
        "test items than clips.",
        "FSL at equal steps takes as many steps as the best trial did on the same seed; the "
        "space's default may have taken another number. Steps of pre-training don't count.",
        "FSL starts from fresh weights at the base configuration; only the other side was "
        "searched. Part of a gain of the best trial may be better tuning.",
    ]
    fewest = min((len(run.arm(arm)) for arm in run.arm_names), default=0)
    if 0 < fewest < 5:
        items.append(f"Few seeds ({fewest}): with so few, intervals are wide and unstable.")
    if len(run.record.search_seeds) < 2:
        items.append("Each trial was judged on one seed: the ranking of close trials is chance.")
    return Section("limits", "Limits", [Bullets(items)])


def _budget(run: Run) -> str | None:
    """All labels that the result needed: those that train and those that choose."""
    split = run.record.split
    pools = [one["num_clips"] for one in split.get("labelled_per_seed", {}).values()]
    validation = [split["validation"]["num_clips"]] if "validation" in split else []
    # Records of earlier versions do not have it.
    labels = [one["num_labels"] for one in (split.get("training", {}),) if "num_labels" in one]
    for one in split.get("folds", {}).values():
        pools.append(one["num_labelled"])
        validation.append(one["num_validation"])
        labels += [one["num_training_labels"]] if "num_training_labels" in one else []
    if not pools or not validation:
        return None
    share = ""
    if labels:
        percent = 100 * (sum(pools) / len(pools)) / (sum(labels) / len(labels))
        share = f", {percent:.1f} % of {_span_text(labels)} training clips with a gloss,"
    return (
        f"Label budget: {_span_text(pools)} labelled clips for training{share} + "
        f"{_span_text(validation)} for validation{' in each fold' if 'folds' in split else ''}."
    )


def _span_text(counts: list[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _pools(run: Run) -> Table:
    """Sizes of the pools by seed, and by fold where there are any, for the arms that share them."""
    used = [
        (run.titles[arm.arm], fold, arm.trained)
        for fold, arm in run.single_arms
        if arm.trained is not None
    ]
    if not used:
        best = run.ranked[:1]
        used = [(f"trial {one.number}", seed.fold, seed) for one in best for seed in one.seeds]
    sizes: dict[tuple[int, ...], list[str]] = {}
    for who, fold, seed in used:
        size = (seed.seed, seed.num_labelled, seed.num_unlabelled)
        sizes.setdefault(size if fold is None else (fold, *size), []).append(who)
    names = ["seed", "labelled clips", "unlabelled clips"]
    names = ["fold", *names] if any(fold is not None for _, fold, _ in used) else names
    columns = [Column("used by"), *(Column(one, "count") for one in names)]
    rows: list[list[Value]] = [["; ".join(who), *size] for size, who in sorted(sizes.items())]
    return Table(columns, rows, "Labelled and unlabelled pool.", markdown_rows=40)


def _split_blocks(split: Mapping[str, Any]) -> list[Block]:
    """Single facts, then one table of the parts, then one for each deeper mapping."""
    tables = {name: part for name, part in split.items() if isinstance(part, Mapping)}
    facts = {name: value for name, value in split.items() if name not in tables}
    deeper = {
        name: part
        for name, part in tables.items()
        if part and all(isinstance(inner, Mapping) for inner in part.values())
    }
    parts = {name: part for name, part in tables.items() if name not in deeper}
    told = "; ".join(f"{_readable(name)}: {cell(value)}" for name, value in facts.items())
    blocks: list[Block] = [Paragraph(f"Split: {told}.")] if told else []
    if parts:
        blocks.append(_parts_table(parts, "part", "Clips and signers of each part."))
    for name, part in deeper.items():
        blocks.append(
            _parts_table(
                part, "seed" if "seed" in name else "part", _readable(name).capitalize() + "."
            )
        )
    return blocks


def _parts_table(parts: Mapping[str, Mapping[str, Any]], first: str, caption: str) -> Table:
    names = list(dict.fromkeys(key for part in parts.values() for key in part))
    rows: list[list[Value]] = [
        [str(part), *(cell(found.get(name)) for name in names)] for part, found in parts.items()
    ]
    columns = [Column(first)]
    for name in names:
        counts = all(isinstance(found.get(name), int) for found in parts.values())
        columns.append(Column(_readable(name), "count" if counts else "text"))
    return Table(columns, rows, caption, markdown_rows=100)


def _readable(name: object) -> str:
    return str(name).replace("_", " ").removeprefix("num ")


def _facts(facts: Mapping[str, Any], caption: str) -> Table:
    rows: list[list[Value]] = [[name, cell(value)] for name, value in flat(facts)]
    return Table([Column("what"), Column("value")], rows, caption, markdown_rows=100)


def flat(tree: Mapping[str, Any], between: str = " › ", prefix: str = "") -> list[tuple[str, Any]]:
    """Names and values of a tree's leaves, the names of its branches before theirs."""
    found: list[tuple[str, Any]] = []
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            found += flat(value, between, f"{prefix}{key}{between}")
        else:
            found.append((f"{prefix}{key}", value))
    return found


def cell(value: Any) -> Value:
    """A cell for whatever a record holds; long lists of names are cut."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        shown = ", ".join(str(item) for item in value[:_MAX_NAMES])
        if not value:
            return "none"
        return f"{len(value)}: {shown}" + (" …" if len(value) > _MAX_NAMES else "")
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {item}" for key, item in value.items()) or None
    return str(value)


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)
