"""Settings: file < environment < flags, and the common options before and after the command."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest
import redis
from click.testing import CliRunner

from esdash import config
from esdash.cli import run
from esdash.cli.options import settings_of, with_settings
from esdash.cli.secrecy import redacted, taken_out
from esdash.config import ConfigError, Settings
from tests.cli.conftest import Call
from tests.waiting import eventually


@pytest.fixture
def file(home: Path) -> Path:
    """The usual settings file, not there yet."""
    path = config.usual_file()
    assert path is not None
    assert path.is_relative_to(home)
    path.parent.mkdir(parents=True)
    return path


class TestSources:
    def test_defaults(self, home: Path) -> None:
        settings = config.load(None, {}, {}, {})
        assert settings == Settings()
        assert config.place_of_data(settings).is_relative_to(home)

    def test_a_home_that_is_no_directory_holds_no_settings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
        monkeypatch.setenv("HOME", os.devnull)
        assert config.load(None, {}, {}, {}) == Settings()

    def test_flags_beat_the_environment_which_beats_the_file(self, file: Path) -> None:
        file.write_text('stream = "a"\nsnapshot_seconds = 1\nmouse = false\ntheme = "nord"')
        environment = {"ESDASH_SNAPSHOT_SECONDS": "2", "ESDASH_THEME": "gruvbox", "ESDASH_MOUSE": ""}
        settings = config.load(None, {"stream": "b", "readonly": True}, {"stream": "c"}, environment)
        assert (settings.stream, settings.readonly, settings.snapshot_seconds) == ("c", True, 2.0)
        assert (settings.theme, settings.mouse) == ("gruvbox", False)

    def test_keys_of_the_dashboard(self, file: Path) -> None:
        file.write_text('data_dir = "~/shop"\n[keys]\nquit = "f10,Q"')
        settings = config.load(None, {}, {}, {})
        assert settings.keys == {"quit": "f10,Q"}
        assert settings.data_dir == Path("~/shop").expanduser()

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("stream = 'a'\nreadonly = maybe", "line 2"),
            ("strem = 'x'", "'strem'"),
            ("snapshot_seconds = -1", "snapshot_seconds"),
            ("snapshot_seconds = 'often'", "snapshot_seconds"),
            ("snapshot_seconds = 1e9", "less than or equal to 86400"),
            ("stream = ''", "stream"),
            ("readonly = 'perhaps'", "readonly"),
            ("keys = {quit = 7}", "keys.quit"),
            ("questions = {refused = 7}", "questions.refused"),
            ("questions = {refused = ''}", "questions.refused"),
            ("[questions]\n'two words' = 'hdd'", "'two words', which is no name"),
            ("url = 7", "url"),
            ("url = ''", "url"),
            ("data_dir = ''", "data_dir"),
            ("data_dir = '~nobody-at-all/shop'", "home directory"),
        ],
    )
    def test_a_broken_file_is_a_sentence_and_2(self, call: Call, file: Path, text: str, told: str) -> None:
        file.write_text(text)
        refused = call("state")
        assert refused.code == 2
        assert str(file) in refused.err
        assert told in refused.err
        assert refused.err.count("\n") == 1

    def test_a_broken_environment_names_its_variable(self, home: Path) -> None:
        assert home
        with pytest.raises(ConfigError, match="ESDASH_SNAPSHOT_SECONDS"):
            config.load(None, {}, {}, {"ESDASH_SNAPSHOT_SECONDS": "x"})

    def test_a_file_that_is_not_there_or_no_text(self, call: Call, tmp_path: Path) -> None:
        assert call("state", "--config", tmp_path / "none").code == 2
        (tmp_path / "bytes").write_bytes(b"\xff")
        assert "UTF-8" in call("--config", tmp_path / "bytes", "state").err
        (tmp_path / "folder").mkdir()
        assert call("state", "--config", tmp_path / "folder").code == 2

    def test_a_byte_order_mark_is_no_part_of_the_settings(self, file: Path) -> None:
        file.write_bytes(b'\xef\xbb\xbfstream = "a"')
        assert config.load(None, {}, {}, {}).stream == "a"

    def test_no_file_that_never_ends_or_never_begins_is_read(self, call: Call, file: Path, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        for never in (Path("/dev/zero"), tmp_path / "pipe"):
            file.unlink(missing_ok=True)
            file.symlink_to(never)
            for refused in (call("state"), call("state", "--config", never)):
                assert refused.code == 2
                assert "is no file" in refused.err
        assert config.load(Path(os.devnull), {}, {}, {}) == Settings()

    def test_a_file_too_large_for_settings_is_refused(self, call: Call, file: Path) -> None:
        file.write_text("#" * 100_000)
        refused = call("state")
        assert refused.code == 2
        assert "larger than 64 KiB" in refused.err

    @pytest.mark.parametrize("text", ["keys = " + "[" * 20_000, "snapshot_seconds = " + "9" * 10_000])
    def test_what_no_reader_of_toml_can_take_in_is_refused(self, call: Call, file: Path, text: str) -> None:
        file.write_text(text)
        refused = call("state")
        assert refused.code == 2
        assert "is not TOML" in refused.err
        assert refused.err.count("\n") == 1

    @pytest.mark.parametrize("linked", ["file", "folder"])
    def test_a_link_that_leads_nowhere_is_said_and_not_taken_for_no_settings(
        self, call: Call, file: Path, linked: str
    ) -> None:
        path = file if linked == "file" else file.parent
        if linked == "folder":
            path.rmdir()
        path.symlink_to("elsewhere")
        refused = call("state")
        assert refused.code == 2
        assert f"{path} is a link to elsewhere" in refused.err

    def test_a_folder_in_the_place_of_the_file_is_refused(self, call: Call, file: Path) -> None:
        file.mkdir()
        refused = call("state")
        assert refused.code == 2
        assert "irectory" in refused.err

    def test_every_setting_is_documented(self) -> None:
        source = Path(config.__file__).read_text("utf-8")
        for name in config.names():
            declared = source.index(f"    {name}: ")
            assert source[declared:].split("\n", 1)[1].lstrip().startswith('"""'), name


