"""Where an entry's idempotency key is."""

from esdash.fold.sorting import MAX_KEY, Fields


class Keys:
    """Keys in a field of their own."""

    within = False
    """They are within what another program writes, and not in a field of their own."""

    def __init__(self, name: bytes = b"key") -> None:
        """The field's name; empty where entries have no keys."""
        self.name = name

    def of(self, fields: Fields) -> bytes | None:
        """The entry's key, when it has a valid one; of several fields of the name the last counts."""
        name = self.name
        for place in range(len(fields) - 2 if name else -1, -1, -2):
            if fields[place] == name:
                key = fields[place + 1]
                return key if 0 < len(key) <= MAX_KEY else None
        return None

    def alone(self, fields: Fields) -> Fields:
        """The fields of an entry that say its key, and nothing else."""
        key = self.of(fields)
        return () if key is None else (self.name, key)
