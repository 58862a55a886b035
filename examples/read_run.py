"""What a search found, read from its folder: `python examples/read_run.py runs/RUN`."""

from __future__ import annotations

import sys

import slr_ray


def main() -> None:
    run = slr_ray.load_run(sys.argv[1])
    print(f"{run.record.name} on {run.record.corpus}: {len(run.trials)} trials, {run.state}")
    for trial in run.ranked[:5]:
        print(f"  trial {trial.number}: {run.metric} {trial.value:.3f} with {trial.params}")
    for arm in run.record.arms:
        values = run.test_values(arm.name, run.headline_metric)
        if values:
            mean = sum(values.values()) / len(values)
            print(f"  {arm.title}: test {run.headline_metric} {mean:.3f} over {len(values)} seeds")
    print("figures: " + ", ".join(run.figures))


if __name__ == "__main__":
    main()
