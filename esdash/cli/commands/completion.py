"""`esdash completion`: the script that teaches a shell the commands."""

import click
from click.shell_completion import get_completion_class

from esdash.cli.failures import FailedError


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print a shell's completion script.

    It completes commands, those for the events of the domain among them, options, and names of profiles.

    \b
    bash, in ~/.bashrc:                   eval "$(esdash completion bash)"
    zsh, in ~/.zshrc, behind compinit:    eval "$(esdash completion zsh)"
    fish, in ~/.config/fish/config.fish:  esdash completion fish | source
    """
    from esdash.cli import cli

    completion = get_completion_class(shell)
    assert completion is not None, "click knows all three"
    try:
        click.echo(completion(cli, {}, "esdash", "_ESDASH_COMPLETE").source())
    except RuntimeError as error:
        raise FailedError(str(error)) from error
