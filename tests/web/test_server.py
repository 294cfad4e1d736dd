"""The page's server: who gets what, and what hostile clients get."""

import asyncio
import io
import json
from contextlib import suppress

import aiohttp
import pytest

from esdash.web import connections, server, session
from tests.web.serving import TOKEN, serving

BROWSER = "text/html,application/xhtml+xml"


async def test_without_the_token_there_is_nothing_but_a_form() -> None:
    async with serving() as site:
        for path in (
            "/",
            "/ws",
            "/static/textual.js",
            "/static/page.css",
            "/download/" + "0" * 32,
            "/none",
            "/static/",
        ):
            for method in ("GET", "HEAD"):
                answer = await site.get(path, known=False, method=method, Upgrade="websocket", Origin=site.base)
                assert answer.status == 401, path
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
                assert answer.headers["Cache-Control"] == "no-store"
        for cookie in (f"esdash-{site.port}=x", f"esdash-{site.port}={TOKEN}", "esdash-1=" + site.known["Cookie"]):
            assert (await site.get("/", known=False, Cookie=cookie)).status == 401
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await site.page(Cookie="")
        assert refused.value.status == 401
        answer = await site.get("/", known=False, Accept=BROWSER)
        assert 'type="password"' in await answer.text()
        assert "<form" not in await (await site.get("/none", known=False, Accept=BROWSER)).text()
        assert not site.told.began_


