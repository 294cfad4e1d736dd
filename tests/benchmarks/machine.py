"""What a measurement was made on."""

import os
import platform
from pathlib import Path

import hiredis

from esdash.log.stream import Stream


def describe(log: Stream) -> str:
    """Processor, cores, memory, Python and server, in a line."""
    server = log.server.facts()
    return (
        f"{without_server()}, hiredis {hiredis.__version__}; "
        f"{server.product} {server.version} on a unix socket, no append-only file"
    )


def without_server() -> str:
    """Processor, cores, memory and Python, in a line."""
    return (
        f"{_processor()}, {os.cpu_count()} cores, {_memory():.0f} GB, {platform.system()}; "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "?")


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
