"""What an import tells its user besides what it counts: how the source was read, what it lacked."""

from __future__ import annotations

_NUM_NAMED = 3


class Remarks:
    """Sentences for the end of an import; the same one about many clips becomes one line.

    Importers add to it when they open a source and while its clips are read.
    """

    def __init__(self) -> None:
        self._about: dict[str, list[str]] = {}

    def add(self, sentence: str, *about: str) -> None:
        """A sentence, and the clips, files or folders that it is about."""
        self._about.setdefault(sentence, []).extend(about)

    def lines(self) -> list[str]:
        """Each sentence once, with how many it is about and the first few."""
        return [_line(sentence, names) for sentence, names in self._about.items()]


def _line(sentence: str, names: list[str]) -> str:
    if not names:
        return sentence
    more = ", ..." if len(names) > _NUM_NAMED else ""
    return f"{sentence}: {len(names):,} ({', '.join(names[:_NUM_NAMED])}{more})"
