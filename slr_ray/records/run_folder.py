"""The folder of a run: the one place that knows what its files are called.

run.json, options.json             what was asked, on what data, with which machines
attempts/0.json                    one for each start of the command
optuna.journal, log.jsonl          the search's history; what happened when, and where. Behind a
                                   URI both are folders of pieces (`storage/growing.py`)
trials/0007/                       task.json, config.yaml, progress.json, record.json, error.json
final/sslr_best/0/                 one arm, one seed: config.yaml, record.json, checkpoint.pt,
                                   predictions.parquet
folds/2/sslr_best/0/               the same of one fold, where a run has folds
stages/                            finished rounds, and checkpoints of those in the middle
best/                              the checkpoint to use, its configuration and seed
tensorboard/, report.html, report.md, figures/      for people
ray/                               Ray's own; nothing of ours is read from there. Behind a URI it
                                   is in the cache of the machine that writes it
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from slr_ray.config import Config, Record
from slr_ray.errors import DataError
from slr_ray.records import sentence_predictions
from slr_ray.records.measured import MeasuredRecord
from slr_ray.records.predictions import ClipPrediction, from_parquet, to_parquet
from slr_ray.records.record_files import RecordT, read_record, write_record
from slr_ray.records.runs import ArmRecord, RunRecord, TrialRecord
from slr_ray.records.sentence_predictions import SentencePrediction
from slr_ray.storage import Growing, Store, below, cache_root, masked, parted, remember

_RUN, _OPTIONS, _JOURNAL, _LOG = "run.json", "options.json", "optuna.journal", "log.jsonl"
_RECORD, _CONFIG, _CHECKPOINT = "record.json", "config.yaml", "checkpoint.pt"
_PROGRESS, _TASK, _ERROR, _SEED = "progress.json", "task.json", "error.json", "seed.json"
# libyaml writes ten times as fast, and PyYAML has it nearly everywhere.
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass(frozen=True)
class ResultFolder:
    """One measured experiment: its configuration, record and checkpoint."""

    store: Store

    def is_done(self) -> bool:
        """Whether the record is there; the test set is not touched again then."""
        return self.store.exists(_RECORD)

    def write_config(self, config: Config) -> None:
        """The resolved configuration, usable with `python -m slr_ray.train --config`."""
        text = yaml.dump(config.model_dump(mode="json"), Dumper=_DUMPER, sort_keys=False)
        self.store.write_bytes(_CONFIG, text.encode())

    def read_config(self) -> dict[str, Any]:
        tree: dict[str, Any] = yaml.safe_load(self.store.read_bytes(_CONFIG))
        return tree

    def write_checkpoint(self, content: bytes) -> None:
        self.store.write_bytes(_CHECKPOINT, content)

    def read_checkpoint(self) -> bytes:
        return self.store.read_bytes(_CHECKPOINT)

    def write_record(self, record: Record) -> None:
        write_record(self.store, _RECORD, record)

    def num_steps(self) -> int:
        """Gradient steps that the result took, whatever it is a result of."""
        return int(self.store.read_json(_RECORD)["num_steps"])

    def write_predictions(
        self,
        predictions: Sequence[ClipPrediction] | Sequence[SentencePrediction],
        classifier: str = "",
    ) -> None:
        """The answers on each test clip; of one classifier where a result has several."""
        signs = [one for one in predictions if isinstance(one, ClipPrediction)]
        sentences = [one for one in predictions if isinstance(one, SentencePrediction)]
        content = sentence_predictions.to_parquet(sentences) if sentences else to_parquet(signs)
        self.store.write_bytes(_predictions(classifier), content)

    def has_predictions(self, classifier: str = "") -> bool:
        """Whether they are there: earlier versions wrote none."""
        return self.store.exists(_predictions(classifier))

    def predictions(self, classifier: str = "") -> list[ClipPrediction]:
        """Of isolated signs."""
        return self.store.read_as(_predictions(classifier), from_parquet)

    def sentence_predictions(self) -> list[SentencePrediction]:
        return self.store.read_as(_predictions(""), sentence_predictions.from_parquet)

    def read_record(self, cls: type[RecordT]) -> RecordT:
        return read_record(self.store, _RECORD, cls)

    def measured(self) -> MeasuredRecord:
        return self.read_record(MeasuredRecord)

    def arm(self) -> ArmRecord:
        return self.read_record(ArmRecord)

    @property
    def config_location(self) -> str:
        return below(self.store.location, _CONFIG)

    @property
    def checkpoint_location(self) -> str:
        return below(self.store.location, _CHECKPOINT)


@dataclass(frozen=True)
class TrialFolder(ResultFolder):
    """One trial of the search, from its suggestion to its record."""

    def trial(self) -> TrialRecord:
        return read_record(self.store, _RECORD, TrialRecord)

    def write_task(self, params: dict[str, Any], source: str) -> None:
        self.store.write_json(_TASK, {"params": params, "source": source})

    def read_task(self) -> dict[str, Any]:
        task: dict[str, Any] = self.store.read_json(_TASK)
        return task

    def write_progress(self, record: TrialRecord) -> None:
        write_record(self.store, _PROGRESS, record)

    def read_progress(self) -> TrialRecord | None:
        try:
            return read_record(self.store, _PROGRESS, TrialRecord)
        except FileNotFoundError:
            return None

    def write_error(self, error: str, traceback: str) -> None:
        """For people: with its traceback, what the trial's last try raised."""
        facts = {"error": error, "traceback": traceback}
        self.store.write_bytes(_ERROR, masked(json.dumps(facts, indent=1)).encode())

    def clear_error(self) -> None:
        self.store.delete(_ERROR)


