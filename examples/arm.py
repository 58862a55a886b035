"""An arm of the final comparison of one's own: `python examples/arm.py`.

An arm is one row of `ARMS` in slr_ray/search/comparison/arms.py: a name, a title, how its
experiment is made of the best trial and the default. With the row below in that table, every search
trains the best trial with all labels, too, and the report shows it beside the others.
"""

from __future__ import annotations

import tempfile

from slr_ray.corpora.pools import AllPoolConfig
from slr_ray.experiment.experiment import build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.methods.measured import train_and_measure
from slr_ray.records.stages import StageStore
from slr_ray.search.comparison.arms import Arm, Candidates
from slr_ray.storage import Store
from slr_ray.workers.place import this_place

ALL_LABELS = Arm(
    "fsl_all_labels",
    "FSL, all labels",
    lambda found: found.supervised.model_copy(update={"pool": AllPoolConfig()}),
)


def main() -> None:
    settings = {
        "data": {"kind": "embedded", "num_glosses": 4, "num_signers": 8},
        "pool": {"kind": "signers", "num_signers": 1},
        "model": {"width": 32},
        "training": {"num_epochs": 2, "steps_per_epoch": 10, "max_frames": 16},
        "method": {"num_rounds": 1},
    }
    # A search hands in its best trial and the space's default; here both are one experiment.
    experiment = build_experiment(settings, "example")
    prepared = Opener().prepare(ALL_LABELS.make(Candidates(experiment, experiment)))
    with tempfile.TemporaryDirectory() as folder:
        stages = StageStore(Store(folder))
        measured = train_and_measure(prepared, 0, stages, this_place())
    print(f"{ALL_LABELS.title}: test accuracy {measured.record.test.accuracy:.3f}")


if __name__ == "__main__":
    main()
