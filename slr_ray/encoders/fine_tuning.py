"""Semi-supervised evaluation: fine-tune an encoder on a share of the labels (SSL-SLR, table 3)."""

from __future__ import annotations

from dataclasses import replace

from slr_ray.encoders.records import ClassificationRecord
from slr_ray.evaluation.metrics import measure
from slr_ray.experiment.initialisation import FreshWeights
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.seed_run import OnEpoch, prepare_seed
from slr_ray.methods.sslr import rounds
from slr_ray.models.config import with_weights
from slr_ray.records.stages import StageStore
from slr_ray.training.prediction import predict_on
from slr_ray.workers.place import Place


def from_scratch(prepared: Prepared) -> Prepared:
    """The same experiment, model and training without the encoder's weights."""
    fresh = prepared.config.model_copy(update={"initialisation": FreshWeights()})
    return replace(prepared.with_config(fresh), encoder=None)


def fine_tune(
    prepared: Prepared,
    seed: int,
    stages: StageStore,
    place: Place,
    on_epoch: OnEpoch | None = None,
) -> ClassificationRecord:
    """Train encoder and classifier on the labelled pool; the epoch is chosen on validation.

    One supervised round of the method (no pseudo-labels), so that a stage that is there already is
    not trained again. Measured once on the test set.
    """
    run = prepare_seed(prepared, seed, stages, place, on_epoch)
    own = run.problem
    finished = next(rounds(run))
    model = with_weights(own.new_model(), finished.model_state, place.device)
    probabilities = predict_on(
        own,
        model,
        own.split.test,
        prepared.config.training,
        place,
        num_views=own.test_time_views,
    )
    return ClassificationRecord(
        setting=f"{finished.record.num_steps} steps",
        validation=finished.record.validation,
        test=measure(probabilities, own.glosses(own.split.test)),
    )
