"""ECL's pages of VAT: who sees them, what they do, and that an outsider finds nothing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from billing import seller
from billing.vies import certificates, checks
from catalog import partners
from marketplace.kit import db as kit_db
from marketplace.kit import work
from marketplace.kit.identity import SYSTEM
from tests.builders.billing import a_debtor, an_invoice
from tests.builders.catalog import a_programme, a_session
from tests.builders.orders import an_order
from tests.builders.people import a_person
from tests.cast import Cast, signed_in

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

    from marketplace.kit.clock import FakeClock

pytestmark = pytest.mark.asyncio(loop_scope="session")
PDF = ("certificate.pdf", b"%PDF-1.7 certificate", "application/pdf")


@pytest.mark.parametrize("path", ["/vat-checks", "/vat-certificates", "/vat-certificates/new", "/vat-rules"])
async def test_only_ecl_sees_them(cast: Cast, client: httpx.AsyncClient, path: str) -> None:
    assert (await (await signed_in(client, cast.ecl)).get(path)).status_code == 200
    for outsider in (cast.hr_a, cast.partner_a):
        assert (await (await signed_in(client, outsider)).get(path)).status_code == 404
    assert (await (await signed_in(client, None)).get(path)).status_code == 303


async def test_the_list_of_ids_and_asking_again(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    good = await a_debtor(name="Rheinwerk", country="DE", vat_id="DE136695976", kvk=None)
    bad = await a_debtor(name="Loirework", country="FR", vat_id="FR40303265045", kvk=None)
    await kit_db.execute("UPDATE debtor SET vat_id = 'DE100000404', country = 'DE' WHERE id = $1", bad)
    await checks.ask(bad, now=now)
    await work.drain(now, only=["billing.vies_check"])
    browser = await signed_in(client, cast.ecl)
    page = (await browser.get("/vat-checks")).text
    assert "Rheinwerk" in page
    assert "OFFLINE" in page
    assert "Not in use" in page
    still = (await browser.get("/vat-checks?show=open")).text
    assert "Loirework" in still
    assert "Rheinwerk" not in still
    assert "Rheinwerk" in (await browser.get("/vat-checks?q=de1366")).text
    assert (await browser.post(f"/vat-checks/{good}/ask", form="/vat-checks")).headers["location"] == f"/vat-checks/{good}"
    assert await kit_db.value("SELECT count(*) FROM due_work WHERE kind = 'billing.vies_check' AND state = 'queued'") == 1
    shown = (await browser.get(f"/vat-checks/{bad}")).text
    assert "Dutch VAT is charged until another id is found in use." in shown


async def test_an_answer_by_hand(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    debtor = await a_debtor(name="Rheinwerk", country="DE", kvk=None)
    await kit_db.execute("UPDATE debtor SET vat_id = 'DE100000503' WHERE id = $1", debtor)
    browser = await signed_in(client, cast.ecl)
    wrong = await browser.post(f"/vat-checks/{debtor}", {"answer": "valid"})
    assert wrong.status_code == 422
    right = await browser.post(f"/vat-checks/{debtor}", {"answer": "valid", "note": "Called Bonn", "number": "77-1"})
    assert right.status_code == 303
    page = (await browser.get(f"/vat-checks/{debtor}")).text
    assert "Called Bonn" in page
    assert "77-1" in page
    assert (await checks.standing(debtor, now=now)).counts


async def test_a_certificate_is_kept_shown_and_ended(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    debtor = await a_debtor(name="European Coastal Observatory")
    browser = await signed_in(client, cast.ecl)
    facts = {"debtor_id": str(debtor), "number": "15.10-77", "issuer": "ECO", "from_on": "2026-01-01", "until_on": "2026-12-31"}
    assert (await browser.post("/vat-certificates/new", dict(facts))).status_code == 422
    no_pdf = await browser.post("/vat-certificates/new", dict(facts), files={"paper": ("c.pdf", b"MZ", "application/pdf")})
    assert no_pdf.status_code == 422
    assert "Choose a PDF of the certificate." in no_pdf.text
    assert "15.10-77" in no_pdf.text
    kept = await browser.post("/vat-certificates/new", dict(facts), files={"paper": PDF})
    assert kept.status_code == 303
    at = kept.headers["location"]
    page = (await browser.get(at)).text
    assert "Marit Desk" in page
    assert "Ends soon" in page
    paper = await browser.get(f"{at}/paper")
    assert (paper.content, paper.headers["content-type"]) == (PDF[1], "application/pdf")
    assert paper.headers["content-disposition"].startswith("attachment")
    again = await browser.post("/vat-certificates/new", {**facts, "from_on": "2026-12-31", "until_on": "2027-12-31"}, files={"paper": PDF})
    assert "covers some of these days already" in again.text
    assert "One certificate ends within two months" in (await browser.get("/vat-certificates")).text
    assert (await browser.post(f"{at}/end", {"last_on": "2027-05-01"}, form=at)).status_code == 422
    assert (await browser.post(f"{at}/end", {"last_on": "2026-11-30"}, form=at)).status_code == 303
    assert "30 November 2026" in (await browser.get(at)).text
    for outsider in (cast.hr_a, cast.partner_b):
        assert (await (await signed_in(client, outsider)).get(f"{at}/paper")).status_code == 404


async def test_certificates_can_not_be_rewritten(db: None, now: datetime, cast: Cast) -> None:
    new = certificates.NewCertificate(
        debtor_id=await a_debtor(),
        number="1",
        issuer="X",
        from_on=date(2026, 1, 1),
        until_on=date(2027, 12, 31),
        file_name="c.pdf",
        content=PDF[1],
    )
    made = await certificates.add(new, actor=cast.ecl, now=now)
    assert await certificates.ending(now=now) == 0
    await certificates.end(made, last_on=date(2026, 12, 31), actor=cast.ecl, now=now)
    assert await certificates.ending(now=now) == 1
    with pytest.raises(Exception, match="kept as it was accepted"):
        await kit_db.execute("UPDATE vat_certificate SET number = '2'")


async def test_the_register_has_a_history_for_ecl_and_partners(cast: Cast, client: httpx.AsyncClient, clock: FakeClock) -> None:
    browser = await signed_in(client, cast.ecl)
    assert (await browser.get("/vat-rules")).text.count("Not in the register") >= 3
    form = {"holder": "operator", "entry": "entered", "on": "2026-01-01"}
    assert (await browser.post("/vat-rules/register", dict(form), form="/vat-rules")).status_code == 303
    twice = await browser.post("/vat-rules/register", {**form, "on": "2026-06-01"})
    assert twice.status_code == 422
    assert "in the register on that day already" in twice.text
    assert (await browser.post("/vat-rules/register", {**form, "entry": "left", "on": "2026-11-01"})).status_code == 303
    partner = str(cast.partner_a_id)
    assert (await browser.post("/vat-rules/register", {**form, "holder": partner})).status_code == 303
    page = (await browser.get("/vat-rules")).text
    assert "1 Jan 2026 to 31 Oct 2026" in page
    assert "since 1 Jan 2026" in page
    assert (await partners.get(cast.partner_a_id)).crkbo
    assert [period.until_on for period in (await seller.facts()).crkbo] == [date(2026, 10, 31)]
    unknown = await browser.post("/vat-rules/register", {**form, "holder": "nobody"})
    assert unknown.status_code == 422


async def test_a_programme_with_a_rule_of_its_own(cast: Cast, client: httpx.AsyncClient) -> None:
    programme = await a_programme()
    browser = await signed_in(client, cast.ecl)
    form = {"subject_id": str(programme), "treatment": "exempt", "reason": "Ruling of 3 March", "from_on": "2026-01-01"}
    assert (await browser.post("/vat-rules/programmes", {**form, "reason": ""}, form="/vat-rules")).status_code == 422
    assert (await browser.post("/vat-rules/programmes", dict(form))).status_code == 303
    assert "Ruling of 3 March" in (await browser.get("/vat-rules")).text
    [rule] = await seller.programme_rules()
    outsider = await signed_in(client, cast.hr_a)
    assert (await outsider.post(f"/vat-rules/programmes/{rule.id}/end", {"last_on": "2026-12-31"}, form="/home")).status_code == 404
    assert (await browser.post(f"/vat-rules/programmes/{rule.id}/end", {"last_on": "2026-12-31"})).status_code == 303
    assert (await seller.programme_rules())[0].until_on == date(2026, 12, 31)


async def test_a_new_partner_brings_its_entry_in_the_register(cast: Cast, now: datetime) -> None:
    facts = partners.PartnerFacts(name="Taalhuis Nieuw", code="TN", email="o@tn.example", crkbo=True, crkbo_from_on=date(2020, 1, 1))
    made = await partners.create(facts, actor=SYSTEM, now=now)
    await work.drain(now, only=["billing.partner_register"])
    sells = await seller.of_partner(made, vat_id="NL123456782B90")
    assert [period.from_on for period in sells.crkbo] == [date(2020, 1, 1)]


async def test_vat_matters_stand_on_todays_page(cast: Cast, client: httpx.AsyncClient, clock: FakeClock) -> None:
    new = certificates.NewCertificate(
        debtor_id=await a_debtor(name="Coastal Observatory"), number="1", issuer="X", from_on=date(2026, 1, 1), until_on=date(2026, 12, 31),
        file_name="c.pdf", content=PDF[1],
    )  # fmt: skip
    await certificates.add(new, actor=cast.ecl, now=clock.now())
    waiting = await a_debtor(name="Rheinwerk", country="DE", kvk=None)
    await kit_db.execute("UPDATE debtor SET vat_id = 'DE100000503' WHERE id = $1", waiting)
    await checks.hold("order:x", waiting, now=clock.now())
    clock.move(timedelta(hours=2))
    page = (await (await signed_in(client, cast.ecl)).get("/desk")).text
    assert "Coastal Observatory" in page
    assert "Rheinwerk" in page


async def test_pages_speak_dutch(cast: Cast, client: httpx.AsyncClient) -> None:
    await an_invoice()
    await kit_db.execute("UPDATE account SET locale = 'nl' WHERE id = $1", cast.ecl.account_id)
    browser = await signed_in(client, cast.ecl)
    for path, words in (
        ("/vat-checks", "Btw-nummers"),
        ("/vat-certificates", "Vrijstellingscertificaten"),
        ("/vat-rules", "CRKBO-register"),
    ):
        assert words in (await browser.get(path)).text


async def test_hr_reads_why_in_the_order_and_how_the_id_was_checked(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    assert cast.hr_a.company_id is not None
    sql = "UPDATE debtor SET country = 'DE', vat_id = 'DE136695976' WHERE id = $1"
    await kit_db.execute(sql, cast.company_a.debtor_id)
    session, person = await a_session(), await a_person(cast.hr_a.company_id)
    order = await an_order(session.id, person.id, actor=cast.hr_a)
    browser = await signed_in(client, cast.hr_a)
    asked = (await browser.get(f"/orders/{order.number}")).text
    assert "Why 0%?" in asked
    assert "We are asking VIES" in asked
    assert cast.company_a.debtor_id is not None
    await checks.ask(cast.company_a.debtor_id, now=now)
    await work.drain(now, only=["billing.vies_check"])
    known = (await browser.get(f"/orders/{order.number}")).text
    assert "We are asking VIES" not in known
    assert "The proof is number OFFLINE" in known
    billing = (await browser.get(f"/companies/{cast.hr_a.company_id}/billing")).text
    assert "VAT id checked on 23 November 2026, number OFFLINE" in billing
    outsider = await signed_in(client, cast.hr_b)
    assert (await outsider.get(f"/orders/{order.number}")).status_code == 404
