"""`esdash serve` as a process, with the lines that it says and what it answers."""

import json
import subprocess
import threading
import urllib.error
import urllib.request
from typing import Any

from tests.waiting import eventually

Line = dict[str, Any]


class Serving:
    """A started `esdash serve`; its lines are read as they come, and each must be a JSON object."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.text = ""
        """All that it said."""
        self._lines: list[Line] = []
        self._error: Exception | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def lines(self) -> list[Line]:
        """What it said until now."""
        assert self._error is None, f"it said what is no JSON: {self._error}"
        return list(self._lines)

    def events(self) -> list[str]:
        """The words for what happened, in order."""
        return [line["event"] for line in self.lines]

    def until(self, event: str, after: int = 0) -> Line:
        """Wait until it says that something happened, in the lines `after` so many; that line."""

        def found() -> Line | None:
            line = next((line for line in self.lines[after:] if line["event"] == event), None)
            assert line or self._reader.is_alive(), f"it ended without {event}: {self.text}"
            return line

        line = eventually(found, timeout=30)
        assert line is not None
        return line

    def get(self, path: str) -> tuple[int, str]:
        """The status and the body of what it answers."""
        try:
            with urllib.request.urlopen(self.until("listening")["url"] + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def until_ready(self) -> None:
        """Wait until /readyz says so."""
        eventually(lambda: self.get("/readyz") == (200, "ok\n"), timeout=30, interval=0.05)

    def until_unready(self, why: str) -> None:
        """Wait until /readyz says why it is not."""
        eventually(lambda: (found := self.get("/readyz"))[0] == 503 and why in found[1], timeout=30, interval=0.05)

    def end(self) -> int:
        """End it by SIGTERM; its exit code."""
        self.process.terminate()
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; its exit code."""
        code = self.process.wait(timeout=30)
        self._reader.join(30)
        return code

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.text += line
            try:
                self._lines.append(json.loads(line))
            except ValueError as error:
                self._error = error
                return
