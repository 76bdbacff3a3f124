"""The stand-in access point and our client of it, one against the other; and every bad day of a real one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest
from litestar import Litestar

from billing.transport.access_point.app import access_point
from billing.transport.peppol import AccessPoint, Package, Status, Unreachable, body
from marketplace.kit import db as kit_db
from marketplace.kit import ids
from tests.servers import listening

if TYPE_CHECKING:
    from uuid import UUID

    from marketplace.kit.clock import FakeClock

pytestmark = pytest.mark.asyncio(loop_scope="session")

APP = Litestar(route_handlers=[access_point], openapi_config=None)


def _point(token: str = "t") -> AccessPoint:
    transport = httpx.ASGITransport(app=APP, raise_app_exceptions=False)
    return AccessPoint("http://ap.example/access-point", token, transport=transport)


def _package(receiver: str = "0106:12345678", content: bytes = b"<Invoice/>", package_id: UUID | None = None) -> Package:
    return Package(
        id=package_id or ids.new_id(), sender="0106:90000011", receiver=receiver, document_type="x", process="p", content=content
    )


async def test_a_document_is_taken_and_with_the_receiver_soon_after(db: None, clock: FakeClock) -> None:
    package = _package()
    taken = await _point().send(package)
    assert (taken.status, (taken.reference or "")[:3]) == (Status.ACCEPTED, "AP-")
    assert (await _point().status(package.id)) == taken
    clock.move(timedelta(seconds=2))
    later = await _point().status(package.id)
    assert later is not None
    assert (later.status, later.reference) == (Status.DELIVERED, taken.reference)


async def test_the_same_document_again_is_the_same_document(db: None, clock: FakeClock) -> None:
    package = _package()
    first, again = await _point().send(package), await _point().send(package)
    assert first.reference == again.reference
    assert await kit_db.value("SELECT count(*) FROM access_point_document") == 1
    other = await _point().send(msgspec.structs.replace(package, content=b"<Other/>"))
    assert (other.status, other.message) == (Status.REJECTED, "This id was used for another document.")


async def test_its_odd_receivers(db: None, clock: FakeClock) -> None:
    unknown = await _point().send(_package("0106:00000404"))
    assert (unknown.status, unknown.message) == (Status.REJECTED, "0106:00000404 is not registered on the network.")
    with pytest.raises(Unreachable, match="busy"):
        await _point().send(_package("0106:00000503"))
    slow = _package("0106:00000202")
    await _point().send(slow)
    clock.move(timedelta(seconds=30))
    assert (await _point().status(slow.id)).status is Status.ACCEPTED  # type: ignore[union-attr]
    clock.move(timedelta(seconds=30))
    assert (await _point().status(slow.id)).status is Status.DELIVERED  # type: ignore[union-attr]


async def test_what_it_can_not_read_it_refuses(db: None, clock: FakeClock) -> None:
    transport = httpx.ASGITransport(app=APP, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://ap.example", headers={"Authorization": "Bearer t"}) as client:
        for sent, status in (({**body(_package()), "sha256": "00"}, 422), ({"id": "1"}, 400), ({**body(_package()), "content": "%"}, 400)):
            assert (await client.post("/access-point/documents", json=sent)).status_code == status
        assert (await client.post("/access-point/documents", json={}, headers={"Authorization": ""})).status_code == 401
    assert await _point().status(ids.new_id()) is None
    with pytest.raises(Unreachable, match="token"):
        await _point("").send(_package())


@pytest.mark.parametrize(
    ("status", "said", "outcome"),
    [
        (500, {}, "unknown"),
        (503, {}, "unavailable"),
        (429, {}, "unavailable"),
        (401, {}, "unavailable"),
        (200, b"<html>", "unknown"),
        (200, {"status": "?"}, "unknown"),
    ],
)
async def test_an_answer_that_does_not_count(status: int, said: object, outcome: str) -> None:
    async with listening() as other:
        other.answer = lambda _heard: (status, said)
        with pytest.raises(Unreachable) as trouble:
            await AccessPoint(other.base, "t", timeout_seconds=1).send(_package())
    assert trouble.value.outcome == outcome


async def test_one_that_refuses_hangs_or_hangs_up() -> None:
    with pytest.raises(Unreachable) as refused:
        await AccessPoint("http://127.0.0.1:1", "t").send(_package())
    assert refused.value.outcome == "unavailable"
    async with listening() as other:
        other.hang = True
        with pytest.raises(Unreachable) as hung:
            await AccessPoint(other.base, "t", timeout_seconds=0.2).send(_package())
        other.hang, other.drop = False, True
        with pytest.raises(Unreachable) as dropped:
            await AccessPoint(other.base, "t", timeout_seconds=1).send(_package())
    assert (hung.value.outcome, dropped.value.outcome) == ("unknown", "unknown")


async def test_a_refusal_carries_its_words() -> None:
    async with listening() as other:
        other.answer = lambda _heard: (422, {"message": "BR-01 is broken"})
        reply = await AccessPoint(other.base, "t").send(_package())
    assert (reply.status, reply.message) == (Status.REJECTED, "BR-01 is broken")
    assert other.heard[0].headers["authorization"] == "Bearer t"
