"""Invitations: one address may become a member, once, within seven days. We keep only the hash of the link."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from marketplace.kit import audit, db, identity, ids, mail
from marketplace.kit.errors import Conflict, Invalid, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Role
from marketplace.kit.settings import settings
from marketplace.people import members, passwords, scope
from marketplace.people.facts import EMAIL, email_sentence
from marketplace.people.places import Place, may_manage

VALID = timedelta(days=7)


class InvitationState(StrEnum):
    """An open one ends by itself at ``expires_at``."""

    OPEN = "open"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


TRANSITIONS = {
    InvitationState.OPEN: (InvitationState.ACCEPTED, InvitationState.WITHDRAWN),
    InvitationState.ACCEPTED: (),
    InvitationState.WITHDRAWN: (),
}


class Invitation(msgspec.Struct, frozen=True):
    """An open invitation. ``place_name`` is the company's or partner's, empty for ECL."""

    id: UUID
    email: str
    company_id: UUID | None
    partner_id: UUID | None
    place_name: str
    language: str
    roles: frozenset[Role]
    sent_at: datetime
    expires_at: datetime

    @property
    def place(self) -> Place:
        """Return where this invites to."""
        return Place(self.company_id, self.partner_id)


_OPEN = """
    SELECT i.id, i.email, i.company_id, i.partner_id, coalesce(c.name, p.name, '') AS place_name, coalesce(c.language, 'nl') AS language,
           i.roles, i.sent_at, i.expires_at
      FROM invitation i LEFT JOIN company c ON c.id = i.company_id LEFT JOIN partner p ON p.id = i.partner_id
     WHERE i.state = 'open'
