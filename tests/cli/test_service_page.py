"""What the operators' page says of the service: metrics, a unit, a compose file, what to scrape, when to wake."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import redis
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from esdash.engine.consumer.requests import TakeSnapshot
from esdash.engine.shown.view import Watched
from esdash.service.metrics import Metrics
from tests.cli.serving import Serving
from tests.domains.shop import Shop
from tests.engine.running import RunningConsumer, publish_day
from tests.readme import OPERATING

PAGE = OPERATING.read_text("utf-8").partition("## As a service")[2].partition("## What is promised")[0]
UNIT = re.findall(r"```ini\n(.*?)```", PAGE, re.S)[0]
COMPOSE, SCRAPE, RULES = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)


def command_of_compose() -> list[str]:
    """The arguments of the service in the compose file."""
    (found,) = re.findall(r"command: \[(serve.*)\]", COMPOSE)
    return [part.strip(' "') for part in found.split(",")]


def command_of_unit() -> list[str]:
    """The arguments of the unit's program."""
    (found,) = re.findall(r"^ExecStart=\S+/esdash (.*)$", UNIT, re.M)
    return shlex.split(found)


def exposed(url: str, client: redis.Redis) -> dict[str, str]:
    """Every metric of esdash's own, and its type, when all that can be known is known."""
    publish_day(client, 10)
    with RunningConsumer(url) as consumer:
        consumer.until_live()
        consumer.ask(TakeSnapshot())
        consumer.until(lambda view: view.snapshot)
        metrics = Metrics(
            "orders",
            Shop(),
            lambda: replace(consumer.view, invariants=(Watched("nobody_owes"),)),
            name="host:1",
            reconnects=lambda: 0,
            lines_lost=lambda: 0,
            unready=lambda _: "",
        )
        text, _ = metrics.exposition()
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        # The parser takes from names what the format puts behind them.
        name = {"counter": f"{family.name}_total"}.get(family.type, family.name)
        if name.startswith("esdash_") and not name.endswith("_created"):
            found[name] = family.type
    return found


def test_each_metric_is_in_the_table_and_the_rules_name_no_others(url: str, client: redis.Redis) -> None:
    metrics = exposed(url, client)
    table = PAGE.partition("<!-- metrics:")[2].partition("<!-- /metrics")[0]
    assert sorted(re.findall(r"`(esdash_\w+)`", table)) == sorted(metrics)
    for line in re.findall(r"expr: (.*)", RULES):
        named = set(re.findall(r"esdash_\w+", line))
        assert named, line
        assert named <= metrics.keys()
    for name, kind in metrics.items():
        assert name.endswith("_total") == (kind == "counter")


@pytest.mark.parametrize("command", [command_of_unit(), command_of_compose()], ids=["unit", "compose"])
def test_the_commands_serve(
    command: list[str],
    start: Callable[..., Any],
    url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ESDASH_URL", url)
    assert command[-2] == "--listen"
    address, port = command[-1].split(":")
    assert f"127.0.0.1:{port}" in SCRAPE
    service = Serving(start(*command[:-1], f"{address}:0"))
    service.until("live")
    listening = service.until("listening")["url"]
    assert listening.startswith(f"http://{address or '127.0.0.1'}:")
    (healthy,) = re.findall(r'test: \[CMD, python, -c, "(.*)"\]', COMPOSE)
    check = [sys.executable, "-c", healthy.replace("9464", listening.rpartition(":")[2])]
    assert subprocess.run(check, check=False).returncode == 0
    assert service.end() == 0
    assert subprocess.run(check, check=False, stderr=subprocess.DEVNULL).returncode != 0


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "esdash.service"
    unit.write_text(UNIT.replace("/opt/esdash/bin/esdash", sys.executable), "utf-8")
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False, timeout=60
    )
    assert [line for line in checked.stderr.splitlines() if "esdash" in line] == []


@pytest.mark.parametrize("text", [COMPOSE, SCRAPE, RULES], ids=["compose", "scrape", "rules"])
def test_the_yaml_has_the_shape_of_yaml(text: str) -> None:
    assert "\t" not in text
    if find_spec("yaml") is not None:
        import yaml  # type: ignore[import-untyped,unused-ignore]

        assert isinstance(yaml.safe_load(text), dict)
    block = None
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if block is not None and indent > block:
            continue  # of a text that is no YAML
        block = indent if line.endswith("|") else None
        assert indent % 2 == 0, line
        assert re.match(r" *(- )?[\w-]+:( \S|$)", line) or re.match(r' *- (targets|"|\S)', line), line
