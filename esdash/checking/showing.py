"""Entries of a check for people and programs."""

from esdash.fold.folding import Entry, Fold


def shown(entry: Entry, fold: Fold | None = None) -> dict[str, str]:
    """An entry as its fields, for people and programs: text, or `hex:` and digits.

    With the `fold` what one of another program says, where it can be opened.
    """
    fields = entry[1]
    if fold is not None and fold.sorter.envelope(fields) is not None:
        key = fold.keys.of(fields)
        said = {"type": fold.sorter.type_of(fields), "data": _text(fold.sorter.payload_of(fields))}
        return said | ({} if key is None else {"key": _text(key)})
    return {_text(name): _text(value) for name, value in zip(fields[::2], fields[1::2], strict=True)}


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"hex:{value.hex()}"
