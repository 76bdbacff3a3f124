"""Members: who acts for a company, a partner or ECL, and with which roles. An account has one active place.

Importing ``marketplace.people`` registers ``actor_of_account`` with identity.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from marketplace.kit import audit, clock, db, identity, ids
from marketplace.kit.errors import Conflict
from marketplace.kit.i18n import _
from marketplace.kit.identity import SYSTEM, Actor, Role
from marketplace.people import passwords, scope
from marketplace.people.places import ECL, Place, may_manage

if TYPE_CHECKING:
    from collections.abc import Iterable


class Member(msgspec.Struct, frozen=True):
    """An active member as lists show them."""

    id: UUID
    account_id: UUID
    company_id: UUID | None
    partner_id: UUID | None
    email: str
    name: str
    roles: frozenset[Role]
    created_at: datetime

    @property
    def place(self) -> Place:
        """Return where this is a member."""
        return Place(self.company_id, self.partner_id)


class _Loaded(msgspec.Struct, frozen=True):
    account_id: UUID
    member_id: UUID
    company_id: UUID | None
    partner_id: UUID | None
    roles: frozenset[Role]
    email: str
    name: str
    locale: str | None
    acts_for: str


_MEMBER = (
    "SELECT m.id, m.account_id, m.company_id, m.partner_id, a.email, a.name, m.roles, m.created_at"
    " FROM member m JOIN account a ON a.id = m.account_id WHERE m.state = 'active'"
)


_ACTOR = (
    "a.id AS account_id, m.id AS member_id, m.company_id, m.partner_id, m.roles, a.email, a.name, a.locale,"
    " coalesce(c.name, p.name, '') AS acts_for FROM account a JOIN member m ON m.account_id = a.id AND m.state = 'active'"
    " LEFT JOIN company c ON c.id = m.company_id LEFT JOIN partner p ON p.id = m.partner_id"
)
_ACTS = "a.state = 'active' AND coalesce(c.state, 'active') = 'active'"


async def actor_of_account(account_id: UUID) -> Actor | None:
    """Return who the account acts as; None when it is closed, has no place any more, or its company is closed."""
    found = await db.row(_Loaded, f"SELECT {_ACTOR} WHERE a.id = $1 AND {_ACTS}", account_id)
    return None if found is None else Actor(kind="member", **msgspec.structs.asdict(found))


async def actor_found_by(source: str, args: tuple[object, ...]) -> tuple[Actor, dict[str, Any]] | None:
    """Return the same for the account that a statement finds, with the row that it found: see ``identity.actor_by``."""
    found = await db.records(f"WITH own AS ({source}) SELECT own.*, {_ACTOR} JOIN own ON own.account_id = a.id WHERE {_ACTS}", *args)
    if not found:
        return None
    loaded = msgspec.convert(found[0], _Loaded, strict=False)
    return Actor(kind="member", **msgspec.structs.asdict(loaded)), found[0]


async def of(place: Place) -> list[Member]:
    """Return the active members of a place, by name."""
    return await db.rows(Member, f"{_MEMBER} AND {place.where('m')} ORDER BY lower(a.name), m.id", place.key)


async def get(member_id: UUID, *, place: Place) -> Member:
    """Return an active member of this place; raise ``NotFound`` for anybody else's."""
    found = await db.row(Member, f"{_MEMBER} AND {place.where('m')} AND m.id = $2", place.key, member_id)
    if found is None:
        raise scope.not_found()
    return found


async def mail_addresses(place: Place, *, roles: Iterable[Role] = ()) -> list[Member]:
    """Return the members to write to: those with one of the roles, or all when none is named."""
    wanted = frozenset(roles)
    return [member for member in await of(place) if not wanted or wanted & member.roles]


async def to_tell(account_id: UUID | None, *, company_id: UUID) -> list[identity.AccountRow]:
    """Return whom to mail about what this account did for its company: itself, or the owners once it is no longer a member.

    Nobody who has left hears of a company's people and orders.
    """
    there = [member.account_id for member in await of(Place(company_id)) if member.account_id == account_id]
    if not there:
        there = [member.account_id for member in await mail_addresses(Place(company_id), roles=(Role.OWNER,))]
    return [found for each in there if (found := await identity.account(each)) is not None]


async def add(account_id: UUID, *, place: Place, roles: frozenset[Role], actor: Actor, now: datetime) -> UUID:
    """Make an account a member and return the member's id. Raises ``Conflict`` ``already_member``, ``Invalid``."""
    may_manage(actor, place)
    return await attach(account_id, place=place, roles=roles, actor=actor, now=now)


