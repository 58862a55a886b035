"""Training from Python, for notebooks: a corpus in, a result out; no Ray, no command line."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, SupportsIndex

from slr_ray.config import as_tree, is_whole, merge, refuse_both
from slr_ray.console import literal_console
from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.data import open_corpus
from slr_ray.errors import ConfigError
from slr_ray.experiment.default_pool import build_with_pool
from slr_ray.experiment.encoder_file import Encoder, load_encoder
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.opener import Opener
from slr_ray.methods.recogniser import Recogniser
from slr_ray.methods.sentence_recogniser import SentenceRecogniser
from slr_ray.options import data_and_pool
from slr_ray.records.measured import MeasuredRecord
from slr_ray.records.run_folder import ResultFolder
from slr_ray.single.pretrain import run_pretraining
from slr_ray.single.train import run_single


@dataclass(frozen=True)
class TrainingResult:
    """What `train` gives: the record of all that was measured, and the model.

    >>> result.record.seed, result.record.test.num_clips > 0
    (0, True)
    >>> result.checkpoint.endswith("checkpoint.pt")
    True
    """

    record: MeasuredRecord
    """Metrics on validation and test, F1 by gloss, confusion, rounds and epochs."""
    checkpoint: str
    """The file that `Recogniser.load`, of sentences `SentenceRecogniser.load`, and `python -m
    slr_ray.predict` read."""
    config: Experiment

    @property
    def recogniser(self) -> Recogniser:
        """Of isolated signs; `DataError` where it was trained on sentences."""
        return Recogniser.load(self.checkpoint)

    @property
    def sentence_recogniser(self) -> SentenceRecogniser:
        """Of sentences; `DataError` where it was trained on isolated signs."""
        return SentenceRecogniser.load(self.checkpoint)


def train(
    corpus: Corpus | str | Path | None = None,
    *,
    preset: str | None = None,
    labelled_fraction: float | None = None,
    labelled_per_gloss: int | None = None,
    labelled_signers: int | None = None,
    encoder: Encoder | str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: SupportsIndex = 0,
    out: str | Path | None = None,
    quiet: bool = False,
) -> TrainingResult:
    """Train, choose the round on validation and measure that model once on the test set.

    >>> result = slr_ray.train(corpus, labelled_signers=4, settings=small,
    ...                        out=folder / "trained", quiet=True)
    >>> 0 < result.record.test.balanced_accuracy <= 1
    True
    >>> result.recogniser.glosses == corpus.glosses
    True

    The same as `python -m slr_ray.train`, in this process. `corpus` is an open one or where its
    shards are; None is the embedded corpus, with `preset="continuous"` the one of sentences.
    Sentences take that preset; without a preset it is "modern". `settings` are values by dotted
    path, such as `{"method.num_rounds": 3}`. `encoder` is a pre-trained one to start from. Results
    go to `out`, or to a new folder below ./trained; the same call with the same `out` goes on where
    it was interrupted, or reads what is there.

    Raises `ConfigError` or `DataError` before work starts where something can't be used.
    """
    sections = data_and_pool(
        None,
        labelled_fraction=labelled_fraction,
        labelled_per_gloss=labelled_per_gloss,
        labelled_signers=labelled_signers,
    )
    if encoder is not None:
        path = encoder.path if isinstance(encoder, Encoder) else str(encoder)
        sections["initialisation"] = {"kind": "encoder", "path": path}
    seed = _whole_seed(seed)
    tree = _tree(corpus, preset, sections, settings)
    opener = Opener()
    prepared = opener.prepare(build_with_pool(tree, "slr_ray.train", opener))
    folder = run_single(prepared, seed, _folder(out, "trained"), None, literal_console(quiet=quiet))
    return _result(folder, prepared.config)


def pretrain(
    corpus: Corpus | str | Path | None = None,
    *,
    objective: str = "sl_fpn",
    augmentation: str = "boundary",
    preset: str = "ssl_slr_small",
    settings: Mapping[str, Any] | None = None,
    seed: SupportsIndex = 0,
    out: str | Path | None = None,
    quiet: bool = False,
) -> Encoder:
    """Pre-train an encoder on clips whose glosses are never read (SL-FPN, arXiv 2509.05188).

    >>> encoder = slr_ray.pretrain(corpus, objective="simclr", settings=tiny,
    ...                            out=folder / "encoder", quiet=True)
    >>> encoder.config.objective.kind
    'simclr'

    The same as `python -m slr_ray.pretrain`; validation and test signers are left out. Arguments as
    in `train`, the default folder is one below ./encoders.
    """
    section = {
        "kind": "pretraining",
        "objective": {"kind": objective},
        "augmentation": {"kind": augmentation},
    }
    seed = _whole_seed(seed)
    opener = Opener()
    tree = _tree(corpus, preset, {"initialisation": section}, settings)
    prepared = opener.prepare(opener.build(tree, "slr_ray.pretrain"))
    target = _folder(out, "encoders")
    return load_encoder(run_pretraining(prepared, seed, target, None, literal_console(quiet=quiet)))


def _whole_seed(seed: SupportsIndex) -> int:
    if not is_whole(seed, 0):
        raise ConfigError(f"seed={seed!r}: give a whole number, 0 or above")
    return int(seed)


def _tree(
    corpus: Corpus | str | Path | None,
    preset: str | None,
    sections: Mapping[str, Any],
    settings: Mapping[str, Any] | None,
) -> dict[str, Any]:
    if settings is not None and not isinstance(settings, Mapping):
        raise ConfigError(
            f"settings={settings!r}: give values by dotted path, such as {{'method.num_rounds': 3}}"
        )
    refuse_both(settings, "settings")
    tree: dict[str, Any] = {}
    if corpus is not None:
        opened = corpus if isinstance(corpus, Corpus) else open_corpus(corpus)
        if opened.data is None:
            raise ConfigError(f"{opened.name} is no corpus of slr_ray.open_corpus")
        tree["data"] = opened.data.model_dump(mode="json")
    if preset is not None:
        tree["preset"] = preset
    return merge(merge(tree, sections), as_tree(settings or {}))


def _folder(out: str | Path | None, default: str) -> str:
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
    return str(out) if out is not None else f"{default}/{stamp}"


def _result(folder: ResultFolder, config: Experiment) -> TrainingResult:
    return TrainingResult(folder.measured(), folder.checkpoint_location, config)
