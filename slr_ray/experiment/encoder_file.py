"""Encoder files: weights, what they were pre-trained on and all it takes to use them."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int
from pydantic import TypeAdapter, ValidationError

from slr_ray.corpora.corpus import Corpus
from slr_ray.errors import ConfigError, DataError
from slr_ray.experiment.initialisation import EncoderFile
from slr_ray.models.config import ModelConfig, new_encoder
from slr_ray.models.model import Model
from slr_ray.poses.normalisation import NormalisationConfig, num_channels
from slr_ray.records.measured import PretrainingEpoch
from slr_ray.records.stages import State, loads
from slr_ray.storage import Store, below, is_uri, parted
from slr_ray.training.pretraining.config import PretrainingConfig
from slr_ray.training.unlabelled import clip_hashes

FORMAT = "slr_ray encoder 1"
# Regularisation of what follows: it changes no weight's shape or meaning.
_FREE = {"model.dropout", "model.final_dropout"}
_MOST_NAMED = 10
_MODEL: TypeAdapter[Any] = TypeAdapter(ModelConfig)
_NORMALISATION: TypeAdapter[Any] = TypeAdapter(NormalisationConfig)


@dataclass(frozen=True)
class Encoder:
    """A pre-trained encoder and what it takes to use it.

    >>> encoder = slr_ray.load_encoder(encoder_file)
    >>> encoder.model_config.kind, encoder.max_frames
    ('pose_transformer', 8)

    `slr_ray.train(corpus, encoder=encoder)` starts from it.
    """

    model: Model
    """Without a classifier, in evaluation mode: calling it, or `represent`, gives
    representations."""
    model_config: ModelConfig
    normalisation: NormalisationConfig
    max_frames: int | None
    config: PretrainingConfig
    """How it was pre-trained."""
    seed: int
    corpora: tuple[str, ...]
    fingerprints: tuple[str, ...]
    """Of the corpora it learned from."""
    clip_hashes: Int[np.ndarray, " clips"]
    """`clip_hashes` of the clips it learned from, ascending."""
    signers: tuple[str, ...]
    """Whose clips it learned from, by name; none in files that did not keep them yet."""
    num_of_unknown_signers: int
    """Clips it learned from of which no name tells whom they show."""
    epochs: tuple[PretrainingEpoch, ...]
    sha256: str
    """Of the file."""
    path: str
    """Where it was read."""

    @property
    def weights(self) -> State:
        return self.model.state_dict()


def load_encoder(path: str | Path) -> Encoder:
    """Read an encoder file, local or behind a URI, or the one in a folder of `slr_ray.pretrain`.

    Behind a URI a folder is what does not end in .pt.

    >>> slr_ray.load_encoder(encoder_file).config.objective.kind
    'sl_fpn'

    Loaded with `weights_only`: a hostile file can run no code. Raises `DataError` where it is none
    of ours.
    """
    location = str(path)
    is_far_folder = is_uri(location) and not parted(location)[1].endswith(".pt")
    if is_far_folder or Path(location).is_dir():
        location = below(location, "encoder.pt")
    folder, name = parted(location)
    try:
        content = Store(folder).read_bytes(name)
    except FileNotFoundError:
        raise DataError(f"no such encoder: {location}") from None
    except OSError as error:
        raise DataError(f"cannot read {location}: {error.strerror or error}") from None
    try:
        stored = loads(content)
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError):
        # torch's own words are left out: they advise to load the file unsafely.
        raise DataError(
            f"{location} is not an encoder that can be loaded safely; make one with "
            "`python -m slr_ray.pretrain`"
        ) from None
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise DataError(
            f"{location} is not an encoder ({FORMAT!r}); make one with `python -m slr_ray.pretrain`"
        )
    try:
        model_config = _MODEL.validate_python(stored["model_config"])
        normalisation = _NORMALISATION.validate_python(stored["normalisation"])
        config = PretrainingConfig.model_validate(stored["pretraining"])
        model = new_encoder(model_config, num_channels(normalisation))
        model.load_state_dict(stored["model"])
    except (ValidationError, KeyError, RuntimeError) as error:
        first = str(error).splitlines()[0]
        raise DataError(f"{location} is damaged or of another version: {first}") from None
    return Encoder(
        model=model.eval(),
        model_config=model_config,
        normalisation=normalisation,
        max_frames=stored["max_frames"],
        config=config,
        seed=stored["seed"],
        corpora=tuple(stored["corpora"]),
        fingerprints=tuple(stored["fingerprints"]),
        clip_hashes=stored["clip_hashes"].numpy(),
        signers=tuple(stored.get("signers", ())),
        num_of_unknown_signers=stored.get("num_of_unknown_signers", 0),
        epochs=tuple(PretrainingEpoch.model_validate(one) for one in stored["epochs"]),
        sha256=hashlib.sha256(content).hexdigest(),
        path=location,
    )


def prescribed(encoder: Encoder) -> dict[str, Any]:
    """What an encoder decides in the configuration of an experiment that starts from it."""
    return {
        "model": encoder.model_config.model_dump(mode="json"),
        "normalisation": encoder.normalisation.model_dump(mode="json"),
        "training": {"max_frames": encoder.max_frames},
    }


def refuse_contradictions(tree: Mapping[str, Any], encoder: Encoder, origin: str) -> None:
    """`ConfigError` where a configuration asks for another model or input than the encoder's."""
    for dotted, value in _differences(tree, prescribed(encoder), ""):
        if dotted not in _FREE:
            raise ConfigError(
                f"{origin}: {dotted} is set to {value[0]!r}, but the encoder of "
                f"initialisation.path has {value[1]!r}; leave {dotted} out"
            )


