def main() -> None:
    """Placeholder until the commands land."""
