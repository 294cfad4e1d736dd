"""The page of what was measured: a part that is measured anew takes its own place, and the others stay."""

from tests.benchmarks.__main__ import PARTS, with_section


def test_each_part_has_one_section_in_the_order_of_the_parts() -> None:
    page = "# What was measured\n"
    for part in reversed(PARTS):
        page = with_section(page, part, f"## {part}\n\n- first\n")
    page = with_section(page, "mixes", "## mixes\n\n- again\n")
    assert page.startswith("# What was measured\n\n<!-- replay -->\n\n## replay\n")
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == list(PARTS)
    assert page.count("- first") == len(PARTS) - 1
    assert page.count("- again") == 1
