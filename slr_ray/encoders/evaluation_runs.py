"""What one call of `evaluate` does: its encoders, and the experiment of each run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from slr_ray.config import merge
from slr_ray.encoders.protocols import SOURCES, Source
from slr_ray.encoders.records import Classification
from slr_ray.errors import ConfigError
from slr_ray.experiment.encoder_file import Encoder, refuse_unlike_encoders
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.prepared import Prepared
from slr_ray.experiment.validation_checks import refuse_choosing
from slr_ray.storage import absolute
from slr_ray.training.problem import Problem


@dataclass(frozen=True)
class EvaluationTask:
    """One call of the command."""

    protocol: str
    encoders: tuple[str, ...]
    num_runs: int
    """Run i uses the encoder i modulo their number, and seed i for all that is drawn."""
    tree: dict[str, Any]
    """Data, split, pool and training of the experiment, as on the command line."""
    allow_seen_clips: bool

    @property
    def sources(self) -> tuple[Source, ...]:
        """Fine-tuning has no weights to start from without an encoder; maps are for encoders."""
        if self.protocol in ("semi", "map"):
            return ("encoder", "fresh")
        return ("encoder", "fresh", "poses")

    @property
    def classification(self) -> Classification | None:
        """The classifier on frozen representations, where there is one."""
        match self.protocol:
            case "linear" | "transfer":
                return "linear"
            case "mlp":
                return "mlp"
            case "knn":
                return "knn"
            case _:
                return None

    def label(self, source: Source) -> str:
        name = SOURCES[source]
        if source == "poses" and self.classification is not None:
            return f"k-NN on {name}"
        return name


@dataclass(frozen=True)
class EvaluationRun:
    """Encoder, experiment and clips of one run."""

    number: int
    encoder: Encoder
    prepared: Prepared
    problem: Problem


def evaluation_runs(task: EvaluationTask) -> list[EvaluationRun]:
    """The runs; `ConfigError` where their encoders or clips don't go together."""
    opener = Opener()
    encoders = [opener.encoder(absolute(path)) for path in task.encoders]
    refuse_unlike_encoders(list(zip(task.encoders, encoders, strict=True)))
    runs = []
    for number in range(task.num_runs):
        which = number % len(encoders)
        initialisation: dict[str, Any] = {"kind": "encoder", "path": task.encoders[which]}
        if task.allow_seen_clips:
            initialisation["allow_seen_clips"] = True
        tree = merge(task.tree, {"initialisation": initialisation})
        prepared = opener.prepare(opener.build(tree, "command line"))
        refuse_choosing(prepared.config.training, "an evaluation")
        corpus, encoder = prepared.corpus, encoders[which]
        if task.protocol == "transfer" and corpus.fingerprint in encoder.fingerprints:
            raise ConfigError(
                f"{absolute(task.encoders[which])} was pre-trained on {corpus.name} itself: "
                "transfer is to another corpus. Give another --data, or use --protocol linear"
            )
        problem = prepared.problem(number)
        prepared.refuse_measured_clips()
        runs.append(EvaluationRun(number, encoder, prepared, problem))
    return runs
