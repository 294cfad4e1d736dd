"""`esdash completion`: the script that teaches a shell the commands."""

import click
from click.shell_completion import get_completion_class

from esdash.cli.failures import FailedError


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print a shell's completion script.

    For bash, add this to ~/.bashrc: eval "$(esdash completion bash)"
    """
    from esdash.cli import cli

    completion = get_completion_class(shell)
    assert completion is not None, "click knows all three"
    try:
        click.echo(completion(cli, {}, "esdash", "_ESDASH_COMPLETE").source())
    except RuntimeError as error:
        raise FailedError(str(error)) from error
