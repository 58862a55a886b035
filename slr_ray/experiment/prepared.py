"""An experiment with everything that it names: opened once, passed on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, assert_never

import numpy as np
from jaxtyping import Int

from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.pools import Pool, draw_pool
from slr_ray.corpora.split_checks import refuse_one_gloss, refuse_untaught
from slr_ray.corpora.splits import Split
from slr_ray.experiment.consistency_config import StepByStep
from slr_ray.experiment.encoder_file import Encoder, refuse_seen_clips
from slr_ray.experiment.experiment import Experiment, pretraining_of
from slr_ray.experiment.extra_clips import refuse_measured
from slr_ray.experiment.initialisation import EncoderFile, FreshWeights, OtherGlosses
from slr_ray.experiment.linear_evaluation import LinearEvaluationConfig
from slr_ray.training.pretraining.config import PretrainingConfig
from slr_ray.training.problem import Problem
from slr_ray.training.unlabelled import NO_CLIPS, UnlabelledClips

# A change of code that changes what training gives must change this, so that old stages are not
# taken for new ones.
STAGE_VERSION = 13


@dataclass(frozen=True)
class OtherClips:
    """Labelled clips of another corpus, of nobody whom the experiment measures on."""

    corpus: Corpus
    clips: Int[np.ndarray, " clips"]
    own_glosses: frozenset[str]
    """The experiment's: their clips may be its own under other names."""

    def described(self) -> str:
        """How many they are, in a message's words."""
        left_out = int(self.corpus.is_labelled.sum()) - len(self.clips)
        glosses = {self.corpus.glosses[one] for one in self.corpus.glosses_in(self.clips)}
        told = (
            f"{len(self.clips):,} labelled clips of {len(glosses)} glosses of {self.corpus.name} "
            f"({left_out:,} left out, which are in the data already or show people held out)"
        )
        if shared := glosses & self.own_glosses:
            told += (
                f"; {len(shared)} of these glosses are the experiment's own, so their labels are "
                "labels more than the pool's"
            )
        return told


