"""What a person can do by hand in Stripe's dashboard, and what a payer's bank does: the sandbox's buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.sandbox import credit_notes, disputes, invoices, payments, refunds
from billing.sandbox.hosted import internal_call
from billing.sandbox.invoice_params import Finalize
from billing.sandbox.wire import Params, Refusal
from marketplace.kit import db
from marketplace.kit.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from billing.sandbox.control import SeenObject
    from billing.sandbox.operations import Call

# What can be done with an object: the action's name and its button, by kind and state.
ACTIONS: dict[tuple[str, str], list[tuple[str, str]]] = {
    ("invoice", "draft"): [("finalize", N_("Finalise")), ("delete", N_("Delete"))],
    ("invoice", "open"): [
        ("pay", N_("Mark as paid outside")),
        ("credit", N_("Credit all")),
        ("void", N_("Void")),
        ("give_up", N_("Mark as uncollectible")),
    ],
    ("invoice", "uncollectible"): [("pay", N_("Mark as paid outside")), ("void", N_("Void"))],
    ("invoice", "paid"): [("credit", N_("Credit all, settled elsewhere"))],
    ("charge", "succeeded"): [("refund", N_("Refund what is left")), ("dispute", N_("Let the payer's bank take it back"))],
    ("credit_note", "issued"): [("void_credit", N_("Void"))],
    ("refund", "pending"): [("arrive", N_("Let it arrive")), ("fail_refund", N_("Let it fail")), ("cancel_refund", N_("Cancel"))],
    ("refund", "succeeded"): [("fail_refund", N_("Let it come back"))],
    ("dispute", "needs_response"): [("win", N_("We win")), ("lose", N_("We lose"))],
    ("dispute", "under_review"): [("win", N_("We win")), ("lose", N_("We lose"))],
}


def actions(seen: SeenObject) -> list[tuple[str, str]]:
    """Return what can be done with an object as it is."""
    return ACTIONS.get((seen.kind, str(seen.body.get("status"))), [])


async def act(seen: SeenObject, action: str, *, base: str) -> None:
    """Do it. Raises ``Refusal`` when it can't be done with this object."""
    if action not in {name for name, _label in actions(seen)}:
        raise Refusal(400, f"{seen.id} can't be treated so: {action}")
    async with db.atomic():
        await _VERBS[action](await internal_call(base), seen)


async def _credit_all(call: Call, seen: SeenObject) -> None:
    invoice = seen.body
    left = invoice["total"] - invoice["pre_payment_credit_notes_amount"] - invoice["post_payment_credit_notes_amount"]
    after = left - min(left, invoice["amount_remaining"])
    params = credit_notes.CreateCreditNote(invoice=seen.id, amount=left, out_of_band_amount=after or None)
    await credit_notes.create_credit_note(call, params)


_VERBS: dict[str, Callable[[Call, SeenObject], Awaitable[object]]] = {
    "finalize": lambda call, seen: invoices.finalize(call, Finalize(), seen.id),
    "delete": lambda call, seen: invoices.delete_invoice(call, Params(), seen.id),
    "void": lambda call, seen: invoices.void_invoice(call, Params(), seen.id),
    "give_up": lambda call, seen: invoices.mark_uncollectible(call, Params(), seen.id),
    "pay": lambda call, seen: payments.pay(call, payments.Pay(paid_out_of_band=True), seen.id),
    "credit": _credit_all,
    "void_credit": lambda call, seen: credit_notes.void_credit_note(call, Params(), seen.id),
    "refund": lambda call, seen: refunds.create_refund(call, refunds.CreateRefund(charge=seen.id)),
    "dispute": lambda call, seen: disputes.open_on(call, seen.id),
    "arrive": lambda call, seen: refunds.arrive(call, seen.id),
    "fail_refund": lambda call, seen: refunds.fail(call, seen.id),
    "cancel_refund": lambda call, seen: refunds.cancel_refund(call, Params(), seen.id),
    "win": lambda call, seen: disputes.decide(call, seen.id, won=True),
    "lose": lambda call, seen: disputes.decide(call, seen.id, won=False),
}
