"""Handing on from a page: what would be a file here is offered to the browser as a download."""

import io
from typing import Any, BinaryIO, Final

from textual.app import App

from esdash.ui.messages import tell
from esdash.visible import visible

LARGEST: Final = 256 * 1024 * 1024
"""Bytes of a download: until it is fetched it takes room on the disk of the server."""


def offer(app: App[Any], name: str, file: BinaryIO, told: str) -> None:
    """Offer a file, which is closed when it was fetched, under the last part of a name. `told` is what there is."""
    key = app.deliver_binary(file, save_directory=".", save_filename=name, mime_type="application/octet-stream")
    if key is not None:
        tell(app, f"{told} in the download {visible(name, 100)}.")


def offer_picture(app: App[Any], name: str, picture: str) -> None:
    offer(app, name, io.BytesIO(picture.encode()), "The picture is")