async def test_the_token_is_taken_once_and_kept_as_a_cookie_that_no_script_reads() -> None:
    async with serving() as site:
        for wrong in ("x", "", TOKEN[:-1], "%F0%9F%92%A9", "%00"):
            answer = await site.get(f"/?token={wrong}")
            assert answer.status == 401, "although the browser is known"
            assert "Set-Cookie" not in answer.headers
        answer = await site.get(f"/?token={TOKEN}", known=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        cookie = answer.headers["Set-Cookie"]
        assert TOKEN not in cookie
        assert cookie.startswith(site.known["Cookie"])
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert "Secure" not in cookie
        answer = await site.get(f"/?token={TOKEN}", known=False, X_Forwarded_Proto="https")
        assert "Secure" in answer.headers["Set-Cookie"]
        # Somebody followed a link elsewhere: a redirect would not be sent the cookie.
        answer = await site.get(f"/?token={TOKEN}", known=False, Sec_Fetch_Site="cross-site", Accept=BROWSER)
        assert answer.status == 200
        assert 'content="0; url=/"' in await answer.text()
        assert "Set-Cookie" in answer.headers
        # The form; and a program.
        for token, status in ((TOKEN, 303), ("x", 401), ("", 401)):
            async with site.client.post(site.base, data={"token": token}, allow_redirects=False) as answer:
                assert answer.status == status
        async with site.client.post(site.base, data={"token": "x" * 100_000}) as answer:
            assert answer.status == 413
        for other in (b"x" * 100_000, aiohttp.FormData({"token": io.BytesIO(TOKEN.encode())})):
            async with site.client.post(site.base, data=other, allow_redirects=False) as answer:
                assert answer.status == 401
        assert (await site.get("/", known=False, Authorization=f"Bearer {TOKEN}")).status == 200
        assert (await site.get("/", known=False, Authorization="Bearer x")).status == 401


async def test_the_page_loads_nothing_from_elsewhere_and_is_framed_by_nobody() -> None:
    async with serving() as site:
        answer = await site.get("/")
        text = await answer.text()
        assert "<title>&lt;orders&gt; &amp; more</title>" in text
        names = [part.split('"')[0] for part in text.split("/static/")[1:]]
        assert "textual.js" in names
        css = await (await site.get("/static/page.css")).text()
        names += [part.split('"')[0] for part in css.split("/static/")[1:]]
        for name in names:
            assert (await site.get(f"/static/{name}")).status == 200
        for every in (text, css, await (await site.get("/static/page.js")).text()):
            assert "http" not in every.replace("/^http/", "")
            assert "//fonts" not in every
        for found in (
            answer,
            await site.get("/static/page.js"),
            await site.get("/none"),
            await site.get("/", known=False),
        ):
            assert "default-src 'none'" in found.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in found.headers["Content-Security-Policy"]
            assert found.headers["Referrer-Policy"] == "no-referrer"
            assert found.headers["X-Content-Type-Options"] == "nosniff"
            assert found.headers["Server"] == "esdash"


async def test_other_names_other_origins_and_other_paths_are_refused() -> None:
    async with serving(names=("shop.example",)) as site:
        for host, status in (("evil.example", 403), ("shop.example", 200), (f"localhost:{site.port}", 200), ("", 403)):
            assert (await site.get("/", Host=host)).status == status, host
        for origin in ("http://evil.example", "null", f"http://127.0.0.1:{site.port + 1}", ""):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await site.page(Origin=origin)
            assert refused.value.status == 403
        assert (await site.get("/ws", Origin=site.base)).status == 426
        for path in (
            "/static/../server.py",
            "/static/%2e%2e%2fserver.py",
            "/static/index.html",
            "/static/x/y",
            "/static/",
        ):
            assert (await site.get(path)).status in (404, 401), path
        for path in ("/download/..%2f..%2fetc%2fpasswd", "/download/", "/download/x"):
            assert (await site.get(path)).status == 404
        assert (await site.get("/", method="DELETE")).status == 405
        assert not site.told.began_


async def test_a_page_has_a_session_that_ends_with_it() -> None:
    async with serving() as site:
        page = await site.page("width=133&height=29")
        await page.until("size [133, 29]")
        await page.type("grüße \ud83d\ude00 \ud800")
        await page.until("grüße 😀 ?")
        await page.socket.send_str('["resize", {"width": 10000, "height": 1}]')
        await page.until("size [10000, 1]")
        await page.socket.send_str('["ping", "123"]')
        await page.until("123")
        assert page.texts == [["pong", "123"]]
        await page.socket.close()
        await site.until(lambda: site.told.ended_)
        page = await site.page()
        await page.type("leave")
        await page.until()
        assert page.texts == [["ended", "You left."]]
        assert page.socket.close_code == 1000
        await site.until(lambda: len(site.told.ended_) == 2)
        assert [ended.code for ended in site.told.ended_] == [0, 0]


async def test_one_session_too_many_is_refused_until_one_has_ended() -> None:
    async with serving(most=1) as site:
        page = await site.page()
        for answer in (await site.get("/", Accept=BROWSER), await site.get("/", method="HEAD")):
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await site.page()
        assert refused.value.status == 503
        await page.socket.close()
        other = await site.page()  # as a page that is loaded again: it waits for its own session to end
        await other.until("size")
        assert site.told.began_ == [1, 2]
        assert [ended.number for ended in site.told.ended_] == [1]


async def test_what_a_session_fails_with_is_told_here_and_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "END_SECONDS", 0.3)
    async with serving() as site:
        for typed, code, said in (("fail", 3, ["What was wrong: \x1b[2J a key"]), ("no packet", 0, [])):
            page = await site.page()
            await page.type(typed)
            await page.until()
            assert page.texts == [["ended", "The session has ended unexpectedly."]]
            await site.until(lambda: len(site.told.ended_) == len(site.told.began_))
            assert (site.told.ended_[-1].code, site.told.ended_[-1].errors) == (code, said)
        # One that does not end is ended by force, also where it draws without end for a page that takes nothing in.
        for typed in ("stay", "flood"):
            page = await site.page()
            await page.until("size")
            await page.type(typed)
            if typed == "flood":
                await page.until("x" * 100_000)
            await page.socket.close()
            await site.until(lambda: len(site.told.ended_) == len(site.told.began_))
        assert site.told.ended_[-2].code == -9


