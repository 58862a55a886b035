"""Which clips are learnt from without glosses: none that the experiment measures on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from jaxtyping import Int

from slr_ray.corpora.clip_kinds import refuse_other_kind
from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.splits import Split
from slr_ray.errors import ConfigError
from slr_ray.training.unlabelled import UnlabelledClips, same_clips


def pretraining_clips(
    which: Literal["training", "all", "extra"],
    corpus: Corpus,
    parts: Split,
    extras: Sequence[Corpus],
) -> UnlabelledClips:
    """The clips that pre-training sees.

    Unless all are taken, validation and test clips are left out of the extra data, too, and so are
    all clips of signers who are only in validation or test: signers of the same name count as the
    same.
    Clips of unknown signers are kept: no name tells whom they show.
    """
    if which == "all":
        every = [(one, np.arange(one.num_clips)) for one in (corpus, *extras)]
        return UnlabelledClips(tuple(every))
    found = _left_in(corpus, parts, extras, parts.measured)
    if which == "extra":
        return found
    return UnlabelledClips(((corpus, parts.training), *found.parts), found.num_left_out)


def open_pool(corpus: Corpus, parts: Split, extras: Sequence[Corpus]) -> UnlabelledClips:
    """What `pool.open_data` adds to the unlabelled pool.

    Left out as from pre-training, and so are all clips that the corpus has. Raises `ConfigError`
    where isolated signs would join sentences, or the reverse.
    """
    for extra in extras:
        refuse_other_kind(corpus, extra)
    return _left_in(corpus, parts, extras, np.arange(corpus.num_clips))


def _left_in(
    corpus: Corpus, parts: Split, extras: Sequence[Corpus], there: Int[np.ndarray, " there"]
) -> UnlabelledClips:
    """Of `extras` the clips that neither show people held out nor are those of `corpus` `there`."""
    held_out = set(corpus.signers_of(parts.measured)) - set(corpus.signers_of(parts.training))
    chosen = []
    num_left_out = 0
    for extra in extras:
        left_out = [row for row, name in enumerate(extra.signers) if name in held_out]
        kept = np.flatnonzero(~np.isin(extra.signer_index, left_out))
        kept = kept[~same_clips(extra, kept, corpus, there)]
        num_left_out += extra.num_clips - len(kept)
        if len(kept):
            chosen.append((extra, kept))
    return UnlabelledClips(tuple(chosen), num_left_out)


def labelled_elsewhere(corpus: Corpus, parts: Split, other: Corpus) -> Int[np.ndarray, " clips"]:
    """Clips of another corpus that have a label, left out as from an open pool.

    All clips that the corpus has are: their labels may be hidden, and a pool says whose are not.

    Raises `ConfigError` where they are not what the corpus's are, signs or sentences.
    """
    refuse_other_kind(corpus, other)
    found = _left_in(corpus, parts, [other], np.arange(corpus.num_clips)).parts
    kept = found[0][1] if found else np.zeros(0, np.int64)
    labelled: np.ndarray = kept[other.is_labelled[kept]]
    return labelled


def refuse_measured(
    chosen: UnlabelledClips,
    which: str,
    corpus: Corpus,
    measured: Mapping[str, Int[np.ndarray, " clips"]],
) -> None:
    """`ConfigError` where pre-training would learn from clips that are measured on.

    `measured` are the validation and test clips by name.
    """
    if which == "extra":
        return
    own = chosen.parts[0][1]
    for name, clips in measured.items():
        seen = int(np.isin(clips, own).sum())
        if seen:
            raise ConfigError(
                f"initialisation.clips is {which!r}: pre-training would learn from {seen} of the "
                f"{len(clips)} {name} clips of {corpus.name}. Leave it at training; an encoder of "
                "slr_ray.pretrain --all-clips is for another corpus"
            )
