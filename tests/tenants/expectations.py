"""Who may do what, declared a second time: what the gate expects of each route that a company's members may use.

``NEEDS`` names the permission of every route with ``company`` in its access class. A new route without a line here fails.
Routes of one kind of actor only (partner, ECL) need no line: their members have one role each.
"""

from __future__ import annotations

from marketplace.kit.identity import Permission as P  # noqa: N817 - sixty lines name it

NEEDS: dict[str, P | None] = {
    "GET /home": None,
    "GET /home/spending.csv": None,
    "GET /basket": P.PLACE_ORDERS,
    "POST /basket/empty": P.PLACE_ORDERS,
    "POST /basket/remove": P.PLACE_ORDERS,
    "GET /orders": P.SEE_ORDERS,
    "POST /orders": P.PLACE_ORDERS,
    "GET /orders.csv": P.SEE_ORDERS,
    "GET /orders/new": P.PLACE_ORDERS,
    "POST /orders/new": P.PLACE_ORDERS,
    "GET /orders/{number:int}": P.SEE_ORDERS,
    "GET /orders/{number:int}/lines/{line_id:uuid}/cancel": P.CANCEL_ORDERS,
    "POST /orders/{number:int}/lines/{line_id:uuid}/cancel": P.CANCEL_ORDERS,
    "GET /orders/{number:int}/lines/{line_id:uuid}/replace": P.CANCEL_ORDERS,
    "POST /orders/{number:int}/lines/{line_id:uuid}/replace": P.CANCEL_ORDERS,
    "GET /invoices": P.SEE_INVOICES,
    "GET /invoices.csv": P.SEE_INVOICES,
    "GET /invoices/{name:str}": P.SEE_INVOICES,
    "POST /invoices/{number:str}/set-off": P.PAY_INVOICES,
    "GET /companies/{company_id:uuid}/billing": P.SEE_INVOICES,
    "POST /companies/{company_id:uuid}/billing": P.EDIT_BILLING,
    "GET /account-statement": P.SEE_INVOICES,
    "POST /account-statement": P.SEE_INVOICES,
    "GET /account-statement.csv": P.SEE_INVOICES,
    "GET /account-statement/{paper_id:uuid}": P.SEE_INVOICES,
    "GET /reminders/{reminder_id:uuid}/pdf": P.SEE_INVOICES,
    "GET /members": P.SEE_MEMBERS,
    "POST /members/invite": P.MANAGE_MEMBERS,
    "GET /members/{member_id:uuid}": P.MANAGE_MEMBERS,
    "POST /members/{member_id:uuid}": P.MANAGE_MEMBERS,
    "POST /members/{member_id:uuid}/remove": P.MANAGE_MEMBERS,
    "POST /members/invitations/{invitation_id:uuid}/send": P.MANAGE_MEMBERS,
    "POST /members/invitations/{invitation_id:uuid}/withdraw": P.MANAGE_MEMBERS,
    "GET /people": P.SEE_PEOPLE,
    "GET /people.csv": P.SEE_PEOPLE,
    "GET /people/import": P.EDIT_PEOPLE,
    "POST /people/import": P.EDIT_PEOPLE,
    "GET /people/import/{upload_id:uuid}": P.EDIT_PEOPLE,
    "POST /people/import/{upload_id:uuid}": P.EDIT_PEOPLE,
    "POST /people/import/{upload_id:uuid}/columns": P.EDIT_PEOPLE,
    "GET /people/import/{upload_id:uuid}/problems.csv": P.EDIT_PEOPLE,
    "GET /people/new": P.EDIT_PEOPLE,
    "POST /people/new": P.EDIT_PEOPLE,
    "GET /people/{person_id:uuid}": P.SEE_PEOPLE,
    "POST /people/{person_id:uuid}": P.EDIT_PEOPLE,
    "POST /people/{person_id:uuid}/back": P.EDIT_PEOPLE,
    "POST /people/{person_id:uuid}/leave": P.EDIT_PEOPLE,
    "GET /people/{person_id:uuid}/partner": P.EDIT_PEOPLE,
    "POST /people/{person_id:uuid}/partner": P.EDIT_PEOPLE,
    "GET /scheduled-enrolments": P.SEE_ORDERS,
    "GET /scheduled-enrolments/new": P.SCHEDULE_ENROLMENTS,
    "POST /scheduled-enrolments/new": P.SCHEDULE_ENROLMENTS,
    "GET /scheduled-enrolments/{plan_id:uuid}": P.SEE_ORDERS,
    "POST /scheduled-enrolments/{plan_id:uuid}": P.SCHEDULE_ENROLMENTS,
    "POST /scheduled-enrolments/{plan_id:uuid}/withdraw": P.SCHEDULE_ENROLMENTS,
    "GET /api/v1/invoices": P.SEE_INVOICES,
    "GET /api/v1/invoices/{number:str}": P.SEE_INVOICES,
    "GET /api/v1/orders": P.SEE_ORDERS,
    "POST /api/v1/orders": P.PLACE_ORDERS,
    "GET /api/v1/orders/{order_id:uuid}": P.SEE_ORDERS,
    "GET /api/v1/orders/{number:int}/lines/{line_id:uuid}/cancel": P.CANCEL_ORDERS,
    "POST /api/v1/orders/{number:int}/lines/{line_id:uuid}/cancel": P.CANCEL_ORDERS,
    "GET /api/v1/people": P.SEE_PEOPLE,
    "POST /api/v1/people": P.EDIT_PEOPLE,
    "POST /api/v1/people/import": P.EDIT_PEOPLE,
    "GET /api/v1/people/{person_id:uuid}": P.SEE_PEOPLE,
    "GET /api/v1/scheduled-enrolments": P.SEE_ORDERS,
    "POST /api/v1/scheduled-enrolments": P.SCHEDULE_ENROLMENTS,
    "GET /api/v1/scheduled-enrolments/{plan_id:uuid}": P.SEE_ORDERS,
    "DELETE /api/v1/scheduled-enrolments/{plan_id:uuid}": P.SCHEDULE_ENROLMENTS,
}

# Pages without an id that want something named in the query or the form; without it they send on, or refuse.
NEEDS_A_QUERY = {"GET /orders/new", "POST /orders/new"}
# What a GET may answer beside 200: a redirect, for those who are signed in already.
MOVES = {"GET /sign-in", "GET /password"}
# The way in is the secret in the path.
PUBLIC_BY_SECRET = {"/invitations/{token:str}", "/password/{token:str}"}
# What is sent where an empty form says too little about who may.
FORMS = {
    "POST /acceptances/{acceptance_id:uuid}/decline": {"reason": "Our teacher is away"},
    "POST /password/{token:str}": {"password": "a long new sentence"},
}
# Bodies that are right: ``person_id`` and ``session_id`` stand for the actor's own.
BODIES: dict[str, object] = {
    "POST /api/v1/orders": {"lines": [{"session_id": "session_id", "person_id": "person_id"}]},
    "POST /api/v1/orders/{number:int}/lines/{line_id:uuid}/cancel": {},
    "POST /api/v1/people": {"given_name": "Maria", "family_name": "Silva", "email": "maria.silva@gate.example"},
    "POST /api/v1/scheduled-enrolments": {"person_id": "person_id", "session_id": "session_id", "run_at": "run_at"},
}
FILES = {"POST /api/v1/people/import": ("staff.csv", b"Given name;Family name;E-mail\nMaria;Silva;maria@gate.example\n")}
