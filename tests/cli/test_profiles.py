"""Servers by name: what a profile sets, what goes before it, and that no other server is taken for it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis

from esdash import config
from esdash.cli import run
from tests.cli.conftest import Call

FILE = """
theme = "nord"
stream = "orders"
domain = "shop"
[domains]
payments = "bank"
[questions]
refused = "outcome:rejected"
[profiles.production]
url = "redis://bob:s3cret@production:6379"
readonly = true
theme = "gruvbox"
[profiles.staging]
url = "redis://staging:1"
stream = "payments"
durability = "synced"
snapshot_seconds = 5
[profiles.local]
data_dir = "~/local"
domain = "raw"
"""


@pytest.fixture
def file(home: Path) -> Path:
    """The usual settings file, with three profiles."""
    path = config.usual_file()
    assert path is not None
    path.parent.mkdir(parents=True)
    path.write_text(FILE)
    path.chmod(0o600)
    assert path.is_relative_to(home)
    return path


@pytest.mark.usefixtures("file")
class TestWhatCounts:
    def settings(self, call: Call, *arguments: str) -> tuple[dict[str, Any], dict[str, str]]:
        document = call("config", "--json", *arguments).json
        return document, document["sources"]

    def test_what_it_sets_goes_before_the_rest_of_the_file(self, call: Call) -> None:
        found, sources = self.settings(call, "--profile", "staging")
        assert (found["profile"], sources["profile"]) == ("staging", "--profile")
        assert (found["url"], found["stream"], found["durability"]) == ("redis://staging:1", "payments", "synced")
        assert (found["domain"], sources["domain"]) == ("bank", "settings file")
        assert (found["theme"], sources["theme"]) == ("nord", "settings file")
        assert {sources[name] for name in ("url", "stream", "durability", "snapshot_seconds")} == {"profile staging"}
        assert f"{'url':<17} redis://staging:1  (profile staging)\n" in call("--profile", "staging", "config").out

    def test_without_one_nothing_of_them_counts(self, call: Call) -> None:
        found, sources = self.settings(call)
        assert (found["profile"], found["url"], found["readonly"]) == (None, None, False)
        assert (sources["profile"], sources["profiles"]) == ("default", "settings file")

    def test_one_with_a_data_directory_is_about_the_embedded_server(
        self, call: Call, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ESDASH_URL", "redis://production:6379")
        found, _ = self.settings(call, "--profile", "local", "--stream", "payments")
        assert (found["url"], found["data_dir"]) == (None, str(home / "local"))
        assert found["domain"] == "raw", "what a profile says of domains goes before all that the file says"

    def test_a_typed_one_goes_before_the_environment(self, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who has the URL of production exported and types `--profile staging` must never reach production."""
        monkeypatch.setenv("ESDASH_URL", "redis://production:6379")
        monkeypatch.setenv("ESDASH_STREAM", "orders")
        monkeypatch.setenv("ESDASH_ARCHIVE", "/archive/of/production")
        monkeypatch.setenv("ESDASH_SNAPSHOT_SECONDS", "60")
        monkeypatch.setenv("ESDASH_TRACK_MB", "7")
        monkeypatch.setenv("ESDASH_PROFILE", "production")
        for arguments in (("--profile", "staging"), ("--profile", "production", "--profile=staging")):
            found, sources = self.settings(call, *arguments)
            assert (found["url"], found["stream"], found["snapshot_seconds"]) == ("redis://staging:1", "payments", 5.0)
            assert (found["track_mb"], sources["track_mb"]) == (7, "ESDASH_TRACK_MB")
            assert found["archive"] is None
        assert "staging:1" in call("state", "--profile", "staging", "--domain", "shop").err

    def test_a_flag_goes_before_it(self, call: Call) -> None:
        found, sources = self.settings(call, "--profile", "staging", "--stream", "x", "--url", "redis://tunnel:1")
        assert (found["url"], found["stream"], found["profile"]) == ("redis://tunnel:1", "x", "staging")
        assert (sources["url"], sources["stream"]) == ("--url", "--stream")

    def test_one_of_the_environment_goes_behind_the_rest_of_it(
        self, call: Call, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ESDASH_PROFILE", "staging")
        monkeypatch.setenv("ESDASH_STREAM", "other")
        found, sources = self.settings(call)
        assert (found["url"], found["stream"], found["profile"]) == ("redis://staging:1", "other", "staging")
        assert (sources["profile"], sources["stream"]) == ("ESDASH_PROFILE", "ESDASH_STREAM")
        monkeypatch.setenv("ESDASH_URL", "redis://staging:1")
        assert self.settings(call)[0]["url"] == "redis://staging:1"

    @pytest.mark.parametrize(
        ("profile", "named", "value"),
        [
            ("staging", "ESDASH_URL", "redis://production:6379"),
            ("staging", "--url", "redis://production:6379"),
            ("staging", "--data-dir", "/elsewhere"),
            ("local", "ESDASH_URL", "redis://production:6379"),
            ("local", "ESDASH_DATA_DIR", "/elsewhere"),
            ("local", "--data-dir", "/elsewhere"),
        ],
    )
    def test_another_server_beside_one_of_the_environment_is_refused(
        self, call: Call, monkeypatch: pytest.MonkeyPatch, profile: str, named: str, value: str
    ) -> None:
        """The status line would say the name of one, and events would go to the other."""
        typed = [named, value] if named.startswith("--") else []
        if not typed:
            monkeypatch.setenv(named, value)
        monkeypatch.setenv("ESDASH_PROFILE", profile)
        refused = call("state", *typed)
        assert refused.code == 2
        assert f"{named} and ESDASH_PROFILE, which is {profile}, name two servers" in refused.err
        assert self.settings(call, "--profile", "staging")[0]["url"] == "redis://staging:1"
        monkeypatch.setenv("ESDASH_PROFILE", "")
        assert self.settings(call, *typed)[0]["profile"] is None

    def test_the_same_server_beside_it_is_fine(self, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ESDASH_PROFILE", "staging")
        monkeypatch.setenv("ESDASH_DATA_DIR", "/of/other/calls")
        for arguments in ((), ("--url", "redis://staging:1")):
            assert self.settings(call, *arguments)[0]["profile"] == "staging"

    def test_no_flag_and_no_variable_makes_a_readonly_one_writable(
        self, call: Call, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refused = call("publish", "top-up", "7", "1", "--profile", "production", "--no-readonly")
        assert refused.code == 2
        assert "The profile production is read-only" in refused.err
        monkeypatch.setenv("ESDASH_READONLY", "0")
        for arguments in (("--profile", "production"), ("--profile", "production", "--readonly")):
            assert self.settings(call, *arguments)[0]["readonly"]
        monkeypatch.setenv("ESDASH_PROFILE", "production")
        assert self.settings(call)[0]["readonly"]
        assert "forbids writing" in call("publish", "top-up", "7", "1").err

    def test_readonly_elsewhere_adds_to_a_profile(
        self, call: Call, monkeypatch: pytest.MonkeyPatch, file: Path
    ) -> None:
        file.write_text(FILE.replace('"synced"', '"synced"\nreadonly = false'))
        assert self.settings(call, "--profile", "staging", "--readonly")[0]["readonly"]
        monkeypatch.setenv("ESDASH_READONLY", "1")
        found, sources = self.settings(call, "--profile", "staging")
        assert (found["readonly"], sources["readonly"]) == (True, "ESDASH_READONLY")
        assert not self.settings(call, "--profile", "staging", "--no-readonly")[0]["readonly"]


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ('profile = "staging"', "--profile"),
            ("profiles = 7", "profiles"),
            ('[profiles]\nstaging = "redis://h"', "profiles.staging"),
            ('[profiles.staging]\nstream = "a"', "[profiles.staging]"),
            ('[profiles.staging]\nurl = ""', "url in [profiles.staging]"),
            ('[profiles.staging]\nurl = "redis://h"\nulr = 1', "'ulr', which is no setting"),
            ('[profiles.staging]\nurl = "redis://h"\nkeys = {}', "'keys', which is no setting"),
            ('[profiles.staging]\nurl = "redis://h"\nprofiles = {}', "'profiles', which is no setting"),
            ('[profiles.staging]\nurl = "redis://h"\ndurability = "maybe"', "durability in [profiles.staging]"),
            ('[profiles.staging]\ndata_dir = "~nobody-at-all/x"', "home directory"),
            ('[profiles."\\u001b[31m"]\nurl = "redis://h"', "which is no name"),
        ],
    )
    def test_a_broken_profile_is_a_sentence_and_2(self, call: Call, file: Path, text: str, told: str) -> None:
        file.write_text(text)
        refused = call("state")
        assert refused.code == 2
        assert str(file) in refused.err
        assert told in refused.err
        assert refused.err.count("\n") == 1
        assert "\x1b" not in refused.err

    def test_a_name_that_is_not_there_names_those_that_are(self, call: Call, file: Path) -> None:
        refused = call("state", "--profile", "prod\x1b[31m")
        assert refused.code == 2
        assert f"There is no profile 'prod␛[31m' in the settings file {file}" in refused.err
        assert refused.err.endswith("There are local, production, staging.\n")
        file.write_text("")
        assert "[profiles.NAME]" in call("state", "--profile", "staging").err
        file.unlink()
        assert call("state", "--profile", "staging").code == 2
        assert call("state", "--profile", "").code == 2


class TestPasswords:
    def test_none_of_a_profile_is_shown(self, call: Call, file: Path) -> None:
        assert file.exists()
        for arguments in (("config",), ("config", "--json"), ("--profile", "production", "config")):
            shown = call(*arguments)
            assert "redis://production:6379" in shown.out
            assert "s3cret" not in shown.out + shown.err
        assert "s3cret" not in repr(config.load(None, {}, {"profile": "production"}, {}))
        assert "s3cret" not in call("state", "--profile", "production").err

    def test_a_file_with_one_that_others_can_read_is_said(self, call: Call, file: Path) -> None:
        assert call("config").err == ""
        for mode in (0o604, 0o640):
            file.chmod(mode)
            told = call("config")
            assert told.code == 0
            assert told.err == (
                f"esdash: Others can read {file}, in which a URL has a password: chmod 600 makes it yours alone.\n"
            )
        file.write_text('url = "redis://bob:s3 cret@h"')
        told = call("config")
        assert "chmod 600" in told.err
        assert "cret" not in told.out
        file.write_text('[profiles.staging]\nurl = "redis://h"')
        assert call("config").err == ""


def test_a_url_with_a_password_that_was_typed_goes_before_a_profile_that_was_typed(esdash: Call, file: Path) -> None:
    """The program starts again without it in its command line, and must still know that it was typed."""
    assert file.exists()
    found = esdash("--url", "redis://bob:s3cret@127.0.0.1:1", "config", "--json", "--profile", "staging").json
    assert (found["url"], found["stream"]) == ("redis://127.0.0.1:1", "payments")
    assert (found["sources"]["url"], found["sources"]["stream"]) == ("--url", "profile staging")


def test_it_reaches_its_server(call: Call, file: Path, url: str, client: redis.Redis) -> None:
    client.xadd("orders", {"type": "TopUp", "data": '{"user_id": 7, "amount": 1}'})
    file.write_text(f'[profiles.here]\nurl = "{url}"\n[profiles.there]\nurl = "redis://127.0.0.1:1"')
    assert call("state", "--json", "--profile", "here").json["tables"]["users"] == {"7": {"balance": 1}}
    assert call("state", "--json", "--profile", "there").code == 5


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("esdash state --profile st", ["staging"]),
        ("esdash --profile ''", ["local", "production", "staging"]),
        ("esdash --config none state --profile ''", []),
    ],
)
def test_a_shell_completes_its_name(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, offered: list[str]
) -> None:
    assert file.exists()
    monkeypatch.setenv("_ESDASH_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
    with pytest.raises(SystemExit):
        run([])
    assert capsys.readouterr().out.split() == [f"plain,{name}" for name in offered]


ASKED = {
    "bash": (
        'eval "$(esdash completion bash)"; COMP_WORDS=(esdash state --profile st) COMP_CWORD=3; '
        '_esdash_completion esdash; echo "${COMPREPLY[@]}"'
    ),
    "zsh": (
        'compdef() { }; compadd() { echo $completions }; eval "$(esdash completion zsh)"; '
        "words=(esdash state --profile st) CURRENT=4; _esdash_completion"
    ),
    "fish": 'esdash completion fish | source; complete --do-complete "esdash state --profile st"',
}
"""What a shell is to do to print what it would complete."""


@pytest.mark.parametrize("shell", ASKED)
def test_a_real_shell_completes_it(file: Path, home: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    assert file.exists()
    program = home / "esdash"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m esdash "$@"\n')
    program.chmod(0o700)
    environment = {**os.environ, "PATH": f"{home}{os.pathsep}{os.environ['PATH']}"}
    asked = subprocess.run([shell, "-c", ASKED[shell]], env=environment, capture_output=True, text=True, check=False)
    assert asked.stdout.split() == ["staging"], asked.stderr