class TestCommonOptions:
    def read(self, *arguments: str, **environment: str) -> Settings:
        seen: list[Settings] = []

        @click.group()
        def outer() -> None:
            pass

        from esdash.cli.options import common_options

        common_options(outer)

        @outer.command()
        @with_settings
        def inner(settings: Settings) -> None:
            assert settings == settings_of(click.get_current_context())
            seen.append(settings)

        ended = CliRunner().invoke(outer, arguments, env=environment, catch_exceptions=False)
        assert ended.exit_code == 0, ended.output
        return seen[0]

    def test_before_and_after_the_command_the_later_wins(self, home: Path) -> None:
        assert home
        assert self.read("--stream", "a", "inner").stream == "a"
        assert self.read("inner", "--stream", "b").stream == "b"
        assert self.read("--stream", "a", "inner", "--stream", "b").stream == "b"
        assert self.read("--readonly", "inner").readonly
        assert not self.read("--readonly", "inner", "--no-readonly").readonly

    def test_the_home_directory_in_a_data_directory(self, home: Path) -> None:
        assert self.read("inner", "--data-dir", "~/shop").data_dir == home / "shop"
        assert self.read("inner", ESDASH_DATA_DIR="~/shop").data_dir == home / "shop"

    def test_a_home_directory_that_is_not_there(self, call: Call) -> None:
        refused = call("state", "--data-dir", "~nobody-at-all/shop")
        assert refused.code == 2
        assert "home directory" in refused.err

    def test_a_flag_before_the_command_beats_the_environment(self, home: Path) -> None:
        assert home
        assert self.read("inner", ESDASH_STREAM="e").stream == "e"
        assert self.read("--stream", "a", "inner", ESDASH_STREAM="e").stream == "a"
        assert self.read("inner", ESDASH_READONLY="1").readonly
        assert self.read("inner", ESDASH_URL="redis://h").url == "redis://h"
        assert self.read("inner", ESDASH_DATA_DIR="/d").data_dir == Path("/d")

    def test_the_file_that_was_named_last(self, home: Path) -> None:
        for name in "abc":
            (home / name).write_text(f'stream = "{name}"')
        assert self.read("inner", ESDASH_CONFIG=str(home / "a")).stream == "a"
        assert self.read("--config", str(home / "b"), "inner", ESDASH_CONFIG=str(home / "a")).stream == "b"
        assert self.read("--config", str(home / "b"), "inner", "--config", str(home / "c")).stream == "c"

    def test_every_command_takes_them(self, call: Call, url: str, client: redis.Redis) -> None:
        client.xadd("other", {"type": "TopUp", "data": '{"user_id": 7, "amount": 1}'})
        for command in (
            ("publish", "top-up", "7", "1"),
            ("produce",),
            ("consume", "--once"),
            ("state",),
            ("events",),
            ("snapshot", "list"),
            ("doctor",),
        ):
            assert call("--url", url, "--stream", "other", *command).code in (0, 3), command
            assert call(*command, "--url", url, "--stream", "other").code in (0, 3), command
        assert client.exists("orders") == 0


