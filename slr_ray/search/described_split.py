"""What a search's record says of its split: who trains, validates and tests, on how many labels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from slr_ray.corpora.pools import Pool
from slr_ray.corpora.split_checks import num_glosses
from slr_ray.experiment.prepared import Prepared
from slr_ray.search.draws import Draw


def split_described(base: Prepared, pools: Mapping[Draw, Pool]) -> dict[str, Any]:
    """Of one split; `pools` are those of every draw."""
    corpus, parts = base.corpus, base.split
    is_open = bool(base.config.pool.open_data)
    return {
        "kind": base.config.split.kind,
        "fingerprint": parts.fingerprint,
        "untrained_glosses": list(parts.untrained_glosses),
        "num_clips_of_unknown_signers": len(parts.unlabelled_only),
        **({"open_pool": base.open_pool.described()} if is_open else {}),
        **{
            name: {
                "num_clips": len(clips),
                "num_labels": labels,
                "num_glosses": num_glosses(corpus, clips),
                "signers": corpus.signers_of(clips),
            }
            for name, clips, labels in (
                ("training", parts.training, base.num_training_labels),
                ("validation", parts.validation, len(parts.validation)),
                ("test", parts.test, len(parts.test)),
            )
        },
        "labelled_per_seed": {
            str(draw.seed): {
                "num_clips": len(pool.labelled),
                "signers": corpus.signers_of(pool.labelled),
                "missing_glosses": list(pool.missing_glosses),
            }
            for draw, pool in pools.items()
        },
    }


def folds_described(prepared: Sequence[Prepared], pools: Mapping[Draw, Pool]) -> dict[str, Any]:
    """Of folds, one of `prepared` each; `pools` are those of every draw."""
    corpus, parts = prepared[0].corpus, [one.split for one in prepared]
    tested = np.concatenate([one.test for one in parts])
    digest = hashlib.sha256(" ".join(one.fingerprint for one in parts).encode())
    labelled = {
        fold: [len(pool.labelled) for draw, pool in pools.items() if draw.fold == fold]
        for fold in range(len(prepared))
    }
    return {
        "kind": prepared[0].config.split.kind,
        "fingerprint": digest.hexdigest(),
        "untrained_glosses": sorted({name for one in parts for name in one.untrained_glosses}),
        "num_clips_of_unknown_signers": len(parts[0].unlabelled_only),
        "test": {
            "num_clips": len(tested),
            "num_glosses": num_glosses(corpus, tested),
            "signers": corpus.signers_of(tested),
        },
        "folds": {
            str(fold): {
                "num_labelled": round(float(np.mean(labelled[fold]))),
                "num_training_labels": opened.num_training_labels,
                "num_validation": len(opened.split.validation),
                "num_test": len(opened.split.test),
                "num_open_pool": len(opened.open_pool),
                "test_signers": corpus.signers_of(opened.split.test),
            }
            for fold, opened in enumerate(prepared)
        },
    }
