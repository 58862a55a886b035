"""Evaluations of encoders in this process: runs, a table, records and figures."""

from __future__ import annotations

import os

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from slr_ray.console import literal_console
from slr_ray.corpora.split_checks import split_warnings
from slr_ray.documents.html import to_html
from slr_ray.documents.svg import as_file, side_by_side
from slr_ray.encoders.evaluation_runs import EvaluationRun, EvaluationTask, evaluation_runs
from slr_ray.encoders.fine_tuning import fine_tune, from_scratch
from slr_ray.encoders.map_page import map_document, map_drawings
from slr_ray.encoders.protocols import SOURCES, Represented, Source, classify, geometry, represent
from slr_ray.encoders.records import ClassificationRecord, GeometryRecord
from slr_ray.evaluation.embedding_map import embedding_map
from slr_ray.evaluation.statistics import interval
from slr_ray.experiment.data_summary import labels_text
from slr_ray.experiment.encoder_file import seen_signers, seen_warning
from slr_ray.progress import ProgressBar
from slr_ray.records.claim import claim
from slr_ray.records.measured import Interval
from slr_ray.records.stages import StageStore, stage_key
from slr_ray.storage import Store, absolute, below
from slr_ray.workers.place import this_place

Record = ClassificationRecord | GeometryRecord
_MOST_MAPPED = 3000
_METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "top5_accuracy")
_GEOMETRY = ("inertia", "inertia_share", "spread", "effective_rank", "mean_cosine")


def run_evaluation(
    task: EvaluationTask, out: str, num_threads: int | None
) -> dict[Source, list[Record]]:
    """Evaluate, print and write; everything the user can get wrong is checked before work starts.

    Raises `ConfigError` where an encoder saw clips that are measured, where the encoders are not
    one pre-training with several seeds, where the glosses are too few, where `out` holds the same
    evaluation of others or, for a transfer, where the corpus is the encoder's own.
    """
    torch.set_num_threads(num_threads or os.cpu_count() or 1)
    runs = evaluation_runs(task)
    store = Store(absolute(out))
    store.check_writable()
    own = runs[0].problem
    # More runs of the same are more of the same; they are no fact.
    trained = ("preset", "training", "augmentation") if task.protocol == "semi" else ()
    facts = {
        "encoders": sorted({one.encoder.sha256 for one in runs}),
        "data": own.corpus.fingerprint,
        "split": own.split.fingerprint,
        **runs[0].prepared.config.model_dump(mode="json", include={"pool", *trained}),
    }
    claim(store, "evaluate", f"evaluation by {task.protocol}", facts, part=task.protocol)
    # Only now: a folder that is another command's is left as it is.
    with store.held():
        return _evaluated(task, runs, store)


def _evaluated(
    task: EvaluationTask, runs: list[EvaluationRun], store: Store
) -> dict[Source, list[Record]]:
    own, console = runs[0].problem, literal_console()
    console.print(
        f"{task.protocol}: {', '.join(sorted(set(runs[0].encoder.corpora)))} → {own.corpus.name}, "
        f"{labels_text(runs[0].prepared, own.labelled)} labelled, "
        f"{len(own.split.validation)} validation, {len(own.split.test)} test clips"
    )
    for warning in split_warnings(own.corpus, own.split):
        console.print(f"warning: {warning}")
    for warning in sorted({told for run in runs if (told := _warning(run)) is not None}):
        console.print(f"warning: {warning}")
    if task.protocol == "map":
        for source in task.sources:
            _draw_map(source, runs[0], store, console)
        return {}
    found: dict[Source, list[Record]] = {source: [] for source in task.sources}
    with ProgressBar(console, task.protocol, len(runs) * len(task.sources)) as bar:
        for run in runs:
            for source in task.sources:
                found[source].append(_record(task, source, run, store))
                bar.advance(note=f"run {run.number}: {task.label(source)}")
    console.print(_table(task, runs, found))
    if 1 < len(task.encoders) < len(runs):
        console.print(
            f"the encoder's ± is over {len(task.encoders)} pre-trainings, each the mean of its "
            f"runs, {len(runs)} together"
        )
    if len(runs) == 1:
        console.print("one run: no interval; more encoders, or --seeds with fewer labels, give one")
    _write(task, runs, found, store)
    return found


def _warning(run: EvaluationRun) -> str | None:
    return seen_warning(run.encoder, run.problem.corpus, run.problem.split.measured)


def _seen_signers(runs: list[EvaluationRun]) -> list[str]:
    """Validation and test signers of whom an encoder saw clips."""
    found = [
        seen_signers(one.encoder, one.problem.corpus, one.problem.split.measured) for one in runs
    ]
    return sorted(frozenset().union(*found))


def _record(task: EvaluationTask, source: Source, run: EvaluationRun, store: Store) -> Record:
    """The result of one source in one run; the one that is there, where nothing has changed."""
    is_geometry = task.protocol in ("inertia", "collapse")
    protocol = "geometry" if is_geometry else task.protocol
    name = f"runs/{protocol}-{source}-{_key(task, source, run)}.json"
    if store.exists(name):
        if is_geometry:
            return store.read_as(name, GeometryRecord.model_validate_json)
        return store.read_as(name, ClassificationRecord.model_validate_json)
    record = _measured(task, source, run, store)
    store.write_bytes(name, record.model_dump_json(indent=1).encode())
    return record


