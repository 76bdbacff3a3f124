"""ECL's page of differences: agreement in one sentence, each difference with its mend, in both languages, and nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from billing import payments, refunds
from billing.comparison import differences, runs
from billing.comparison.judge import WORDS, Found, Kind
from marketplace.kit import db as kit_db
from marketplace.kit import ids, work
from tests.builders.billing import an_invoice, number_of
from tests.cast import Cast, signed_in

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    import httpx

pytestmark = pytest.mark.asyncio(loop_scope="session")
PAGE = "/finance/differences"


async def differs(invoice_id: UUID, *found: Found, now: datetime) -> None:
    """Let these be what differs of an invoice."""
    debtor_id = await kit_db.value("SELECT debtor_id FROM invoice WHERE id = $1", invoice_id)
    await differences.keep(found, debtor_id=debtor_id, invoice_id=invoice_id, now=now)


async def test_only_ecl_sees_and_starts_a_comparison(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    for outsider in (cast.hr_a, cast.finance_a, cast.partner_a):
        own = await signed_in(client, outsider)
        assert ((await own.get(PAGE)).status_code, (await own.post(PAGE)).status_code) == (404, 404)
    assert (await (await signed_in(client, None)).get(PAGE)).status_code == 303


async def test_the_page_says_what_is_so_from_never_to_agreed(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    ecl = await signed_in(client, cast.ecl)
    assert "Not compared yet" in (await ecl.get(PAGE)).text
    await kit_db.execute("INSERT INTO stripe_link (id, kind, our_id, stripe_id, created_at) VALUES ($1, 'invoice', $2, 'in_1', $3)",
                     ids.new_id(), await an_invoice(), now)  # fmt: skip
    assert (await ecl.post(PAGE)).status_code == 303
    page = await ecl.get(PAGE)
    assert ("Comparing: 0 of 1 invoices." in page.text, page.headers["refresh"]) == (True, "5")
    assert (await ecl.post(PAGE)).status_code == 409
    await kit_db.execute("UPDATE stripe_comparison SET ended_at = began_at, invoices = 214")
    for locale, words in (("en", "Difference €0.00 over 214 invoices."), ("nl", "Verschil € 0,00 over 214 facturen.")):
        await kit_db.execute("UPDATE account SET locale = $2 WHERE id = $1", cast.ecl.account_id, locale)
        text = (await (await signed_in(client, cast.ecl, locale=locale)).get(PAGE)).text.replace("\N{NO-BREAK SPACE}", " ")
        assert words in text


async def test_each_kind_of_difference_says_what_why_and_how_to_mend(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    invoice_id = await an_invoice()
    assert set(WORDS) == set(Kind)
    await differs(invoice_id, *(Found(kind, 100, 0) for kind in Kind), now=now)
    page = (await (await signed_in(client, cast.ecl)).get(PAGE)).text
    assert await number_of(invoice_id) in page
    assert "€17.00 differs, in 17 places." in page
    assert page.count("Take over into the books") == 1


async def test_what_is_gone_is_shown_as_mended(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    invoice_id = await an_invoice()
    await differs(invoice_id, Found(Kind.CREDITED_THERE, 0, 500), Found(Kind.TOTAL, 1, 2), now=now)
    await differs(invoice_id, Found(Kind.CREDITED_THERE, 0, 700), now=now)
    assert [(one.kind, one.theirs_cents) for one in await differences.unresolved()] == [(Kind.CREDITED_THERE, 700)]
    await differs(invoice_id, now=now)
    assert len(await differences.resolved()) == 2
    assert "Mended lately" in (await (await signed_in(client, cast.ecl)).get(PAGE)).text
    assert await kit_db.value("SELECT count(*) FROM audit_entry WHERE event = 'invoice.differs'") == 2


async def test_a_refund_made_at_stripe_is_taken_over_by_one_button(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    invoice_id = await an_invoice()
    await payments.record(invoice_id, source="stripe", external_id="inpay_1", cents=64_500, method="card", received_at=now, now=now)
    await differs(invoice_id, Found(Kind.REFUNDED_THERE, 0, 500, "re_1"), now=now)
    found = (await differences.unresolved())[0]
    ecl = await signed_in(client, cast.ecl)
    assert (await ecl.post(f"{PAGE}/{found.id}/take-over")).status_code == 303
    assert [(one.external_id, one.cents, one.state) for one in await refunds.of(invoice_id)] == [("re_1", 500, "done")]
    assert (await ecl.post(f"{PAGE}/{found.id}/take-over")).status_code == 409
    assert (await ecl.post(f"{PAGE}/{ids.new_id()}/take-over")).status_code == 404
    assert await differences.unresolved() == []


async def test_a_round_without_a_copy_at_stripe_ends_at_once(db: None, now: datetime) -> None:
    await runs.start("night", now=now)
    found = await runs.last()
    assert found is not None
    assert (found.invoices, found.asked_by) == (0, "night")


async def test_only_the_last_rounds_are_kept(db: None, now: datetime) -> None:
    for _ in range(5):
        await runs.start("person", now=now)
    assert await kit_db.value("SELECT count(*) FROM stripe_comparison") == runs.KEPT_ROUNDS


async def test_an_invoice_whose_copy_got_stuck_is_a_difference(db: None, now: datetime) -> None:
    invoice_id = await an_invoice()
    await kit_db.execute("UPDATE due_work SET state = 'dead' WHERE kind = 'billing.stripe_mirror'")
    await runs.start("night", now=now)
    for item in await work.claim(now, only=["billing.stripe_compare"]):
        assert await work.perform(item, now=now)
    found = (await differences.unresolved())[0]
    assert (found.kind, found.ours_cents, found.invoice_id) == (Kind.NOT_THERE, 64_500, invoice_id)
