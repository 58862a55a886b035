"""What a split can measure, and what people must know before they believe its scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from slr_ray.corpora.clip_kinds import SYNTHETIC_TRANSITIONS
from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.sequences import sequence_numbers
from slr_ray.corpora.signers import LabelledSigners
from slr_ray.corpora.splits import Split
from slr_ray.errors import ConfigError

_MEASURED = ("validation", "test")
_SHOWN_GLOSSES = 20


def num_glosses(corpus: Corpus, clips: Int[np.ndarray, " clips"]) -> int:
    """How many glosses some clips have."""
    return len(corpus.glosses_in(clips))


def split_warnings(corpus: Corpus, parts: Split) -> list[str]:
    """What scores will not say: of glosses not measured or taught, sentences, people, files."""
    warnings = []
    total = len(corpus.glosses)
    held = {name: num_glosses(corpus, getattr(parts, name)) for name in _MEASURED}
    if min(held.values()) < total:
        warnings.append(
            f"the test set holds {held['test']} of {total} glosses, validation "
            f"{held['validation']}: scores say nothing of the others"
        )
    if parts.untrained_glosses:
        wrong = [corpus.glosses.index(gloss) for gloss in parts.untrained_glosses]
        having = corpus.signed[np.isin(corpus.signed[:, 1], wrong), 0]
        counts = [
            f"{np.isin(clips, having).sum():,} of {len(clips):,} {name} clips"
            for name, clips in ((name, getattr(parts, name)) for name in _MEASURED)
        ]
        always = "never wholly right" if corpus.has_sentences else "always wrong"
        warnings.append(
            f"{len(wrong)} glosses validated or tested but in no training clip, so that "
            f"{' and '.join(counts)} are {always}: {listed(parts.untrained_glosses)}"
        )
    if corpus.has_sentences:
        sequence_of = sequence_numbers(corpus)
        again = int(np.isin(sequence_of[parts.test], sequence_of[parts.training]).sum())
        if again:
            warnings.append(
                f"{again:,} of {len(parts.test):,} test sentences have the glosses of a training "
                "sentence, so that scores are not those on sentences never seen; "
                "split.kind=sentences gives these"
            )
    if any(SYNTHETIC_TRANSITIONS.items() <= one.items() for one in corpus.provenance):
        known = corpus.signers_of(parts.training)
        again = bool(set(known).intersection(corpus.signers_of(parts.test)))
        warnings.append(
            "sentences are chained of isolated clips: their signs are real, the transitions are "
            "synthetic, and scores say nothing of coarticulation"
            + again
            * ". Sentences of one signer share near-copies of signs, and signers of the "
            "test set are in training: use split.kind=signer"
        )
    if len(parts.unlabelled_only):
        warnings.append(
            f"{len(parts.unlabelled_only):,} clips of unknown signers are in the unlabelled pool "
            "only; they may show people of validation and test, and scores then are not those on "
            "new people"
        )
    if parts.num_unlisted:
        warnings.append(
            f"the split file does not list {parts.num_unlisted:,} of the {corpus.num_clips:,} "
            "clips: they neither train nor are measured, nor are they in the unlabelled pool"
        )
    if parts.num_absent:
        warnings.append(
            f"{parts.num_absent:,} clips of the split file are not in {corpus.name}: published "
            "scores that have them are of other clips"
        )
    return warnings


def refuse_untaught(corpus: Corpus, parts: Split, labelled: Int[np.ndarray, " labelled"]) -> None:
    """`ConfigError` where validation or test has no gloss in common with the labelled clips."""
    taught = corpus.glosses_in(labelled)
    for name in _MEASURED:
        clips = getattr(parts, name)
        measured = corpus.glosses_in(clips)
        if len(measured) and not np.isin(measured, taught).any():
            names = listed([corpus.glosses[one] for one in measured])
            raise ConfigError(
                f"no gloss of the {len(clips):,} {name} clips has a labelled training clip "
                f"({names}): every answer would be wrong. {_remedy(corpus)}"
            )


def refuse_one_gloss(corpus: Corpus, glosses: Int[np.ndarray, " labelled"]) -> None:
    """`ConfigError` where there is nothing to tell apart: `glosses` are those of labelled clips."""
    count = len(np.unique(glosses))
    if count < 2:
        raise ConfigError(
            f"{corpus.name} has labelled training clips of {count} gloss: at least 2 are needed to "
            "tell apart. Give data with more glosses, or label more clips (pool.*)"
        )


def _remedy(corpus: Corpus) -> str:
    num_signers = (LabelledSigners.of(corpus).signed > 0).sum(axis=0)
    if num_signers.max(initial=0) <= 1 and not corpus.has_sentences:
        return (
            "Every gloss has one signer only: if these are categories or folders and not people, "
            "import the clips again with their signers, or use split.kind=clip"
        )
    return "Label more clips (pool.*), or use another split (split.seed, split.kind)"


def listed(glosses: Sequence[str]) -> str:
    """Names for a message: the first twenty and how many more."""
    more = len(glosses) - _SHOWN_GLOSSES
    shown = ", ".join(glosses[:_SHOWN_GLOSSES])
    return shown + (f" and {more} more" if more > 0 else "")
