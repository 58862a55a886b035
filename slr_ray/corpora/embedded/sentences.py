"""Embedded sentences: the embedded corpus's people sign sentences, and all times are known.

How hard they are was chosen before any method was tried on them, and stays:

- People, cameras and detector are the isolated corpus's, whose numbers were fitted to webcams. Only
  the rate is at least 25 frames a second, as in all corpora of sentences: at 15, a sign would be a
  step and a half of a model that thins frames by four.
- 2 to 9 glosses a sentence, 4.8 on average, as Isharah's. 30 glosses: few enough for a minute's
  training, enough that the twelve full of minimal pairs are less than half.
- Signs in sentences are shorter and smaller than by themselves. Of 190 timed glosses of the DGS
  Corpus (sample of `fluent-pose-synthesis`), the middle half takes 0.10 to 0.30 s, the gap after
  it 0.12 to 0.28 s, and 2.1 fit in a second. Ours take about 0.4 s, as they show their whole
  movement; a reach between them takes 0.25 to 0.6 of the signer's
  rise, the more the further it is. So there is no rest between signs, and often no pause.
- Amplitude x 0.7 to 1, a tenth of the signs without their still ends, the other hand early for
  signs of both hands: the coarticulation that is described most often.
- Each sentence is signed by a quarter of the signers, so that signers and sentences can be held
  out; labels are right, for here the times are asked about.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.embedded.corpus import open_generated
from slr_ray.corpora.embedded.language import sequences
from slr_ray.corpora.embedded.people import Draw, OfPeople, filmed, people, signed_by, stream
from slr_ray.corpora.embedded.signers import pose
from slr_ray.corpora.embedded.signs import lexicon
from slr_ray.corpora.embedded.utterance import draw_habit, utter
from slr_ray.poses.clip import Clip
from slr_ray.poses.sentence import Sentence

_VERSION = 1
"""Raised whenever the same configuration comes to mean other clips: caches are keyed with it."""


class EmbeddedSentencesConfig(OfPeople):
    """Embedded sentences: their size and their difficulty."""

    kind: Literal["embedded_sentences"] = "embedded_sentences"
    num_glosses: int = Field(30, ge=2)
    """Signs in the vocabulary, the same as the isolated corpus's of that size."""
    num_sentences: int = Field(160, ge=1)
    """Different gloss sequences; about `signer_coverage` of the signers sign each, once."""
    signer_coverage: float = Field(0.25, gt=0, le=1)
    """Mean share of the signers who sign a sentence; sentences differ by up to 0.1 either way."""


def open_embedded_sentences(config: EmbeddedSentencesConfig) -> Corpus:
    """The whole corpus of `config`, generated into the cache on its first use."""
    return open_generated(
        config, "embedded_sentences", _VERSION, lambda: generate_sentences(config)
    )


def generate_sentences(config: EmbeddedSentencesConfig) -> Iterator[Clip]:
    """The clips by signer and sentence, one at a time.

    Raises `ConfigError` where there are not so many glosses or sentences.
    """
    signs = lexicon(config.num_glosses)
    said = sequences(config.num_sentences, config.num_glosses, config.seed)
    signed = signed_by(config, config.num_sentences, config.signer_coverage, spread=0.1)
    for person in people(config):
        who = replace(person, signer=replace(person.signer, fps=max(person.signer.fps, 25.0)))
        habits = [
            draw_habit(
                stream(config.seed, Draw.HABIT, who.number, gloss),
                who.signer,
                sign,
                config.idiosyncrasy,
                config.variant_share,
            )
            for gloss, sign in enumerate(signs)
        ]
        for number in np.flatnonzero(signed[:, who.number]).tolist():
            rng = stream(config.seed, Draw.UTTERANCE, who.number, number)
            own = [habits[gloss] for gloss in said[number]]
            uttered = utter(rng, who.signer, own, config.clip_variation)
            skeleton = pose(who.signer, uttered.dominant, uttered.other, uttered.sway)
            clip = np.zeros(len(skeleton), np.int64)
            positions, confidence = filmed(config, who, skeleton, clip, number)
            yield Clip(
                clip_id=f"sentence-{who.number:04d}-{number:04d}",
                gloss=None,
                signer=who.name,
                fps=who.signer.fps,
                positions=positions,
                confidence=confidence,
                sentence=Sentence(
                    tuple(signs[gloss].gloss for gloss in said[number]), uttered.times
                ),
            )
