"""ECL's bank pages over HTTP: a file goes in, what is certain is confirmed, the rest by hand; nobody else comes in."""

from __future__ import annotations

import httpx
import pytest

from billing import states
from billing.states import InvoiceState
from marketplace.kit import db as database
from marketplace.kit import identity
from tests.builders.bank import Line, document, statement
from tests.builders.billing import an_invoice, number_of
from tests.cast import Cast, signed_in

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_file_goes_in_and_what_is_certain_is_confirmed(cast: Cast, client: httpx.AsyncClient) -> None:
    ecl = await signed_in(client, cast.ecl)
    invoice = await an_invoice(cast.company_a.debtor_id)
    number = await number_of(invoice)
    content = document(
        statement(
            [Line(cents=64_500, text=f"Factuur {number}"), Line(cents=1_000, name="Onbekend", text="dank"), Line(cents=-500, text="kosten")]
        )
    )
    sent = await ecl.post("/bank-files", form="/bank-files", files={"file": ("november.xml", content, "text/xml")})
    assert sent.status_code == 303
    page = await ecl.get(sent.headers["location"])
    assert "3 new entries." in page.text
    assert "Confirm the certain one" in page.text
    assert number in page.text
    done = await ecl.post(f"{sent.headers['location']}/confirm")
    assert done.status_code == 303
    assert (await states.standing(invoice)).state is InvoiceState.PAID
    again = await ecl.post("/bank-files", files={"file": ("november.xml", content, "text/xml")})
    assert "This file was here already." in (await ecl.get(again.headers["location"])).text
    waiting = await ecl.get("/bank-entries")
    assert "Onbekend" in waiting.text
    assert f"Factuur {number}" not in waiting.text
    assert "Onbekend" in (await ecl.get("/bank-entries.csv?show=all")).text
    assert "Onbekend" in (await ecl.get("/bank-entries?show=all&q=10,00")).text
    assert "Onbekend" not in (await ecl.get("/bank-entries?show=all&q=11,00")).text


async def test_by_hand_in_parts_with_the_errors_beside_the_field_and_back_again(cast: Cast, client: httpx.AsyncClient) -> None:
    ecl = await signed_in(client, cast.ecl)
    one, two = await an_invoice(cast.company_a.debtor_id), await an_invoice(cast.company_a.debtor_id, amounts=(9_999,))
    first, second = await number_of(one), await number_of(two)
    sent = await ecl.post(
        "/bank-files",
        form="/bank-files",
        files={"file": ("a.xml", document(statement([Line(cents=70_000, name="Stichting X", text="")])), "text/xml")},
    )
    assert sent.status_code == 303
    entry = f"/bank-entries/{await database.value('SELECT id FROM bank_entry')}"
    for text, sentence in (
        ("2026-999999 5,00", "There is no invoice 2026-999999."),
        ("hello", "This line can&#39;t be read: hello."),
        (f"{first} 645,01", "Only €645.00 is open"),
        (f"{first} 1,00\n{first} 2,00", "stands there twice"),
        (f"{first} 645,00\n{second} 60,00", "and €700.00 is left of the transfer"),
    ):
        wrong = await ecl.post(f"{entry}/allocate", {"parts": text}, form=entry)
        assert wrong.status_code == 422
        assert sentence in wrong.text
    given = await ecl.post(f"{entry}/allocate", {"parts": f"{first}\n{second} € 55,00"}, form=entry)
    assert given.status_code == 303
    page = await ecl.get(entry)
    assert "All of it is explained." in page.text
    invoice_page = await ecl.get(f"/invoices/{second}")
    assert "€44.99" in invoice_page.text
    assert "Bank transfer" in invoice_page.text
    allocation = str(await database.value("SELECT id FROM bank_allocation WHERE invoice_id = $1", two))
    assert (await ecl.post(f"{entry}/undo", {"allocation": allocation}, form=entry)).status_code == 303
    assert "€55.00 of it still waits." in (await ecl.get(entry)).text
    other = await ecl.post(f"{entry}/other", {"kind": "interest", "note": "Interest", "amount": "55"}, form=entry)
    assert other.status_code == 303
    assert "Interest and collection costs" in (await ecl.get(entry)).text


async def test_a_file_that_cannot_be_used_says_what_and_the_mend(cast: Cast, client: httpx.AsyncClient) -> None:
    ecl = await signed_in(client, cast.ecl)
    for content, sentence in ((b"x;y;z", "This is not an XML file that can be read."), (b"", "Choose a file first.")):
        files = {"file": ("a.csv", content, "text/csv")} if content else None
        wrong = await ecl.post("/bank-files", form="/bank-files", **({"files": files} if files else {}))
        assert wrong.status_code == 422
        assert sentence in wrong.text


async def test_in_dutch(cast: Cast, client: httpx.AsyncClient) -> None:
    assert cast.ecl.account_id is not None
    await identity.set_locale(cast.ecl.account_id, "nl")
    ecl = await signed_in(client, cast.ecl, locale="nl")
    await ecl.post("/bank-files", form="/bank-files", files={"file": ("a.xml", document(statement([Line(cents=70_000)])), "text/xml")})
    entry = await database.value("SELECT id FROM bank_entry")
    for path, word in (("/bank-files", "Bankbestanden"), ("/bank-entries", "Bankmutaties"), (f"/bank-entries/{entry}", "Wat de bank zegt")):
        assert word in (await ecl.get(path)).text


async def test_nobody_else_comes_in(cast: Cast, client: httpx.AsyncClient) -> None:
    ecl = await signed_in(client, cast.ecl)
    await ecl.post("/bank-files", form="/bank-files", files={"file": ("a.xml", document(statement([Line(cents=70_000)])), "text/xml")})
    entry, file = await database.value("SELECT id FROM bank_entry"), await database.value("SELECT id FROM bank_file")
    for actor in (cast.hr_a, cast.finance_a, cast.hr_b, cast.partner_a):
        outsider = await signed_in(client, actor)
        for path in ("/bank-files", f"/bank-files/{file}", "/bank-entries", "/bank-entries.csv", f"/bank-entries/{entry}"):
            assert (await outsider.get(path)).status_code == 404
        assert (await outsider.post(f"/bank-entries/{entry}/confirm", {"key": "x"}, form="/home")).status_code in {403, 404}
