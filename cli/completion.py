"""`completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import json

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")
PROGRAM = "recibo.py"


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.option("--json", "as_json", is_flag=True, help="The script as a JSON string.")
def completion(shell: str, *, as_json: bool) -> None:
    """Print the completion of a shell, for `recibo.py` on the PATH.

    For bash: eval "$(recibo.py completion bash)"; for zsh the same; for fish: recibo.py completion fish | source.
    """
    made = get_completion_class(shell)
    if made is None:  # click knows all three
        raise click.UsageError(f"there is no completion for {shell}")
    root = click.get_current_context().find_root().command
    script = made(root, {}, PROGRAM, "_RECIBO_PY_COMPLETE").source()
    click.echo(json.dumps(script) if as_json else script)
