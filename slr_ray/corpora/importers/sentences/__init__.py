"""Importers of continuous signing, one file a format."""