async def attach(account_id: UUID, *, place: Place, roles: frozenset[Role], actor: Actor, now: datetime) -> UUID:
    """Do what ``add`` does for somebody whose right to it was checked otherwise (an invitation)."""
    place.check_roles(roles)
    async with db.atomic():
        made = await db.value(
            "INSERT INTO member (id, account_id, company_id, partner_id, roles, state, created_at)"
            " VALUES ($1, $2, $3, $4, $5, 'active', $6) ON CONFLICT (account_id) WHERE state = 'active' DO NOTHING RETURNING id",
            ids.new_id(), account_id, place.company_id, place.partner_id, _ordered(roles), now,
        )  # fmt: skip
        if made is None:
            raise Conflict(
                "already_member", _("This e-mail address already belongs to a member."), next_step=_("Use another address of this person.")
            )
        await audit.record("member.added", actor=actor, subject=("member", made), data={"roles": _ordered(roles)}, now=now)
    return UUID(str(made))


async def change_roles(member_id: UUID, roles: frozenset[Role], *, place: Place, actor: Actor, now: datetime) -> None:
    """Give a member other roles and end their sessions, so that the new roles hold at once.

    Raises ``Conflict`` ``last_owner`` when a company would be left without an owner.
    """
    may_manage(actor, place)
    place.check_roles(roles)
    async with db.atomic():
        member = await _locked(member_id, place)
        if member.roles == roles:
            return
        if Role.OWNER not in roles:
            await _keep_an_owner(member, place)
        await db.execute("UPDATE member SET roles = $2 WHERE id = $1", member_id, _ordered(roles))
        await identity.end_sessions(member.account_id, now=now)
        await audit.record("member.roles_changed", actor=actor, subject=("member", member_id), data={"roles": _ordered(roles)}, now=now)


async def remove(member_id: UUID, *, place: Place, actor: Actor, now: datetime) -> None:
    """Take somebody's place away; they are signed out everywhere. Raises ``Conflict`` ``last_owner``."""
    may_manage(actor, place)
    async with db.atomic():
        member = await _locked(member_id, place)
        await _keep_an_owner(member, place)
        await db.execute("UPDATE member SET state = 'removed' WHERE id = $1", member_id)
        await identity.end_sessions(member.account_id, now=now)
        await db.execute("UPDATE api_token SET revoked_at = $2 WHERE account_id = $1 AND revoked_at IS NULL", member.account_id, now)
        await audit.record("member.removed", actor=actor, subject=("member", member_id), now=now)


async def _locked(member_id: UUID, place: Place) -> Member:
    """Lock the place's members against two removals at once, and return this one."""
    await db.execute(f"SELECT 1 FROM member m WHERE m.state = 'active' AND {place.where('m')} ORDER BY m.id FOR UPDATE", place.key)  # noqa: S608 - our own names
    return await get(member_id, place=place)


async def _keep_an_owner(member: Member, place: Place) -> None:
    ruling = Role.ECL if place.is_ecl else Role.OWNER
    if ruling not in member.roles:
        return
    if not any(ruling in other.roles for other in await of(place) if other.id != member.id):
        raise Conflict(
            "last_owner",
            _("{name} is the last one who can manage members.", name=member.name),
            next_step=_("Make somebody else an owner first."),
        )


def _ordered(roles: frozenset[Role]) -> list[str]:
    return [role.value for role in Role if role in roles]


# For the command line and the demo


async def create_admin(email: str, name: str, password: str) -> UUID:
    """Make the first (or another) member of ECL and return the account's id.

    Raises ``Invalid`` for a password that is too short, ``Conflict`` ``email_in_use``.
    """
    passwords.check_new(password, email=email)
    return await with_password(email, name=name, password=password, place=ECL, roles=frozenset({Role.ECL}), now=clock.now())


async def with_password(
    email: str, *, name: str, password: str, place: Place, roles: frozenset[Role], now: datetime, locale: str | None = None
) -> UUID:
    """Make an account with this password and a place, acting as the system; return the account's id.

    For ``create-admin`` and the demo: everybody else is invited.
    """
    async with db.atomic():
        account_id = await identity.create_account(email, name=name, locale=locale, now=now)
        await identity.set_password(account_id, password)
        await attach(account_id, place=place, roles=roles, actor=SYSTEM, now=now)
    return account_id
