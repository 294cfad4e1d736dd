"""Numbers of things, in words."""


def counted(count: int, one: str, many: str) -> str:
    """`1 entry is`, `2,000 entries are`."""
    return f"{count:,} {one if count == 1 else many}"
