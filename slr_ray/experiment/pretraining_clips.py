"""Which clips pre-training learns from: none that the experiment measures on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from jaxtyping import Int

from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.splits import Split
from slr_ray.errors import ConfigError
from slr_ray.training.unlabelled import UnlabelledClips, same_clips


def choose_clips(
    which: Literal["training", "all"], corpus: Corpus, parts: Split, extras: Sequence[Corpus]
) -> UnlabelledClips:
    """The clips that pre-training sees.

    With `training`, validation and test clips are left out of the extra data, too, and so are all
    clips of signers who are only in validation or test: signers of the same name count as the same.
    Clips of unknown signers are kept: no name tells whom they show.
    """
    if which == "all":
        every = [(one, np.arange(one.num_clips)) for one in (corpus, *extras)]
        return UnlabelledClips(tuple(every))
    chosen = [(corpus, parts.training)]
    num_left_out = 0
    for extra in extras:
        kept = of_others(extra, corpus, parts)
        num_left_out += extra.num_clips - len(kept)
        if len(kept):
            chosen.append((extra, kept))
    return UnlabelledClips(tuple(chosen), num_left_out)


def of_others(extra: Corpus, corpus: Corpus, parts: Split) -> Int[np.ndarray, " clips"]:
    """Clips of another corpus that are none of `corpus`'s validation or test, nor of people there.

    Signers of the same name count as the same. Those who train, too, are no secret.
    """
    measured = parts.measured
    held_out = set(corpus.signers_of(measured)) - set(corpus.signers_of(parts.training))
    left_out = [row for row, name in enumerate(extra.signers) if name in held_out]
    kept = np.flatnonzero(~np.isin(extra.signer_index, left_out))
    others: np.ndarray = kept[~same_clips(extra, kept, corpus, measured)]
    return others


def refuse_measured(
    chosen: UnlabelledClips,
    which: str,
    corpus: Corpus,
    measured: Mapping[str, Int[np.ndarray, " clips"]],
) -> None:
    """`ConfigError` where pre-training would learn from clips that are measured on.

    `measured` are the validation and test clips by name.
    """
    own = chosen.parts[0][1]
    for name, clips in measured.items():
        seen = int(np.isin(clips, own).sum())
        if seen:
            raise ConfigError(
                f"initialisation.clips is {which!r}: pre-training would learn from {seen} of the "
                f"{len(clips)} {name} clips of {corpus.name}. Leave it at training; an encoder of "
                "slr_ray.pretrain --all-clips is for another corpus"
            )
