"""What keeps the code as it is: linters, types, the direction of imports, and text that belongs on any machine.

The contracts of import-linter are static. What a process has really loaded is looked up in `sys.modules`, for a
static graph cannot tell that a deferred import stays deferred.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import redis

ROOT = Path(__file__).parents[1]

# One worker runs them all, so that two never check the same files at once or write the same cache.
pytestmark = [pytest.mark.xdist_group("tooling"), pytest.mark.timeout(300)]


def run(*command: str) -> str:
    """What a command prints, from the root of the repository. Fails the test with all of it when it ends badly."""
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"{' '.join(command[:4])}: exit code {done.returncode}\n{done.stdout}{done.stderr}", pytrace=False)
    return done.stdout


class TestLinters:
    def test_ruff_finds_nothing(self) -> None:
        run(sys.executable, "-m", "ruff", "check", ".")

    def test_the_code_is_formatted(self) -> None:
        run(sys.executable, "-m", "ruff", "format", "--check", "--diff", ".")

    def test_mypy_finds_nothing_in_the_package_and_the_tests(self) -> None:
        run(sys.executable, "-m", "mypy")

    def test_imports_keep_their_contracts(self) -> None:
        beside_python = Path(sys.executable).with_name("lint-imports")
        found = str(beside_python) if beside_python.is_file() else shutil.which("lint-imports")
        assert found, "the tests need the package import-linter"
        assert " 0 broken" in run(found)


def test_no_file_of_the_program_is_longer_than_one_subject_takes() -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in (ROOT / "esdash").rglob("*.py")}
    assert {str(path.relative_to(ROOT)): length for path, length in lengths.items() if length > 350} == {}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


@cache
def private_names() -> frozenset[str]:
    """The functions, classes, attributes and variables that are private to a class or a module of esdash."""
    found: set[str] = set()
    for path in (ROOT / "esdash").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case (
                    ast.FunctionDef(name=name)
                    | ast.AsyncFunctionDef(name=name)
                    | ast.ClassDef(name=name)
                    | ast.Attribute(attr=name, ctx=ast.Store())
                    | ast.Name(id=name, ctx=ast.Store())
                ) if is_private(name):
                    found.add(name)
    return frozenset(found)


def used_names(source: str) -> Iterator[tuple[int, str]]:
    """(line, name) of each name that is asked of, or set at, something other than oneself, or imported from here."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                pass
            case ast.Attribute(attr=name):
                yield node.lineno, name
            case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] in ("esdash", "tests"):
                yield from ((node.lineno, each.name) for each in names)
            case ast.Call(
                func=ast.Attribute(attr="setattr" | "delattr" | "object" | "patch")
                | ast.Name(id="getattr" | "setattr" | "delattr" | "patch"),
                args=[*values],
            ):
                for value in values[:2]:
                    match value:
                        case ast.Constant(value=str(text)):
                            yield from ((node.lineno, name) for name in text.split("."))


class TestWhatIsPrivate:
    ELSEWHERE = frozenset({"_replace", "_time", "_writer_thread"})
    """Of the standard library and of Textual, which have names that esdash has too."""

    def test_is_known_to_no_test(self) -> None:
        private = private_names() - self.ELSEWHERE
        known = [
            f"{path.relative_to(ROOT)}:{line}: {name}"
            for path in sorted((ROOT / "tests").rglob("*.py"))
            if not private.isdisjoint(re.findall(r"\b_\w+", source := path.read_text("utf-8")))
            for line, name in used_names(source)
            if name in private
        ]
        assert known == []

    def test_is_found_where_it_should_be(self) -> None:
        assert {"_run", "_log", "_decode", "_Background"} <= private_names()
        for line in (
            "log._run()",
            "self.consumer._run",
            "type(self)._run = None",
            "from esdash.log.keys import _run",
            "from tests.proxy import _run",
            "monkeypatch.setattr(child, '_run', None)",
            "patch.setattr('esdash.log.child._run.name', None)",
            "mock.patch('esdash.log.child._run')",
            "patch.object(child, '_run')",
            "getattr(child, '_run')",
        ):
            assert "_run" in {name for _, name in used_names(line)}, line
        for line in ("self._run()", "cls._run", "from textual import _run", "def _run(): pass", "'_run'", "_run()"):
            assert "_run" not in {name for _, name in used_names(line)}, line


