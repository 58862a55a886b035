"""The verdict and the best trials for the terminal, at the end of a search."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from slr_ray.documents.terminal import terminal_table
from slr_ray.locations import masked
from slr_ray.reporting.run import METRIC_NAMES, Run
from slr_ray.reporting.searches.page import winners_table
from slr_ray.reporting.searches.searches import Searches, unlike
from slr_ray.reporting.spending import spending_sentence
from slr_ray.reporting.trials.pareto import front_table
from slr_ray.reporting.verdict import verdict
from slr_ray.reporting.wording import interval_text, params_text, percent

_COLOURS = {"better": "green", "worse": "red", "open": "yellow", "undecided": "yellow"}


def print_summary(run: Run, console: Console, num_trials: int = 5) -> None:
    """Verdict, test results of the arms and the `num_trials` best trials.

    All of the records' texts are printed literally: square brackets are no markup.
    """
    found = verdict(run)
    for sentence in run.missing:
        console.print(Text(f"{run.state.lower()}: {sentence}", style="yellow"))
    console.print(Panel(Text(found.headline, style="bold"), border_style=_COLOURS[found.outcome]))
    if found.results:
        table = Table(
            box=box.SIMPLE, title="Test set, mean ± 95 % over seeds", title_justify="left"
        )
        table.add_column("method")
        for name in run.test_metrics:
            table.add_column(METRIC_NAMES[name], justify="right")
        table.add_column("seeds", justify="right")
        for one in found.results:
            values = [interval_text(one.metrics[name]) for name in run.test_metrics]
            table.add_row(run.titles[one.arm], *values, str(len(run.arm(one.arm))))
        console.print(table)
    for sentence in found.sentences[len(found.results) :]:
        console.print(Text(f"• {sentence}"))
    for caveat in found.caveats:
        console.print(Text(f"! {caveat}", style="yellow"))
    if run.winner is not None:
        console.print(_best_trials(run, num_trials))
    elif run.ranked:
        console.print(Text(f"! {run.no_winner}.", style="yellow"), soft_wrap=True)
    if len(run.goals.objectives) > 1 and run.front:
        console.print(terminal_table(front_table(run), num_trials))
    spending = spending_sentence(run)
    if spending is not None:
        console.print(Text(f"{spending}."))
    failed = sum(trial.status == "failed" for trial in run.trials)
    if failed:
        console.print(Text(f"{failed} of {len(run.trials)} trials failed; the report names why."))


def print_searches(searches: Searches, console: Console) -> None:
    """Letters, best values and verdicts of several searches, and the best trials in pairs."""
    for name, run in searches.items():
        best = run.no_winner
        if run.winner is not None:
            best = f"trial {run.winner.number} is best with {run.winner.value:.4f}"
        told = f"{name}: {masked(run.location)}, {len(run.trials)} trials, {best}"
        console.print(Text(told), soft_wrap=True)
    for sentence in unlike(searches):
        console.print(Text(f"! {sentence}", style="yellow"))
    for name, run in searches.items():
        found = verdict(run)
        console.print(Text(f"{name}: {found.headline}", style=_COLOURS[found.outcome]))
    pairs = winners_table(searches)
    if pairs.rows:
        console.print(terminal_table(pairs, len(pairs.rows)))


def _best_trials(run: Run, num_trials: int) -> Table:
    limits = f" within {run.goals.limits_text()}" if run.goals.limits else ""
    table = Table(box=box.SIMPLE, title=f"Best trials{limits}", title_justify="left")
    table.add_column("trial", justify="right")
    by_wer = run.metric == "gloss_accuracy"
    name = METRIC_NAMES["wer" if by_wer else run.metric]
    table.add_column(f"validation {name}", justify="right")
    table.add_column("parameters", overflow="fold")
    for trial in [one for one in run.ranked if run.goals.kept(one)][:num_trials]:
        value = percent(1 - (trial.value or 0.0)) if by_wer else f"{trial.value:.4f}"
        table.add_row(str(trial.number), value, Text(params_text(trial)))
    return table