def _measured(task: EvaluationTask, source: Source, run: EvaluationRun, store: Store) -> Record:
    place = this_place()
    if task.protocol == "semi":
        prepared = run.prepared if source == "encoder" else from_scratch(run.prepared)
        return fine_tune(prepared, run.number, StageStore(store.join("stages")), place)
    clips = _represented(source, run)
    if task.classification is None:
        return geometry(clips)
    protocol = "knn" if source == "poses" else task.classification
    return classify(protocol, clips, run.problem.num_glosses, run.number)


def _represented(source: Source, run: EvaluationRun) -> Represented:
    return represent(source, run.encoder, run.problem, run.number, this_place())


def _key(task: EvaluationTask, source: Source, run: EvaluationRun) -> str:
    """Hash of all that a result depends on."""
    config = run.prepared.config.model_dump(mode="json", exclude={"data", "initialisation"})
    return stage_key(
        fingerprint=run.problem.corpus.fingerprint,
        split=run.problem.split.fingerprint,
        encoder=run.encoder.sha256,
        experiment=config,
        classification=task.classification,
        source=source,
        seed=run.number,
    )


def _columns(task: EvaluationTask) -> tuple[str, ...]:
    if task.protocol == "inertia":
        return _GEOMETRY[:2]
    return _GEOMETRY[2:] if task.protocol == "collapse" else _METRICS


def _values(record: Record, column: str) -> float:
    holder = record.test if isinstance(record, ClassificationRecord) else record
    return float(getattr(holder, column))


def _interval(
    source: Source, column: str, runs: list[EvaluationRun], records: list[Record]
) -> Interval:
    """Over runs; of several encoders over these, each the mean of its runs.

    Another run of an encoder is no other pre-training. `half_width` is None where all values are
    one: runs that draw nothing at random say nothing about chance.
    """
    values = [_values(record, column) for record in records]
    by_encoder: dict[str, list[float]] = {}
    for run, value in zip(runs, values, strict=True):
        by_encoder.setdefault(run.encoder.sha256, []).append(value)
    if source == "encoder" and len(by_encoder) > 1:
        values = [float(np.mean(own)) for own in by_encoder.values()]
    one = interval(values)
    return one if len(set(values)) > 1 else one.model_copy(update={"half_width": None})


def _table(
    task: EvaluationTask, runs: list[EvaluationRun], found: dict[Source, list[Record]]
) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("test, mean ± 95 %" if task.num_runs > 1 else "test")
    for column in _columns(task):
        table.add_column(column.replace("_", " "), justify="right")
    shares = task.protocol not in ("inertia", "collapse")
    for source, records in found.items():
        cells = []
        for column in _columns(task):
            one = _interval(source, column, runs, records)
            factor, unit = (100.0, " %") if shares else (1.0, "")
            digits = 1 if shares else 3
            text = f"{factor * one.mean:.{digits}f}"
            if one.half_width is not None:
                text += f" ± {factor * one.half_width:.{digits}f}"
            cells.append(text + unit)
        table.add_row(task.label(source), *cells)
    return table


def _write(
    task: EvaluationTask, runs: list[EvaluationRun], found: dict[Source, list[Record]], store: Store
) -> None:
    own = runs[0].problem
    store.write_json(
        f"evaluation-{task.protocol}.json",
        {
            "protocol": task.protocol,
            "encoders": [
                {
                    "path": path,
                    "sha256": run.encoder.sha256,
                    "seed": run.encoder.seed,
                    "corpora": run.encoder.corpora,
                }
                for path, run in zip(task.encoders, runs, strict=False)
            ],
            "corpus": own.corpus.name,
            "fingerprint": own.corpus.fingerprint,
            "num_labelled": len(own.labelled),
            "num_test": len(own.split.test),
            "seen_signers": _seen_signers(runs),
            "experiment": runs[0].prepared.config.model_dump(mode="json"),
            "summary": {
                source: {
                    column: _interval(source, column, runs, records).model_dump()
                    for column in _columns(task)
                }
                for source, records in found.items()
            },
            "runs": {
                source: [record.model_dump(mode="json") for record in records]
                for source, records in found.items()
            },
        },
    )


def _draw_map(source: Source, run: EvaluationRun, store: Store, console: Console) -> None:
    """The test clips' map, coloured by gloss and by signer."""
    own = run.problem
    clips = own.split.test
    test = _represented(source, run).test
    rows = np.arange(len(clips))
    if len(rows) > _MOST_MAPPED:
        rows = np.sort(np.random.default_rng(run.number).choice(rows, _MOST_MAPPED, replace=False))
        console.print(f"{_MOST_MAPPED} of {len(clips)} test clips are drawn")
    places = embedding_map(test.representations[rows], run.number)
    corpus = own.corpus
    glosses = [corpus.glosses[one] for one in test.glosses[rows]]
    signers = [corpus.signer(int(one)) or "unknown signer" for one in clips[rows]]
    ids = corpus.clip_ids.take(clips[rows]).to_pylist()
    title = f"{SOURCES[source]}: test clips of {corpus.name}"
    drawings = map_drawings(places, ids, glosses, signers)
    store.write_bytes(f"map-{source}.html", to_html(map_document(drawings, title)).encode())
    store.write_bytes(f"map-{source}.svg", as_file(side_by_side(title, drawings)))
    console.print(f"map: {below(store.location, f'map-{source}.html')}", soft_wrap=True)
