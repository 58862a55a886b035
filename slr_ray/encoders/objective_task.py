"""One encoder of a comparison: pre-trained, evaluated once on the test set, recorded."""

from __future__ import annotations

from dataclasses import dataclass

from slr_ray.encoders.protocols import Source, classify, geometry, represent
from slr_ray.experiment.encoder_file import Encoder, load_encoder
from slr_ray.experiment.experiment import Experiment, problem
from slr_ray.experiment.pretraining_clips import pretraining_section
from slr_ray.methods.pretraining import (
    pretrained_encoder,
    pretraining_key,
    pretraining_task,
    save_encoder,
)
from slr_ray.records.stages import StageStore
from slr_ray.records.typed import ObjectiveRecord
from slr_ray.storage import Store, below
from slr_ray.training.pretraining_plan import plan
from slr_ray.workers.place import Place

BASELINES: tuple[Source, ...] = ("fresh", "poses")
"""What encoders are compared with: random weights, and no encoder."""


@dataclass(frozen=True)
class ObjectiveTask:
    """One encoder: pre-trained as a stage, evaluated, recorded. Plain data, sent to a process."""

    location: str
    config: Experiment
    seed: int

    @property
    def objective(self) -> str:
        return pretraining_section(self.config).objective.kind

    @property
    def augmentation(self) -> str:
        return pretraining_section(self.config).augmentation.kind

    @property
    def folder(self) -> str:
        return f"encoders/{self.objective}-{self.augmentation}/{self.seed}"

    def is_done(self) -> bool:
        """Whether the record is there; the test set is not touched again then."""
        return Store(self.location).exists(f"{self.folder}/record.json")

    def record(self) -> ObjectiveRecord:
        content = Store(self.location).read_bytes(f"{self.folder}/record.json")
        return ObjectiveRecord.model_validate_json(content)

    def run(self, place: Place) -> None:
        """Pre-train, write the encoder, evaluate it once on the test set."""
        store = Store(self.location)
        stages = StageStore(store.join("stages"))
        trained = pretrained_encoder(self.config, self.seed, stages, place)
        save_encoder(self.config, self.seed, trained, store, f"{self.folder}/encoder.pt")
        encoder = load_encoder(below(self.location, f"{self.folder}/encoder.pt"))
        task = pretraining_task(self.config, self.seed)
        batch_size = plan(task.config, len(task.clips), place.world_size).batch_size
        record = measured(self.config, self.seed, "encoder", encoder, place).model_copy(
            update={
                "objective": self.objective,
                "augmentation": self.augmentation,
                "embedding_std": trained.epochs[-1].embedding_std,
                "num_steps": trained.num_steps,
                "clips_per_s": trained.num_steps * batch_size / trained.training_s,
                "training_s": trained.training_s,
            }
        )
        store.write_bytes(f"{self.folder}/record.json", record.model_dump_json(indent=1).encode())
        # The encoder file has all that the stage had.
        stages.store.delete(f"{pretraining_key(self.config, self.seed)}.pt")

    def baselines(self, place: Place) -> None:
        """The same evaluation of a fresh encoder and of no encoder, once a seed."""
        store = Store(self.location)
        encoder = load_encoder(below(self.location, f"{self.folder}/encoder.pt"))
        for source in BASELINES:
            name = f"baselines/{source}/{self.seed}.json"
            if not store.exists(name):
                record = measured(self.config, self.seed, source, encoder, place)
                store.write_bytes(name, record.model_dump_json(indent=1).encode())


def measured(
    config: Experiment, seed: int, source: Source, encoder: Encoder, place: Place
) -> ObjectiveRecord:
    """Linear evaluation, k-NN and geometry of one source; the test set is used once for each."""
    own = problem(config, seed)
    clips = represent(source, encoder, own, seed, place)
    knn = classify("knn", clips, own.num_glosses, seed)
    linear = None if source == "poses" else classify("linear", clips, own.num_glosses, seed)
    lie = geometry(clips)
    return ObjectiveRecord(
        objective=source,
        augmentation="",
        seed=seed,
        linear=None if linear is None else linear.test,
        knn=knn.test,
        validation=(linear or knn).validation,
        inertia_share=lie.inertia_share,
        effective_rank=lie.effective_rank,
        embedding_std=None,
        num_steps=0,
        clips_per_s=None,
        training_s=0.0,
    )
