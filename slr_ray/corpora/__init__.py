"""Corpora: importers of other formats, the embedded corpus, splits and pools."""
