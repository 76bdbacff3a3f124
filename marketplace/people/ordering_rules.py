"""What a company asks of its own orders: a PO number, a cost centre, and what they look like. Pure."""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

from marketplace.kit.i18n import _


class Rule(StrEnum):
    """Whether a reference may be left out."""

    OPTIONAL = "optional"
    REQUIRED = "required"


class Reference(msgspec.Struct, frozen=True):
    """The rule for one reference. ``pattern`` is a regular expression for the whole text; ``hint`` says it in words."""

    rule: Rule = Rule.OPTIONAL
    pattern: str | None = None
    hint: str | None = None

    @property
    def required(self) -> bool:
        """Tell whether an order without it is refused."""
        return self.rule is Rule.REQUIRED


class OrderingRules(msgspec.Struct, frozen=True):
    """The rules of one company. ``wants_names``: participants' names may stand on its invoices."""

    purchase_order: Reference = Reference()
    cost_centre: Reference = Reference()
    wants_names: bool = False


def check(rules: OrderingRules, *, purchase_order: str | None, cost_centre: str | None) -> dict[str, str]:
    """Return a sentence for each reference that the company would not accept; empty means it fits."""
    found = {
        "purchase_order": problem(
            rules.purchase_order, purchase_order, missing=_("Give the PO number. Your company asks for one with each order.")
        ),
        "cost_centre": problem(
            rules.cost_centre, cost_centre, missing=_("Give the cost centre. Your company asks for one with each order.")
        ),
    }
    return {name: sentence for name, sentence in found.items() if sentence}


def problem(reference: Reference, text: str | None, *, missing: str) -> str | None:
    """Return why this text can't be the reference, or None."""
    given = (text or "").strip()
    if not given:
        return missing if reference.required else None
    if reference.pattern and not re.fullmatch(reference.pattern, given):
        if reference.hint:
            return _("{hint} You gave “{given}”.", hint=reference.hint.rstrip(".") + ".", given=given)
        return _("“{given}” does not look like the numbers of your company.", given=given)
    return None


def usable_pattern(pattern: str) -> bool:
    """Tell whether a pattern can be read as a regular expression, and judges every text at once."""
    if len(pattern) > 100 or _runs_away(pattern):
        return False
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _runs_away(pattern: str) -> bool:
    """Tell whether a short text could keep this pattern busy for seconds: repeats within repeats, or many of them in a row."""
    plain = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "x", pattern, flags=re.DOTALL)  # a class or an escape is one sign
    plain = re.sub(r"(?<!\))\{\d+\}", "", plain).replace("(?:", "(")
    if "(?" in plain or len(re.findall(r"[*+]|\{\d*,", plain)) > 3 or plain.count("?") > 6:
        return True
    while group := re.search(r"\(([^()]*)\)([*+{]?)", plain):
        varies = re.search(r"[*+?|{]", group[1]) is not None
        if varies and group[2]:
            return True
        plain = plain[: group.start()] + ("x*" if varies else "x") + group[2] + plain[group.end() :]
    return False
