"""Runs benchmarks, each a program of its own, and writes what they found: `python -m tests.benchmarks [PART …]`.

All of them without a part. RESULTS.md gets their sections in the place of those that it had; what was not measured now
stays, with the machine that it was measured on.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.benchmarks.report import add_options

PARTS: Final = (
    "replay",
    "mixes",
    "screen_replay",
    "start",
    "snapshots",
    "latency",
    "painted",
    "intake",
    "idle",
    "panel",
    "publish",
    "verifying",
    "archive",
    "past",
    "questions",
    "whatif",
    "other_rules",
    "scale",
    "growth",
)

RESULTS: Final = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    """Run them, one after the other; one that fails is told, and the others go on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    add_options(parser)
    typed = parser.parse_args()
    if unknown := set(typed.parts).difference(PARTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    options = [each for each in sys.argv[1:] if each not in typed.parts]
    failed = []
    for part in typed.parts or PARTS:
        print(f"{part} …", file=sys.stderr, flush=True)
        ended = subprocess.run(
            [sys.executable, "-m", f"tests.benchmarks.{part}", *options], stdout=subprocess.PIPE, text=True, check=False
        )
        if ended.returncode:
            failed.append(part)
        else:
            RESULTS.write_text(with_section(RESULTS.read_text(), part, ended.stdout))
    if failed:
        sys.exit(f"These failed: {', '.join(failed)}.")


def with_section(page: str, part: str, section: str) -> str:
    """A page with a part's section, in the order of the parts; each begins with a comment that names its part."""
    beginning, *others = page.split("\n<!-- ")
    sections = {each.partition(" ")[0]: each for each in others}
    sections[part] = f"{part} -->\n\n{section}"
    ordered = sorted(sections, key=PARTS.index)
    return "\n\n<!-- ".join(each.rstrip() for each in (beginning, *map(sections.__getitem__, ordered))) + "\n"


if __name__ == "__main__":
    main()