async def test_what_no_page_sends_ends_its_session() -> None:
    messages = ("x", "{}", "[]", "null", '["stdin"]', '["resize", {}]', '["resize", 1]', "[" * 100_000)
    async with serving() as site:
        for message in messages:
            page = await site.page()
            await page.socket.send_str(message)
            await page.until()
            assert page.socket.close_code == 1003, message[:40]
            await site.until(lambda: len(site.told.ended_) == len(site.told.began_))
    assert not site.told.failed_


async def test_sizes_that_are_none_are_ignored_and_huge_messages_refused() -> None:
    async with serving() as site:
        page = await site.page("width=1e9&height=-1")
        await page.until("size [80, 24]")
        for size in ('{"width": -1, "height": 5}', '{"width": 1.5, "height": 5}', '{"width": true, "height": NaN}'):
            await page.socket.send_str(f'["resize", {size}]')
        await page.socket.send_bytes(b"bytes")
        await page.type("still there")
        await page.until("still there")
        assert page.drawn.count(b"size") == 1
        await page.socket.send_str(json.dumps(["stdin", "x" * server.LONGEST_MESSAGE]))
        await page.until()
        assert page.socket.close_code == 1009


async def test_a_page_that_is_gone_without_a_word_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(session, "END_SECONDS", 0.3)
    monkeypatch.setattr(connections, "SECONDS", 0.3)
    async with serving() as site:
        page = await site.page()
        await page.until("size")
        await page.type("flood")
        # Nobody reads: neither what is drawn nor the question whether anybody is there.
        assert page.socket._conn is not None
        assert page.socket._conn.protocol is not None
        page.socket._conn.protocol.pause_reading()
        await site.until(lambda: site.told.ended_)
        # What it does not read of what was sent before does not hold its connection.
        await site.until(lambda: not site.connected())
        page.socket._conn.protocol.resume_reading()


async def test_a_file_is_downloaded_once_and_never_shown() -> None:
    async with serving() as site:
        page = await site.page()
        await page.type('offer ../../etc/"\r\npass\u202ewd.svg')
        await page.until("deliver_file_start")
        path = f"/download/{page.texts[-1][1]}"
        assert (await site.get(path, known=False)).status == 401
        answer = await site.get(path)
        assert answer.status == 200
        assert await answer.text("latin-1") == bytes(range(256)).decode("latin-1") * 10
        assert answer.headers["Content-Disposition"] == 'attachment; filename="etc-pass-wd.svg"'
        assert answer.headers["Content-Type"] == "image/svg+xml"
        assert (await site.get(path)).status == 404
        # What is not fetched is forgotten with its session, and the oldest of many before.
        for number in range(6):
            await page.type(f"offer {number}")
            await page.until("deliver_file_start")
        await page.socket.close()
        await site.until(lambda: site.told.ended_)
        for text in page.texts[1:]:
            assert (await site.get(f"/download/{text[1]}")).status == 404


async def test_a_crowd_without_the_token_is_cut_off_and_those_with_it_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SECONDS", 0.5)
    async with serving() as site:
        page = await site.page()
        crowd = []
        for _ in range(2 * connections.MOST):
            with suppress(ConnectionError):
                crowd.append(await asyncio.open_connection("127.0.0.1", site.port))
        try:
            await page.type("still there")
            await page.until("still there")
            # They say nothing, and are cut after a while: then there is room again.
            for reader, _ in crowd:
                with suppress(ConnectionError):
                    assert await asyncio.wait_for(reader.read(1), 15) == b""
            assert (await site.get("/")).status == 200
            await page.type("and still")
            await page.until("and still")
        finally:
            for _, writer in crowd:
                writer.close()
        assert not site.told.failed_


async def test_at_its_end_every_page_is_told_and_every_session_ended() -> None:
    async with serving() as site:
        pages = [await site.page(), await site.page()]
        for page in pages:
            await page.until("size")
        site.end()
        for page in pages:
            await page.until()
            assert page.socket.close_code == 1001
    assert len(site.told.ended_) == 2
