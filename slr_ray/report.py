"""`python -m slr_ray.report RUN`: write a run's report from its records."""

from __future__ import annotations

from typing import Annotated

import typer

from slr_ray.command import user_errors

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def report(
    run: Annotated[
        str,
        typer.Argument(help="Folder or URI of a run, as slr_ray.tune or slr_ray.sweep printed it."),
    ],
    out: Annotated[
        str | None, typer.Option(help="Where to write; by default into the run itself.")
    ] = None,
    board: Annotated[
        bool,
        typer.Option("--board", help="Fetch the TensorBoard files of a run behind a URI, too."),
    ] = False,
) -> None:
    """Write report.html, report.md and figures/ for RUN, and print its verdict or table."""
    with user_errors():
        from rich.console import Console

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
            print_result(result, Console())
        else:
            loaded = load_run(run)
            written = write_report(loaded, out)
            print_summary(loaded, Console())
        for location in written:
            typer.echo(location)
        if board:
            from slr_ray.reporting.board import board_command, fetch_board

            fetch_board(folder.store)
            typer.echo(board_command(folder.store))


def main() -> None:
    """Entry of `slr-ray report` and of this module."""
    app()


if __name__ == "__main__":
    main()
