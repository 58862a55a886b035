"""Every way to train and to predict, once and tiny: does it run where the GPU is?"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from benchmarks.gpu.check import Finding, within
from benchmarks.gpu.experiments import apart, trained
from benchmarks.gpu.setting import Setting
from benchmarks.recogniser import opened
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.opener import Opener
from slr_ray.methods.recogniser import Recogniser
from slr_ray.methods.sentence_recogniser import SentenceRecogniser
from slr_ray.records.stages import Checkpoint, State, dumps, loads
from slr_ray.single.train import run_single
from slr_ray.workers.place import Place

_SEED = 0
_TRAINING = {"num_epochs": 2, "steps_per_epoch": 2, "batch_size": 16}
_POOL = {"kind": "fraction", "fraction": 0.2}
_HALF = {"kind": "fraction", "fraction": 0.5}
_SELECTIONS = ("top_per_gloss", "views_agree", "uncertainty", "ends_cut_agree", "adaptive")
_STEP_RULES = ("fixmatch", "flexmatch", "freematch", "softmatch", "debiaspl", "daso")
_AUGMENTATIONS = ("none", "spoter", "standard", "boundary")
_OBJECTIVES = ("sl_fpn", "simclr", "moco", "simsiam", "byol")
_SENTENCE_METHODS = ("supervised", "sslr_sentences", "consistency_sentences")


def paths(setting: Setting) -> Iterator[Finding]:
    place = setting.place()
    tiny = replace(setting, is_tiny=True)
    configs = dict(_experiments(tiny))
    for name in setting.choose(list(configs), list(configs)[::6]):
        try:
            _use(configs[name])
        except Exception as error:
            # The others are to be tried all the same.
            traceback.print_exc()
            yield Finding(f"{name}: {type(error).__name__}: {error}", is_problem=True)
        else:
            yield Finding(name)
    yield _resumed(tiny.experiment("modern", _TRAINING), place)


def _experiments(tiny: Setting) -> Iterator[tuple[str, Experiment]]:
    def of(method: Mapping[str, Any], **sections: Any) -> Experiment:
        return tiny.experiment("modern", _TRAINING, {"pool": _POOL, "method": method, **sections})

    for kind in _SELECTIONS:
        rounds = {"kind": "sslr", "num_rounds": 1, "num_views": 2, "selection": {"kind": kind}}
        yield f"SSLR, {kind}", of(rounds)
    for kind in _STEP_RULES:
        yield f"steps, {kind}", of({"kind": "consistency", "rule": {"kind": kind}})
    co_learning = {"start_fraction": 0.0}
    yield "steps, CoSSL", of({"kind": "consistency", "co_learning": co_learning})
    supervised = {"kind": "supervised"}
    for kind in _AUGMENTATIONS:
        yield f"augmentation {kind}", of(supervised, augmentation={"kind": kind})
    for preset in ("published", "spoter_small"):
        yield preset, tiny.experiment(preset, _TRAINING, {"method": supervised})
    for kind in _OBJECTIVES:
        section = {
            "kind": "pretraining",
            "objective": {"kind": kind},
            "batch_size": 16,
            "micro_batch_size": 8,
            "num_steps": 3,
            "collapse_threshold": 0.0,
        }
        sections = {"initialisation": section, "method": {"kind": "linear"}}
        yield (
            f"pre-training {kind}, linear evaluation",
            tiny.experiment("ssl_slr", _TRAINING, sections),
        )
    for kind in _SENTENCE_METHODS:
        method = {"kind": kind, **({"num_rounds": 1} if kind == "sslr_sentences" else {})}
        yield f"sentences, {kind}", tiny.sentences(_TRAINING, {"pool": _HALF, "method": method})


def _use(config: Experiment) -> None:
    """Train as the command does, and predict with the checkpoint."""
    prepared = Opener().prepare(config)
    with TemporaryDirectory() as folder:
        result = run_single(prepared, _SEED, folder, 1, Console(quiet=True))
        load = SentenceRecogniser.load if config.task == "continuous" else Recogniser.load
        load(result.checkpoint_location).predict(prepared.corpus.clip(0))


def _resumed(config: Experiment, place: Place) -> Finding:
    """A round that goes on from its checkpoint, against one that was not interrupted."""
    own = opened(config)
    saved: list[bytes] = []

    def loss(load: Callable[[], State | None]) -> float:
        checkpoint = Checkpoint(load, lambda state: saved.append(dumps(state)), every_s=0.0)
        return trained(config, own, place, checkpoint)[-1].loss

    whole = loss(lambda: None)
    return within("loss after a resume", apart(loss(lambda: loads(saved[0])), whole), 1e-3)
