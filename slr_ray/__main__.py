"""`python -m slr_ray` and `slr-ray`: the commands, each also a module of its own."""

from __future__ import annotations

import importlib
import sys

COMMANDS = {
    "extract": "poses out of videos, on one machine or a cluster",
    "tune": "search a space in parallel, then compare the best setting on a test set",
    "sweep": "a paper's table, or one's own: named settings x a grid x draws",
    "pretrain": "pre-train an encoder on clips without labels",
    "train": "run one experiment in this process, such as a search's best trial",
    "evaluate": "what an encoder's pre-training gave: linear, k-NN, fine-tuning, transfer, map",
    "compare": "self-supervised objectives beside each other, evaluated alike",
    "boundary": "the shares of a clip before and after its sign",
    "robustness": "a checkpoint's accuracy under other scales, angles, frame rates, lost joints",
    "predict": "top-5 glosses of every clip with a checkpoint",
    "replay": "what other rules would have chosen from a run's saved predictions",
    "report": "write a run's report again from its records",
    "data": "import other formats, inspect pose shards",
    "doctor": "check this machine: packages, GPUs, Ray, caches",
}


def main() -> None:
    """Run the named command; without one, list them."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(
            "usage: python -m slr_ray COMMAND [OPTIONS]   (or: slr-ray COMMAND, "
            "python -m slr_ray.COMMAND)\n"
        )
        for name, what in COMMANDS.items():
            print(f"  {name:<10} {what}")
        print("\nCOMMAND --help tells its options.")
        raise SystemExit(0 if arguments else 2)
    if arguments[0] == "--version":
        from slr_ray import __version__

        print(__version__)
        return
    if arguments[0] not in COMMANDS:
        print(
            f"error: no command {arguments[0]!r}; there are: {', '.join(COMMANDS)}", file=sys.stderr
        )
        raise SystemExit(2)
    command = importlib.import_module(f"slr_ray.{arguments[0]}")
    # Under `python -m slr_ray` the help puts "python -m slr_ray." before this name.
    called = arguments[0] if __name__ == "__main__" else f"slr-ray {arguments[0]}"
    sys.argv = [called, *arguments[1:]]
    command.main()


if __name__ == "__main__":
    main()