"""


async def open_of(place: Place) -> list[Invitation]:
    """Return the open invitations of a place, the newest first; some may have expired (``expires_at``)."""
    return await db.rows(Invitation, f"{_OPEN} AND {place.where('i')} ORDER BY i.sent_at DESC, i.id", place.key)


async def get(invitation_id: UUID, *, place: Place) -> Invitation:
    """Return an open invitation of this place; raise ``NotFound`` for any other."""
    found = await db.row(Invitation, f"{_OPEN} AND {place.where('i')} AND i.id = $2", place.key, invitation_id)
    if found is None:
        raise scope.not_found()
    return found


async def create(email: str, *, place: Place, roles: frozenset[Role], actor: Actor, now: datetime) -> UUID:
    """Invite an address and return the invitation's id; the mail leaves with the commit.

    Raises ``Invalid`` for an address or roles that can't be, ``Conflict`` ``already_member`` or ``already_invited``.
    """
    may_manage(actor, place)
    address = identity.normal_email(email)
    if not EMAIL.fullmatch(address):
        sentence = email_sentence(address)
        raise Invalid("email", sentence, fields={"email": sentence})
    place.check_roles(roles)
    invitation_id = ids.new_id()
    async with db.atomic():
        await _refuse_known(address, place, now=now)
        made = await db.execute(
            "INSERT INTO invitation (id, email, company_id, partner_id, roles, token_hash, state, invited_by, created_at, sent_at, expires_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $8, $8, $8) ON CONFLICT DO NOTHING",
            invitation_id, address, place.company_id, place.partner_id, [role.value for role in Role if role in roles],
            identity.digest(ids.secret_token()), actor.account_id, now,
        )  # fmt: skip
        if not made:
            raise _already_invited()
        await _mail(await get(invitation_id, place=place), actor=actor, now=now)
        await audit.record("invitation.created", actor=actor, subject=("invitation", invitation_id), now=now)
    return invitation_id


async def _refuse_known(address: str, place: Place, *, now: datetime) -> None:
    if any(member.email == address for member in await members.of(place)):
        sentence = _("This e-mail address already belongs to a member.")
        raise Conflict("already_member", sentence)
    await db.execute(
        f"UPDATE invitation AS i SET state = 'withdrawn' WHERE i.state = 'open' AND {place.where('i')} AND i.email = $2 AND i.expires_at <= $3",  # noqa: S608 - our own names
        place.key, address, now,
    )  # fmt: skip
    if await db.value(f"SELECT 1 FROM invitation i WHERE i.state = 'open' AND {place.where('i')} AND i.email = $2", place.key, address):  # noqa: S608 - our own names
        raise _already_invited()


def _already_invited() -> Conflict:
    return Conflict("already_invited", _("This address has an open invitation."), next_step=_("You can send it again from the list."))


async def resend(invitation_id: UUID, *, place: Place, actor: Actor, now: datetime) -> None:
    """Mail a new link for seven more days; the old link ends now."""
    may_manage(actor, place)
    async with db.atomic():
        await _mail(await get(invitation_id, place=place), actor=actor, now=now)
        await audit.record("invitation.sent_again", actor=actor, subject=("invitation", invitation_id), now=now)


async def withdraw(invitation_id: UUID, *, place: Place, actor: Actor, now: datetime) -> None:
    """End an open invitation. Doing it again changes nothing."""
    may_manage(actor, place)
    sql = f"UPDATE invitation AS i SET state = 'withdrawn' WHERE {place.where('i')} AND i.id = $2 AND i.state = 'open'"  # noqa: S608 - our own names
    async with db.atomic():
        if not await db.execute(sql, place.key, invitation_id):
            gone = f"SELECT 1 FROM invitation i WHERE {place.where('i')} AND i.id = $2 AND i.state = 'withdrawn'"  # noqa: S608 - our own names
            if await db.value(gone, place.key, invitation_id):
                return
            raise scope.not_found()
        await audit.record("invitation.withdrawn", actor=actor, subject=("invitation", invitation_id), now=now)


async def _mail(invitation: Invitation, *, actor: Actor, now: datetime) -> None:
    """Give the invitation a new link and put its mail in the outbox."""
    token = ids.secret_token()
    until = now + VALID
    await db.execute(
        "UPDATE invitation SET token_hash = $2, sent_at = $3, expires_at = $4 WHERE id = $1",
        invitation.id,
        identity.digest(token),
        now,
        until,
    )
    link = f"{settings().base_url}/invitations/{token}"
    context = {"place_name": invitation.place_name, "by": actor.name if actor.kind == "member" else "", "link": link, "until": until}
    locale = actor.locale if actor.is_company and actor.locale else invitation.language
    await mail.send(template="people/invitation", to=invitation.email, locale=locale, context=context, now=now)


async def of_link(token: str, *, now: datetime) -> Invitation:
    """Return the open invitation of a link; raise ``NotFound`` when it was used, withdrawn, has expired or never was."""
    found = await db.row(Invitation, f"{_OPEN} AND i.token_hash = $1 AND i.expires_at > $2", identity.digest(token), now)
    if found is None:
        raise _ended()
    return found


async def accept(token: str, *, name: str, password: str, locale: str, now: datetime) -> UUID:
    """Make the invited address a member with this name and password, and return the account's id.

    An account that lost its place earlier is used again. Raises ``NotFound`` when the link has ended, ``Invalid`` for
    the password, ``Conflict`` ``already_member`` when the address is a member somewhere.
    """
    invitation = await of_link(token, now=now)
    passwords.check_new(password, email=invitation.email)
    async with db.atomic():
        sql = "UPDATE invitation SET state = 'accepted' WHERE id = $1 AND state = 'open' AND token_hash = $2 AND expires_at > $3"
        if not await db.execute(sql, invitation.id, identity.digest(token), now):
            raise _ended()
        account_id = await _account_for(invitation.email, name=name, locale=locale, now=now)
        newcomer = Actor(kind="member", account_id=account_id, company_id=invitation.company_id, partner_id=invitation.partner_id)
        await members.attach(account_id, place=invitation.place, roles=invitation.roles, actor=newcomer, now=now)
        await audit.record("invitation.accepted", actor=newcomer, subject=("invitation", invitation.id), now=now)
        await identity.end_sessions(account_id, now=now)
        await identity.set_password(account_id, password)
    return account_id


async def _account_for(email: str, *, name: str, locale: str, now: datetime) -> UUID:
    known = await identity.account_by_email(email)
    if known is None:
        return await identity.create_account(email, name=name, locale=locale, now=now)
    await db.execute("UPDATE account SET name = $2, state = 'active' WHERE id = $1", known.id, name)
    return known.id


def _ended() -> NotFound:
    return NotFound("invitation_ended", _("This invitation has ended."), next_step=_("Ask the person who invited you to send it again."))
