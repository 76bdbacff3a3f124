"""Importing staff: the database, the pages, the API, the command line. Always an outsider beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from marketplace.kit import audit, db, identity
from marketplace.kit.errors import Conflict, Forbidden, NotFound
from marketplace.kit.identity import SYSTEM
from marketplace.people import jobs, staff_files, staff_import, staff_list, uploads
from marketplace.people.staff_list import Filter
from tests.builders.people import a_person, a_relation
from tests.cast import signed_in

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    import httpx

    from marketplace.kit.clock import FakeClock
    from tests.cast import Cast

DATA = Path(__file__).parent / "data"
HEAD = "Personeelsnummer;Voornaam;Achternaam;E-mail;Afdeling"


def csv_of(*lines: str) -> bytes:
    return "\n".join((HEAD, *lines, "")).encode()


async def write(content: bytes, company_id: UUID, now: datetime) -> dict[str, int]:
    plan = await staff_import.write(staff_files.read(content), company_id=company_id, actor=SYSTEM, now=now)
    return plan.counts


async def people_of(company_id: UUID) -> dict[str, str | None]:
    return {person.name: person.email for person in await staff_list.every(company_id, Filter(state="all"))}


@pytest.mark.parametrize(("name", "count"), [("afas.csv", 6), ("workday.csv", 5), ("excel-paste.txt", 4)])
async def test_a_file_brings_everyone_once(name: str, count: int, cast: Cast, now: datetime) -> None:
    content = (DATA / name).read_bytes()
    assert (await write(content, cast.company_a.id, now))["new"] == count
    before = await db.records("SELECT * FROM person ORDER BY id")
    again = await write(content, cast.company_a.id, now)
    assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, count)
    assert await db.records("SELECT * FROM person ORDER BY id") == before
    entries = [entry for entry in await audit.of("company", cast.company_a.id) if entry.event == "staff.imported"]
    assert len(entries) == 1
    assert len(entries[0].data["created"]) == count
    assert await people_of(cast.company_b.id) == {}


async def test_people_pass_addresses_on_within_one_file(cast: Cast, now: datetime) -> None:
    await write(csv_of("1;An;Dal;one@b.example;", "2;Bo;Berg;two@b.example;"), cast.company_a.id, now)
    counts = await write(
        csv_of("1;An;Dal;two@b.example;", "2;Bo;Berg;one@b.example;", "3;Cis;Wal;three@b.example;"), cast.company_a.id, now
    )
    assert (counts["changed"], counts["new"], counts["problem"]) == (2, 1, 0)
    assert await people_of(cast.company_a.id) == {"Bo Berg": "one@b.example", "An Dal": "two@b.example", "Cis Wal": "three@b.example"}


async def test_the_partner_of_somebody_renamed_stays_beside_them(cast: Cast, now: datetime) -> None:
    employee = await a_person(cast.company_a.id, given_name="An", family_name="Dal", personnel_number="1")
    await a_relation(employee)
    await write(csv_of("1;An;Zeeman;;"), cast.company_a.id, now)
    await a_person(cast.company_a.id, given_name="Bo", family_name="Meer")
    page = await staff_list.page(cast.company_a.id, Filter())
    assert [person.name for person in page.items] == ["Bo Meer", "An Zeeman", "Partner of An Zeeman"]


async def test_nothing_is_written_when_the_staff_changed_since_the_preview(cast: Cast, now: datetime) -> None:
    table = staff_files.read(csv_of("1;An;Dal;one@b.example;HR"))
    seen = await staff_import.preview(table, company_id=cast.company_a.id, actor=cast.hr_a)
    await a_person(cast.company_a.id, personnel_number="1", email="one@b.example")
    with pytest.raises(Conflict) as refused:
        await staff_import.write(table, company_id=cast.company_a.id, actor=cast.hr_a, now=now, expected=seen.fingerprint)
    assert refused.value.code == "staff_changed"
    assert len(await people_of(cast.company_a.id)) == 1


async def test_who_may_not_import(cast: Cast, now: datetime) -> None:
    table = staff_files.read(csv_of("1;An;Dal;one@b.example;HR"))
    with pytest.raises(Forbidden):
        await staff_import.preview(table, company_id=cast.company_a.id, actor=cast.viewer_a)
    with pytest.raises(NotFound):
        await staff_import.write(table, company_id=cast.company_a.id, actor=cast.hr_b, now=now)
    upload_id = await uploads.keep("x.csv", csv_of("1;An;Dal;one@b.example;HR"), actor=cast.hr_a, now=now)
    with pytest.raises(NotFound):
        await uploads.get(upload_id, actor=cast.hr_b)


async def test_from_the_command_line(cast: Cast) -> None:
    dry = await staff_import.from_file("rijnvelde biosciences", DATA / "afas.csv", dry_run=True)
    assert (dry.counts["new"], len(dry.warnings)) == (6, 2)
    assert await people_of(cast.company_a.id) == {}
    done = await staff_import.from_file(str(cast.company_a.id), DATA / "afas.csv")
    assert done.counts["new"] == 6
    with pytest.raises(NotFound):
        await staff_import.from_file("no such company", DATA / "afas.csv")


async def test_upload_preview_confirm_on_pages(cast: Cast, client: httpx.AsyncClient) -> None:
    hr = await signed_in(client, cast.hr_a)
    await hr.get("/people/import")
    sent = await hr.post("/people/import", {}, files={"file": ("afas.csv", (DATA / "afas.csv").read_bytes(), "text/csv")})
    assert sent.status_code == 303
    preview = await hr.get(sent.headers["location"])
    assert preview.status_code == 200
    assert "6 lines read from afas.csv, written in Windows-1252. Nothing is saved yet." in preview.text
    assert "Letters of this name were lost in the export" in preview.text
    assert await people_of(cast.company_a.id) == {}
    mark = preview.text.split('name="fingerprint" value="')[1].split('"')[0]
    done = await hr.post(sent.headers["location"], {"fingerprint": mark})
    assert done.headers["location"] == "/people"
    assert len(await people_of(cast.company_a.id)) == 6
    listed = await hr.get("/people")
    assert "6 added, 0 changed, 0 unchanged." in listed.text
    again = await hr.post(sent.headers["location"], {"fingerprint": mark})
    assert again.status_code == 303
    assert len(await people_of(cast.company_a.id)) == 6
    outsider = await signed_in(client, cast.hr_b)
    assert (await outsider.get(sent.headers["location"])).status_code == 404
    assert (await outsider.post(sent.headers["location"], {"fingerprint": mark}, form="/people/import")).status_code == 404
    for nobody in (cast.partner_a, cast.ecl):
        assert (await (await signed_in(client, nobody)).get("/people/import")).status_code == 404
    assert (await (await signed_in(client, cast.viewer_a)).get("/people/import")).status_code == 403


async def test_lines_to_mend_are_left_out_and_can_be_downloaded(cast: Cast, client: httpx.AsyncClient) -> None:
    hr = await signed_in(client, cast.hr_a)
    text = csv_of("1;An;Dal;one@b.example;HR", "2;Bo;Berg;nonsense;HR", "3;;Wal;=three@b.example;HR").decode()
    sent = await hr.post("/people/import", {"pasted": text})
    where = sent.headers["location"]
    preview = await hr.get(where)
    assert "“nonsense” has no @." in preview.text
    mark = preview.text.split('name="fingerprint" value="')[1].split('"')[0]
    done = await hr.post(where, {"fingerprint": mark})
    assert done.headers["location"] == where
    assert "2 lines were left out." in (await hr.get(where)).text
    rest = (await hr.get(f"{where}/problems.csv")).content.decode("utf-8-sig").splitlines()
    assert rest[0] == f"{HEAD};Line;To mend"
    assert rest[1].startswith("2;Bo;Berg;nonsense;HR;3;")
    assert "'=three@b.example" in rest[2]
    assert (await (await signed_in(client, cast.hr_b)).get(f"{where}/problems.csv")).status_code == 404


async def test_columns_and_date_order_can_be_chosen(cast: Cast, client: httpx.AsyncClient) -> None:
    hr = await signed_in(client, cast.hr_a)
    sent = await hr.post("/people/import", {"pasted": "Wie\tWaar\tWanneer\nBo Berg\tbo@b.example\t3/4/2026\n"})
    where = sent.headers["location"]
    assert "Say which column has the name." in (await hr.get(where)).text
    await hr.post(f"{where}/columns", {"column": ["full_name", "email", "start_on"], "date_order": ""})
    assert "Day or month first?" in (await hr.get(where)).text
    await hr.post(f"{where}/columns", {"column": ["full_name", "email", "start_on"], "date_order": "mdy"})
    page = (await hr.get(where)).text
    assert "Day or month first?" not in page
    assert "4 Mar 2026" in page


async def test_a_file_that_is_too_large_is_413_and_one_that_is_no_list_is_said(cast: Cast, client: httpx.AsyncClient) -> None:
    hr = await signed_in(client, cast.hr_a)
    await hr.get("/people/import")
    big = await hr.post("/people/import", {}, files={"file": ("big.csv", b"x" * (staff_files.MAX_BYTES + 1), "text/csv")})
    assert big.status_code == 413
    book = await hr.post("/people/import", {}, files={"file": ("staff.xlsx", b"PK\x03\x04", "application/zip")})
    assert book.status_code == 422
    assert "This is a workbook." in book.text
    none = await hr.post("/people/import", {})
    assert none.status_code == 422
    assert "Choose a file, or paste cells below." in none.text


async def test_files_are_forgotten_after_a_day(cast: Cast, now: datetime, clock: FakeClock) -> None:
    upload_id = await uploads.keep("x.csv", csv_of("1;An;Dal;one@b.example;HR"), actor=cast.hr_a, now=now)
    from datetime import timedelta

    later = clock.move(timedelta(hours=25))
    await jobs.forget(later, now=later)
    kept = await uploads.get(upload_id, actor=cast.hr_a)
    assert (kept.content, kept.name) == (None, "")
    with pytest.raises(Conflict):
        kept.table()


async def test_the_api_says_what_each_line_does(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    assert cast.hr_a.account_id
    assert cast.viewer_a.account_id
    head = {"authorization": f"Bearer {await identity.create_token(cast.hr_a.account_id, now=now)}"}
    files = {"file": ("afas.csv", (DATA / "afas.csv").read_bytes(), "text/csv")}
    dry = await client.post("/api/v1/people/import?dry_run=1", headers=head, files=files)
    assert dry.status_code == 200
    assert dry.json()["counts"] == {"new": 6, "changed": 0, "unchanged": 0, "problem": 0, "warnings": 2}
    assert dry.json()["columns"][7] == {"header": "Datum in dienst", "field": "start_date"}
    assert await people_of(cast.company_a.id) == {}
    done = (await client.post("/api/v1/people/import", headers=head, files=files)).json()
    made = done["lines"][1]
    shown = (await client.get(f"/api/v1/people/{made['person_id']}", headers=head)).json()
    assert (shown["name"], shown["start_date"], shown["language"]) == ("Bart von Brühl", "2025-11-17", "nl")
    again = (await client.post("/api/v1/people/import", headers=head, files=files)).json()
    assert again["counts"]["unchanged"] == 6
    viewer = {"authorization": f"Bearer {await identity.create_token(cast.viewer_a.account_id, now=now)}"}
    refused = await client.post("/api/v1/people/import?dry_run=1", headers=viewer, files=files)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (await client.post("/api/v1/people/import", headers=head, files={"other": ("x", b"x")})).status_code in (400, 422)
    assert (await client.post("/api/v1/people/import", headers=head, files={"file": ("x", b"x" * 5_000_001)})).status_code == 413
