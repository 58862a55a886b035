"""What a run took of processors and GPUs, lost tries included, and what that costs."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from slr_ray.durations import duration
from slr_ray.records.log import read_log
from slr_ray.records.measured import RoundRecord
from slr_ray.records.tries import LOST, Spent, Tries, spent
from slr_ray.reporting.run import Run


def spending_facts(run: Run) -> list[tuple[str, str]]:
    """Hours, lost ones and cost, for a table; nothing where the log does not tell."""
    whole, lost = spent_by(run)
    if not whole.cpu_h and not whole.gpu_h:
        return []
    facts = [("Reserved by trials and arms, every try counted", _hours(whole))]
    if lost.num_tries:
        facts.append(("Of that, lost tries", f"{lost.num_tries} ({_hours(lost)})"))
    price = run.record.price_per_hour
    if price is not None:
        unit = "GPU" if whole.gpu_h else "processor"
        facts.append((f"Cost at {price:g} an hour of a {unit}", f"{cost(whole, price):.2f}"))
    return facts


def comparison_facts(run: Run) -> list[tuple[str, str]]:
    """What the final comparison trained, for a table. Rounds that it found trained are apart.

    Each fold of an arm is a training; the nearest neighbour is none.
    """
    trained = [one.trained for _, one in run.single_arms if one.trained is not None]
    rounds = [one for seed in trained for one in seed.rounds]
    if not rounds:
        return []
    count = sum(not all(one.reused for one in seed.rounds) for seed in trained)
    spent = duration(sum(one.training_s for one in rounds if not one.reused))
    steps = sum(one.num_steps for one in rounds if not one.reused)
    facts = [("Final comparison", f"{count} trainings, {spent}, {steps:,} steps")]
    if any(one.reused for one in rounds):
        facts.append(("Rounds that it reused", reused_text(rounds)))
    return facts


def reused_text(rounds: Sequence[RoundRecord]) -> str:
    """How many of some rounds were found trained, and what that saved."""
    reused = [one for one in rounds if one.reused]
    share, saved = 100 * len(reused) / len(rounds), sum(one.training_s for one in reused)
    return f"{len(reused):,} of {len(rounds):,} ({share:.0f} %), {duration(saved)} saved"


def spending_sentence(run: Run) -> str | None:
    """The same for the terminal."""
    facts = spending_facts(run)
    return "; ".join(f"{name[0].lower()}{name[1:]}: {value}" for name, value in facts) or None


def spent_by(run: Run) -> tuple[Spent, Spent]:
    """All tries, and of them the lost ones."""
    tries = Tries(read_log(run.folder)).all()
    return spent(tries), spent(one for one in tries if one.outcome == LOST)


def trials_at_once(run: Run) -> float | None:
    """How many trials ran at the same time, mean over the time in which any did.

    None where the log does not tell of a trial.
    """
    tries = Tries(read_log(run.folder)).all()
    ran = sorted((one.begun, one.ended) for one in tries if one.is_trial)
    busy_s, until = 0.0, datetime.datetime.min.replace(tzinfo=datetime.UTC)
    for begun, ended in ran:
        busy_s += max(0.0, (ended - max(begun, until)).total_seconds())
        until = max(until, ended)
    added_up_s = sum((ended - begun).total_seconds() for begun, ended in ran)
    return added_up_s / busy_s if busy_s else None


def _hours(one: Spent) -> str:
    gpus = f"{one.gpu_h:.3g} GPU-hours, " if one.gpu_h else ""
    return f"{gpus}{one.cpu_h:.3g} processor-hours"


def cost(one: Spent, price: float) -> float:
    """Of the GPUs; of the processors where no GPU was reserved."""
    return price * (one.gpu_h or one.cpu_h)