class TestTheShopIsNothingSpecial:
    """What consumes a log knows neither its events nor what they are about."""

    WORDS = re.compile(r"\b(users|items?\b(?!\(\))|balances?|stock|shops?|price|TopUp|AddItem|Order)\b")
    ABOUT_PEOPLE = "Other users may write"

    @pytest.mark.parametrize("room", ["cli", "engine", "export", "log", "past", "query", "service", "ui", "web"])
    def test_there_is_no_word_of_it_in(self, room: str) -> None:
        lines = [
            f"{path.name}:{number}: {line}"
            for path in sorted((ROOT / "esdash" / room).rglob("*.py"))
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
            if self.WORDS.search(line) and self.ABOUT_PEOPLE not in line and path.name != "domains.py"
        ]
        assert lines == []

    def test_the_search_finds_what_it_should(self) -> None:
        for line in ("balances of users", "from esdash.shop import Shop", "class Credit(TopUp):", "item = 1"):
            assert self.WORDS.search(line), line
        assert not self.WORDS.search("for name, value in values.items():")


IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(getattr(package, "__path__", []), package.__name__ + "."):
    importlib.import_module(module.name)
print(*sys.modules, sep="\\n")
"""


def loaded(script: str, *arguments: str) -> set[str]:
    """The modules that are loaded in a new process after it ran a script that prints them last."""
    return set(run(sys.executable, "-c", script, *arguments).split("\n"))


def found_in(modules: set[str], forbidden: str) -> list[str]:
    return sorted({name for name in modules for prefix in forbidden.split() if f"{name}.".startswith(f"{prefix}.")})


class TestWhatIsLoaded:
    @pytest.mark.parametrize(
        ("package", "forbidden"),
        [
            (
                "esdash.shop",
                "esdash.fold esdash.log esdash.engine esdash.ui esdash.cli esdash.config textual rich click redis",
            ),
            ("esdash.domain", "esdash.fold esdash.log esdash.engine esdash.shop textual rich click redis numpy"),
            ("esdash.fold", "esdash.shop esdash.log esdash.engine esdash.ui esdash.cli textual rich click redis"),
            ("esdash.words", "esdash.shop esdash.log esdash.engine esdash.ui esdash.cli textual rich click redis"),
            (
                "esdash.query",
                "esdash.shop esdash.log esdash.engine esdash.ui esdash.cli esdash.config redis textual click",
            ),
            ("esdash.log", "esdash.shop esdash.engine esdash.ui esdash.cli textual rich click"),
            ("esdash.engine", "esdash.shop esdash.ui esdash.cli textual rich click"),
            ("esdash.export", "esdash.shop esdash.ui esdash.cli textual rich click"),
            ("esdash.service", "esdash.shop esdash.ui esdash.cli textual rich click"),
            ("esdash.web", "esdash.shop esdash.engine esdash.log esdash.ui esdash.cli textual rich click redis"),
            ("esdash.ui", "esdash.cli click"),
            ("esdash.cli", "textual numpy"),
        ],
    )
    def test_a_package_brings_no_other_than_it_should(self, package: str, forbidden: str) -> None:
        modules = loaded(IMPORT_ALL, package)
        assert package in modules
        assert found_in(modules, forbidden) == []

    def test_the_first_paint_waits_for_neither_redis_py_nor_numpy(self) -> None:
        """Each takes as long to load as the picture to be painted."""
        modules = loaded(
            "import sys, esdash.cli.commands.dashboard\n"
            "from esdash.cli.domains import fold_of\n"
            "from esdash.config import Settings\n"
            "from esdash.engine.consumer.consumer import ConsumerSettings\n"
            "from esdash.engine.live import LiveConsole\n"
            "from esdash.log.servers.server import Server\n"
            "from esdash.log.stream import Stream\n"
            "from esdash.ui.app import DashboardApp\n"
            "log = Stream(Server('unix:///nowhere'), 'orders')\n"
            "app = DashboardApp(LiveConsole(log, fold_of(Settings()), ConsumerSettings()))\n"
            "assert app.engine.view\n"
            "print(*sys.modules, sep='\\n')"
        )
        assert "esdash.ui.main.screen" in modules
        assert found_in(modules, "redis numpy") == []
        unneeded = (
            "annotated_types click.shell_completion esdash.fold.codecs esdash.query esdash.whatif "
            "esdash.log.servers.cluster esdash.log.servers.sentinel esdash.engine.verification.verify "
            "esdash.ui.past.row_page esdash.ui.main.settings"
        )
        assert found_in(modules, unneeded) == []

    def test_a_command_without_a_screen_loads_no_screen(self, url: str, client: redis.Redis) -> None:
        """One process runs them all: what one of them loads is still loaded after the last."""
        client.xadd("orders", {"type": "TopUp", "data": '{"user_id":7,"amount":1}'})
        commands = [
            *("publish top-up 7 5", "state", "state --json", "consume --once", "events", "events -outcome:parked"),
            *("why users:7.balance", "find users:7.balance>0", "diff now now"),
            *("export log", "export table users --format csv", "export board", "export --all"),
        ]
        script = (
            "import sys; from esdash.cli import run\n"
            "for line in sys.argv[2:]: assert run([*line.split(), '--url', sys.argv[1]]) == 0, line\n"
            "print(); print(*sys.modules, sep='\\n')"
        )
        modules = loaded(script, url, *commands)
        assert "esdash.cli.commands.diff" in modules
        assert found_in(modules, "textual") == []
        # The shop has no invariants, and what others pay for theirs is not paid for it.
        assert found_in(modules, "esdash.engine.invariants.watching esdash.engine.invariants.asked") == []


def text_files() -> Iterator[tuple[Path, str]]:
    """The repository's own text files, pictures in SVG included."""
    skipped = {"__pycache__", "build", "dist", "node_modules"}
    left = {ROOT / "snapshot_report.html"}  # what a failed picture test leaves, and git ignores
    for path in sorted(set(ROOT.rglob("*")) - left):
        parts = path.relative_to(ROOT).parts
        if skipped.intersection(parts) or any(part.startswith(".") and part != ".ci" for part in parts[:-1]):
            continue
        if path.is_file():
            try:
                yield path, path.read_text("utf-8")
            except UnicodeDecodeError:
                continue


