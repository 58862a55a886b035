"""Checkpoints that predict: weights, configuration and names of the glosses in one safe file."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from slr_ray.config import build
from slr_ray.corpora.corpus import Corpus
from slr_ray.errors import DataError
from slr_ray.experiment.experiment import Experiment
from slr_ray.models.config import new_model
from slr_ray.models.model import Model
from slr_ray.poses.normalisation import num_channels
from slr_ray.records.stages import State, loads
from slr_ray.storage import read_file
from slr_ray.training.prediction import predict
from slr_ray.workers.place import this_place

_FORMAT = 2


@dataclass(frozen=True)
class Recogniser:
    """A trained model and what it takes to use it."""

    model: Model
    config: Experiment
    glosses: tuple[str, ...]
    provenance: tuple[dict[str, Any], ...]
    """How the poses came about that it was trained on, one record a way."""

    def probabilities(
        self, corpus: Corpus, clips: Int[np.ndarray, " clips"]
    ) -> Float[np.ndarray, "clips glosses"]:
        """Softmax probabilities; columns in the order of `glosses`."""
        place = this_place()
        return predict(
            self.model.to(place.device),
            corpus,
            clips,
            normalisation=self.config.normalisation,
            max_frames=self.config.training.max_frames,
            device=place.device,
            precision=self.config.training.precision,
        )


def checkpoint_content(config: Experiment, corpus: Corpus, state: State, metric: str) -> State:
    """What a checkpoint holds; `load_recogniser` reads it."""
    return {
        "format": _FORMAT,
        "model": state,
        "config": config.model_dump(mode="json"),
        "glosses": list(corpus.glosses),
        "fingerprint": corpus.fingerprint,
        "provenance": list(corpus.provenance),
        "chosen_by": f"validation {metric}",
    }


def load_recogniser(path: str) -> Recogniser:
    """Read a checkpoint, a file or URI (`weights_only`); `DataError` where it is none of ours."""
    try:
        content = loads(read_file(path))
    except FileNotFoundError:
        raise DataError(f"no such checkpoint: {path}") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from None
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError) as error:
        # Torch's own text goes on to advise an unsafe load.
        raise DataError(
            f"{path} is not a checkpoint that can be loaded safely ({type(error).__name__})"
        ) from None
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise DataError(f"{path} is not a checkpoint of slr_ray (format {_FORMAT})")
    # Resolved when it was written, and complete: an encoder file that it started from may be gone.
    config = build(Experiment, content["config"], path)
    glosses = tuple(content["glosses"])
    model = new_model(config.model, num_channels(config.normalisation), len(glosses))
    model.load_state_dict(content["model"])
    return Recogniser(model.eval(), config, glosses, tuple(content["provenance"]))