@dataclass(frozen=True)
class Prepared:
    """What an experiment works on. Make it with `Opener.prepare`."""

    config: Experiment
    corpus: Corpus
    split: Split
    encoder: Encoder | None = None
    """Of `initialisation.kind: encoder`."""
    extra: tuple[Corpus, ...] = ()
    """Corpora that only pre-training learns from."""
    unlabelled: UnlabelledClips | None = None
    """Of `initialisation.kind: pretraining`: the clips that it sees."""
    other: OtherClips | None = None
    """Of `initialisation.kind: other_glosses`: what it learns from."""
    open_pool: UnlabelledClips = NO_CLIPS
    """Of `pool.open_data`."""

    @property
    def fingerprint(self) -> str:
        """Of the corpus, and of those of the open pool."""
        every = [self.corpus, *(corpus for corpus, _ in self.open_pool.parts)]
        if len(every) == 1:
            return self.corpus.fingerprint
        return hashlib.sha256(" ".join(one.fingerprint for one in every).encode()).hexdigest()

    def with_config(self, config: Experiment) -> Prepared:
        """The same data and encoder under other settings of training or views."""
        return replace(self, config=config)

    def pool(self, seed: int) -> Pool:
        """The labelled and unlabelled pools that `seed` draws."""
        parts = self.split
        pool = draw_pool(self.corpus, parts.training, self.config.pool, seed, parts.unlabelled_only)
        if self.config.training.with_validation:
            pool = pool.with_labelled(self.corpus, parts.validation)
        refuse_untaught(self.corpus, parts, pool.labelled)
        if not self.corpus.has_sentences:
            refuse_one_gloss(self.corpus, self.corpus.gloss_index[pool.labelled])
        return pool

    def num_labels(self, clips: Int[np.ndarray, " clips"]) -> int:
        """How many of some clips have a label, hidden or not."""
        return int(self.corpus.is_labelled[clips].sum())

    @property
    def num_training_labels(self) -> int:
        """Training clips that a pool may label."""
        own = self.num_labels(np.setdiff1d(self.split.training, self.split.unlabelled_only))
        return own + len(self.split.validation) - self.num_validation

    @property
    def num_validation(self) -> int:
        """Labels that choose and do not train."""
        return 0 if self.config.training.with_validation else len(self.split.validation)

    def problem(self, seed: int) -> Problem:
        """What a seed trains on."""
        pool, num_clips = self.pool(seed), self.corpus.num_clips
        added = np.arange(num_clips, num_clips + len(self.open_pool))
        return Problem(
            corpus=self.corpus,
            split=self.split,
            labelled=pool.labelled,
            unlabelled=np.concatenate([pool.unlabelled, added]),
            normalisation=self.config.normalisation,
            augmentation=self.config.augmentation,
            model=self.config.model,
            open_pool=self.open_pool,
            sentences=self.config.sentences,
            test_time_views=self.config.test_time_views,
        )

    @property
    def pretraining(self) -> PretrainingConfig:
        """The experiment's pre-training; `ConfigError` where it has none."""
        return pretraining_of(self.config)

    @property
    def pretraining_clips(self) -> UnlabelledClips:
        """The clips that pre-training sees; `ConfigError` where the experiment has none."""
        pretraining_of(self.config)
        assert self.unlabelled is not None
        return self.unlabelled

    def refuse_measured_clips(self) -> None:
        """`ConfigError` where the weights training starts from know clips that it measures on."""
        source = self.config.initialisation
        if isinstance(source, FreshWeights | OtherGlosses):
            return
        measured = {"validation": self.split.validation, "test": self.split.test}
        if isinstance(source, EncoderFile):
            assert self.encoder is not None
            refuse_seen_clips(self.encoder, source, self.corpus, measured)
            return
        refuse_measured(self.pretraining_clips, source.clips, self.corpus, measured)

    def stage_facts(self) -> dict[str, Any]:
        """What every stage of the experiment depends on besides seed, round and method."""
        without = {"task", "preset", "data", "split", "method", "initialisation", "test_time_views"}
        if self.config.sentences is None:
            without.add("sentences")
        # The paths stand for what lies there.
        excluded: dict[str, Any] = {**dict.fromkeys(without, True), "pool": {"open_data"}}
        if not self.config.training.with_validation:
            excluded["training"] = {"with_validation"}
        method = self.config.method
        by_step = isinstance(method, StepByStep)
        return {
            "version": STAGE_VERSION,
            "fingerprint": self.fingerprint,
            # Of its clips: a split file may change under the same path.
            "split": self.split.fingerprint,
            "initialisation": self.initialisation_facts(),
            "frozen": isinstance(method, LinearEvaluationConfig),
            # Rounds share their first one, whatever follows; this method shapes it.
            **({"consistency": method.model_dump(mode="json")} if by_step else {}),
            **self.config.model_dump(mode="json", exclude=excluded),
        }

    def initialisation_facts(self) -> dict[str, Any]:
        """What the initial weights depend on besides data, split, model and seed."""
        section = self.config.initialisation
        match section:
            case FreshWeights():
                return section.model_dump(mode="json")
            case EncoderFile():
                assert self.encoder is not None
                return {"kind": section.kind, "sha256": self.encoder.sha256}
            case OtherGlosses():
                assert self.other is not None
                facts = section.model_dump(mode="json", exclude={"data"})
                return {"data": self.other.corpus.fingerprint, **facts}
            case PretrainingConfig():
                # Watching for collapse changes no weight; the paths stand for what lies there.
                excluded = {"collapse_threshold", "stop_on_collapse", "extra_data"}
                extra = [one.fingerprint for one in self.extra]
                return {"extra": extra, **section.model_dump(mode="json", exclude=excluded)}
            case _:
                assert_never(section)
