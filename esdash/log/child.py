"""A second Python process that runs a function of esdash."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def start(function: str, *arguments: str, **options: Any) -> "subprocess.Popen[bytes]":
    """Run `function` (module:name) with arguments in `sys.argv`; `options` are those of Popen. Raises OSError.

    The process finds esdash where this one does, whatever the working directory holds, and says nothing on the
    terminal that this one may be drawing on.
    """
    module, _, name = function.partition(":")
    package_root = str(Path(__file__).parents[2])
    search = os.environ.get("PYTHONPATH")
    return subprocess.Popen(
        [sys.executable, "-P", "-c", f"from {module} import {name}; {name}()", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([package_root, search] if search else [package_root])},
        **options,
    )
