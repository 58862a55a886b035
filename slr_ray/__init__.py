"""Recognise isolated signs, and the glosses of sentences, from few labelled clips.

The names below are all that a notebook needs; the commands (`python -m slr_ray.tune` and the like)
are the other way in. Nothing heavy is imported before a name is used.

    import slr_ray

    corpus = slr_ray.open_corpus("poses/")
    result = slr_ray.train(corpus, labelled_signers=4)
    run = slr_ray.load_run("runs/sslr_thresholds-20261126-101500")
    recogniser = slr_ray.Recogniser.load(run.best.checkpoint)
"""

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Clip": "poses.clip",
    "Corpus": "corpora.corpus",
    "Encoder": "experiment.encoder_file",
    "Experiment": "experiment.experiment",
    "Prediction": "methods.recogniser",
    "Recogniser": "methods.recogniser",
    "Run": "reporting.run",
    "Sentence": "poses.sentence",
    "SentenceRecogniser": "methods.sentence_recogniser",
    "SignedSentence": "methods.sentence_recogniser",
    "TrainingResult": "single.calls",
    "extract_poses": "videos.detection.in_memory",
    "load_encoder": "experiment.encoder_file",
    "load_run": "reporting.run",
    "open_corpus": "corpora.data",
    "pretrain": "single.calls",
    "train": "single.calls",
    "write_shard": "poses.shard_writing",
}
__all__ = [
    "Clip",
    "Corpus",
    "Encoder",
    "Experiment",
    "Prediction",
    "Recogniser",
    "Run",
    "Sentence",
    "SentenceRecogniser",
    "SignedSentence",
    "TrainingResult",
    "extract_poses",
    "load_encoder",
    "load_run",
    "open_corpus",
    "pretrain",
    "train",
    "write_shard",
]

if TYPE_CHECKING:
    from slr_ray.corpora.corpus import Corpus
    from slr_ray.corpora.data import open_corpus
    from slr_ray.experiment.encoder_file import Encoder, load_encoder
    from slr_ray.experiment.experiment import Experiment
    from slr_ray.methods.recogniser import Prediction, Recogniser
    from slr_ray.methods.sentence_recogniser import SentenceRecogniser, SignedSentence
    from slr_ray.poses.clip import Clip
    from slr_ray.poses.sentence import Sentence
    from slr_ray.poses.shard_writing import write_shard
    from slr_ray.reporting.run import Run, load_run
    from slr_ray.single.calls import TrainingResult, pretrain, train
    from slr_ray.videos.detection.in_memory import extract_poses


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'slr_ray' has no attribute {name!r}")
    found = getattr(importlib.import_module(f"slr_ray.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Keeps `slr_ray.train` the function when Python imports the command of that name.

    Importing a submodule sets it as an attribute of its package; the commands are meant for
    `python -m`, and are still found by their full names.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
