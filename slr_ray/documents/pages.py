"""A document written for people: one HTML page, Markdown, and the figures that it shows."""

from __future__ import annotations

from pyarrow import ArrowException

from slr_ray.documents.document import Document
from slr_ray.documents.html import to_html
from slr_ray.documents.markdown import figure_files, to_markdown
from slr_ray.errors import StorageError
from slr_ray.storage import Store, below


def write_document(document: Document, location: str) -> list[str]:
    """Write a document as report.html, report.md and figures/ into a folder or behind a URI.

    Returns the locations of the two reports. `StorageError` where nothing can be written.
    """
    store = Store(location)
    files = {
        **figure_files(document),
        "report.md": to_markdown(document).encode("utf-8", "replace"),
        "report.html": to_html(document).encode(),
    }
    try:
        for name, content in files.items():
            store.write_bytes(name, content)
    except (OSError, ArrowException) as error:
        raise StorageError(
            f"cannot write the report to {store.location}: {error}; choose another --out"
        ) from None
    return [below(location, name) for name in ("report.html", "report.md")]
