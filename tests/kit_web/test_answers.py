"""What leaves: error pages, problems, headers, and who is let in where."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from tests.kit_web.conftest import token_of
from tests.kit_web.handlers import OWN

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

HEADERS = ("content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy")


async def test_security_headers_are_on_every_answer(browse: Callable[..., httpx.AsyncClient]) -> None:
    client = browse()
    for path, status in (("/terms", 200), ("/nowhere", 404), ("/broken", 500), ("/api/v1/nowhere", 404), ("/livez", 200), ("/hook", 405)):
        found = await client.get(path)
        assert found.status_code == status, path
        assert all(name in found.headers for name in HEADERS), path
        assert "unsafe-inline" not in found.headers["content-security-policy"]


async def test_a_failure_of_ours_says_nothing_of_the_inside(browse: Callable[..., httpx.AsyncClient]) -> None:
    found = await browse().get("/broken")
    assert found.status_code == 500
    assert "secret inside" not in found.text
    assert "Traceback" not in found.text
    assert "<main" in found.text


async def test_a_foreign_row_and_an_unknown_row_are_the_same_bytes(buyer: httpx.AsyncClient, outsider: httpx.AsyncClient) -> None:
    assert (await buyer.get(f"/things/{OWN}")).status_code == 200
    await token_of(outsider)
    foreign = await outsider.get(f"/things/{OWN}")
    unknown = await outsider.get(f"/things/{uuid4()}")
    nowhere = await outsider.get("/no/such/page")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content == nowhere.content


async def test_anonymous_visitors_go_to_sign_in_and_back(browse: Callable[..., httpx.AsyncClient]) -> None:
    found = await browse().get("/things?a=1")
    assert found.status_code == 303
    assert found.headers["location"] == "/sign-in?next=/things%3Fa%3D1"


async def test_the_wrong_kind_of_actor_sees_an_unknown_page(buyer: httpx.AsyncClient) -> None:
    found = await buyer.get("/desk-only")
    assert found.status_code == 404
    assert found.content == (await buyer.get("/no/such/page")).content


async def test_a_refusal_says_the_next_step(browse: Callable[..., httpx.AsyncClient]) -> None:
    found = await browse().get("/full")
    assert found.status_code == 409
    assert "This session is full. Join the waiting list." in found.text
    often = await browse().get("/often")
    assert (often.status_code, often.headers["retry-after"]) == (429, "7")


async def test_a_large_body_is_refused(buyer: httpx.AsyncClient) -> None:
    token = await token_of(buyer)
    found = await buyer.post("/things", data={"_csrf": token, "given_name": "x" * 20_000})
    assert found.status_code == 413


async def test_what_the_database_says_becomes_an_answer(browse: Callable[..., httpx.AsyncClient]) -> None:
    found = {name: (await browse().get(f"/raises/{name}")).status_code for name in ("lock", "data", "away")}
    assert found == {"lock": 409, "data": 404, "away": 503}


async def test_head_answers_like_get_without_the_body(browse: Callable[..., httpx.AsyncClient]) -> None:
    for path, status in (("/terms", 200), ("/nowhere", 404), ("/counted", 200), ("/counted", 200)):
        found = await browse().head(path)
        assert (found.status_code, found.content) == (status, b"")
        assert all(name in found.headers for name in HEADERS)
    assert "<main" in (await browse().get("/counted")).text
