"""Pages of people, by noun. Thin: parse, one permission check, one verb, render."""

from marketplace.people.pages import account, billing, companies, invitations, members, sign_in, staff, staff_import

HANDLERS = [
    *sign_in.HANDLERS,
    *invitations.HANDLERS,
    *members.HANDLERS,
    *companies.HANDLERS,
    *account.HANDLERS,
    *billing.HANDLERS,
    *staff_import.HANDLERS,
    *staff.HANDLERS,
]
