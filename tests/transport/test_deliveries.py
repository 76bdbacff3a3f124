"""Delivering: by the debtor's channel, exactly once, tried again, and by mail when Peppol fails; every try is in the log."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from billing import archive, delivery, invoices, story
from billing import credits as credit_notes
from billing.archive import Format
from billing.credits import Credit
from billing.transport import deliveries
from billing.transport.deliveries import DeliveryState
from marketplace.kit import audit, settings, work
from marketplace.kit import db as kit_db
from marketplace.kit.errors import Conflict, Forbidden
from marketplace.kit.identity import SYSTEM
from tests.builders.billing import a_debtor, an_invoice, number_of
from tests.servers import Other, listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from uuid import UUID

    from marketplace.kit.clock import FakeClock
    from tests.cast import Cast
    from tests.smtp import Box

pytestmark = pytest.mark.asyncio(loop_scope="session")
KINDS = (
    "billing.deliver_peppol",
    "billing.delivery_status",
    "billing.mail_invoice",
    "billing.tell_undelivered",
    "billing.mail_left",
    "mail.send",
)


@pytest_asyncio.fixture(loop_scope="session")
async def point(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Other]:
    """Run an access point that accepts everything, and use it."""
    async with listening() as other:
        monkeypatch.setenv("MARKETPLACE_PEPPOL_URL", other.base)
        monkeypatch.setenv("MARKETPLACE_PEPPOL_TOKEN", "secret")
        monkeypatch.setenv("MARKETPLACE_PEPPOL_TIMEOUT", "1")
        settings.reload()
        other.answer = _says("accepted")
        yield other
    monkeypatch.undo()
    settings.reload()


def _says(status: str, message: str = "", *, code: int = 202) -> Any:
    return lambda _heard: (code, {"status": status, "message": message, "reference": "AP-1"})


async def _by_peppol(**profile: object) -> UUID:
    return await a_debtor(channel="peppol", peppol_scheme="0106", peppol_id="12345678", email="ap@rijnburg.example", **profile)


async def _made(invoice_id: UUID, now: datetime) -> None:
    await archive.store(invoice_id, {Format.PDF: b"%PDF-1", Format.UBL_PEPPOL: b"<peppol/>", Format.UBL_NLCIUS: b"<nlcius/>"}, now=now)
    await delivery.make_documents({"invoice": str(invoice_id)}, item=None, now=now)  # type: ignore[arg-type]


async def _work(now: datetime) -> None:
    """Do what is due, also what fails, until nothing more is."""
    for _round in range(20):
        items = await work.claim(now, only=KINDS)
        if not items:
            return
        for item in items:
            await work.perform(item, now=now)


async def _outcomes(invoice_id: UUID) -> list[str]:
    found = await deliveries.tries(await deliveries.of_invoice(invoice_id))
    return [f"{one.channel.value} {one.outcome}" for one in reversed(found)]


async def _states(invoice_id: UUID) -> list[str]:
    return [f"{one.channel.value} {one.cause} {one.state.value}" for one in reversed(await deliveries.of_invoice(invoice_id))]


@pytest.mark.parametrize(("profile", "content", "word"), [("peppol", b"<peppol/>", "peppol"), ("nlcius", b"<nlcius/>", "nlcius")])
async def test_peppol_has_it_at_once_and_says_later_that_it_arrived(
    db: None, clock: FakeClock, mails: Box, point: Other, profile: str, content: bytes, word: str
) -> None:
    made = await an_invoice(await _by_peppol(ubl_profile=profile))
    await _made(made, clock.now())
    await _work(clock.now())
    [sent] = point.heard
    assert (sent.method, sent.path, sent.headers["authorization"]) == ("POST", "/documents", "Bearer secret")
    [row] = await deliveries.of_invoice(made)
    assert (sent.json["id"], sent.headers["idempotency-key"]) == (str(row.id), str(row.id))
    assert (sent.json["sender"], sent.json["receiver"]) == ("0106:90000011", "0106:12345678")
    assert word in sent.json["document_type"]
    assert "Invoice-2::Invoice##" in sent.json["document_type"]
    assert base64.b64decode(sent.json["content"]) == content
    point.answer = _says("delivered", code=200)
    await _work(clock.move(timedelta(seconds=10)))
    assert (await _states(made), await _outcomes(made)) == (["peppol issued delivered"], ["peppol accepted", "peppol delivered"])
    assert point.heard[1].path == f"/documents/{row.id}"
    assert mails.messages == []


async def test_making_the_documents_again_delivers_once(db: None, clock: FakeClock, point: Other) -> None:
    made = await an_invoice(await _by_peppol())
    await _made(made, clock.now())
    await delivery.make_documents({"invoice": str(made)}, item=None, now=clock.now())  # type: ignore[arg-type]
    await delivery.link_arrived({"invoice": str(made)}, item=None, now=clock.now())  # type: ignore[arg-type]
    await _work(clock.move(timedelta(minutes=1)))
    assert [heard.method for heard in point.heard].count("POST") == 1
    assert await kit_db.value("SELECT count(*) FROM due_work WHERE kind = 'billing.mail_invoice'") == 0


async def test_after_a_lost_answer_it_is_looked_up_and_not_sent_twice(db: None, clock: FakeClock, point: Other) -> None:
    made = await an_invoice(await _by_peppol())
    await _made(made, clock.now())
    point.drop = True
    await _work(clock.now())
    assert await _outcomes(made) == ["peppol unknown"]
    point.drop, point.answer = False, _says("delivered", code=200)
    await _work(clock.move(timedelta(minutes=1)))
    assert [heard.method for heard in point.heard] == ["POST", "GET"]
    assert await _states(made) == ["peppol issued delivered"]


async def test_what_never_arrived_is_sent_again_under_the_same_id(db: None, clock: FakeClock, point: Other) -> None:
    made = await an_invoice(await _by_peppol())
    await _made(made, clock.now())
    point.hang = True
    await _work(clock.now())
    point.hang = False
    point.answer = lambda heard: (404, {}) if heard.method == "GET" else (202, {"status": "accepted"})
    await _work(clock.move(timedelta(minutes=1)))
    posts = [heard.json["id"] for heard in point.heard if heard.method == "POST"]
    assert len(posts) == 2
    assert len(set(posts)) == 1


async def test_a_refusal_goes_by_mail_and_ecl_is_told(db: None, clock: FakeClock, mails: Box, point: Other) -> None:
    made = await an_invoice(await _by_peppol())
    await _made(made, clock.now())
    point.answer = _says("rejected", "0106:12345678 is not registered", code=202)
    await _work(clock.now())
    number = await number_of(made)
    assert await _states(made) == ["peppol issued failed", "mail fallback under_way"]
    [letter] = mails.to("ap@rijnburg.example")
    assert [file.get_filename() for file in letter.iter_attachments()] == [f"{number}.pdf"]
    [told] = mails.to("welcome@ecl.example")
    assert number in told["Subject"]
    assert "0106:12345678 is not registered" in told.get_body(("plain",)).get_content()
    await _work(clock.move(timedelta(seconds=20)))
    assert await _states(made) == ["peppol issued failed", "mail fallback delivered"]


async def test_one_that_stays_away_is_tried_for_a_day(db: None, clock: FakeClock, mails: Box, point: Other) -> None:
    made = await an_invoice(await _by_peppol())
    await _made(made, clock.now())
    point.answer = lambda _heard: (503, {})
    for hours in (0, 1, 3, 6, 8):
        await _work(clock.move(timedelta(hours=hours)))
    assert await _states(made) == ["peppol issued queued"]
    assert mails.messages == []
    await _work(clock.move(timedelta(hours=7)))
    assert await _states(made) == ["peppol issued failed", "mail fallback under_way"]
    assert len(mails.to("ap@rijnburg.example")) == 1
    assert (await _outcomes(made))[:2] == ["peppol unavailable", "peppol unavailable"]


async def test_no_confirmation_in_two_days_is_a_failure(db: None, clock: FakeClock, mails: Box, point: Other) -> None:
    made = await an_invoice(await _by_peppol())
    await _made(made, clock.now())
    await _work(clock.now())
    await _work(clock.move(timedelta(hours=47)))
    assert await _states(made) == ["peppol issued under_way"]
    await _work(clock.move(timedelta(hours=7)))
    assert (await _states(made))[0] == "peppol issued failed"


async def test_without_an_access_point_or_an_id_it_goes_by_mail(db: None, clock: FakeClock, mails: Box) -> None:
    made = await an_invoice(await _by_peppol())
    await _made(made, clock.now())
    await _work(clock.move(delivery.PATIENCE))
    await _work(clock.move(timedelta(seconds=20)))
    assert await _states(made) == ["mail issued delivered"]
    assert await _outcomes(made) == ["mail accepted", "mail delivered"]
    assert len(mails.messages) == 1


async def test_an_address_that_is_refused_is_a_failed_delivery(db: None, clock: FakeClock) -> None:
    made = await an_invoice(await a_debtor(email="gone@rijnburg.example"))
    await _made(made, clock.now())
    clock.move(delivery.PATIENCE)
    for item in await work.claim(clock.now(), only=["billing.mail_invoice"]):
        await work.perform(item, now=clock.now())
    await kit_db.execute(
        "UPDATE due_work SET state = 'dead', last_error = 'GiveUp: The address was refused: no such box' WHERE kind = 'mail.send'"
    )
    now = clock.move(timedelta(seconds=20))
    for item in await work.claim(now, only=["billing.mail_left"]):
        await work.perform(item, now=now)
    assert await _states(made) == ["mail issued failed"]
    assert (await deliveries.of_invoice(made))[0].message == "The address was refused: no such box"
    assert await kit_db.value("SELECT count(*) FROM due_work WHERE kind = 'billing.tell_undelivered'") == 1


async def test_sent_again_by_todays_channel_and_address(cast: Cast, clock: FakeClock, mails: Box) -> None:
    debtor_id = await a_debtor(email="old@rijnburg.example")
    made = await an_invoice(debtor_id)
    with pytest.raises(Conflict) as early:
        await deliveries.resend(made, actor=cast.ecl, now=clock.now())
    assert early.value.code == "not_made"
    await _made(made, clock.now())
    await _work(clock.move(delivery.PATIENCE))
    with pytest.raises(Conflict) as busy:
        await deliveries.resend(made, actor=cast.ecl, now=clock.now())
    assert busy.value.code == "on_its_way"
    await _work(clock.move(timedelta(seconds=20)))
    with pytest.raises(Forbidden):
        await deliveries.resend(made, actor=cast.hr_a, now=clock.now())
    await kit_db.execute("UPDATE debtor SET email = 'new@rijnburg.example' WHERE id = $1", debtor_id)
    await deliveries.resend(made, actor=cast.ecl, now=clock.now())
    await _work(clock.now())
    assert (len(mails.to("old@rijnburg.example")), len(mails.to("new@rijnburg.example"))) == (1, 1)
    assert mails.messages[0]["Message-ID"] != mails.messages[1]["Message-ID"]
    assert await _states(made) == ["mail issued delivered", "mail again under_way"]


async def test_hr_reads_how_it_was_delivered(db: None, clock: FakeClock, mails: Box, point: Other) -> None:
    made = await an_invoice(await _by_peppol())
    invoice = await invoices.get(await number_of(made), actor=SYSTEM)
    before = story.tell(invoice, await audit.of("invoice", made), [], today=invoice.dated_on)
    assert "The e-invoice is made and goes out by Peppol" in [step.title for step in before]
    await _made(made, clock.now())
    point.answer = _says("delivered", code=200)
    await _work(clock.now())
    told = story.tell(invoice, await audit.of("invoice", made), [], today=invoice.dated_on, sent=await deliveries.of_invoice(made))
    assert [(step.title, step.detail) for step in told][1] == ("Delivered by Peppol", "To 0106:12345678")


async def test_the_log_can_not_be_rewritten_and_only_one_delivery_lives(db: None, clock: FakeClock, point: Other) -> None:
    made = await an_invoice(await _by_peppol())
    await _made(made, clock.now())
    await _work(clock.now())
    assert not await deliveries.move((await deliveries.of_invoice(made))[0].id, DeliveryState.QUEUED, now=clock.now())
    with pytest.raises(Exception, match="delivery_try"):
        await kit_db.execute("DELETE FROM delivery_try")


async def test_a_credit_note_goes_the_same_way(db: None, clock: FakeClock, point: Other) -> None:
    made = await an_invoice(await _by_peppol())
    invoice = await invoices.get(await number_of(made), actor=SYSTEM)
    wanted = Credit(invoice_id=made, lines=[(invoice.lines[0].id, None)], reason="Too ill to come", cause="goodwill", key="k-1")
    note = await credit_notes.credit(wanted, actor=SYSTEM, now=clock.now())
    await _made(note, clock.now())
    point.answer = _says("delivered", code=200)
    await _work(clock.now())
    assert "CreditNote-2::CreditNote##" in point.heard[0].json["document_type"]
    assert await _states(note) == ["peppol issued delivered"]
