"""What every training promises: interrupted at any epoch, it ends as if it had never stopped."""

from __future__ import annotations

from collections.abc import Callable

import torch

from slr_ray.experiment.experiment import Experiment
from slr_ray.methods.sslr import FinishedRound
from slr_ray.records.stages import Checkpoint, State, dumps, loads
from slr_ray.training.round import Trained


def same(a: State, b: State) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def resumes(
    train_once: Callable[[Experiment, Checkpoint | None], Trained], config: Experiment
) -> None:
    """Train `config`, three epochs long, whole and from either of its first two checkpoints."""
    whole = train_once(config, None)
    saved: list[bytes] = []
    train_once(
        config, Checkpoint(lambda: None, lambda state: saved.append(dumps(state)), every_s=0.0)
    )
    assert len(saved) == 3
    for content in saved[:2]:
        resumed = train_once(config, Checkpoint(lambda one=content: loads(one), lambda _: None))
        assert same(resumed.model_state, whole.model_state)
        assert resumed.epochs == whole.epochs


def only_the_audit_differs(first: FinishedRound, second: FinishedRound) -> None:
    """Of two trainings with other hidden labels, but for these the same."""
    assert same(first.model_state, second.model_state)
    shares, precisions = [], []
    for one in (first, second):
        audits = [epoch.unlabelled for epoch in one.epochs]
        assert None not in audits
        shares.append([own.pseudo_share for own in audits if own])
        # Of a single epoch's few clips they may be the same by chance.
        precisions.append([own.pseudo_precision for own in audits if own])
    assert shares[0] == shares[1]
    assert precisions[0] != precisions[1]
