"""The staff list, one person, members and companies over HTTP; and the API of people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from marketplace.kit import identity, mail
from marketplace.people import companies, members, staff
from marketplace.people.places import Place
from tests.builders.people import a_person, a_relation
from tests.cast import signed_in

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

    from tests.cast import Cast

FORM = {"given_name": "Hana", "family_name": "Novotná", "email": "hana@rijnvelde.example", "language": "en"}


async def test_the_list_is_the_companys_own(cast: Cast, client: httpx.AsyncClient) -> None:
    await a_person(cast.company_a.id, given_name="Aditi", family_name="Raman")
    assert "Aditi Raman" in (await (await signed_in(client, cast.hr_a)).get("/people")).text
    outsider = (await (await signed_in(client, cast.hr_b)).get("/people")).text
    assert "Aditi Raman" not in outsider
    assert "Nobody on your list yet" in outsider
    assert (await (await signed_in(client, cast.finance_a)).get("/people")).status_code == 403
    for nobody in (cast.partner_a, cast.ecl):
        assert (await (await signed_in(client, nobody)).get("/people")).status_code == 404
    assert (await (await signed_in(client, None)).get("/people")).headers["location"] == "/sign-in?next=/people"


async def test_search_filter_pages_and_csv(cast: Cast, client: httpx.AsyncClient) -> None:
    for number in range(60):
        await a_person(cast.company_a.id, given_name="P", family_name=f"Name{number:02}", department="HR" if number % 2 else "=IT")
    hr = await signed_in(client, cast.hr_a)
    first = await hr.get("/people?department=HR&q=name")
    assert "30 people fit your choice." in first.text
    everyone = await hr.get("/people")
    assert "Name49" in everyone.text
    assert "Name50" not in everyone.text
    further = re.search(r'rel="next" href="([^"]+)"', everyone.text)
    assert further
    second = await hr.get(further[1].replace("&amp;", "&"))
    assert "Name50" in second.text
    assert "Name49" not in second.text
    assert 'rel="prev"' in second.text
    sent = (await hr.get("/people.csv?department=%3DIT")).content.decode("utf-8-sig")
    assert len(sent.splitlines()) == 31
    assert ",'=IT," in sent
    assert (await hr.get("/people?cursor=nonsense")).status_code == 422


async def test_adding_keeps_what_was_typed_and_says_every_mistake(cast: Cast, client: httpx.AsyncClient) -> None:
    hr = await signed_in(client, cast.hr_a)
    wrong = await hr.post("/people/new", {"given_name": "Hana", "email": "hana@", "start_on": "soon"})
    assert wrong.status_code == 422
    assert 'value="Hana"' in wrong.text
    assert 'value="soon"' in wrong.text
    for name in ("family_name", "email", "start_on"):
        assert f'href="#f-{name}"' in wrong.text
    made = await hr.post("/people/new", FORM)
    assert made.status_code == 303
    page = await hr.get(made.headers["location"])
    assert "Hana Novotná is on your staff list." in page.text
    twice = await hr.post("/people/new", FORM)
    assert twice.status_code == 422
    assert "Hana Novotná has this e-mail address already." in twice.text
    assert (await (await signed_in(client, cast.viewer_a)).get("/people/new")).status_code == 403


async def test_a_foreign_person_is_as_missing_as_none(cast: Cast, client: httpx.AsyncClient) -> None:
    person = await a_person(cast.company_a.id)
    outsider = await signed_in(client, cast.hr_b)
    foreign = await outsider.get(f"/people/{person.id}")
    missing = await outsider.get(f"/people/{uuid4()}")
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert foreign.text.replace(outsider.token, "") == missing.text.replace(outsider.token, "")
    for path in ("", "/leave", "/back", "/partner"):
        answer = await outsider.post(f"/people/{person.id}{path}", {**FORM, "left_on": "2026-12-01"}, form="/people/new")
        assert answer.status_code == 404, path
    assert (await staff.get(person.id, company_id=cast.company_a.id)).given_name == person.given_name


async def test_changing_leaving_and_coming_back(cast: Cast, client: httpx.AsyncClient) -> None:
    person = await a_person(cast.company_a.id)
    hr = await signed_in(client, cast.hr_a)
    saved = await hr.post(f"/people/{person.id}", {**FORM, "personnel_number": "RB-9", "level": "A2"})
    assert saved.status_code == 303
    assert "Changed: " in (await hr.get(f"/people/{person.id}")).text
    assert (await hr.post(f"/people/{person.id}/leave", {"left_on": "1-12-2026"})).status_code == 303
    assert "Hana Novotná leaves on 1 December 2026." in (await hr.get(f"/people/{person.id}")).text
    assert (await hr.post(f"/people/{person.id}/back")).status_code == 303
    kept = await staff.get(person.id, company_id=cast.company_a.id)
    assert (kept.level, kept.state.value, kept.left_on) == ("A2", "active", None)


async def test_nobody_at_the_company_reads_a_partners_name(cast: Cast, client: httpx.AsyncClient) -> None:
    person = await a_person(cast.company_a.id, given_name="Mateus", family_name="Ferreira")
    hr = await signed_in(client, cast.hr_a)
    form = {"given_name": "Lucía", "family_name": "Ortega", "email": "lucia@home.example", "language": "en"}
    assert (await hr.post(f"/people/{person.id}/partner", form)).status_code == 303
    relation = (await staff.relations_of(person.id, company_id=cast.company_a.id))[0]
    for path in ("/people", f"/people/{person.id}", f"/people/{relation.id}", "/people.csv"):
        text = (await hr.get(path)).text
        assert "Partner of Mateus Ferreira" in text, path
        assert not re.search("Lucía|Ortega|lucia", text), path
    assert (await staff.contact(relation.id)).email == "lucia@home.example"


async def test_an_owner_invites_changes_and_removes(cast: Cast, client: httpx.AsyncClient) -> None:
    hr = await signed_in(client, cast.hr_a)
    assert "Sanne Vroom" in (await hr.get("/members")).text
    assert (await hr.post("/members/invite", {"email": "new@rijnvelde.example", "roles": ["buyer", "viewer"]})).status_code == 303
    assert [message.template for message in await mail.sent_to("new@rijnvelde.example")] == ["people/invitation"]
    listed = (await hr.get("/members")).text
    assert "new@rijnvelde.example is invited." in listed
    link = re.search(r'action="(/members/invitations/[^"]+/withdraw)"', listed)
    assert link
    outsider = await signed_in(client, cast.hr_b)
    assert (await outsider.post(link[1], form="/members")).status_code == 404
    assert (await hr.post(link[1])).status_code == 303
    path = f"/members/{cast.approver_a.member_id}"
    assert (await outsider.get(path)).status_code == 404
    assert (await hr.post(path, {"roles": ["approver", "finance"]})).status_code == 303
    assert (await hr.post(path, {})).status_code == 422
    assert (await hr.post(f"{path}/remove")).status_code == 303
    last = await hr.post(f"/members/{cast.hr_a.member_id}/remove")
    assert last.status_code == 409
    assert "is the last one who can manage members" in last.text
    buyer = await signed_in(client, cast.viewer_a)
    assert (await buyer.get("/members")).status_code == 200
    assert (await buyer.post("/members/invite", {"email": "x@y.example", "roles": ["owner"]}, form="/members")).status_code == 403


async def test_roles_of_another_kind_of_place_are_refused(cast: Cast, client: httpx.AsyncClient) -> None:
    hr = await signed_in(client, cast.hr_a)
    assert (await hr.post("/members/invite", {"email": "x@y.example", "roles": ["ecl"]})).status_code == 422
    assert (await hr.post("/members/invite", {"email": "x@y.example", "roles": ["nonsense"]})).status_code == 422
    assert await mail.sent_to("x@y.example") == []


async def test_ecl_makes_a_company_and_invites_its_owner(cast: Cast, client: httpx.AsyncClient) -> None:
    ecl = await signed_in(client, cast.ecl)
    wrong = await ecl.post("/companies/new", {"name": "Hortus Labs", "kvk": "12", "street": "Rapenburg 73", "country": "NL"})
    assert wrong.status_code == 422
    assert 'value="Hortus Labs"' in wrong.text
    form = {
        "name": "Hortus Labs", "legal_form": "B.V.", "kvk": "87654321", "street": "Rapenburg 73", "postcode": "2311 GJ", "city": "Leiden",
        "country": "nl", "invoice_email": "invoices@hortus.example", "language": "en", "purchase_order_rule": "required",
        "purchase_order_pattern": "45[0-9]{8}", "purchase_order_hint": "Starts with 45, ten digits", "cost_centre_rule": "optional",
    }  # fmt: skip
    made = await ecl.post("/companies/new", form)
    assert made.status_code == 303
    where = made.headers["location"]
    assert (await ecl.get(where)).status_code == 200
    assert (await ecl.post(f"{where}/invite", {"email": "owner@hortus.example", "roles": ["owner"]})).status_code == 303
    company_path = where.removesuffix("/members")
    assert "Starts with 45, ten digits" in (await ecl.get(company_path)).text
    saved = await ecl.post(f"{company_path}/edit", {**form, "city": "Oegstgeest"})
    assert saved.headers["location"] == company_path
    assert "Hortus Labs" in (await ecl.get("/companies?q=hortus")).text
    assert "No company fits" in (await ecl.get("/companies?q=nonsense")).text
    for outsider in (cast.hr_a, cast.partner_a):
        browser = await signed_in(client, outsider)
        for path in ("/companies", company_path, where, "/desk/members"):
            assert (await browser.get(path)).status_code == 404, path


async def test_ecl_manages_members_of_partners_and_its_own(cast: Cast, client: httpx.AsyncClient) -> None:
    ecl = await signed_in(client, cast.ecl)
    for path in (f"/partners/{cast.partner_a_id}/members", "/desk/members", f"/companies/{cast.company_a.id}/members"):
        assert (await ecl.get(path)).status_code == 200, path
    assert (await ecl.get(f"/partners/{uuid4()}/members")).status_code == 404
    assert (await ecl.get(f"/companies/{uuid4()}/members")).status_code == 404
    answer = await ecl.post(f"/partners/{cast.partner_a_id}/members/invite", {"email": "new@taalhuis.example", "roles": ["partner"]})
    assert answer.status_code == 303
    answer = await ecl.post("/desk/members/invite", {"email": "new@ecl.example", "roles": ["ecl"]})
    assert answer.status_code == 303
    last = await ecl.post(f"/desk/members/{cast.ecl.member_id}/remove")
    assert last.status_code == 409


async def test_closing_a_company_signs_its_members_out(cast: Cast, client: httpx.AsyncClient) -> None:
    hr, ecl = await signed_in(client, cast.hr_a), await signed_in(client, cast.ecl)
    await ecl.get(f"/companies/{cast.company_a.id}")
    assert (await ecl.post(f"/companies/{cast.company_a.id}/close")).status_code == 303
    assert (await hr.get("/members")).headers["location"].startswith("/sign-in")
    assert (await companies.get(cast.company_a.id)).state.value == "closed"
    assert len(await members.of(Place(cast.company_a.id))) == 4


@pytest.mark.parametrize("locale", ["en", "nl"])
async def test_pages_are_whole_in_both_languages(locale: str, cast: Cast, client: httpx.AsyncClient) -> None:
    person = await a_person(cast.company_a.id)
    await a_relation(person)
    assert cast.hr_a.account_id
    await identity.set_locale(cast.hr_a.account_id, locale)
    hr = await signed_in(client, cast.hr_a)
    for path in (
        "/people",
        "/people/new",
        f"/people/{person.id}",
        f"/people/{person.id}/partner",
        "/people/import",
        "/members",
        f"/members/{cast.hr_a.member_id}",
    ):
        page = await hr.get(path)
        assert page.status_code == 200, path
        assert f'<html lang="{locale}"' in page.text
        assert page.text.count("<h1") == 1, path


async def test_the_api_adds_lists_and_shows_people(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    async def head(actor: identity.Actor) -> dict[str, str]:
        assert actor.account_id
        return {"authorization": f"Bearer {await identity.create_token(actor.account_id, now=now)}"}

    ours, theirs, viewer = await head(cast.hr_a), await head(cast.hr_b), await head(cast.viewer_a)
    body = {
        "given_name": "Søren",
        "family_name": "in 't Veld",
        "email": "soren@b.example",
        "personnel_number": "7",
        "start_date": "2026-12-01",
    }
    made = await client.post("/api/v1/people", json=body, headers=ours)
    assert made.status_code == 201
    person = made.json()
    assert (person["infix"], person["family_name"], person["start_date"]) == ("in 't", "Veld", "2026-12-01")
    assert (await client.get(f"/api/v1/people/{person['id']}", headers=viewer)).json() == person
    assert (await client.get("/api/v1/people?q=soren", headers=ours)).json() == {"items": [person], "next": None}
    assert (await client.get("/api/v1/people", headers=theirs)).json() == {"items": [], "next": None}
    foreign = await client.get(f"/api/v1/people/{person['id']}", headers=theirs)
    missing = await client.get(f"/api/v1/people/{uuid4()}", headers=theirs)
    assert (foreign.status_code, foreign.content) == (404, missing.content)
    assert (await client.post("/api/v1/people", json=body, headers=viewer)).status_code == 403
    assert (await client.post("/api/v1/people", json=body)).status_code == 401
    twice = await client.post("/api/v1/people", json=body, headers=ours)
    assert (twice.status_code, twice.json()["code"], set(twice.json()["fields"])) == (422, "person_in_use", {"personnel_number"})
    assert (await client.post("/api/v1/people", json={"given_name": "X"}, headers=ours)).status_code in (400, 422)
