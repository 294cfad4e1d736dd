"""Makes the tables of the README anew from the program: `python -m tests.readme`."""

import ast
import inspect
import re
from pathlib import Path
from typing import Final

from esdash import config
from esdash.ui.actions import key_table

README: Final = Path(__file__).parents[1] / "README.md"


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
            default = {"data_dir": "the system's place for data", "url": "embedded", "theme": "esdash's own"}.get(
                name, f"`{getattr(defaults, name)}`".replace("True", "true").replace("False", "false")
            )
            lines.append(f"| `{name}` | {told} | {default} |")
    return "\n".join(lines)


def sections() -> dict[str, str]:
    """The parts of the README that the program makes, by the name of their marks."""
    return {"keys": key_table().strip(), "settings": settings_table()}


def with_sections(text: str) -> str:
    """The README's text with its made parts as they should be."""
    for name, made in sections().items():
        pattern = re.compile(rf"(<!-- {name}:[^\n]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
        found = pattern.search(text)
        assert found is not None, name
        text = text[: found.end(1)] + made + "\n" + text[found.start(2) :]
    return text


if __name__ == "__main__":
    README.write_text(with_sections(README.read_text("utf-8")), "utf-8")
