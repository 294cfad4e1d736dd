"""Makes what the pages take from the program anew: `python -m tests.readme`."""

import ast
import inspect
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from esdash import config
from esdash.fold.loading import load
from esdash.ui.actions import ACTIONS, Action, Group
from esdash.ui.declared import Actions

ROOT: Final = Path(__file__).parents[1]
README: Final = ROOT / "README.md"
KEYS: Final = ROOT / "esdash/ui/KEYS.md"
OPERATING: Final = ROOT / "esdash/OPERATING.md"
BANK: Final = ROOT / "tests/domains/bank.py"


def settings_table() -> str:
    """The settings with their defaults and the docstrings that stand below them."""
    (declared,) = (node for node in ast.parse(inspect.getsource(config.Settings)).body)
    assert isinstance(declared, ast.ClassDef)
    defaults = config.Settings()
    lines = ["| setting | | unless told otherwise |", "|---|---|---|"]
    for field, text in zip(declared.body, declared.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            assert isinstance(field.target, ast.Name)
            name = field.target.id
            told = re.sub(r"\s+", " ", str(text.value.value))
            default = _DEFAULTS.get(
                name, f"`{getattr(defaults, name)}`".replace("True", "true").replace("False", "false")
            )
            lines.append(f"| `{name}` | {told} | {default} |")
    return "\n".join(lines)


_DEFAULTS: Final = {
    "data_dir": "the system's place for data",
    "track_dir": "the system's place for caches",
    "url": "embedded",
    "streams": "all",
    "theme": "esdash's own",
}


def key_table(actions: Iterable[Action] = ACTIONS) -> str:
    """A Markdown table of all keys, for the README."""
    known = list(actions)
    lines = ["| key | | does |", "|---|---|---|"]
    for group in Group:
        lines.append(f"| **{group}** | | |")
        for action in known:
            if action.group is not group:
                continue
            keys = " ".join(f"<kbd>{_escape(name)}</kbd>" for name in action.names()) or "in the palette"
            asks = " Asks first." if action.destructive else ""
            lines.append(f"| {keys} | {action.label} | {action.tooltip}{asks} |")
    return "\n".join(lines) + "\n"


def _escape(name: str) -> str:
    return {"<": "&lt;", ">": "&gt;", "|": "&#124;"}.get(name, name)


def bank() -> str:
    """The domain of the tutorial, without what is for the linters."""
    lines = BANK.read_text("utf-8").splitlines()
    return "\n".join(["```python", *(line for line in lines if not line.startswith("# ")), "```"])


def sections() -> dict[Path, dict[str, str]]:
    """The parts of each page that are made, by the name of their marks."""
    return {
        README: {"bank": bank()},
        KEYS: {"keys": key_table(Actions(load("esdash.shop.domain:SHOP"), watched=True)).strip()},
        OPERATING: {"settings": settings_table()},
    }


def with_sections(page: Path) -> str:
    """A page's text with its made parts as they should be."""
    text = page.read_text("utf-8")
    for name, made in sections()[page].items():
        pattern = re.compile(rf"(<!-- {name}:[^\n]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
        found = pattern.search(text)
        assert found is not None, name
        text = text[: found.end(1)] + made + "\n" + text[found.start(2) :]
    return text


if __name__ == "__main__":
    for page in sections():
        page.write_text(with_sections(page), "utf-8")
