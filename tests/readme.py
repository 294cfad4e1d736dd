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
from tests.examples import examples, same

ROOT: Final = Path(__file__).parents[1]
README: Final = ROOT / "README.md"
KEYS: Final = ROOT / "esdash/ui/KEYS.md"
OPERATING: Final = ROOT / "esdash/OPERATING.md"
SCALING: Final = ROOT / "esdash/SCALING.md"
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
        text = with_part(text, name, made)
    return text


def with_part(text: str, name: str, made: str) -> str:
    """The text of a page with another part between the marks of this name."""
    found = _found(text, name)
    return text[: found.start(1)] + made + "\n" + text[found.end(1) :]


def part_of(text: str, name: str) -> str:
    """What stands between the marks of this name."""
    return _found(text, name)[1].removesuffix("\n")


def _found(text: str, name: str) -> re.Match[str]:
    found = re.search(rf"<!-- {name}:[^\n]*-->\n(.*?)<!-- /{name} -->", text, re.DOTALL)
    assert found is not None, name
    return found


def with_examples(text: str) -> str:
    """The operators' page with other examples of output, where they are not what the program prints."""
    for name, made in examples().items():
        text = text if same(name, made, part_of(text, name)) else with_part(text, name, made)
    return text


if __name__ == "__main__":
    for page in sections():
        page.write_text(with_sections(page), "utf-8")
    OPERATING.write_text(with_examples(OPERATING.read_text("utf-8")), "utf-8")
