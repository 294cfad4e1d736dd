"""A process that appends at a steady rate, and remembers when it sent each entry.

Run as a program: `python -m tests.benchmarks.appender SOCKET STREAM RATE SECONDS BURST FILE`. Writes the moment of
sending of each burst (time.monotonic(), the same clock in every process) to FILE, as doubles.
"""

import array
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from tests.benchmarks.setting import environment
from tests.benchmarks.workload import command, entries

DIFFERENT: Final = 20_000
"""Entries made beforehand; they are sent again and again."""


def append_steadily(path: str, stream: str, rate: float, seconds: float, burst: int) -> "array.array[float]":
    """Append bursts of entries at a rate; when each burst was sent."""
    made = [b"".join(command(b"XADD", stream.encode(), b"*", *fields) for fields in some) for some in _bursts(burst)]
    sent = array.array("d")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        begun = time.monotonic()
        for number in range(round(rate * seconds / burst)):
            due = begun + number * burst / rate
            # The last tenth of a millisecond is waited for without sleeping: a sleep ends when the system pleases.
            while (left := due - time.monotonic()) > 0:
                if left > 0.0002:
                    time.sleep(left - 0.0001)
            sent.append(time.monotonic())
            connection.sendall(made[number % len(made)])
            lines = 0
            while lines < 2 * burst:
                received = connection.recv(1 << 20)
                if not received:
                    raise SystemExit("The server closed the connection.")
                lines += received.count(b"\n")
    return sent


def start_appender(
    path: str, stream: str, rate: float, seconds: float, burst: int, file: Path
) -> "subprocess.Popen[bytes]":
    """The program in a process of its own."""
    arguments = [path, stream, str(rate), str(seconds), str(burst), str(file)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.appender", *arguments],
        stdin=subprocess.DEVNULL,
        env=environment(),
    )


def moments(file: Path) -> "array.array[float]":
    """What the program wrote."""
    values = array.array("d")
    values.frombytes(file.read_bytes())
    return values


def _bursts(burst: int) -> list[list[list[bytes]]]:
    made = list(entries(max(DIFFERENT, burst), v0=False))
    return [made[start : start + burst] for start in range(0, len(made) - burst + 1, burst)]


if __name__ == "__main__":
    where, key, speed, duration, size, target = sys.argv[1:]
    Path(target).write_bytes(append_steadily(where, key, float(speed), float(duration), int(size)).tobytes())
