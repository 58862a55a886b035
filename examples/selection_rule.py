"""A selection rule of one's own, tried in SSLR's rounds: `python examples/selection_rule.py`.

To keep it: move the class into a file of slr_ray/selection/select/ and add it to the union in
slr_ray/selection/select/rules.py. Every search space can then branch on `kind: margin`, and the
contract suite covers it.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field

from slr_ray.experiment.experiment import build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.methods.seed_run import prepare_seed
from slr_ray.methods.sslr import rounds
from slr_ray.records.stages import StageStore
from slr_ray.selection.candidates import Candidates
from slr_ray.selection.select.rule import Rule
from slr_ray.storage import Store
from slr_ray.workers.place import this_place


class Margin(Rule):
    """Clips whose likeliest gloss is far ahead of the second (margin sampling, turned round)."""

    kind: Literal["margin"] = "margin"
    least: float = Field(0.3, ge=0, le=1)
    """Of the difference between the two highest probabilities."""

    def select(self, candidates: Candidates) -> Int[np.ndarray, " chosen"]:
        """Rows of the candidates, ascending."""
        second, first = np.sort(candidates.probabilities, axis=1)[:, -2:].T
        return np.flatnonzero(candidates.allowed & (first - second >= self.least))


class SslrByMargin(SslrConfig):
    """SSLR's rounds with this rule instead of one of the union."""

    selection: Margin = Margin()  # type: ignore[assignment]  # no member of the union yet


def main() -> None:
    settings = {
        "data": {"kind": "embedded", "num_glosses": 4, "num_signers": 8},
        "pool": {"kind": "signers", "num_signers": 1},
        "model": {"width": 32},
        "training": {"num_epochs": 2, "steps_per_epoch": 10, "max_frames": 16},
    }
    prepared = Opener().prepare(build_experiment(settings, "example"))
    with tempfile.TemporaryDirectory() as folder:
        run = prepare_seed(prepared, 0, StageStore(Store(folder)), this_place())
        for finished in rounds(replace(run, method=SslrByMargin(num_rounds=2))):
            record, audit = finished.record, finished.record.audit
            right = "" if audit is None else f", {audit.precision:.0%} of them right"
            print(
                f"round {record.round}: {record.num_pseudo_labels} pseudo-labels{right}; "
                f"validation {record.validation.balanced_accuracy:.3f}"
            )


if __name__ == "__main__":
    main()
