"""The whole check, in a process of its own: functions of a domain may never come back, print, or end the process."""

import faulthandler
import mmap
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from esdash.checking import elsewhere, measuring
from esdash.checking.promises import PROMISES, Check
from esdash.checking.showing import shown
from esdash.engine.invariants.asked import require_readable
from esdash.fold import proof
from esdash.fold.folding import Entry
from esdash.fold.loading import DomainFileError, load

SECONDS: Final = 60.0
"""How long a check may take. It begins nothing new after half of it; what is not back in the other half never is."""

_NOTED: Final = 256 * 1024
"""Bytes of what is being tried, which outlive the process that tries it."""

_FRAME: Final = re.compile(r'File "(.*)", line (\d+)')
_HERE: Final = str(Path(__file__).parents[2])


def check(choice: str, entries: Iterable[Entry] = (), seconds: float = SECONDS) -> dict[str, Any]:
    """Try a domain on entries made from its models, and on these: `{holds, broken: [{promise, input, where}], …}`.

    Raises DomainFileError where the domain cannot be loaded.
    """
    with tempfile.TemporaryDirectory(prefix="esdash-check-") as folder:
        with Path(folder, "errors").open("wb") as errors:
            child = elsewhere.start("esdash.checking.trial:main", folder, stderr=errors, start_new_session=True)
        request = msgspec.msgpack.encode((choice, list(entries), seconds))
        try:
            answer, _ = child.communicate(request, timeout=seconds + 5)
        except subprocess.TimeoutExpired:
            answer = b""
        finally:
            # With the processes that it started.
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
        if not answer:
            return _unended(Path(folder), seconds)
    document: dict[str, Any] = msgspec.json.decode(answer)
    if "cannot" in document:
        raise DomainFileError(document["cannot"], tuple(document.get("lines", ())))
    return document


def _unended(folder: Path, seconds: float) -> dict[str, Any]:
    """What is known of a check that did not come to its end."""
    frames = _FRAME.findall(_read(folder / "stopped"))
    own = [f"{Path(file).name}:{line}" for file, line in frames if not file.startswith((_HERE, sys.base_prefix, "<"))]
    if not (folder / "trying").exists():
        lines = _read(folder / "errors").strip().splitlines()
        said = f" It said: {lines[-1][:200]}" if lines else ""
        what = f"it takes longer than {seconds:g} s to be loaded" if frames else "it ends the process when it is loaded"
        raise DomainFileError(f"{own[0] if own else 'The domain'}: {what}.{said}")
    noted = (folder / "trying").read_bytes()
    entries: list[Entry] = []
    with suppress(msgspec.MsgspecError):
        size = int.from_bytes(noted[:4], "little")
        entries = msgspec.msgpack.decode(noted[4 : 4 + size], type=list[Entry])
    sentence = PROMISES["ends"] if frames else PROMISES["raises"]
    where = own[0] if own else "the domain"
    broken = {"promise": sentence, "input": [shown(entry) for entry in entries], "where": where}
    return {"holds": False, "broken": [broken], "promises": []}


def _read(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


class _Trying:
    """Notes what is being tried where it outlives this process."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(_NOTED))
        with path.open("r+b") as file:
            self._bytes = mmap.mmap(file.fileno(), _NOTED)

    def __call__(self, entries: Sequence[Entry]) -> None:
        noted = msgspec.msgpack.encode(entries if len(entries) <= 20 else entries[-1:])
        if len(noted) + 4 <= _NOTED:
            self._bytes[: len(noted) + 4] = len(noted).to_bytes(4, "little") + noted


def main() -> None:
    """Check what stdin asks for, and answer on stdout."""
    folder = Path(sys.argv[1])
    answers = elsewhere.answer_apart()
    request = sys.stdin.buffer.read()
    choice, entries, seconds = msgspec.msgpack.decode(request, type=tuple[str, list[Entry], float])
    with (folder / "stopped").open("w") as stopped:
        faulthandler.dump_traceback_later(seconds, exit=True, file=stopped)
        try:
            document = _checked(choice, entries, folder, seconds / 2)
        except DomainFileError as error:
            document = {"cannot": str(error), "lines": error.lines}
        faulthandler.cancel_dump_traceback_later()
    with os.fdopen(answers, "wb") as file:
        file.write(msgspec.json.encode(document))


def _checked(choice: str, real: list[Entry], folder: Path, seconds: float) -> dict[str, Any]:
    fold = load(choice, require_readable)
    bare = load(choice)
    tried = Check(fold, _Trying(folder / "trying"), seconds)
    entries = tried.entries()
    with elsewhere.processes(fold.choice) as others:
        kept = tried.one_by_one([*entries, *real])
        tried.compare(kept, others)
    tried.once_more(kept)
    broken = {each.promise for each in tried.broken}
    unproved = proof.prove(fold.domain)
    samples = [entry for entry in kept if entry in entries[:100]] if fold.domain.sample else kept
    counts = tried.count(kept)
    return {
        "holds": not broken,
        "broken": [
            {
                "promise": PROMISES[each.promise],
                "input": [shown(entry, fold) for entry in each.input],
                "where": each.where,
            }
            for each in tried.broken
        ],
        "promises": [text for name, text in PROMISES.items() if name in tried.tried - broken],
        "domain": fold.name,
        "version": fold.version,
        "entries": len(kept),
        "unfinished": tried.unfinished,
        "understood": counts,
        "reasons_never_given": tried.unreached(),
        "fast": {
            "declared": fold.domain.fast,
            "proved": unproved is None,
            "where": unproved.where if unproved else None,
            "sentence": unproved.sentence if unproved else None,
        },
        "speed": measuring.microseconds(bare, samples),
        "bytes_a_row": measuring.bytes_a_row(fold, tried.state),
    }
