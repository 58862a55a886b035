"""Opening what experiments name: corpora, splits and encoders, each once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from slr_ray.corpora.clip_kinds import refuse_isolated, refuse_sentences
from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.data import DataConfig, open_data, open_extra
from slr_ray.corpora.splits import Split, SplitConfig, split_corpus
from slr_ray.experiment.encoder_file import Encoder, load_encoder, refuse_contradictions
from slr_ray.experiment.experiment import Experiment, build_experiment, encoder_path
from slr_ray.experiment.extra_clips import labelled_elsewhere, open_pool, pretraining_clips
from slr_ray.experiment.initialisation import EncoderFile, OtherGlosses
from slr_ray.experiment.prepared import OtherClips, Prepared
from slr_ray.experiment.sentence_clips import refuse_short_sentences
from slr_ray.training.pretraining.config import PretrainingConfig
from slr_ray.training.unlabelled import UnlabelledClips


class Opener:
    """Opens experiments; what several of them have in common is opened once.

    Whoever works on more than one experiment holds one: a space with all its ends, a process that
    runs many trials. A file that changes is seen by the next opener.
    """

    def __init__(self) -> None:
        self._corpora: dict[DataConfig, Corpus] = {}
        self._extra: dict[tuple[str, DataConfig], Corpus] = {}
        self._splits: dict[tuple[DataConfig, SplitConfig], Split] = {}
        self._encoders: dict[str, Encoder] = {}
        self._chosen: dict[tuple[Any, ...], UnlabelledClips] = {}

    def build(self, tree: Mapping[str, Any], origin: str) -> Experiment:
        """The experiment of a configuration tree, an encoder that it starts from below it."""
        path = encoder_path(tree)
        return build_experiment(tree, origin, None if path is None else self.encoder(path))

    def prepare(self, config: Experiment) -> Prepared:
        """Everything that the experiment names, opened.

        Raises `DataError` or `ConfigError` where data, split or encoder can't be used.
        """
        source = config.initialisation
        prepared = Prepared(
            config,
            self.corpus_of(config),
            self.split(config.data, config.split),
            open_pool=self._open_pool(config),
        )
        if config.task == "continuous":
            refuse_short_sentences(prepared)
        match source:
            case EncoderFile():
                encoder = self.encoder(source.path)
                refuse_contradictions(config.model_dump(mode="json"), encoder, source.path)
                return replace(prepared, encoder=encoder)
            case OtherGlosses():
                (other,) = self._open_extra([source.data], config.data)
                kept = labelled_elsewhere(prepared.corpus, prepared.split, other)
                own = frozenset(prepared.corpus.glosses)
                return replace(prepared, other=OtherClips(other, kept, own))
            case PretrainingConfig():
                extra = self._open_extra(source.extra_data, config.data)
                chosen = self._choose(config, source, extra)
                return replace(prepared, extra=extra, unlabelled=chosen)
            case _:
                return prepared

    def corpus_of(self, config: Experiment) -> Corpus:
        """The experiment's corpus; `ConfigError` where it is not what the experiment is about."""
        corpus = self.corpus(config.data)
        if config.task == "continuous":
            refuse_isolated(corpus)
        else:
            refuse_sentences(corpus)
        return corpus

    def corpus(self, data: DataConfig) -> Corpus:
        if data not in self._corpora:
            self._corpora[data] = open_data(data)
        return self._corpora[data]

    def split(self, data: DataConfig, how: SplitConfig) -> Split:
        if (data, how) not in self._splits:
            self._splits[data, how] = split_corpus(self.corpus(data), how)
        return self._splits[data, how]

    def encoder(self, path: str) -> Encoder:
        if path not in self._encoders:
            self._encoders[path] = load_encoder(path)
        return self._encoders[path]

    def _open_extra(self, locations: Iterable[str], data: DataConfig) -> tuple[Corpus, ...]:
        for one in locations:
            if (one, data) not in self._extra:
                self._extra[one, data] = open_extra(one, data)
        return tuple(self._extra[one, data] for one in locations)

    def _open_pool(self, config: Experiment) -> UnlabelledClips:
        key = (config.data, config.split, config.pool.open_data)
        if key not in self._chosen:
            extra = self._open_extra(config.pool.open_data, config.data)
            parts = self.split(config.data, config.split)
            self._chosen[key] = open_pool(self.corpus(config.data), parts, extra)
        return self._chosen[key]

    def _choose(
        self, config: Experiment, section: PretrainingConfig, extra: tuple[Corpus, ...]
    ) -> UnlabelledClips:
        key = (config.data, config.split, section.clips, section.extra_data)
        if key not in self._chosen:
            parts = self.split(config.data, config.split)
            corpus = self.corpus(config.data)
            self._chosen[key] = pretraining_clips(section.clips, corpus, parts, extra)
        return self._chosen[key]
