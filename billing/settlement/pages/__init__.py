"""Pages of partners' money: ECL's by subject, and the partner's own."""

from billing.settlement.pages import contracts, objections, partner, payouts, statements

HANDLERS = [*contracts.HANDLERS, *statements.HANDLERS, *objections.HANDLERS, *payouts.HANDLERS, *partner.HANDLERS]
