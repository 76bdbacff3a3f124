"""What the states of the rows in a trace are called."""

from __future__ import annotations

from billing.states import NAMES
from marketplace.kit.i18n import N_, _

_LINES: dict[str, str] = {
    "waiting": N_("Waiting"),
    "accrued": N_("Accrued"),
    "payable": N_("Payable"),
    "stated": N_("On a statement"),
    "paid": N_("Paid"),
    "cancelled": N_("Cancelled"),
    "issued": N_("Issued"),
    "agreed": N_("Agreed"),
    "in_batch": N_("In a payout"),
    "carried": N_("Carried to the next"),
    "planned": N_("Planned"),
    "sent": N_("Sent"),
    "returned": N_("Returned by the bank"),
    "dropped": N_("Dropped"),
}
_DELIVERIES: dict[str, str] = {
    "queued": N_("Waiting"),
    "under_way": N_("On its way"),
    "delivered": N_("Delivered"),
    "failed": N_("Failed"),
}
_EVENTS: dict[str, str] = {"received": N_("Waiting"), "done": N_("Done"), "ignored": N_("Says nothing about our books")}


def words() -> dict[str, dict[str, str]]:
    """Return the words for the page, in the reader's language."""
    return {
        "line_states": {state: _(word) for state, word in _LINES.items()},
        "delivery_states": {state: _(word) for state, word in _DELIVERIES.items()},
        "event_states": {state: _(word) for state, word in _EVENTS.items()},
        "state_names": {state.value: _(word) for state, word in NAMES.items()},
    }
