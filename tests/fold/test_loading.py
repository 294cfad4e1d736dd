"""Finding a domain by what a person called it, what is said of one that cannot be used, and its fingerprint."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from esdash.fold.loading import DomainFileError, load
from esdash.fold.schema import SchemaError
from tests.domains import BANK, DEPOT, the_bank, the_depots

ROOT = Path(__file__).parents[2]
SOURCE = BANK.read_text("utf-8")
TABLE = SOURCE[SOURCE.index('Table("accounts"') : SOURCE.index("),),\n    events") + 1]


def line(text: str, source: str = SOURCE) -> int:
    """The line on which a text stands first."""
    return source[: source.index(text)].count("\n") + 1


def changed(old: str, new: str, source: str = SOURCE) -> str:
    """The bank with a part of it written otherwise."""
    assert old in source
    return source.replace(old, new, 1)


def refused(path: Path, source: str, choice: str = "") -> str:
    """What is said of a file."""
    path.write_text(source, "utf-8")
    with pytest.raises(DomainFileError) as error:
        load(f"{path}{choice}")
    assert str(error.value).endswith(".")
    assert not str(error.value).endswith("..")
    assert "\n" not in str(error.value)
    return str(error.value)


class TestFinding:
    def test_a_file_a_module_or_a_file_with_a_name(self) -> None:
        for choice in (str(BANK), f"{BANK}:BANK", "tests.domains.bank:BANK"):
            assert load(choice).name == "bank"
        assert (load("esdash.shop.domain:SHOP").name, load(str(DEPOT)).version) == ("shop", "3")

    def test_what_it_was_called_serves_another_process(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "own.py").write_text(SOURCE, "utf-8")
        monkeypatch.chdir(tmp_path)
        fold = load("own.py")
        monkeypatch.chdir("/")
        again = load(fold.choice)
        assert (again.name, again.fingerprint, again.choice) == ("bank", fold.fingerprint, fold.choice)
        assert load("esdash.shop.domain:SHOP").choice == "esdash.shop.domain:SHOP"

    def test_a_file_may_import_from_its_own_folder(self, tmp_path: Path) -> None:
        (tmp_path / "bounds_of_mine.py").write_text("MOST = 7\n", "utf-8")
        source = changed(
            "max_length=34", "max_length=MOST", changed("from msgspec", "from bounds_of_mine import MOST\nfrom msgspec")
        )
        (tmp_path / "own.py").write_text(source, "utf-8")
        assert load(str(tmp_path / "own.py")).models[0].fields[0].bound("max_length") == 7

    @pytest.mark.parametrize(
        ("choice", "said"),
        [
            ("nowhere.py", "There is no file nowhere.py."),
            ("nowhere.py:BANK", "There is no file nowhere.py."),
            ("no.such.module:X", "There is no module no.such.module, which the domain 'no.such.module:X' names."),
            ("nonsense", "There is no domain 'nonsense'. There are shop and raw"),
            ("esdash.shop.domain:NOPE", "there is no NOPE in it. There is SHOP."),
            ("esdash.shop.domain:describe", "describe is no Domain but a function."),
            ("json:X", "there is no X in it. There is no Domain in it."),
        ],
    )
    def test_of_nothing_is_said_plainly(self, choice: str, said: str) -> None:
        with pytest.raises(DomainFileError) as error:
            load(choice)
        assert said in str(error.value)

    def test_importing_a_domain_does_nothing(self) -> None:
        script = (
            "import sys, json; import esdash.domain; before = set(sys.modules);"
            f"from esdash.fold.loading import load; load({str(BANK)!r});"
            "print(json.dumps([name for name in sys.modules if name.split('.')[0] in ('redis', 'textual', 'click')]))"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
        assert json.loads(done.stdout) == []

    def test_what_it_prints_is_not_among_the_output(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "own.py").write_text(SOURCE + '\nprint("loaded")\n', "utf-8")
        load(str(tmp_path / "own.py"))
        captured = capfd.readouterr()
        assert (captured.out, captured.err) == ("", "loaded\n")

    def test_nor_is_what_its_other_files_print(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "aside.py").write_text(
            'import sys\nsys.stdout.write("loaded\\n")\ndef say(): print("said")\n', "utf-8"
        )
        (tmp_path / "own.py").write_text(f"import aside\n{SOURCE}\ndef lately():\n    import later\n", "utf-8")
        (tmp_path / "later.py").write_text('print("late")\n', "utf-8")
        load(str(tmp_path / "own.py"))
        own = sys.modules["esdash_domain_own"]
        own.aside.say()
        own.lately()
        captured = capfd.readouterr()
        assert (captured.out, captured.err) == ("", "loaded\nsaid\nlate\n")


def test_a_file_that_is_written_twice_within_a_second_is_what_it_says_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    own, parts = tmp_path / "own.py", tmp_path / "number.py"
    found = []
    for number in "12":
        own.write_text(f"from number import NUMBER\n{SOURCE}".replace('version="1"', f'version=f"{number}-{{NUMBER}}"'))
        parts.write_text(f"NUMBER = {number}\n")
        for file in (own, parts):
            os.utime(file, (1_700_000_000, 1_700_000_000))
        sys.modules.pop("number", None)
        found.append(load(str(own)).version)
    assert found == ["1-1", "2-2"]


def test_a_file_of_several_domains_is_loaded_by_name(tmp_path: Path) -> None:
    source = SOURCE + "\nOTHER = Domain('other', '1', BANK.tables, BANK.events, BANK.reasons)\n"
    (tmp_path / "own.py").write_text(source, "utf-8")
    assert [load(f"{tmp_path / 'own.py'}:{name}").name for name in ("BANK", "OTHER")] == ["bank", "other"]
    assert refused(tmp_path / "own.py", source) == (
        f"own.py:{line('OTHER = ', source)}: there are several domains in it, BANK, OTHER: say which one, as in :BANK."
    )
    assert "there is no THIRD in it. There is BANK, OTHER." in refused(tmp_path / "own.py", source, ":THIRD")


def test_a_mended_file_is_loaded_anew(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    refused(path, changed("class Opened", "klass Opened"))
    path.write_text(SOURCE, "utf-8")
    assert load(str(path)).version == "1"
    path.write_text(changed('version="1"', 'version="two"'), "utf-8")
    assert load(str(path)).version == "two"


class TestTheFingerprint:
    @staticmethod
    def of(folder: Path, source: str, **others: str) -> str:
        for name, text in {"own": source, **others}.items():
            (folder / f"{name}.py").write_text(text, "utf-8")
        return load(str(folder / "own.py")).fingerprint

    def test_is_that_of_what_the_source_does(self, tmp_path: Path) -> None:
        plain = self.of(tmp_path, SOURCE)
        assert plain == self.of(tmp_path, SOURCE) == load(str(tmp_path / "own.py:BANK")).fingerprint
        assert len(plain) == 16
        for same in (
            changed('"""Open an account."""', '"""Open one."""'),
            changed('"""Open an account."""', '""'),
            changed("def opened", "# a comment\n\n\ndef opened"),
            changed("balance[event.target] += event.amount", "balance[event.target]  +=  (event.amount)"),
        ):
            assert self.of(tmp_path, same) == plain
        for other in (
            changed("> balance[event.source]", ">= balance[event.source]"),
            changed("10**15", "10**14"),
            changed('"already_open"', '"already_there"').replace('"already_open"', '"already_there"'),
        ):
            assert self.of(tmp_path, other) != plain

    def test_is_that_of_what_it_imports_from_its_own_folder_as_well(self, tmp_path: Path) -> None:
        source = changed("from msgspec", "import unused_elsewhere as _\nfrom msgspec", SOURCE)
        first = self.of(tmp_path, source, unused_elsewhere="MOST = 1\n", not_imported="X = 1\n")
        assert self.of(tmp_path, source, not_imported="X = 2\n") == first
        assert self.of(tmp_path, source, unused_elsewhere="MOST = 1  # one\n") == first
        assert self.of(tmp_path, source, unused_elsewhere="MOST = 2\n") != first

    def test_of_every_domain_is_its_own(self) -> None:
        folds = [the_bank(), the_depots(), load("esdash.shop.domain:SHOP")]
        assert len({fold.fingerprint for fold in folds}) == 3
        assert the_bank().fingerprint == the_bank().fingerprint

    def test_of_the_shop_counts_every_module_of_it(self, tmp_path: Path) -> None:
        shop = ROOT / "esdash" / "shop"
        package = tmp_path / "shop_copied"
        package.mkdir()
        for path in shop.glob("*.py"):
            text = path.read_text("utf-8").replace("esdash.shop", "shop_copied")
            (package / path.name).write_text(text, "utf-8")
        script = "import sys; from esdash.fold.loading import load; print(load('shop_copied.domain:SHOP').fingerprint)"

        def found() -> str:
            command = [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]; {script}"]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout

        plain = found()
        for name in ("rules", "older", "events", "domain"):
            file = package / f"{name}.py"
            before = file.read_text("utf-8")
            file.write_text(before + "\nMORE = 1\n", "utf-8")
            assert found() != plain, name
            file.write_text(before, "utf-8")
        assert found() == plain


def test_a_schema_error_is_never_seen_outside() -> None:
    with pytest.raises(DomainFileError) as error:
        load("json:dumps")
    assert isinstance(error.value.__cause__, SchemaError)
