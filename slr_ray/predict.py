"""Top-5 glosses of every clip: `python -m slr_ray.predict --checkpoint BEST POSES`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from slr_ray.command import user_errors

_CHUNK_CLIPS = 4096


def predict(
    poses: Annotated[str, typer.Argument(help="Pose shards: a Parquet file, a folder, a URI.")],
    checkpoint: Annotated[Path, typer.Option(help="A checkpoint such as RUN/best/checkpoint.pt.")],
    json_lines: Annotated[
        bool, typer.Option("--json", help="One JSON object a clip instead of a table.")
    ] = False,
    top: Annotated[int, typer.Option(min=1, help="Glosses a clip.")] = 5,
    skip_broken: Annotated[bool, typer.Option(help="Leave unusable clips out.")] = False,
) -> None:
    """Predict the glosses of clips with a trained checkpoint.

    Only tensors and plain values are loaded from the checkpoint: a hostile file can run no code.
    """
    with user_errors():
        _print(poses, checkpoint, top, as_json=json_lines, skip_broken=skip_broken)


def _print(poses: str, checkpoint: Path, top: int, *, as_json: bool, skip_broken: bool) -> None:
    import json

    import numpy as np
    from rich.console import Console
    from rich.table import Table

    from slr_ray.corpora.corpus import open_shards
    from slr_ray.methods.checkpoint import load_recogniser

    recogniser = load_recogniser(checkpoint)
    corpus = open_shards(poses, skip_broken=skip_broken)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("clip", "true gloss", f"top {top} glosses with probability"):
        table.add_column(heading, overflow="fold")
    for start in range(0, corpus.num_clips, _CHUNK_CLIPS):
        clips = np.arange(start, min(start + _CHUNK_CLIPS, corpus.num_clips))
        probabilities = recogniser.probabilities(corpus, clips)
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
        for clip, row, best in zip(clips, probabilities, order, strict=True):
            ranked = [(recogniser.glosses[one], float(row[one])) for one in best]
            clip_id = corpus.clip_ids[int(clip)].as_py()
            index = int(corpus.gloss_index[clip])
            gloss = corpus.glosses[index] if index >= 0 else None
            if as_json:
                answer = {"clip_id": clip_id, "gloss": gloss, "top": ranked}
                typer.echo(json.dumps(answer, ensure_ascii=False))
            else:
                text = "  ".join(f"{name} {share:.2f}" for name, share in ranked)
                table.add_row(clip_id, gloss or "", text)
    if not as_json:
        Console().print(table)
    for one in corpus.skipped:
        typer.echo(f"skipped {one.clip_id}: {one.reason}", err=True)


def main() -> None:
    typer.run(predict)


if __name__ == "__main__":
    main()