def _differences(
    tree: Mapping[str, Any], wanted: Mapping[str, Any], prefix: str
) -> list[tuple[str, tuple[Any, Any]]]:
    found: list[tuple[str, tuple[Any, Any]]] = []
    for key in tree.keys() & wanted.keys():
        given, own = tree[key], wanted[key]
        if isinstance(given, Mapping) and isinstance(own, Mapping):
            found += _differences(given, own, f"{prefix}{key}.")
        elif given != own:
            found.append((f"{prefix}{key}", (given, own)))
    return sorted(found)


def refuse_seen_clips(
    encoder: Encoder,
    source: EncoderFile,
    corpus: Corpus,
    parts: Mapping[str, Int[np.ndarray, " clips"]],
) -> None:
    """`ConfigError` where the encoder learned from clips that an experiment measures on.

    `parts` are the validation and test clips by name. Clips are compared by id and poses.
    """
    if source.allow_seen_clips:
        return
    for name, clips in parts.items():
        seen = num_seen_clips(encoder, corpus, clips)
        if seen:
            raise ConfigError(
                f"{source.path} was pre-trained on {seen} of the {len(clips)} {name} clips of "
                f"{corpus.name}: pre-train with the same split, or allow it "
                "(initialisation.allow_seen_clips=true; with evaluate --allow-seen-clips) and say "
                "so with the result"
            )


def num_seen_clips(encoder: Encoder, corpus: Corpus, clips: Int[np.ndarray, " clips"]) -> int:
    """How many of the clips the encoder learned from; compared by id and poses."""
    return int(np.isin(clip_hashes(corpus, clips), encoder.clip_hashes).sum())


def seen_signers(
    encoder: Encoder, corpus: Corpus, clips: Int[np.ndarray, " clips"]
) -> frozenset[str]:
    """Signers of the clips by whose name the encoder learned from clips, these or others.

    No reason to refuse them: two corpora may give the same name to different people.
    """
    return frozenset(corpus.signers_of(clips)) & frozenset(encoder.signers)


def seen_warning(
    encoder: Encoder, corpus: Corpus, measured: Int[np.ndarray, " measured"]
) -> str | None:
    """What people should know of an encoder that met what is measured; None where it did not."""
    seen = num_seen_clips(encoder, corpus, measured)
    if seen:
        return (
            f"pre-training saw {seen} of the {len(measured)} validation and test clips themselves: "
            "results are not those on new clips"
        )
    names = seen_signers(encoder, corpus, measured)
    if not names and encoder.num_of_unknown_signers:
        return (
            f"pre-training saw {encoder.num_of_unknown_signers:,} clips of unknown signers, who "
            "may be people of validation and test. Results are then not those on new people"
        )
    if not names:
        return None
    told = ", ".join(sorted(names)[:_MOST_NAMED]) + (", ..." if len(names) > _MOST_NAMED else "")
    return (
        f"pre-training saw clips of {len(names)} validation or test signers, if the same name is "
        f"the same person: {told}. Results are then not those on new people"
    )


def refuse_unlike_encoders(encoders: Sequence[tuple[str, Encoder]]) -> None:
    """`ConfigError` unless the encoders are one pre-training with different seeds.

    Others have no common mean. Each encoder comes with its path.
    """
    first_path, first = encoders[0]
    seeds: dict[int, str] = {}
    for path, encoder in encoders:
        differences = _differences(_settings(encoder), _settings(first), "")
        if differences:
            dotted, (own, other) = differences[0]
            raise ConfigError(
                f"{path} and {first_path} differ in more than the seed ({dotted} is {own!r} and "
                f"{other!r}): their results have no common mean. Evaluate them one by one, each "
                "with its own --out"
            )
        if not np.array_equal(encoder.clip_hashes, first.clip_hashes):
            raise ConfigError(
                f"{path} and {first_path} learned from different clips: their results have no "
                "common mean. Evaluate them one by one, each with its own --out"
            )
        if encoder.seed in seeds:
            raise ConfigError(
                f"{path} and {seeds[encoder.seed]} are the same encoder (seed {encoder.seed}): "
                "give each once"
            )
        seeds[encoder.seed] = path


def _settings(encoder: Encoder) -> dict[str, Any]:
    """What determines an encoder besides clips and seed."""
    # Watching for collapse changes no weight; the clips stand for what lies at the paths.
    free = {"seed", "collapse_threshold", "stop_on_collapse", "extra_data"}
    if encoder.config.num_steps is not None:
        # Epochs then mean nothing.
        free.add("num_epochs")
    return {
        "model": encoder.model_config.model_dump(),
        "normalisation": encoder.normalisation.model_dump(),
        "max_frames": encoder.max_frames,
        "initialisation": encoder.config.model_dump(exclude=free),
    }
