"""The final comparison: each arm, each seed, evaluated once on the test set."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from slr_ray.config import merge
from slr_ray.evaluation.metrics import confusion, f1_scores, measure
from slr_ray.experiment.experiment import Experiment, experiment, problem
from slr_ray.methods.nearest_neighbour import nearest_neighbour
from slr_ray.methods.recogniser import checkpoint_content
from slr_ray.methods.setting import setting
from slr_ray.methods.sslr import OnEpoch, Setting, best_round, rounds, seed_record
from slr_ray.records.stages import dumps, loads
from slr_ray.records.typed import ArmRecord, SeedRecord
from slr_ray.search.job import Job
from slr_ray.search.space import Tree
from slr_ray.search.trial import write_config
from slr_ray.training.prediction import predict_on
from slr_ray.training.problem import Problem
from slr_ray.workers.execution import Report
from slr_ray.workers.place import Place

Arm = Literal["fsl", "fsl_equal_steps", "sslr_default", "sslr_best", "nearest_neighbour"]
ARMS: tuple[Arm, ...] = (
    "sslr_best",
    "sslr_default",
    "fsl",
    "fsl_equal_steps",
    "nearest_neighbour",
)
"""In this order for each seed: `fsl_equal_steps` needs the steps that `sslr_best` took."""


def arm_folder(arm: Arm, seed: int) -> str:
    return f"final/{arm}/{seed}"


@dataclass(frozen=True)
class ArmTask:
    """What a process needs to run one arm on one seed."""

    job: Job
    arm: Arm
    seed: int
    tree: Tree
    """The arm's configuration; for `fsl_equal_steps` that of `fsl`."""

    def is_done(self) -> bool:
        return self.job.store.exists(f"{arm_folder(self.arm, self.seed)}/record.json")

    def run(self, place: Place, report: Report, on_epoch: OnEpoch | None = None) -> None:
        """Train, choose the round on validation, evaluate that model once on the test set.

        A finished arm is left as it is, so that the test set is not touched again.
        """
        if self.is_done():
            return
        config = experiment(self.tree, self.arm)
        folder = arm_folder(self.arm, self.seed)
        started = time.monotonic()
        trained: SeedRecord | None = None
        if self.arm == "nearest_neighbour":
            own = problem(config, self.seed)
            validation = nearest_neighbour(own, own.split.validation)
            test = nearest_neighbour(own, own.split.test)
        else:
            if self.arm == "fsl_equal_steps":
                config = self._with_equal_steps(config)
            stages = self.job.stages(f"final_{self.arm}_{self.seed}")
            run = setting(config, self.seed, stages, place, on_epoch)
            own = run.problem
            trained, state = _trained(run)
            model = own.new_model().to(place.device)
            model.load_state_dict(state)
            validation, test = (
                predict_on(own, model, clips, config.training, place)
                for clips in (own.split.validation, own.split.test)
            )
            if place.leads:
                content = checkpoint_content(config, own.corpus, state, self.job.metric)
                self.job.store.write_bytes(f"{folder}/checkpoint.pt", dumps(content))
        if place.leads:
            write_config(self.job, folder, config)
            record = self._record(own, trained, validation, test, time.monotonic() - started)
            self.job.store.write_bytes(
                f"{folder}/record.json", record.model_dump_json(indent=1).encode()
            )
        report({"arm": self.arm, "seed": self.seed})

    def _with_equal_steps(self, config: Experiment) -> Experiment:
        """As many gradient steps as all rounds of the searched SSLR took on this seed."""
        content = self.job.store.read_bytes(f"{arm_folder('sslr_best', self.seed)}/record.json")
        wanted = ArmRecord.model_validate_json(content).num_steps
        training = config.training
        labelled = len(problem(config, self.seed).labelled)
        an_epoch = training.steps_per_epoch or -(-labelled // training.batch_size)
        epochs = max(training.num_epochs, round(wanted / an_epoch))
        tree = merge(config.model_dump(mode="json"), {"training": {"num_epochs": epochs}})
        return experiment(tree, self.arm)

    def _record(
        self,
        own: Problem,
        trained: SeedRecord | None,
        validation: np.ndarray,
        test: np.ndarray,
        wall_s: float,
    ) -> ArmRecord:
        glosses = own.glosses(own.split.test)
        counts = confusion(test.argmax(axis=1), glosses, own.num_glosses)
        names = own.corpus.glosses
        return ArmRecord(
            arm=self.arm,
            seed=self.seed,
            num_steps=sum(one.num_steps for one in trained.rounds) if trained else 0,
            # With rounds that another arm or the search had trained: what the method takes alone.
            training_s=sum(one.training_s for one in trained.rounds) if trained else wall_s,
            validation=measure(validation, own.glosses(own.split.validation)),
            test=measure(test, glosses),
            f1_per_gloss={
                name: float(score)
                for name, score in zip(names, f1_scores(counts), strict=True)
                if not np.isnan(score)
            },
            confusion=counts.tolist(),
            trained=trained,
        )


def _trained(run: Setting) -> tuple[SeedRecord, dict[str, Any]]:
    done = list(rounds(run))
    return seed_record(run, done), done[best_round(run, done)].model_state


def copy_best_checkpoint(job: Job, seeds: tuple[int, ...]) -> None:
    """Put the `sslr_best` seed that validated best under `best/`."""
    records = {}
    for seed in seeds:
        content = job.store.read_bytes(f"{arm_folder('sslr_best', seed)}/record.json")
        records[seed] = ArmRecord.model_validate_json(content)
    chosen = max(seeds, key=lambda seed: getattr(records[seed].validation, job.metric))
    folder = arm_folder("sslr_best", chosen)
    content = job.store.read_bytes(f"{folder}/checkpoint.pt")
    loads(content)  # a checkpoint that can't be loaded safely must not be handed out
    job.store.write_bytes("best/checkpoint.pt", content)
    job.store.write_bytes("best/config.yaml", job.store.read_bytes(f"{folder}/config.yaml"))
    job.store.write_json("best/seed.json", {"seed": chosen})
