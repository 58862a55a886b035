"""An arm's folds as one result: every test clip counted once, whoever its signer is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slr_ray.evaluation.metrics import f1_scores
from slr_ray.evaluation.people import SignerCounts, mean_metrics, pooled_metrics
from slr_ray.records.measured import SentenceMetrics, of_signs
from slr_ray.records.predictions import pooled
from slr_ray.records.run_folder import RunFolder
from slr_ray.records.runs import ArmRecord
from slr_ray.search.comparison.pooled_arm import pooled_arm, pooled_confusion
from slr_ray.search.comparison.pooled_sentences import pooled_sentence_record


def pool_arms(folder: RunFolder, arms: Sequence[str], seeds: Sequence[int], num_folds: int) -> None:
    """Write the result of each arm and seed whose folds are all there, and that has none yet."""
    glosses = folder.read_run().glosses
    for arm in arms:
        for seed in seeds:
            parts = [folder.arm(arm, seed, fold) for fold in range(num_folds)]
            whole = folder.arm(arm, seed)
            if whole.is_done() or not all(one.is_done() for one in parts):
                continue
            records = [one.arm() for one in parts]
            if isinstance(records[0].test, SentenceMetrics):
                sentences = pooled(one.sentence_predictions() for one in parts)
                whole.write_predictions(sentences)
                whole.write_record(pooled_sentence_record(records, sentences, glosses))
            else:
                signs = pooled(one.predictions() for one in parts)
                whole.write_predictions(signs)
                whole.write_record(pooled_record(records, SignerCounts.of(signs), glosses))


def pooled_record(
    folds: Sequence[ArmRecord], counts: SignerCounts, glosses: Sequence[str]
) -> ArmRecord:
    """One record of one arm's folds on one seed.

    Test metrics are those of all clips together; loss and calibration error, and all of validation,
    whose sets overlap, are means over folds weighted by clips.
    """
    f1 = zip(glosses, f1_scores(pooled_confusion(folds)), strict=True)
    return pooled_arm(
        folds,
        validation=mean_metrics([of_signs(one.validation) for one in folds]),
        test=pooled_metrics([of_signs(one.test) for one in folds], counts),
        f1_per_gloss={name: float(score) for name, score in f1 if not np.isnan(score)},
    )