@dataclass(frozen=True)
class RunFolder:
    """A run's folder or URI. Plain data, sent to the processes that train."""

    location: str
    """Without the secrets of a URI."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "location", remember(self.location))

    @property
    def store(self) -> Store:
        return Store(self.location)

    @property
    def name(self) -> str:
        return parted(self.location)[1]

    def exists(self) -> bool:
        return self.store.exists(_RUN)

    def read_run(self) -> RunRecord:
        """The record of the run; `DataError` where there is none."""
        if not self.exists():
            raise DataError(
                f"{self.location} is no run: it has no {_RUN}; give the folder that slr_ray.tune "
                "printed as its result"
            )
        return read_record(self.store, _RUN, RunRecord)

    def write_run(self, record: RunRecord) -> None:
        write_record(self.store, _RUN, record)

    @property
    def record_location(self) -> str:
        return below(self.location, _RUN)

    def read_options(self) -> dict[str, Any]:
        options: dict[str, Any] = self.store.read_json(_OPTIONS)
        return options

    def write_options(self, options: Config) -> None:
        self.store.write_json(_OPTIONS, options.model_dump(mode="json"))

    def begin_attempt(self, started: str, command: list[str]) -> int:
        """Record one start of the command; its number counts from 0."""
        number = len(list(self.store.names("attempts")))
        self.store.write_json(f"attempts/{number}.json", {"started": started, "command": command})
        return number

    def trial(self, number: int) -> TrialFolder:
        return TrialFolder(self.store.join(f"trials/{number:04d}"))

    def begun_trials(self) -> dict[int, TrialFolder]:
        """Those that were suggested, ended or not."""
        names = self.store.names("trials", suffix=f"/{_TASK}")
        numbers = sorted(int(Path(one).parent.name) for one in names)
        return {number: self.trial(number) for number in numbers}

    def trials(self) -> list[TrialFolder]:
        """Those that ended, by number."""
        return [TrialFolder(self.store.join(one)) for one in self._with_record("trials")]

    def arm(self, name: str, seed: int, fold: int | None = None) -> ResultFolder:
        """An arm's result with one seed; of a fold, or of all folds together."""
        place = "final" if fold is None else f"folds/{fold}"
        return ResultFolder(self.store.join(f"{place}/{name}/{seed}"))

    def arms(self) -> list[ResultFolder]:
        """Those with a record; folds are in their seed's."""
        return [ResultFolder(self.store.join(one)) for one in self._with_record("final")]

    def fold_arms(self, fold: int) -> list[ResultFolder]:
        """The same of one fold."""
        return [ResultFolder(self.store.join(one)) for one in self._with_record(f"folds/{fold}")]

    @property
    def best(self) -> ResultFolder:
        return ResultFolder(self.store.join("best"))

    def best_seed(self) -> int | None:
        """Of the checkpoint under `best/`; None where there is none yet."""
        store = self.best.store
        return int(store.read_json(_SEED)["seed"]) if store.exists(_SEED) else None

    def write_best(self, chosen: ResultFolder, seed: int) -> None:
        """Hand out one arm's result as the best."""
        best = self.best.store
        best.write_bytes(_CHECKPOINT, chosen.read_checkpoint())
        best.write_bytes(_CONFIG, chosen.store.read_bytes(_CONFIG))
        best.write_json(_SEED, {"seed": seed})

    def stages(self, owner: str | None = None) -> Store:
        """Where stages lie; `owner`'s own where they are not shared."""
        return self.store.join("stages" if owner is None else f"stages/{owner}")

    @property
    def journal(self) -> str:
        """The name of the study's journal below the run."""
        return _JOURNAL

    def read_journal(self) -> bytes:
        """The study's journal; `FileNotFoundError` where there is none."""
        return self._read_grown(_JOURNAL)

    @property
    def log(self) -> str:
        """The name of the log below the run."""
        return _LOG

    def read_log(self) -> bytes:
        """The log; `FileNotFoundError` where there is none."""
        return self._read_grown(_LOG)

    def _read_grown(self, name: str) -> bytes:
        if self.store.is_local:
            return self.store.read_bytes(name)
        content = Growing(self.store, name).read()
        if not content:
            raise FileNotFoundError(f"no {name} in {self.location}")
        return content

    @property
    def ray(self) -> Store:
        """Ray's own files."""
        return ray_files(self.store)

    def _with_record(self, folder: str) -> list[str]:
        names = self.store.names(folder, suffix=f"/{_RECORD}")
        return [str(Path(one).parent) for one in names]


def ray_files(store: Store) -> Store:
    """Where Ray writes for a run or a result; for one behind a URI on the machine that writes.

    Nothing of ours is read from there, so it is not worth two thirds of all requests.
    """
    if store.is_local:
        return store.join("ray")
    key = hashlib.sha256(store.location.encode()).hexdigest()[:24]
    return Store(str(cache_root() / "ray" / key))


def _predictions(classifier: str) -> str:
    return f"predictions-{classifier}.parquet" if classifier else "predictions.parquet"


def trial_name(number: int) -> str:
    """A trial's name in Ray, TensorBoard and among stages that are not shared."""
    return f"trial_{number:04d}"
