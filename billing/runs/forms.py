"""Forms of invoice runs, held invoices and acceptance profiles."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from billing.acceptance import Profile
from billing.runs.references import References
from marketplace.kit.i18n import N_
from marketplace.kit.web import forms

Short = Annotated[str | None, msgspec.Meta(max_length=60)]
Digits = Annotated[int | None, msgspec.Meta(ge=1, le=30)]
REFERENCE_LABELS = {"purchase_order": N_("PO number"), "cost_centre": N_("Cost centre or project number"), "ordered_by": N_("Ordered by")}


class ReferencesForm(msgspec.Struct, frozen=True):
    """What a company gives afterwards."""

    purchase_order: Short = None
    cost_centre: Short = None
    ordered_by: Annotated[str | None, msgspec.Meta(max_length=120)] = None

    @property
    def references(self) -> References:
        """Return what the form says, for the verb."""
        return References(**msgspec.structs.asdict(self))


class AnywayForm(msgspec.Struct, frozen=True):
    """Why an invoice goes as it is."""

    reason: forms.Line


class ProfileForm(msgspec.Struct, frozen=True):
    """An acceptance profile; the code only when it is new."""

    name_en: forms.Name
    name_nl: forms.Name
    code: Annotated[str | None, msgspec.Meta(max_length=40)] = None
    about_en: Annotated[str | None, msgspec.Meta(max_length=300)] = None
    about_nl: Annotated[str | None, msgspec.Meta(max_length=300)] = None
    wants: Literal["nothing", "order", "project", "order_or_project"] = "nothing"
    order_starts: Annotated[str | None, msgspec.Meta(max_length=20)] = None
    order_digits: Digits = None
    project_digits: Digits = None
    one_order: bool = False
    wants_orderer: bool = False
    wants_buyer_reference: bool = False
    wants_ubl: bool = False
    wants_certificate: bool = False
    schemes: list[Literal["0106", "0190", "9944"]] = []
    terms_days: Literal["", "14", "30"] = ""

    def profile(self, code: str) -> Profile:
        """Return what the form says as the profile with this code."""
        given: dict[str, Any] = msgspec.structs.asdict(self) | {
            "code": code,
            "about_en": self.about_en or "",
            "about_nl": self.about_nl or "",
            "schemes": tuple(self.schemes),
            "terms_days": int(self.terms_days) if self.terms_days else None,
        }
        return Profile(**given)


PROFILE_LABELS = {
    "code": N_("Code"), "name_en": N_("Name in English"), "name_nl": N_("Name in Dutch"), "about_en": N_("In a sentence, English"),
    "about_nl": N_("In a sentence, Dutch"), "wants": N_("Number on each line"), "order_starts": N_("A PO number starts with"),
    "order_digits": N_("Digits of a PO number"), "project_digits": N_("Digits of a project number"), "one_order": N_("One PO number an invoice"),
    "wants_orderer": N_("Name of who ordered"), "wants_buyer_reference": N_("Its own reference on each invoice"), "wants_ubl": N_("E-invoice (UBL) with the PDF"),
    "wants_certificate": N_("Exemption certificate on file"), "schemes": N_("Peppol addresses that it can have"), "terms_days": N_("Term of payment"),
}  # fmt: skip
