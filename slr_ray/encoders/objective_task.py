"""One encoder of a comparison: pre-trained, evaluated once on the test set, recorded."""

from __future__ import annotations

from dataclasses import dataclass

from slr_ray.encoders.protocols import Source, answered, geometry, represent
from slr_ray.encoders.records import Classification, EncoderFolder, ObjectiveRecord
from slr_ray.experiment.encoder_file import Encoder, load_encoder
from slr_ray.experiment.experiment import Experiment, pretraining_of
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.measured import answers
from slr_ray.methods.pretraining import (
    pretrained_encoder,
    pretraining_key,
    pretraining_task,
    save_encoder,
)
from slr_ray.records.predictions import ClipPrediction
from slr_ray.records.stages import StageStore
from slr_ray.storage import Store, below
from slr_ray.training.pretraining.plan import plan
from slr_ray.workers.execution import Report
from slr_ray.workers.place import Place

BASELINES: tuple[Source, ...] = ("fresh", "poses")
"""What encoders are compared with: random weights, and no encoder."""


@dataclass(frozen=True)
class ObjectiveTask:
    """One encoder: pre-trained as a stage, evaluated, recorded. Plain data, sent to a process."""

    location: str
    config: Experiment
    seed: int
    fold: int | None = None
    """Which of a comparison's folds the configuration is of; None where it has one split."""

    @property
    def objective(self) -> str:
        return pretraining_of(self.config).objective.kind

    @property
    def augmentation(self) -> str:
        return pretraining_of(self.config).augmentation.kind

    @property
    def name(self) -> str:
        """With the fold in front where it is one of several."""
        fold = "" if self.fold is None else f"fold_{self.fold}/"
        return f"{fold}{self.objective}-{self.augmentation}/{self.seed}"

    @property
    def result(self) -> EncoderFolder:
        return EncoderFolder(Store(self.location), f"encoders/{self.name}")

    def is_done(self) -> bool:
        return self.result.is_done()

    def run(self, place: Place, report: Report) -> None:
        """Pre-train, write the encoder, evaluate it once on the test set."""
        prepared, result = Opener().prepare(self.config), self.result
        stages = StageStore(result.store.join("stages"))
        trained = pretrained_encoder(prepared, self.seed, stages, place)
        save_encoder(prepared, self.seed, trained, result.store, f"{result.folder}/encoder.pt")
        task = pretraining_task(prepared, self.seed)
        batch_size = plan(task.config, len(task.clips), place.world_size).batch_size
        record, predictions = measured(prepared, self.seed, "encoder", self._encoder(), place)
        own = {
            "objective": self.objective,
            "augmentation": self.augmentation,
            "embedding_std": trained.epochs[-1].embedding_std,
            "steps": tuple(step for one in trained.epochs for step in one.steps),
            "num_steps": trained.num_steps,
            "clips_per_s": trained.num_steps * batch_size / trained.training_s,
            "training_s": trained.training_s,
        }
        result.write(record.model_copy(update=own), predictions)
        # The encoder file has all that the stage had.
        stages.store.delete(f"{pretraining_key(prepared, self.seed)}.pt")
        report({"objective": self.objective, "augmentation": self.augmentation, "seed": self.seed})

    def baselines(self, prepared: Prepared, place: Place) -> dict[Source, EncoderFolder]:
        """The same evaluation of a fresh encoder and of no encoder, measured once a seed."""
        fold = "" if self.fold is None else f"fold_{self.fold}/"
        found: dict[Source, EncoderFolder] = {}
        for source in BASELINES:
            folder = f"baselines/{fold}{source}/{self.seed}"
            found[source] = EncoderFolder(Store(self.location), folder)
            if not found[source].is_done():
                found[source].write(*measured(prepared, self.seed, source, self._encoder(), place))
        return found

    def _encoder(self) -> Encoder:
        return load_encoder(below(self.location, f"{self.result.folder}/encoder.pt"))


def measured(
    prepared: Prepared, seed: int, source: Source, encoder: Encoder, place: Place
) -> tuple[ObjectiveRecord, dict[Classification, list[ClipPrediction]]]:
    """Every classifier and geometry of one source; the test set is used once for each."""
    own = prepared.problem(seed)
    clips = represent(source, encoder, own, seed, place)
    wanted: tuple[Classification, ...] = ("knn",) if source == "poses" else ("linear", "mlp", "knn")
    found = {name: answered(name, clips, own.num_glosses, seed) for name in wanted}
    lie = geometry(clips)
    record = ObjectiveRecord(
        objective=source,
        augmentation="",
        seed=seed,
        classifiers={name: one for name, (one, _) in found.items()},
        inertia_share=lie.inertia_share,
        effective_rank=lie.effective_rank,
        embedding_std=None,
        num_steps=0,
        clips_per_s=None,
        training_s=0.0,
    )
    test = own.split.test
    return record, {name: answers(own.corpus, test, given) for name, (_, given) in found.items()}