# In pieces, since this file is one of those that are searched.
_HOSTS = [
    ("pypi", "org"),
    ("pypi", "python", "org"),
    ("files", "pythonhosted", "org"),
    ("registry", "npmjs", "org"),
    ("registry", "yarnpkg", "com"),
    ("crates", "io"),
    ("proxy", "golang", "org"),
    ("rubygems", "org"),
    ("conda", "anaconda", "org"),
]
REGISTRIES = re.compile("|".join(r"\b{}\b".format(r"\.".join(host)) for host in _HOSTS) + r"|\bindex[-_]url\b")
HOMES = re.compile(r"(?<![\w.~$}}-]){0}(?:home|Users|root|work){0}\w".format("/"))


class TestTheRepositoryBelongsToNoMachine:
    def test_no_file_names_a_package_registry(self) -> None:
        named = [
            f"{path.relative_to(ROOT)}: {found[0]}" for path, text in text_files() if (found := REGISTRIES.search(text))
        ]
        assert named == []

    def test_no_file_names_a_home_directory(self) -> None:
        named = [
            f"{path.relative_to(ROOT)}: {found[0]}" for path, text in text_files() if (found := HOMES.search(text))
        ]
        assert named == []

    def test_no_file_of_the_program_cites_a_page_that_is_not_there(self) -> None:
        pages = {path.name for path, _ in text_files() if path.suffix == ".md"}
        cited = {
            f"{path.relative_to(ROOT)}: {name}"
            for path, text in text_files()
            if path.suffix in (".py", ".md") and "esdash" in path.parts[len(ROOT.parts) :]
            for name in re.findall(r"\b[A-Z]{3,}\.md\b", text)
            if name not in pages
        }
        assert cited == set()

    def test_the_search_finds_what_it_should(self) -> None:
        for host in _HOSTS:
            name = ".".join(host)
            assert REGISTRIES.search(name)
            assert REGISTRIES.search(f"see https://{name}/simple")
            assert not REGISTRIES.search(f"x{name}")
        assert REGISTRIES.search("--extra-{}-url".format("index"))
        for text in ("-home-ann-x", '"-root-x"', "(-Users-ann)", "file:---home-ann", "-work-main"):
            assert HOMES.search(text.replace("-", "/"))
        for text in ("~/home/x", "$HOME/x", "/homes", "usr/home", "https://example.org/home/page"):
            assert not HOMES.search(text)
        assert len(list(text_files())) > 50
