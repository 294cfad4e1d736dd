"""What the page's server answers besides the page: sentences, and the form that asks for the token."""

import html
from http import HTTPStatus
from typing import Final

from aiohttp import web

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Of every answer: nothing is loaded from elsewhere, nothing elsewhere frames it or learns where a link was. The
terminal makes style sheets of its own."""

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>esdash</title><link rel="icon" href="data:,">{head}<style>
body {{ background: #121212; color: #e0e0e0; font: 16px/1.5 monospace; margin: 20vh auto; max-width: 36em;
padding: 0 1em; }}
input, button {{ font: inherit; padding: .4em .8em; background: #242f38; color: inherit; border: 1px solid #808080; }}
</style></head>
<body><p>{text}</p>{more}</body>
</html>
"""

_FORM: Final = """<form method="post" action="/">
<input type="password" name="token" aria-label="Token" autocomplete="off" autofocus required> <button>Open</button>
</form>"""

AGAIN_SECONDS: Final = 3
"""After which a page asks again whether a session is free."""


def sentence(
    request: web.Request, status: HTTPStatus, text: str, *, form: bool = False, again: str = ""
) -> web.Response:
    """A sentence, as a page where a browser shows one. `form`: with that for the token; `again` is a path that it goes
    on to by itself."""
    if "text/html" not in request.headers.get("Accept", ""):
        answer = web.Response(status=status, text=f"{text}\n")
    else:
        seconds = 0 if status is HTTPStatus.OK else AGAIN_SECONDS
        head = f'<meta http-equiv="refresh" content="{seconds}; url={again}">' if again else ""
        body = _PAGE.format(head=head, text=html.escape(text), more=_FORM if form else "")
        answer = web.Response(status=status, text=body, content_type="text/html")
    answer.headers["Cache-Control"] = "no-store"
    return answer
