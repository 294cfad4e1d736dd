"""A real Prometheus with what the operators' page gives it: it scrapes the service, and has its rules."""

import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis

from tests.cli.conftest import append
from tests.cli.serving import Serving
from tests.cli.test_service_page import RULES, SCRAPE
from tests.servers import Watchdog, free_port
from tests.strategies import seeded_entries
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(not shutil.which("prometheus"), reason="needs prometheus, as Debian packages it")

Ask = Callable[[str], Any]


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[Ask]:
    """One that scrapes a service; what it answers to a path of its API."""
    (folder / "rules.yml").write_text(RULES, "utf-8")
    config = SCRAPE.replace("127.0.0.1:9464", target)
    assert config != SCRAPE
    (folder / "prometheus.yml").write_text(
        f"global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nrule_files: [rules.yml]\n{config}", "utf-8"
    )
    port = free_port()
    command = [
        *("prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"),
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        watchdog = Watchdog('kill -9 "$1"', str(process.pid))

        def ask(path: str) -> Any:
            assert process.poll() is None, (folder / "log").read_text("utf-8")
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}", timeout=5) as answer:
                return json.load(answer)["data"]

        try:
            yield ask
        finally:
            process.kill()
            watchdog.call_off()


def test_it_scrapes_the_service_and_wakes_nobody(
    start: Callable[..., Any], url: str, client: redis.Redis, tmp_path: Path
) -> None:
    append(client, seeded_entries(1, 100))
    service = Serving(start("serve", "--listen", "127.0.0.1:0", "--url", url))
    service.until("live")
    if shutil.which("promtool"):
        _, text = service.get("/metrics")
        for arguments, given in ((("metrics",), text), (("rules", tmp_path / "rules.yml"), "")):
            (tmp_path / "rules.yml").write_text(RULES, "utf-8")
            checked = subprocess.run(
                ["promtool", "check", *arguments], input=given, capture_output=True, text=True, check=False, timeout=60
            )
            assert checked.returncode == 0, checked.stdout + checked.stderr
    target = service.until("listening")["url"].removeprefix("http://")
    with prometheus(tmp_path, target) as ask:

        def value(query: str) -> float | None:
            found = ask(f"query?query={quote(query)}")["result"]
            return float(found[0]["value"][1]) if found else None

        def scraped() -> bool:
            return value("esdash_position_ordinal") == 100 and value('up{job="esdash"}') == 1

        eventually(scraped, timeout=60, interval=0.1, ignore=OSError)
        assert value('sum(esdash_entries_total{outcome="applied"})') is not None
        assert value("histogram_quantile(0.5, esdash_fold_seconds_bucket)") is not None
        families = {name: told for name, (told, *_) in ask("metadata").items() if name.startswith("esdash_")}
        assert len(families) > 10
        assert all(told["help"] and told["type"] != "unknown" for told in families.values())
        rules = [rule for group in ask("rules")["groups"] for rule in group["rules"]]
        assert {rule["name"] for rule in rules} == set(re.findall(r"alert: (\w+)", RULES))
        assert {rule["health"] for rule in rules} <= {"ok", "unknown"}
        assert "firing" not in {alert["state"] for alert in ask("alerts")["alerts"]}
    assert service.end() == 0
