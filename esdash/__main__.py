"""The program: `esdash`, and `python -m esdash`. To import it is to run it, so that it can be told to end from here on.

Imports nothing first that takes time: see `signals`.
"""

import os

try:
    from esdash import signals

    signals.end_at_once()
except KeyboardInterrupt:
    os._exit(130)


def main() -> None:
    """Run it and exit."""
    from esdash.cli import main as run

    run()


if __name__ == "__main__":
    main()
