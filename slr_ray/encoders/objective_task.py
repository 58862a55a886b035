"""One encoder of a comparison: pre-trained, evaluated once on the test set, recorded."""

from __future__ import annotations

from dataclasses import dataclass

from slr_ray.encoders.protocols import Source, classify, geometry, represent
from slr_ray.encoders.records import ObjectiveRecord
from slr_ray.experiment.encoder_file import Encoder, load_encoder
from slr_ray.experiment.experiment import Experiment, pretraining_of
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.pretraining import (
    pretrained_encoder,
    pretraining_key,
    pretraining_task,
    save_encoder,
)
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

    @property
    def objective(self) -> str:
        return pretraining_of(self.config).objective.kind

    @property
    def augmentation(self) -> str:
        return pretraining_of(self.config).augmentation.kind

    @property
    def name(self) -> str:
        return f"{self.objective}-{self.augmentation}/{self.seed}"

    @property
    def folder(self) -> str:
        return f"encoders/{self.name}"

    def is_done(self) -> bool:
        """Whether the record is there; the test set is not touched again then."""
        return Store(self.location).exists(f"{self.folder}/record.json")

    def record(self) -> ObjectiveRecord:
        content = Store(self.location).read_bytes(f"{self.folder}/record.json")
        return ObjectiveRecord.model_validate_json(content)

    def run(self, place: Place, report: Report) -> None:
        """Pre-train, write the encoder, evaluate it once on the test set."""
        store, prepared = Store(self.location), Opener().prepare(self.config)
        stages = StageStore(store.join("stages"))
        trained = pretrained_encoder(prepared, self.seed, stages, place)
        save_encoder(prepared, self.seed, trained, store, f"{self.folder}/encoder.pt")
        encoder = load_encoder(below(self.location, f"{self.folder}/encoder.pt"))
        task = pretraining_task(prepared, self.seed)
        batch_size = plan(task.config, len(task.clips), place.world_size).batch_size
        record = measured(prepared, self.seed, "encoder", encoder, place).model_copy(
            update={
                "objective": self.objective,
                "augmentation": self.augmentation,
                "embedding_std": trained.epochs[-1].embedding_std,
                "steps": tuple(step for one in trained.epochs for step in one.steps),
                "num_steps": trained.num_steps,
                "clips_per_s": trained.num_steps * batch_size / trained.training_s,
                "training_s": trained.training_s,
            }
        )
        store.write_bytes(f"{self.folder}/record.json", record.model_dump_json(indent=1).encode())
        # The encoder file has all that the stage had.
        stages.store.delete(f"{pretraining_key(prepared, self.seed)}.pt")
        report({"objective": self.objective, "augmentation": self.augmentation, "seed": self.seed})

    def baselines(self, prepared: Prepared, place: Place) -> list[ObjectiveRecord]:
        """The same evaluation of a fresh encoder and of no encoder, measured once a seed."""
        store = Store(self.location)
        encoder = load_encoder(below(self.location, f"{self.folder}/encoder.pt"))
        records = []
        for source in BASELINES:
            name = f"baselines/{source}/{self.seed}.json"
            if not store.exists(name):
                record = measured(prepared, self.seed, source, encoder, place)
                store.write_bytes(name, record.model_dump_json(indent=1).encode())
            records.append(ObjectiveRecord.model_validate_json(store.read_bytes(name)))
        return records


def measured(
    prepared: Prepared, seed: int, source: Source, encoder: Encoder, place: Place
) -> ObjectiveRecord:
    """Linear evaluation, k-NN and geometry of one source; the test set is used once for each."""
    own = prepared.problem(seed)
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
