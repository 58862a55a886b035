"""What is printed before a run starts and after it ended."""

from __future__ import annotations

import shlex
import time

from rich.console import Console

from slr_ray.durations import duration
from slr_ray.methods.experiment import Experiment, open_corpus, open_split, problem
from slr_ray.search.data_summary import pool_text, print_warnings
from slr_ray.search.run_record import Run
from slr_ray.search.space import parameters
from slr_ray.storage import below
from slr_ray.training.devices import this_place
from slr_ray.training.loop import train
from slr_ray.training.round import Round
from slr_ray.training.sampling import true_labels

_PROBE_STEPS = 4


def print_plan(run: Run, console: Console, *, with_estimate: bool) -> None:
    """Data, split, what is searched and, on request, an estimate of the time it takes."""
    base = run.base()
    corpus = open_corpus(base.data)
    parts = open_split(base.data, base.split)
    search = run.space.search
    console.print(
        f"[bold]{run.space.name}[/bold] on {corpus.name}: {corpus.num_clips} clips, "
        f"{len(corpus.glosses)} glosses, {len(corpus.signers)} signers"
    )
    console.print(
        f"training {len(parts.training)} clips ({pool_text(base, search.search_seeds[0])}), "
        f"validation {len(parts.validation)}, test {len(parts.test)} clips; "
        f"split by {base.split.kind}"
    )
    print_warnings(base, search.search_seeds[0], console)
    searched = ", ".join(sorted({one.path for one in parameters(run.space.tree)}))
    console.print(
        f"{search.num_samples} trials on {len(search.search_seeds)} label draws, searching "
        f"{searched}; then 5 arms on {len(search.final_seeds)} draws"
    )
    if with_estimate:
        _print_estimate(run, console)
    elif not run.is_resumed:
        console.print(f"run: {run.location}", soft_wrap=True)


def _print_estimate(run: Run, console: Console) -> None:
    """Time from a few real gradient steps of the default setting on this machine."""
    base, search = run.base(), run.space.search
    own = problem(base, search.search_seeds[0])
    probe = base.training.model_copy(
        update={"num_epochs": 1, "steps_per_epoch": _PROBE_STEPS, "patience_epochs": None}
    )
    training_set = true_labels(own.labelled, own.glosses(own.labelled))
    started = time.monotonic()
    trained = train(own.new_model(), own, probe, Round(0, 0, training_set), this_place())
    whole = time.monotonic() - started
    # The second time the caches are warm, and the evaluation is told from the steps.
    longer = probe.model_copy(update={"steps_per_epoch": 3 * _PROBE_STEPS})
    started = time.monotonic()
    more = train(own.new_model(), own, longer, Round(0, 0, training_set), this_place())
    step_s = max(
        (time.monotonic() - started - whole) / (more.num_steps - trained.num_steps),
        0.2 * whole / trained.num_steps,
    )
    in_round_0, in_later = most_steps(base, len(own.labelled), len(own.unlabelled))
    round_0_s, later_s = in_round_0 * step_s, in_later * step_s
    seeds, finals = len(search.search_seeds), len(search.final_seeds)
    at_once = run.options.max_concurrent or _slots(run)
    trials_s = seeds * (round_0_s + search.num_samples * later_s) / at_once
    final_s = finals * 3 * (round_0_s + later_s) / at_once
    console.print(
        f"estimate: one gradient step {step_s:.3f} s here, a trial's later rounds "
        f"{duration(seeds * later_s)}; {search.num_samples} trials {at_once} at a time "
        f"{duration(trials_s)} at most, final comparison {duration(final_s)}. "
        "Early stopping shortens the search; other machines differ."
    )


def most_steps(config: Experiment, num_labelled: int, num_unlabelled: int) -> tuple[int, int]:
    """Gradient steps of round 0 and of all later rounds, if these use the whole unlabelled pool."""
    training, rounds = config.training, config.rounds
    in_round_0, in_later = (
        training.steps_per_epoch or -(-num_clips // training.batch_size)
        for num_clips in (num_labelled, num_labelled + num_unlabelled)
    )
    num_rounds = rounds.num_rounds if num_unlabelled else 0
    num_epochs = rounds.num_epochs or training.num_epochs
    return training.num_epochs * in_round_0, num_rounds * num_epochs * in_later


def _slots(run: Run) -> int:
    import os

    wanted = run.options.trial_cpus * run.options.trial_workers
    return max(1, int((os.cpu_count() or 1) // wanted))


def print_end(run: Run, console: Console) -> None:
    """The verdict, then where everything is."""
    from slr_ray.reporting.report import write_report
    from slr_ray.reporting.run import load_run
    from slr_ray.reporting.terminal import print_summary

    loaded = load_run(run.location)
    written = write_report(loaded)
    print_summary(loaded, console)
    logs = shlex.quote(below(run.location, "tensorboard"))
    lines = [f"report:      {written[0]}", f"TensorBoard: tensorboard --logdir {logs}"]
    if loaded.best_seed is not None:
        config = shlex.quote(below(run.location, "best/config.yaml"))
        rerun = f"python -m slr_ray.train --config {config} --seed {loaded.best_seed}"
        checkpoint = below(run.location, "best/checkpoint.pt")
        lines += [f"checkpoint:  {checkpoint}", f"rerun:       {rerun}"]
    for line in lines:
        console.print(line, soft_wrap=True, markup=False, highlight=False)
