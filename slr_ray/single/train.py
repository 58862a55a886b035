"""One experiment outside a search: in this process without Ray, or on a group of workers."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
from rich.console import Console

from slr_ray.experiment.data_summary import (
    measured_text,
    pool_text,
    print_extra,
    print_warnings,
    split_text,
)
from slr_ray.experiment.encoder_file import seen_warning
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.initialisation import OtherGlosses
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.measured import train_and_measure
from slr_ray.methods.other_glosses import encoder_of_other_glosses
from slr_ray.methods.pretraining import pretrained_encoder
from slr_ray.progress import ProgressBar
from slr_ray.records.claim import claim
from slr_ray.records.folds import draw_path
from slr_ray.records.measured import AnyMetrics, EpochRecord, MeasuredRecord, SentenceMetrics
from slr_ray.records.run_folder import ResultFolder
from slr_ray.records.stages import StageStore, dumps
from slr_ray.records.trained_folder import TrainedFolder
from slr_ray.single.on_workers import check_workers, train_on_workers
from slr_ray.single.sentence_page import write_sentence_page
from slr_ray.storage import Store, absolute
from slr_ray.training.pretraining.config import PretrainingConfig
from slr_ray.training.pretraining.plan import plan
from slr_ray.workers.place import Place, this_place
from slr_ray.workers.run_options import GroupOptions


@dataclass(frozen=True)
class SeedTraining:
    """One seed of an experiment, in one of its folds where it has any. Plain data."""

    location: str
    config: Experiment
    """In the fold."""
    seed: int
    fold: int | None = None

    @property
    def name(self) -> str:
        return draw_path(self.seed, self.fold)

    @property
    def result(self) -> ResultFolder:
        return TrainedFolder(Store(self.location)).result(self.seed, self.fold)

    def is_done(self) -> bool:
        return self.result.is_done()

    def train(self, place: Place, console: Console) -> None:
        self.train_opened(Opener().prepare(self.config), place, console)

    def train_opened(self, prepared: Prepared, place: Place, console: Console) -> None:
        """Train and measure; what is there is left as it is."""
        if place.agreed(self.is_done()):
            return
        stages = StageStore(TrainedFolder(Store(self.location)).stages)
        _before_rounds(prepared, self.seed, stages, place, console)
        training, rounds = prepared.config.training, prepared.config.rounds
        of_round = rounds.num_epochs or training.num_epochs
        total = training.num_epochs + rounds.num_rounds * of_round
        with ProgressBar(console, "training", total) as bar:

            def on_epoch(record: EpochRecord) -> None:
                found = record.validation
                value = f"{getattr(found, training.metric):.3f}"
                if isinstance(found, SentenceMetrics):
                    value = f"WER {100 * found.wer:.1f} %"
                note = f"round {record.round} epoch {record.epoch} validation {value}"
                in_rounds = training.num_epochs + (record.round - 1) * of_round
                epochs = record.epoch + 1 + (in_rounds if record.round else 0)
                if not bar.done:
                    bar.found(max(epochs - training.evaluate_every_epochs, 0))
                bar.to(epochs, note)

            measured = train_and_measure(prepared, self.seed, stages, place, on_epoch)
            bar.end()
        if not place.leads:
            return
        assert measured.checkpoint is not None
        folder = self.result
        folder.write_checkpoint(dumps(measured.checkpoint))
        folder.write_config(prepared.config)
        folder.write_predictions(measured.predictions)
        folder.write_record(measured.record)


def run_single(
    prepared: Prepared,
    seed: int,
    out: str,
    num_threads: int | None,
    console: Console,
    group: GroupOptions | None = None,
) -> ResultFolder:
    """Train and measure on one seed, results in `out`; finished work is not repeated.

    Several seeds of one experiment share a folder and their stages. With `group` on its workers,
    else in this process. Raises `ConfigError` where the folder holds another experiment.
    """
    check_workers([prepared], group)
    store = Store(absolute(out))
    store.check_writable()
    torch.set_num_threads(num_threads or os.cpu_count() or 1)
    with store.held():
        facts = {
            "data": prepared.fingerprint,
            # The paths in the configuration stand for what lies there.
            "initialisation": prepared.initialisation_facts(),
            "split": prepared.split.fingerprint,
            "configuration": prepared.config.model_dump(mode="json"),
        }
        claim(store, "train", "experiment", facts)
        tell_before(prepared, seed, console)
        training = SeedTraining(store.location, prepared.config, seed)
        if group is not None:
            train_on_workers([training], prepared, group, num_threads, store, console)
        training.train_opened(prepared, this_place(), console)
        _tell_after(prepared, training.result, console)
        if prepared.config.task == "continuous":
            page = write_sentence_page(prepared, TrainedFolder(store))
            console.print(f"report: {page}", soft_wrap=True)
    return training.result


def tell_before(prepared: Prepared, seed: int, console: Console) -> None:
    """Data, pools and labels, and what one must know before one believes the scores."""
    corpus, parts = prepared.corpus, prepared.split
    console.print(
        f"{corpus.name}: {pool_text(prepared, seed)}; test {measured_text(prepared)}, "
        f"{split_text(prepared.config)}"
    )
    print_warnings(prepared, seed, console)
    print_extra(prepared, console)
    if prepared.encoder is not None:
        warning = seen_warning(prepared.encoder, corpus, parts.measured)
        if warning is not None:
            console.print(f"warning: {warning}")


def _before_rounds(
    prepared: Prepared, seed: int, stages: StageStore, place: Place, console: Console
) -> None:
    """What rounds start from, with a bar of its own; they find it among the stages."""
    section = prepared.config.initialisation
    match section:
        case OtherGlosses():
            with ProgressBar(console, "other glosses", section.num_epochs) as bar:
                encoder_of_other_glosses(
                    prepared,
                    seed,
                    stages,
                    place,
                    lambda one: bar.to(one.epoch + 1, f"loss {one.training_loss:.3g}"),
                )
        case PretrainingConfig():
            steps = plan(section, len(prepared.pretraining_clips), place.world_size)
            with ProgressBar(console, "pre-training", steps.num_steps) as bar:
                pretrained_encoder(
                    prepared,
                    seed,
                    stages,
                    place,
                    lambda one: bar.to(one.num_steps, f"loss {one.loss:.4g}"),
                )


def _tell_after(prepared: Prepared, folder: ResultFolder, console: Console) -> None:
    record = folder.measured()
    # What was learnt validates nothing.
    clips = "validation" if prepared.num_validation else "validation's clips, learnt,"
    if record.trained is not None:
        for one in record.trained.rounds:
            pseudo = f", {one.num_pseudo_labels} pseudo-labels" if one.round else ""
            if one.audit is not None and one.audit.num_negative:
                pseudo += f", {one.audit.num_negative} clips with negative labels"
            if one.audit is not None and one.audit.num_rejected:
                pseudo += f", {one.audit.num_rejected} clips rejected"
            console.print(f"round {one.round}{pseudo}: {clips} {metrics_text(one.validation)}")
            told = None if one.audit is None else one.audit.described()
            if told is not None:
                console.print(f"  audit by hidden labels, for reading only: {told}")
        tell_early_end(prepared, record, console)
        unlabelled = record.trained.epochs[-1].unlabelled
        if unlabelled is not None:
            console.print(unlabelled.described())
        console.print(f"chosen: round {record.trained.best_round}")
    console.print(f"test: {metrics_text(record.test)}")
    console.print(f"of {measured_text(prepared)}")
    console.print(f"checkpoint: {folder.checkpoint_location}", soft_wrap=True)


def tell_early_end(prepared: Prepared, record: MeasuredRecord, console: Console) -> None:
    """Why there were fewer rounds than were asked for, where there were."""
    trained = record.trained
    if trained is None or len(trained.rounds) > prepared.config.rounds.num_rounds:
        return
    alone = "; this is supervised learning alone" if len(trained.rounds) == 1 else ""
    console.print(f"no further round: {trained.stopped_because}{alone}")


def metrics_text(metrics: AnyMetrics) -> str:
    if isinstance(metrics, SentenceMetrics):
        return sentence_text(metrics)
    return (
        f"accuracy {metrics.accuracy:.3f}, top-5 {metrics.top5_accuracy:.3f}, "
        f"balanced accuracy {metrics.balanced_accuracy:.3f}, macro-F1 {metrics.macro_f1:.3f}"
    )


def sentence_text(metrics: SentenceMetrics) -> str:
    """The word error rate and what it is made of, in per cent of the glosses."""
    parts = (metrics.substitutions, metrics.deletions, metrics.insertions)
    substituted, deleted, inserted = (100 * one / metrics.num_glosses for one in parts)
    told = (
        f"WER {100 * metrics.wer:.1f} % (substituted {substituted:.1f}, deleted {deleted:.1f}, "
        f"inserted {inserted:.1f})"
    )
    if metrics.frame_accuracy is not None:
        told += (
            f", frames right {100 * metrics.frame_accuracy:.1f} %, segment F1 at IoU 0.5 "
            f"{metrics.segment_f1_50:.3f}"
        )
    if metrics.boundary_f1_50 is not None:
        told += f", boundary F1 {metrics.boundary_f1_50:.3f}"
    return told
