"""What empty panels teach."""

from collections.abc import Mapping

from esdash.ui.actions import BY_ID, Keymap


def panel_hints(keymap: Keymap) -> Mapping[str, tuple[str, ...]]:
    """Panel → lines that say how to fill it, with the keys of the keymap."""

    def key(name: str) -> str:
        return BY_ID[name].name(keymap)

    demo = f"or {key('demo_batch')} to publish a demo batch."
    return {
        "balances": ("No balances yet.", "", f"Press {key('top_up')} to top up a user,", demo),
        "stock": ("No items yet.", "", f"Press {key('add_item')} to add an item,", demo),
        "log": (
            "No events yet.",
            "",
            "Whatever is appended to the stream shows here,",
            "with what the consumer made of it.",
            "",
            f"Press {key('demo_batch')} for a demo batch, {key('load')} for a steady load, {key('help')} for help.",
        ),
    }
