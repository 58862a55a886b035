"""The page of trainings on sentences."""

from __future__ import annotations

from slr_ray.documents.pages import write_document
from slr_ray.experiment.data_summary import split_text
from slr_ray.experiment.prepared import Prepared
from slr_ray.records.measured import of_sentences
from slr_ray.records.trained_folder import TrainedFolder
from slr_ray.reporting.sentences.answered import Answered
from slr_ray.reporting.sentences.page import sentence_page

_SERIES = 3


def write_sentence_page(prepared: Prepared, folder: TrainedFolder) -> str:
    """Write report.html, report.md and figures/ on all seeds so far; returns where the page is."""
    results = [folder.result(seed) for seed in folder.finished_seeds()]
    records = [one.measured() for one in results]
    given = Answered(
        title=prepared.config.model.kind,
        series=_SERIES,
        answers=[one.sentence_predictions() for one in results],
        metrics=[of_sentences(one.test) for one in records],
        trained=[one.trained for one in records if one.trained is not None],
    )
    page = sentence_page(given, prepared.corpus.name, split_text(prepared.config))
    return write_document(page, folder.store.location)[0]
