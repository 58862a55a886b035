"""The reference of the command line, from the commands themselves."""

from __future__ import annotations

import importlib
from typing import TypeAlias

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

Command: TypeAlias = TyperCommand | TyperGroup


def command(name: str) -> Command:
    """One of slr_ray's commands: its module's `app`, or its module's function of the same name."""
    module = importlib.import_module(f"slr_ray.{name}")
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer()
        app.command()(getattr(module, name))
    app._add_completion = False  # options of the shell, not of the command
    found = typer.main.get_command(app)
    assert isinstance(found, Command)
    return found


def subcommands(found: Command) -> dict[str, Command]:
    """What a command is made of; empty where it does the work itself."""
    below = found.commands if isinstance(found, TyperGroup) else {}
    return {name: one for name, one in below.items() if isinstance(one, Command)}


def command_page(name: str) -> str:
    """The page of one command, in Markdown."""
    found = command(name)
    text = f"# {name}\n\n"
    if not subcommands(found):
        return text + _described(f"slr_ray.{name}", found)
    text += f"{found.help}\n\n"
    for below, one in subcommands(found).items():
        text += f"## {below}\n\n" + _described(f"slr_ray.{name} {below}", one)
    return text


def _described(called: str, found: Command) -> str:
    with found.make_context(called, [], resilient_parsing=True) as context:
        usage = " ".join(found.collect_usage_pieces(context))
        rows = "".join(
            _argument(one, " ".join(one.get_usage_pieces(context)))
            if isinstance(one, TyperArgument)
            else _option(one)
            for one in found.params
            if isinstance(one, TyperArgument | TyperOption)
            if not getattr(one, "hidden", False)
        )
    return (
        f"    python -m {called} {usage}\n\n{found.help or ''}\n\n"
        f"| argument or option | what it does | default |\n|---|---|---|\n{rows}\n"
    )


def _argument(argument: TyperArgument, name: str) -> str:
    return f"| `{name}` | {_cell(argument.help)} | {'*required*' if argument.required else ''} |\n"


def _option(option: TyperOption) -> str:
    names = ", ".join(f"`{one}`" for one in (*option.opts, *option.secondary_opts))
    default = "" if option.default in (None, False, []) else f"`{option.default}`"
    return f"| {names} | {_cell(option.help)} | {'*required*' if option.required else default} |\n"


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("<", "&lt;")
