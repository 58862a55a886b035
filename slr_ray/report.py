"""`python -m slr_ray.report RUN...`: write a run's report from its records, or one of several."""

from __future__ import annotations

from typing import Annotated

import typer

from slr_ray.command import user_errors
from slr_ray.errors import ConfigError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def report(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Folder or URI of a run, as slr_ray.tune or slr_ray.sweep printed it; of several "
            "searches, to compare them.",
        ),
    ],
    out: Annotated[
        str | None,
        typer.Option(help="Where to write; by default into the run itself, of several: compared."),
    ] = None,
    board: Annotated[
        bool,
        typer.Option("--board", help="Fetch the TensorBoard files of a run behind a URI, too."),
    ] = False,
) -> None:
    """Write report.html, report.md and figures/ for RUN, and print its verdict or table.

    Several searches on the same clips are put beside each other on one page.
    """
    with user_errors():
        if len(runs) > 1:
            _compare(runs, out or "compared", board=board)
            return
        (run,) = runs
        from slr_ray.console import literal_console
        from slr_ray.records.sweeps import SweepFolder
        from slr_ray.reporting.report import write_report
        from slr_ray.reporting.run import load_run
        from slr_ray.reporting.terminal import print_summary

        folder = SweepFolder(run)
        if folder.exists():
            from slr_ray.sweeps.page import print_result, write_page
            from slr_ray.sweeps.results import load_sweep

            result = load_sweep(folder)
            written = write_page(result, out)
            print_result(result, literal_console())
        else:
            loaded = load_run(run)
            written = write_report(loaded, out)
            print_summary(loaded, literal_console())
        for location in written:
            typer.echo(location)
        if board:
            from slr_ray.reporting.board import board_command, fetch_board

            fetch_board(folder.store)
            typer.echo(board_command(folder.store))


def _compare(runs: list[str], out: str, *, board: bool) -> None:
    from slr_ray.console import literal_console
    from slr_ray.documents.pages import write_document
    from slr_ray.records.sweeps import SweepFolder
    from slr_ray.reporting.searches.page import build_comparison
    from slr_ray.reporting.searches.searches import load_searches
    from slr_ray.reporting.terminal import print_searches

    if board:
        raise ConfigError("--board fetches the files of one run: name one")
    sweeps = [one for one in runs if SweepFolder(one).exists()]
    if sweeps:
        raise ConfigError(
            f"{sweeps[0]} is a sweep: only searches are put beside each other, name it alone"
        )
    searches = load_searches(runs)
    written = write_document(build_comparison(searches), out)
    print_searches(searches, literal_console())
    for location in written:
        typer.echo(location)


def main() -> None:
    """Entry of `slr-ray report` and of this module."""
    app()


if __name__ == "__main__":
    main()
