"""The container file, and what a container is to the program: it is the first process there."""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped,unused-ignore]
import pytest

from tests.cli.conftest import Call
from tests.cli.serving import Serving
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
LINES = re.findall(r"^([A-Z]+) (.*)$", (ROOT / "Dockerfile").read_text("utf-8"), re.M)


def said(instruction: str) -> list[str]:
    """What stands behind each instruction of a name, in order."""
    return [rest for name, rest in LINES if name == instruction]


def test_what_is_copied_is_all_that_a_wheel_is_made_of(tmp_path: Path) -> None:
    for line in said("COPY"):
        *sources, _ = line.split()
        if sources[0].startswith("--from="):
            continue
        for name in sources:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, tmp_path / name)
    made = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    done = subprocess.run(made, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list((tmp_path / "dist").glob("esdash-*.whl"))


def test_it_runs_as_a_user_of_its_own_whose_home_is_the_volume() -> None:
    (user,), (volume,) = said("USER"), said("VOLUME")
    assert f"useradd --uid 10001 --home-dir {volume} --no-create-home {user} " in said("RUN")[-1]
    assert f"HOME={volume}" in said("ENV")[0].split()
    assert said("WORKDIR") == [volume]
    assert said("ENTRYPOINT") == ['["esdash"]'], "signals reach it, and not a shell"


APART = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]


@pytest.fixture
def first_process(home: Path) -> Iterator[Serving]:
    """`esdash serve` as process 1 of a namespace, with a server of its own."""
    if not shutil.which(APART[0]) or subprocess.run([*APART, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs unshare, and the right to have a namespace of process ids")
    assert home
    command = [*APART, sys.executable, "-m", "esdash", "serve", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        yield Serving(process)
        process.kill()


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_as_the_first_process_it_ends_in_order_and_leaves_a_snapshot(
    first_process: Serving, call: Call, told: signal.Signals
) -> None:
    """The kernel drops a signal that the first process does not handle."""
    first_process.until("live")
    assert call("publish", "top-up", "7", "1").code == 0
    eventually(lambda: re.search(r"^esdash_position_ordinal\{.*\} 1\.0$", first_process.get("/metrics")[1], re.M))
    (program,) = psutil.Process(first_process.process.pid).children()
    program.send_signal(told)
    assert first_process.wait() == 0
    assert first_process.events()[-3:] == ["ending", "snapshot", "stopped"]
    assert not call("server", "status", "--json").json["running"], "it ended the server before the kernel did"
    (snapshot,) = call("snapshot", "list", "--json").json
    assert (snapshot["ordinal"], snapshot["usable"]) == (1, True)
