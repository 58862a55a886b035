"""A checkpoint under perturbations, in this process: answers, a record, a report."""

from __future__ import annotations

import os

import torch
from rich.console import Console

from slr_ray.corpora.split_checks import num_glosses
from slr_ray.documents.pages import write_document
from slr_ray.documents.terminal import terminal_table
from slr_ray.errors import ConfigError
from slr_ray.evaluation.perturbations import Perturbation, Perturbations
from slr_ray.experiment.data_summary import split_text
from slr_ray.methods.robustness import Examinee, clean_scores, open_examinee, point
from slr_ray.progress import ProgressBar
from slr_ray.records.claim import claim
from slr_ray.records.predictions import ClipPrediction, from_parquet, to_parquet
from slr_ray.records.robustness import RobustnessRecord
from slr_ray.single.robustness_page import points_table, robustness_document
from slr_ray.storage import Store, absolute


def run_robustness(
    checkpoint: str,
    data: str | None,
    settings: Perturbations,
    out: str,
    num_threads: int | None,
    console: Console,
) -> RobustnessRecord:
    """Measure, print and write; answers that are in `out` are not asked for again.

    More strengths may be added later. Raises `ConfigError` where nothing is to be tried, where the
    data are not those of the checkpoint, or where `out` holds another checkpoint's results.
    """
    tried = list(settings.all())
    if not tried:
        raise ConfigError("every kind of perturbation is left out: give one some strengths")
    torch.set_num_threads(num_threads or os.cpu_count() or 1)
    examinee = open_examinee(checkpoint, data)
    store = Store(absolute(out))
    store.check_writable()
    with store.held():
        facts = {
            "checkpoint": examinee.recogniser.sha256,
            "data": examinee.corpus.fingerprint,
            "seed": settings.seed,
            "picture_aspect": settings.picture_aspect,
        }
        claim(store, "robustness", "robustness", facts)
        record = _measured(examinee, checkpoint, tried, settings, store, console)
        store.write_bytes("robustness.json", record.model_dump_json(indent=1).encode())
        console.print(terminal_table(points_table(record), len(tried) + 1))
        for written in write_document(robustness_document(record), store.location):
            console.print(f"report: {written}", soft_wrap=True)
    return record


def _measured(
    examinee: Examinee,
    checkpoint: str,
    tried: list[Perturbation],
    settings: Perturbations,
    store: Store,
    console: Console,
) -> RobustnessRecord:
    corpus, clips, config = examinee.corpus, examinee.clips, examinee.recogniser.config
    num_held = num_glosses(corpus, clips)
    console.print(
        f"{checkpoint}: {len(clips):,} test clips of {num_held} of {len(corpus.glosses)} glosses "
        f"of {corpus.name}, {split_text(config)}",
        soft_wrap=True,
    )
    if config.split.kind == "clip":
        console.print("warning: a split by clip: the test clips' signers are those of training")

    def answers(what: Perturbation | None) -> list[ClipPrediction]:
        told = "clean" if what is None else f"{what.kind}_{what.strength:g}"
        name = f"predictions/{told}.parquet"
        if not store.exists(name):
            found = examinee.answers(what, settings.seed, settings.picture_aspect)
            store.write_bytes(name, to_parquet(found))
        bar.advance(note=told)
        return from_parquet(store.read_bytes(name))

    with ProgressBar(console, "perturbations", len(tried) + 1) as bar:
        clean = answers(None)
        points = [point(what, answers(what), clean) for what in tried]
    return RobustnessRecord(
        checkpoint=checkpoint,
        sha256=examinee.recogniser.sha256,
        corpus=corpus.name,
        fingerprint=corpus.fingerprint,
        split=split_text(config),
        num_clips=len(clips),
        num_signers=len({one.signer for one in clean}),
        num_glosses=num_held,
        seed=settings.seed,
        picture_aspect=settings.picture_aspect,
        clean=clean_scores(clean),
        points=points,
    )
