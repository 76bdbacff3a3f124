"""The VAT rules as ECL reads and keeps them: the dated table, who stands in the CRKBO register, what holds for one programme.

It joins billing, which decides, and the catalogue, which names partners and programmes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing import seller, vat_rules
from billing.seller import OPERATOR, ProgrammeRule, RegisterPeriod
from billing.vat_rules import Treatment, VatBasis, VatRules
from catalog import partners, programmes
from marketplace.kit import db
from marketplace.kit.clock import today
from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import N_, _, current_locale
from marketplace.kit.identity import Permission, require
from marketplace.kit.money import Money
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from datetime import date, datetime

    from marketplace.kit.identity import Actor

BASES = {
    VatBasis.GENERAL_LANGUAGE: N_("Language course not aimed at one profession"),
    VatBasis.PROFESSIONAL_COURSE: N_("Course for a profession"),
    VatBasis.COACHING: N_("One-to-one coaching and career advice"),
    VatBasis.E_LEARNING: N_("Self-paced e-learning"),
    VatBasis.MATERIAL: N_("Books and material"),
    VatBasis.CANCELLATION_FEE: N_("Cancellation fee"),
    VatBasis.SERVICE: N_("Other services"),
    VatBasis.REDUCED: N_("At the reduced rate"),
    VatBasis.PLATFORM_FEE: N_("Platform fee to a partner"),
}
TREATMENTS = {
    Treatment.EXEMPT: N_("Exempt"),
    Treatment.EXEMPT_IF_REGISTERED: N_("Exempt while in the register"),
    Treatment.TAXED: N_("Taxed"),
    Treatment.REDUCED: N_("Reduced rate"),
    Treatment.FOLLOWS_COURSE: N_("Follows the course"),
}


class Holder(msgspec.Struct, frozen=True):
    """Who can stand in the register, with its stays, the latest first."""

    id: str
    name: str
    periods: list[RegisterPeriod]

    def is_in(self, on: date) -> bool:
        """Tell whether it stands in the register on a day."""
        return any(period.from_on <= on and (period.until_on is None or on <= period.until_on) for period in self.periods)


class Depending(msgspec.Struct, frozen=True):
    """What is not invoiced yet and follows the register: how many lines, and their sum without VAT."""

    lines: int
    net_cents: int

    @property
    def net(self) -> Money:
        """The sum without VAT."""
        return Money(self.net_cents)


class Named(msgspec.Struct, frozen=True):
    """What was decided for a programme, with its title."""

    rule: ProgrammeRule
    title: str


class Rules(msgspec.Struct, frozen=True):
    """All of the page: the blocks (the one in force is ``current``), holders, what depends on the register, programmes."""

    blocks: tuple[VatRules, ...]
    current: VatRules
    holders: list[Holder]
    depending: Depending
    programmes: list[Named]
    choices: list[tuple[str, str]]


async def read(*, actor: Actor, now: datetime) -> Rules:
    """Return everything that decides VAT today. Raises ``Forbidden``."""
    require(actor, Permission.MANAGE_INVOICES)
    blocks, titles = vat_rules.book().rules, await _titles()
    named = [Named(rule, titles.get(rule.subject_id, "")) for rule in await seller.programme_rules()]
    depending = await db.row(
        Depending,
        "SELECT count(*)::int AS lines, coalesce(sum(net_cents), 0)::bigint AS net_cents FROM charge"
        " WHERE state = 'open' AND trace ->> 0 LIKE 'facts|basis=professional_course%'",
    )
    assert depending is not None
    choices = sorted(((str(key), title) for key, title in titles.items()), key=lambda choice: choice[1].lower())
    return Rules(blocks[::-1], vat_rules.rules_on(today(now)), await _holders(), depending, named, choices)


async def _titles() -> dict[UUID, str]:
    dutch = current_locale() == "nl"
    return {one.id: f"{one.title_nl if dutch else one.title_en} ({one.code})" for one in await programmes.choices()}


async def _holders() -> list[Holder]:
    periods: dict[str, list[RegisterPeriod]] = {}
    for period in await seller.register():
        periods.setdefault(period.holder, []).insert(0, period)
    who = [(OPERATOR, settings().operator.name), *((str(one.id), one.name) for one in await partners.listed())]
    return [Holder(key, name, periods.get(key, [])) for key, name in who]


async def enter(holder: str, on: date, *, actor: Actor, now: datetime) -> str:
    """Keep that a holder stands in the register from a day on; return its name. Raises as ``seller.enter_crkbo``, ``NotFound``."""
    async with db.atomic():
        name = await _name(holder)
        await seller.enter_crkbo(on, holder=holder, actor=actor, now=now)
        await _show(holder)
    return name


async def leave(holder: str, on: date, *, actor: Actor, now: datetime) -> str:
    """Keep that a holder is out of the register from a day on; return its name. Raises as ``seller.leave_crkbo``, ``NotFound``."""
    async with db.atomic():
        name = await _name(holder)
        await seller.leave_crkbo(on, holder=holder, actor=actor, now=now)
        await _show(holder)
    return name


async def _name(holder: str) -> str:
    if holder == OPERATOR:
        return settings().operator.name
    found = next((one for one in await partners.listed() if str(one.id) == holder), None)
    if found is None:
        raise NotFound("not_found", _("There is no such partner."))
    return found.name


async def _show(holder: str) -> None:
    """Let the catalogue show a partner's latest stay."""
    if holder != OPERATOR and (stays := await seller.register(holder)):
        await partners.set_register(UUID(holder), from_on=stays[-1].from_on, until_on=stays[-1].until_on)


async def decide(subject_id: UUID, treatment: Treatment, *, reason: str, from_on: date, actor: Actor, now: datetime) -> str:
    """Decide for one programme; return its title. Raises as ``seller.set_programme_rule``, ``NotFound``."""
    title = (await _titles()).get(subject_id)
    if title is None:
        raise NotFound("not_found", _("There is no such programme."))
    await seller.set_programme_rule(subject_id, treatment, reason=reason, from_on=from_on, actor=actor, now=now)
    return title
