"""The report of a run: one document, written as HTML and as Markdown."""

from __future__ import annotations

from slr_ray.documents.document import Document
from slr_ray.documents.pages import write_document
from slr_ray.reporting import background, result, search_results
from slr_ray.reporting.pseudo_labels import pseudo_label_section
from slr_ray.reporting.run import Run
from slr_ray.reporting.sentences.of_run import sentence_sections
from slr_ray.reporting.timeline import timeline_section
from slr_ray.reporting.training_curves import training_section
from slr_ray.reporting.verdict import verdict


def build_document(run: Run) -> Document:
    """Every section of the report, the verdict first."""
    record = run.record
    state = run.state.lower() + (f" {record.finished}" if record.finished else "")
    subtitle = (
        f"{record.corpus} · {len(record.glosses)} glosses · {len(run.trials)} trials · "
        f"created {record.created}, {state}"
    )
    sections = [
        result.verdict_section(run, verdict(run)),
        search_results.trials_section(run),
        search_results.failures_section(run),
        search_results.parameters_section(run),
        training_section(run),
        *(sentence_sections(run) if run.of_sentences else [result.gloss_section(run)]),
        pseudo_label_section(run),
        background.data_section(run),
        background.cost_section(run),
        timeline_section(run),
        background.environment_section(run),
        background.rerun_section(run),
        background.limits_section(run),
    ]
    return Document(f"{record.name}: what the run found", subtitle, sections)


def write_report(run: Run, folder: str | None = None) -> list[str]:
    """Write report.html, report.md and figures/ into `folder`, by default the run's own.

    Returns the locations of the two reports. `StorageError` where nothing can be written.
    """
    return write_document(build_document(run), folder or run.location)