class TestConfig:
    def test_every_setting_and_path(self, call: Call, home: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file.write_text('theme = "nord"\n[keys]\nquit = "f10"\n[domains]\npayments = "bank"')
        document = call("config", "--json", "--stream", "payments", "--url", "redis://bob:s3cret@h").json
        assert set(config.names()) <= set(document)
        assert (document["stream"], document["domain"], document["theme"]) == ("payments", "bank", "nord")
        assert (document["keys"], document["domains"]) == ({"quit": "f10"}, {"payments": "bank"})
        assert document["url"] == "redis://h"
        assert document["config"] == str(file)
        assert Path(document["data_dir"]).is_relative_to(home)
        told = call("config", "--url", "redis://bob:s3cret@h").out
        assert "s3cret" not in told
        assert f"{'theme':<17} nord  (settings file)\n" in told
        assert f"{'url':<17} redis://h  (--url)\n" in told
        assert f"{'stream':<17} orders\n" in told
        sources = document["sources"]
        assert set(sources) == set(config.names())
        assert [sources[name] for name in ("url", "stream", "domain", "readonly")] == [
            "--url", "--stream", "settings file", "default",
        ]  # fmt: skip
        monkeypatch.setenv("ESDASH_STREAM", "x")
        monkeypatch.setenv("ESDASH_TRACK_MB", "7")
        told = call("config").out
        assert f"{'stream':<17} x  (ESDASH_STREAM)\n" in told
        assert f"{'track_mb':<17} 7  (ESDASH_TRACK_MB)\n" in told

    def test_the_file_that_was_named(self, call: Call, home: Path) -> None:
        (home / "mine.toml").write_text("readonly = true")
        document = call("config", "--json", "--config", home / "mine.toml").json
        assert (document["config"], document["readonly"]) == (str(home / "mine.toml"), True)


class TestUrl:
    @pytest.mark.parametrize(
        ("url", "told"),
        [
            ("localhost:6379", "redis://host:port/db"),
            ("redis://h/orders", "number of a database"),
            ("redis://h?frobnicate=1", "'frobnicate'"),
            ("redis://h?socket_timeout=-1", "seconds"),
        ],
    )
    def test_what_is_none_is_2_wherever_it_stands(
        self, call: Call, file: Path, monkeypatch: pytest.MonkeyPatch, url: str, told: str
    ) -> None:
        typed = call("state", "--url", url)
        monkeypatch.setenv("ESDASH_URL", url)
        exported = call("state")
        monkeypatch.delenv("ESDASH_URL")
        file.write_text(f'url = "{url}"')
        for refused in (typed, exported, call("state")):
            assert refused.code == 2
            assert told in refused.err
            assert refused.err.count("\n") == 1

    def test_its_options_cannot_break_the_reading(self, call: Call, url: str, client: redis.Redis) -> None:
        client.xadd("orders", {"type": "TopUp", "data": '{"user_id": 7, "amount": 1}'})
        shown = call("state", "--json", "--url", f"{url}?protocol=3&decode_responses=true&socket_timeout=2")
        assert shown.json["tables"]["users"] == {"7": {"balance": 1}}

    def test_a_short_timeout_is_no_reason_to_call_an_idle_server_lost(
        self, start: Callable[..., "subprocess.Popen[str]"], url: str, client: redis.Redis
    ) -> None:
        client.config_resetstat()
        client.xadd("orders", {"type": "TopUp", "data": '{"user_id": 7, "amount": 1}'})
        following = start("events", "--follow", "--json", "--url", f"{url}?socket_timeout=0.1")
        eventually(lambda: client.info("commandstats").get("cmdstat_xread", {}).get("calls", 0) > 5)
        client.xadd("orders", {"type": "TopUp", "data": '{"user_id": 7, "amount": 1}'})
        assert following.stdout is not None
        assert [json.loads(following.stdout.readline())["ordinal"] for _ in range(2)] == [1, 2]

    @pytest.mark.parametrize("option", ["--url", "--data-dir"])
    def test_an_empty_one_is_2(self, call: Call, home: Path, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
        monkeypatch.chdir(home)
        for arguments in (("state", option, ""), (f"{option}=", "state")):
            refused = call(*arguments)
            assert refused.code == 2
            assert option in refused.err
            assert "not empty" in refused.err
            assert list(home.iterdir()) == []


class TestSecrecy:
    def test_what_stands_between_the_scheme_and_the_host(self) -> None:
        assert redacted("no redis://u:p@h:1/0 here") == "no redis://h:1/0 here"
        assert redacted("'redis://u:p w@h'", ["redis://u:p w@h"]) == "'redis://h'"
        assert redacted("redis://h?password=p&db=1") == "redis://h?password=…&db=1"
        assert redacted("nothing to hide: a@b") == "nothing to hide: a@b"

    def test_advice_stays_readable(self) -> None:
        advice = "Put them into the URL: redis://user:password@host."
        assert redacted(advice) == advice
        assert redacted(f"({advice[:-1]})") == f"({advice[:-1]})"
        assert redacted(advice, ["redis://user:passw0rd@host"]) == advice

    @pytest.mark.parametrize("host", ["hostel", "host:6379", "host/0", "host.example", "host-1", "host2@x"])
    def test_what_only_looks_like_the_example_is_hidden(self, host: str) -> None:
        assert "password" not in redacted(f"no redis://user:password@{host} here")

    def test_credentials_that_are_those_of_the_example_are_hidden(self) -> None:
        assert "password" not in redacted("no redis://user:password@host.", ["redis://user:password@host"])

    @pytest.mark.parametrize(
        ("arguments", "url", "rest"),
        [
            (["--url", "redis://:p@h", "state"], "redis://:p@h", ["state"]),
            (["state", "--url=redis://:p@h", "--json"], "redis://:p@h", ["state", "--json"]),
            (["--url", "redis://:p@h", "state", "--url", "redis://:q@h"], "redis://:q@h", ["state"]),
            (["state", "--url", "redis://h?password=p"], "redis://h?password=p", ["state"]),
            (["state", "--url", "redis://h"], None, ["state", "--url", "redis://h"]),
            (["state", "--url"], None, ["state", "--url"]),
            (["publish", "--", "--url", "redis://:p@h"], None, ["publish", "--", "--url", "redis://:p@h"]),
        ],
    )
    def test_a_password_is_taken_out_of_the_command_line(
        self, arguments: list[str], url: str | None, rest: list[str]
    ) -> None:
        assert taken_out(arguments) == (url, rest)


class TestHelp:
    def test_every_command_has_help(self, call: Call) -> None:
        listed = call("--help").out.partition("Commands:")[2].strip().splitlines()
        commands = dict(re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in listed)
        assert {"publish", "consume", "state", "events", "snapshot", "doctor", "server", "config"} <= commands.keys()
        for command, what in commands.items():
            helped = call(command, "--help")
            assert helped.code == 0
            assert helped.out.startswith("Usage: esdash ")
            assert helped.out.split("\n\n")[1].split("\n")[0].strip() == what, "the list says what the command says"

    def test_the_version(self, call: Call) -> None:
        assert call("--version").out.startswith("esdash ")

    def test_completion(self, call: Call) -> None:
        for shell in ("bash", "zsh", "fish"):
            printed = call("completion", shell)
            assert printed.code == 0
            assert "_ESDASH_COMPLETE" in printed.out
        assert call("completion", "tcsh").code == 2

    def test_completing(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setenv("_ESDASH_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", "esdash publish to")
        monkeypatch.setenv("COMP_CWORD", "2")
        with pytest.raises(SystemExit):
            run([])
        assert capsys.readouterr().out == "plain,top-up\n"

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_completing_without_a_shell(self, call: Call, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
        monkeypatch.setenv("_ESDASH_COMPLETE", f"{shell}_complete")
        for count in (None, "  " if shell == "fish" else "x"):
            if count is not None:
                monkeypatch.setenv("COMP_WORDS", "esdash")
                monkeypatch.setenv("COMP_CWORD", count)
            refused = call()
            assert refused.code == 2
            assert "_ESDASH_COMPLETE" in refused.err
            assert refused.err.count("\n") == 1
