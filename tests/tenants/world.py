"""Two companies and two partners with one of everything: a maker per noun, so that every route has an id to ask for.

A noun that has no maker here fails the gate: whoever adds a route with a new noun adds its maker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from billing import seller
from billing.vat_rules import Treatment
from billing.vies import certificates
from marketplace.kit import clock, db, ids, work
from marketplace.kit.identity import Actor, Role
from marketplace.people import invitations, uploads
from marketplace.people.places import Place
from marketplace.scheduling import schedule
from marketplace.scheduling.schedule import Wish
from tests.builders.billing import a_debtor
from tests.builders.catalog import a_programme, a_session
from tests.builders.orders import an_order
from tests.builders.people import a_member, a_person
from tests.builders.runs import a_held_order, a_monthly_debtor, a_preview, a_ready_charge
from tests.cast import Cast
from tests.tenants import banked, settled

if TYPE_CHECKING:
    from datetime import datetime

    from marketplace.kit.web import Route

INSIDE_ONLY = ("fulfilment.ask_partner", "billing.issue")
_STAFF = b"Given name;Family name;E-mail\nMaria;Silva;maria@import.example\nBroken;;no-address\n"


class Pair(NamedTuple):
    """The same kind of thing, one of each side. ``b`` is None where nobody owns it (ECL sees them all)."""

    a: str
    b: str | None


class World(NamedTuple):
    """What there is to ask for, by (noun, name of the path's parameter, first part of the path where it matters)."""

    things: dict[tuple[str, str, str], Pair]
    cast: Cast
    bodies: dict[str, dict[str, str]]

    def find(self, route: Route, parameter: str) -> Pair | None:
        """Return the ids for one parameter of a route, None when there is no maker."""
        first = route.path.removeprefix("/api/v1").split("/")[1]
        noun = route.noun or ""
        for key in ((noun, parameter, first), (noun, parameter, ""), ("", parameter, first), ("", parameter, "")):
            if key in self.things:
                return self.things[key]
        return None


async def a_world(cast: Cast, *, now: datetime) -> World:
    """Make one of everything for A and for B."""
    sides = ((cast.hr_a, cast.partner_a_id), (cast.hr_b, cast.partner_b_id))
    a, b = [await _one_of_everything(hr, partner_id, now=now) for hr, partner_id in sides]
    things = {key: Pair(a[key], b[key]) for key in a}
    things |= await _of_ecl(cast, now=now)
    bodies = {side: await _for_bodies(hr) for side, (hr, _partner) in zip("ab", sides, strict=True)}
    return World(things, cast, bodies)


async def _for_bodies(hr: Actor) -> dict[str, str]:
    assert hr.company_id is not None
    session = await a_session()
    person = await a_person(hr.company_id)
    return {"person_id": str(person.id), "session_id": str(session.id), "run_at": session.order_until.isoformat()}


async def _one_of_everything(hr: Actor, partner_id: UUID, *, now: datetime) -> dict[tuple[str, str, str], str]:
    assert hr.company_id is not None
    person = await a_person(hr.company_id)
    session = await a_session(programme_id=await a_programme(partner_id=partner_id))
    asks = await a_session(programme_id=await a_programme(partner_id=partner_id, published_capacity=False))
    order = await an_order(session.id, person.id, actor=hr)
    await an_order(asks.id, person.id, actor=hr)
    await work.drain(clock.now(), only=INSIDE_ONLY)
    plan = await schedule.schedule(
        Wish(person_id=(await a_person(hr.company_id)).id, session_id=session.id, run_at=session.order_until), actor=hr, now=now
    )
    upload = await uploads.keep("staff.csv", _STAFF, actor=hr, now=now)
    return {
        ("order", "order_id", ""): str(order.id),
        ("order", "number", ""): str(order.number),
        ("order_line", "number", ""): str(order.number),
        ("order_line", "line_id", ""): str(order.lines[0].id),
        ("invoice", "number", ""): await _number(hr.company_id),
        ("invoice", "name", ""): await _number(hr.company_id),
        ("billing_details", "company_id", ""): str(hr.company_id),
        ("person", "person_id", ""): str(person.id),
        ("scheduled_enrolment", "plan_id", ""): str(plan),
        ("staff_upload", "upload_id", ""): str(upload),
        ("session", "session_id", "rosters"): str(session.id),
        ("acceptance", "acceptance_id", ""): str(await _acceptance(partner_id)),
        **await settled.of_partner(partner_id),
        **await banked.of_company(hr.company_id),
        **await _members(hr, partner_id, now=now),
    }


async def _members(hr: Actor, partner_id: UUID, *, now: datetime) -> dict[tuple[str, str, str], str]:
    of_company, of_partner = Place(company_id=hr.company_id), Place(partner_id=partner_id)
    viewer = await a_member(company_id=hr.company_id, roles={Role.VIEWER})
    trainer = await a_member(partner_id=partner_id)
    invited = await _invitation(of_company, now=now)
    trainer_invited = await _invitation(of_partner, now=now)
    return {
        ("member", "member_id", "members"): str(viewer.member_id),
        ("member", "member_id", "companies"): str(viewer.member_id),
        ("member", "member_id", "partners"): str(trainer.member_id),
        ("invitation", "invitation_id", "members"): str(invited),
        ("invitation", "invitation_id", "companies"): str(invited),
        ("invitation", "invitation_id", "partners"): str(trainer_invited),
    }


async def _invitation(place: Place, *, now: datetime) -> UUID:
    return await invitations.create(
        f"{ids.public_code(8).lower()}@invited.example", place=place, roles=frozenset({place.roles()[-1]}), actor=_ECL[0], now=now
    )


_ECL: list[Actor] = []


def by(ecl: Actor) -> None:
    """Let this actor of ECL make what only ECL may make."""
    _ECL[:] = [ecl]


async def _of_ecl(cast: Cast, *, now: datetime) -> dict[tuple[str, str, str], Pair]:
    """Make what ECL alone manages, and what is everybody's."""
    programme = await a_programme()
    session = await a_session(programme_id=programme)
    draft = await a_programme(published=False)
    hidden = await a_session(programme_id=draft, published=False)
    colleague = await a_member(name="Colleague at ECL")
    invited = await _invitation(Place(), now=now)
    company, partner = str(cast.company_a.id), str(cast.partner_a_id)
    return {
        ("programme", "programme_id", "catalogue"): Pair(str(programme), None),
        ("programme", "programme_id", "programmes"): Pair(str(programme), str(draft)),
        ("session", "session_id", "catalogue"): Pair(str(session.id), None),
        ("session", "session_id", "sessions"): Pair(str(session.id), str(hidden.id)),
        ("session", "verb", "catalogue"): Pair("publish", None),
        ("company", "company_id", ""): Pair(company, None),
        ("partner", "partner_id", ""): Pair(partner, None),
        ("", "place_id", "companies"): Pair(company, None),
        ("trace", "ref", ""): Pair(await _number(cast.company_a.id), None),
        ("ledger_file", "name", ""): Pair("2026Q4.csv", None),
        ("stripe_difference", "difference_id", ""): Pair(await _difference(cast.company_a.id), None),
        ("", "place_id", "partners"): Pair(partner, None),
        ("member", "member_id", "desk"): Pair(str(colleague.member_id), str(cast.hr_a.member_id)),
        ("invitation", "invitation_id", "desk"): Pair(str(invited), await _an_invitation_of(cast.company_a.id)),
        ("work", "item_id", "desk"): Pair(await _dead(now), None),
        **await _runs(),
        **{key: Pair(value, None) for key, value in (await banked.of_ecl(cast.ecl, cast)).items()},
        **{key: Pair(value, None) for key, value in (await settled.of_ecl(cast.ecl, colleague, cast.partner_a)).items()},
        **await _vat(programme, ecl=cast.ecl, now=now),
    }


async def _vat(programme: UUID, *, ecl: Actor, now: datetime) -> dict[tuple[str, str, str], Pair]:
    debtor = await a_debtor(country="DE", vat_id="DE136695976", kvk=None)
    paper = certificates.NewCertificate(
        debtor_id=debtor, number="1", issuer="X", from_on=clock.today(now), until_on=clock.today(now), file_name="c.pdf", content=b"%PDF-1"
    )
    rule = await seller.set_programme_rule(programme, Treatment.EXEMPT, reason="Ruling", from_on=clock.today(now), actor=ecl, now=now)
    return {
        ("debtor", "debtor_id", "vat-checks"): Pair(str(debtor), None),
        ("vat_certificate", "certificate_id", ""): Pair(str(await certificates.add(paper, actor=ecl, now=now)), None),
        ("vat_rule", "rule_id", ""): Pair(str(rule), None),
    }


async def _runs() -> dict[tuple[str, str, str], Pair]:
    await a_ready_charge(await a_monthly_debtor())
    run_id = await a_preview()
    group_id = await db.value("SELECT id FROM invoice_run_group WHERE run_id = $1", run_id)
    return {
        ("invoice_run", "run_id", ""): Pair(str(run_id), None),
        ("invoice_run_group", "group_id", ""): Pair(str(group_id), None),
        ("invoice_hold", "hold_id", ""): Pair(str(await a_held_order()), None),
        ("acceptance_profile", "code", ""): Pair("university", None),
    }


async def _difference(company_id: UUID) -> str:
    sql = """
        INSERT INTO stripe_difference (id, invoice_id, debtor_id, kind, external_id, ours_cents, theirs_cents, found_at, seen_at)
        SELECT $1, i.id, i.debtor_id, 'credited_there', '', 0, 100, $3, $3 FROM invoice i WHERE i.number = $2
    """
    found = ids.new_id()
    await db.execute(sql, found, await _number(company_id), clock.now())
    return str(found)


async def _number(company_id: UUID) -> str:
    sql = "SELECT i.number FROM invoice i JOIN company c ON c.debtor_id = i.debtor_id WHERE c.id = $1 LIMIT 1"
    return str(await db.value(sql, company_id))


async def _acceptance(partner_id: UUID) -> UUID:
    return UUID(str(await db.value("SELECT id FROM acceptance WHERE partner_id = $1 LIMIT 1", partner_id)))


async def _an_invitation_of(company_id: UUID) -> str:
    return str(await db.value("SELECT id FROM invitation WHERE company_id = $1 LIMIT 1", company_id))


async def _dead(now: datetime) -> str:
    await work.enqueue("mail.send", {"mail_id": ids.new_id()}, run_at=now, dedupe_key="gate:dead")
    await db.execute("UPDATE due_work SET state = 'dead', last_error = 'The address was refused' WHERE dedupe_key = 'gate:dead'")
    return str(await db.value("SELECT id FROM due_work WHERE dedupe_key = 'gate:dead'"))
