"""How good the best trial so far is: a space's sampler beside random search, at equal trials.

    python -m benchmarks.samplers [--space sslr_thresholds] [--sampler tpe] [--num-trials 16]

Trials one after another without Ray, early stopping or given settings, on the embedded corpus with
small trainings; the figure is the best validation score so far, of the search's own draws. Both
sides share the stages of all searches: a first round is trained once. What is measured is how well
settings are drawn, not how long it takes. The ratio is that of the mean best value so far over all
trials, of the sampler to random search.
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import accumulate
from pathlib import Path

import numpy as np
from rich.progress import Progress

from slr_ray.documents.charts import Line, lines
from slr_ray.documents.document import Figure
from slr_ray.evaluation.statistics import interval
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.methods.seed_run import prepare_seed
from slr_ray.methods.sslr import rounds
from slr_ray.records.stages import StageStore
from slr_ray.search.history.study import SearchStudy
from slr_ray.search.spaces.space_file import Space, load_space
from slr_ray.storage import Store
from slr_ray.workers.place import this_place

_RANDOM = "random"


def best_so_far(
    space: Space, num_trials: int, value: dict[str, float], opener: Opener, stages: StageStore
) -> list[float]:
    """After each trial of one search; `value` has what settings gave that were tried before."""

    def measured(config: Experiment) -> float:
        key = config.model_dump_json()
        if key not in value:
            prepared, place = opener.prepare(config), this_place()
            runs = [prepare_seed(prepared, one, stages, place) for one in space.search.search_seeds]
            scores = [
                max(getattr(one.record.validation, space.metric) for one in rounds(run))
                for run in runs
            ]
            value[key] = float(np.mean(scores))
        return value[key]

    found = []
    with tempfile.TemporaryDirectory() as folder:
        study = SearchStudy(Path(folder) / "journal", space.tree, space.search, name="quality")
        for _ in range(num_trials):
            asked = study.ask()
            assert asked is not None
            found.append(measured(build_experiment(asked.tree, f"trial {asked.number}")))
            study.tell(asked.number, "complete", found[-1])
    return list(accumulate(found, max))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--space", default="sslr_thresholds")
    parser.add_argument("--sampler", default="tpe")
    parser.add_argument("--num-trials", type=int, default=16)
    parser.add_argument("--num-searches", type=int, default=5, help="seeds of each sampler")
    parser.add_argument("--width", type=int, default=32, help="of the recogniser")
    parser.add_argument("--steps-per-epoch", type=int, default=50)
    parser.add_argument("--picture", help="draw the curves into this .svg")
    parser.add_argument("--stages", help="a folder that keeps trained rounds for another call")
    given = parser.parse_args(arguments)
    opener, value = Opener(), dict[str, float]()
    curves: dict[str, list[list[float]]] = {given.sampler: [], _RANDOM: []}
    with tempfile.TemporaryDirectory() as folder, Progress() as bar:
        stages = StageStore(Store(given.stages or folder))
        going = bar.add_task("searches", total=2 * given.num_searches)
        for seed in range(given.num_searches):
            for sampler, found in curves.items():
                overrides = {
                    "model.width": given.width,
                    "training.max_frames": 12,
                    "training.num_epochs": 1,
                    "training.steps_per_epoch": given.steps_per_epoch,
                    "search.sampler.kind": sampler,
                    "search.seed": seed,
                }
                space = load_space(given.space, overrides, opener)
                found.append(best_so_far(space, given.num_trials, value, opener, stages))
                bar.advance(going)
    for trial in range(given.num_trials):
        both = {name: [one[trial] for one in found] for name, found in curves.items()}
        told = ", ".join(f"{name} {np.mean(values):.4f}" for name, values in both.items())
        gain = interval([own - other for own, other in zip(*both.values(), strict=True)])
        spread = "" if gain.half_width is None else f" ± {gain.half_width:.4f}"
        print(f"best of {trial + 1:>2} trials: {told}; difference {gain.mean:+.4f}{spread}")
    if given.picture:
        drawn = [
            Line(name, list(enumerate(curve, 1)), series, faint=True, marks=False)
            for series, (name, found) in enumerate(curves.items())
            for curve in found
        ]
        drawn += [
            Line(name, list(enumerate(np.mean(found, axis=0), 1)), series, marks=False)
            for series, (name, found) in enumerate(curves.items())
        ]
        picture = lines(drawn, "best so far", "trials", "best validation score", share=True)
        Figure("curves", picture).save(given.picture)
    own, other = (float(np.mean(found)) for found in curves.values())
    print(f"ratio: {own / other:.3f}")


if __name__ == "__main__":
    main()
