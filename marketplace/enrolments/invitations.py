"""What a participant gets when their seat is certain: when and where, as a mail with the lessons for their calendar."""

from __future__ import annotations

from email.utils import parseaddr
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from catalog import sessions
from catalog.words import SessionState
from marketplace.kit import clock, db, mail
from marketplace.kit.i18n import use_locale
from marketplace.kit.settings import settings
from marketplace.people import staff

if TYPE_CHECKING:
    from datetime import datetime

    from icalendar import Event

    from catalog.sessions import Lesson, Session
    from marketplace.people.staff import Contact


class _Seated(msgspec.Struct, frozen=True):
    id: UUID
    session_id: UUID
    person_id: UUID
    state: str


async def invite(enrolment_id: UUID, *, now: datetime) -> None:
    """Mail one participant, once, in their own language; nothing happens without an address or a certain seat."""
    seated = await db.row(_Seated, "SELECT id, session_id, person_id, state FROM enrolment WHERE id = $1", enrolment_id)
    if seated is None or seated.state != "confirmed":
        return
    contact = await staff.contact(seated.person_id)
    if contact.email is None:
        return
    session = await sessions.get(seated.session_id, now=now)
    lessons = (await sessions.lessons_of([session.id])).get(session.id, [])
    with use_locale(contact.language):
        calendar = invitation(seated.id, contact, session, lessons, now=now)
    context = {"contact": contact, "session": session, "lessons": lessons}
    await mail.send(
        template="enrolments/invitation",
        to=contact.email,
        locale=contact.language,
        context=context,
        now=now,
        dedupe_key=f"invitation:{seated.id}:{seated.person_id}",
        calendar=calendar,
    )


async def call_off(enrolment_id: UUID, *, replaced: UUID | None = None, key: str, now: datetime) -> None:
    """Mail one participant, once a ``key``, that they don't take part any more; the lessons leave their calendar with it.

    ``replaced`` is the person whose place somebody else took; else it is the person of a cancelled enrolment.
    """
    seated = await db.row(_Seated, "SELECT id, session_id, person_id, state FROM enrolment WHERE id = $1", enrolment_id)
    if seated is None or (replaced is None and seated.state != "cancelled"):
        return
    contact = await staff.contact(replaced or seated.person_id)
    if contact.email is None:
        return
    session = await sessions.get(seated.session_id, now=now)
    lessons = (await sessions.lessons_of([session.id])).get(session.id, [])
    with use_locale(contact.language):
        calendar = invitation(seated.id, contact, session, lessons, now=now, cancelled=True)
    await mail.send(
        template="enrolments/cancelled",
        to=contact.email,
        locale=contact.language,
        context={
            "contact": contact,
            "session": session,
            "by_ecl": replaced is None and session.state is SessionState.CANCELLED,
            "replaced": replaced is not None,
        },
        now=now,
        dedupe_key=f"called-off:{key}",
        calendar=calendar,
    )


def invitation(
    enrolment_id: UUID, contact: Contact, session: Session, lessons: list[Lesson], *, now: datetime, cancelled: bool = False
) -> bytes:
    """Return the lessons as an iCalendar request (RFC 5546), or what takes them back; each keeps its UID for later changes."""
    from icalendar import Calendar  # imported here: slow to load, and only a worker needs it

    own = settings()
    made = Calendar()
    made.add("prodid", "-//Expat Centre Leiden//Marketplace//EN")
    made.add("version", "2.0")
    made.add("method", "CANCEL" if cancelled else "REQUEST")
    sender = parseaddr(own.smtp.sender)[1]
    for lesson in lessons:
        event = _event(enrolment_id, contact, session, lesson, sender, now=now)
        if cancelled:
            event["sequence"] = 1
            event.add("status", "CANCELLED")
        made.add_component(event)
    made.add_missing_timezones()
    return bytes(made.to_ical())


def _event(enrolment_id: UUID, contact: Contact, session: Session, lesson: Lesson, sender: str, *, now: datetime) -> Event:
    from icalendar import Event, vCalAddress, vText

    event = Event()
    event.add("uid", f"{enrolment_id}-{lesson.number}@{sender.rpartition('@')[2]}")
    event.add("sequence", 0)
    event.add("dtstamp", now)
    event.add("dtstart", clock.local(lesson.starts_at))
    event.add("dtend", clock.local(lesson.ends_at))
    event.add("summary", session.title)
    event.add("location", session.online_url or ", ".join(part for part in (session.place, session.room) if part))
    organiser = vCalAddress(f"mailto:{sender}")
    organiser.params["cn"] = vText(settings().operator.name)
    event["organizer"] = organiser
    attendee = vCalAddress(f"mailto:{contact.email}")
    attendee.params["cn"] = vText(contact.name)
    attendee.params["role"] = vText("REQ-PARTICIPANT")
    event.add("attendee", attendee, encode=False)
    return event
