"""Will this debtor accept this invoice? What each kind of debtor asks is data (a ``Profile``); the answer is pure.

A finding is language-neutral, so that it can be stored with a preview and said in whoever reads it; ``say`` has the words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec
from stdnum.nl import btw

from billing.vat import EU
from marketplace.kit.i18n import N_, _, fmt_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KVK, OIN, NL_VAT = "0106", "0190", "9944"
SCHEMES = {KVK: N_("KvK number"), OIN: N_("OIN"), NL_VAT: N_("Dutch VAT id")}
_DIGITS = {KVK: 8, OIN: 20}
Wants = Literal["nothing", "order", "project", "order_or_project"]


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a kind of debtor asks. ``order_starts``/``order_digits`` and ``project_digits`` say what its numbers look like.

    A project number may stand as PO number, cost centre or the debtor's own reference. ``one_order``: every line of an
    invoice carries the same number. ``schemes``: the Peppol schemes that it can be reached by. ``terms_days``: its only term.
    """

    code: str
    name_en: str
    name_nl: str
    about_en: str = ""
    about_nl: str = ""
    wants: Wants = "nothing"
    order_starts: str | None = None
    order_digits: int | None = None
    project_digits: int | None = None
    one_order: bool = False
    wants_orderer: bool = False
    wants_buyer_reference: bool = False
    wants_ubl: bool = False
    wants_certificate: bool = False
    schemes: tuple[str, ...] = ()
    terms_days: Literal[14, 30] | None = None


COMPANY = Profile(code="company", name_en="Company", name_nl="Bedrijf")


class Debtor(Protocol):
    """What is asked of a debtor's profile; ``debtors.Debtor`` has it."""

    # ruff: noqa: D102 - the names say it
    @property
    def legal_name(self) -> str: ...
    @property
    def street(self) -> str: ...
    @property
    def postcode(self) -> str: ...
    @property
    def city(self) -> str: ...
    @property
    def country(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def kvk(self) -> str | None: ...
    @property
    def oin(self) -> str | None: ...
    @property
    def vat_id(self) -> str | None: ...
    @property
    def vat_id_valid(self) -> bool: ...
    @property
    def terms_days(self) -> int: ...
    @property
    def buyer_reference(self) -> str | None: ...
    @property
    def wants_ubl(self) -> bool: ...
    @property
    def channel(self) -> str: ...
    @property
    def peppol_scheme(self) -> str | None: ...
    @property
    def peppol_id(self) -> str | None: ...


class Billed(Protocol):
    """What is asked of a line; a charge has it."""

    @property
    def purchase_order(self) -> str | None: ...
    @property
    def cost_centre(self) -> str | None: ...
    @property
    def ordered_by(self) -> str | None: ...
    @property
    def vat_category(self) -> str: ...


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line that isn't a charge yet: an order that is being looked over."""

    purchase_order: str | None = None
    cost_centre: str | None = None
    ordered_by: str | None = None
    vat_category: str = "E"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement. ``met`` is None where only the invoice itself can tell; one that isn't met and ``blocks`` stops the invoice.

    ``values`` fill the sentences; ``many`` is how many lines it is about.
    """

    code: str
    met: bool | None
    blocks: bool = True
    values: dict[str, str] = {}
    many: int = 0

    @property
    def stops(self) -> bool:
        """Tell whether an invoice with this finding would come back."""
        return self.blocks and self.met is False


def check(
    profile: Profile, debtor: Debtor, lines: Sequence[Billed] | None = None, *, certified: bool = False, vat_known: bool = True
) -> list[Finding]:
    """Return every requirement with whether it is met: of the debtor's profile and, with ``lines``, of an invoice with them.

    ``certified``: the debtor's exemption certificate is on file; ``vat_known``: VIES answered about its VAT id. Pure.
    """
    return [*_of_debtor(profile, debtor, certified=certified), *_of_vat(debtor, lines, known=vat_known), *_of_lines(profile, debtor, lines)]


def stops(findings: Iterable[Finding]) -> list[Finding]:
    """Return those that stop an invoice."""
    return [finding for finding in findings if finding.stops]


def _of_debtor(profile: Profile, debtor: Debtor, *, certified: bool) -> list[Finding]:
    parts = ("legal_name", "street", "postcode", "city", "email")
    found = [Finding(code="address", met=all(str(getattr(debtor, part)).strip() for part in parts))]
    if debtor.wants_ubl or profile.wants_ubl or debtor.channel == "peppol":
        found.append(Finding(code="legal_id", met=debtor.country != "NL" or bool(debtor.kvk or debtor.oin)))
    if profile.wants_ubl:
        found.append(Finding(code="ubl", met=debtor.wants_ubl or debtor.channel == "peppol"))
        found.append(Finding(code="one_pdf", met=True))
    if debtor.channel == "peppol":
        found.append(_peppol(profile, debtor))
    if profile.terms_days is not None:
        found.append(Finding(code="terms", met=debtor.terms_days == profile.terms_days, values={"days": str(profile.terms_days)}))
    if profile.wants_buyer_reference:
        found.append(Finding(code="buyer_reference", met=bool(debtor.buyer_reference)))
    if profile.wants_certificate:
        found.append(Finding(code="certificate", met=certified))
    return found


def _peppol(profile: Profile, debtor: Debtor) -> Finding:
    scheme, address = debtor.peppol_scheme or "", debtor.peppol_id or ""
    allowed = profile.schemes or tuple(SCHEMES)
    met = scheme in allowed and is_peppol_id(scheme, address)
    return Finding(code="peppol", met=met, values={"schemes": ",".join(allowed)})


def is_peppol_id(scheme: str, text: str) -> bool:
    """Tell whether an address is formed as its scheme wants: KvK 8 digits, OIN 20, a Dutch VAT id with its check digits."""
    if scheme == NL_VAT:
        return btw.is_valid(text)
    return scheme in _DIGITS and text.isascii() and text.isdigit() and len(text) == _DIGITS[scheme]


def _of_vat(debtor: Debtor, lines: Sequence[Billed] | None, *, known: bool) -> list[Finding]:
    """Reverse charge wants a VAT id that was found right; who could have it and has none is told, but not stopped."""
    shifted = sum(line.vat_category == "AE" for line in lines or ())
    if shifted:
        return [Finding(code="vat_id", met=bool(debtor.vat_id) and debtor.vat_id_valid and known, many=shifted)]
    if debtor.country != "NL" and debtor.country in EU:
        return [Finding(code="vat_id", met=bool(debtor.vat_id) and debtor.vat_id_valid, blocks=False)]
    return []


def _of_lines(profile: Profile, debtor: Debtor, lines: Sequence[Billed] | None) -> list[Finding]:
    found: list[Finding] = []
    values = _looks(profile)
    if profile.wants != "nothing":
        missing = None if lines is None else sum(not names_it(profile, debtor, line) for line in lines)
        found.append(Finding(code="reference", met=None if missing is None else not missing, values=values, many=missing or 0))
    if profile.one_order:
        numbers = None if lines is None else {(line.purchase_order or "").strip() for line in lines}
        found.append(Finding(code="one_order", met=None if numbers is None else len(numbers) <= 1, many=len(numbers or ())))
    if profile.wants_orderer:
        nameless = None if lines is None else sum(not (line.ordered_by or "").strip() for line in lines)
        found.append(Finding(code="orderer", met=None if nameless is None else not nameless, many=nameless or 0))
    return found


def names_it(profile: Profile, debtor: Debtor, line: Billed) -> bool:
    """Tell whether a line carries the number that the profile wants."""
    if profile.wants in {"order", "order_or_project"} and is_order(profile, line.purchase_order):
        return True
    if profile.wants not in {"project", "order_or_project"}:
        return False
    return any(is_project(profile, text) for text in (line.purchase_order, line.cost_centre, debtor.buyer_reference))


def is_order(profile: Profile, text: str | None) -> bool:
    """Tell whether a text can be this debtor's PO number."""
    given = (text or "").strip()
    if not given or not given.startswith(profile.order_starts or ""):
        return False
    return profile.order_digits is None or re.fullmatch(rf"[0-9]{{{profile.order_digits:d}}}", given) is not None


def is_project(profile: Profile, text: str | None) -> bool:
    """Tell whether a text can be this debtor's project number."""
    return bool(profile.project_digits and re.fullmatch(rf"[0-9]{{{profile.project_digits:d}}}", (text or "").strip()))


def _looks(profile: Profile) -> dict[str, str]:
    found = {
        "wants": profile.wants,
        "starts": profile.order_starts or "",
        "digits": str(profile.order_digits or ""),
        "project": str(profile.project_digits or ""),
    }
    return {name: text for name, text in found.items() if text}


# Words


class Said(msgspec.Struct, frozen=True):
    """A finding in words: what is asked, and what to do where it isn't so. ``where``: ``debtor``, ``lines`` or ``profile``."""

    asks: str
    mend: str
    where: str


_ASKS = {
    "address": N_("Name, address and the address for invoices are complete"),
    "legal_id": N_("A Dutch buyer's e-invoice carries its KvK number or OIN"),
    "ubl": N_("The e-invoice (UBL) comes with the PDF"),
    "one_pdf": N_("One invoice in one PDF, one mail for each"),
    "peppol": N_("The Peppol address is right: {schemes}"),
    "terms": N_("The term of payment is {days} days"),
    "buyer_reference": N_("Each invoice carries the buyer's own reference"),
    "certificate": N_("An exemption certificate is on file"),
    "vat_id": N_("The VAT id was found right"),
    "reference": N_("Each line carries {wanted}"),
    "one_order": N_("One invoice is about one PO number"),
    "orderer": N_("The name of who ordered is on the invoice"),
}
_MEND = {
    "address": N_("Fill in what is missing in the company's details."),
    "legal_id": N_("Fill in the KvK number of the company, or its OIN."),
    "ubl": N_("Turn on the e-invoice, or send by Peppol."),
    "peppol": N_("Correct the Peppol address: an OIN has 20 digits, a KvK number 8."),
    "terms": N_("Set the term to {days} days."),
    "buyer_reference": N_("Fill in the reference that the buyer wants to see."),
    "certificate": N_("Ask the organisation for its certificate and enter it."),
    "vat_id": N_("Check the VAT id. Without one that is right we charge Dutch VAT."),
    "reference": N_("Ask the company for {wanted}, and fill it in. It returns invoices without it."),
    "one_order": N_("Split this company's invoices by PO number."),
    "orderer": N_("Fill in who ordered. It returns invoices without the name."),
}
_WHERE = {"reference": "lines", "orderer": "lines", "one_order": "debtor"}


def say(finding: Finding) -> Said:
    """Return a finding in the current language. One that this code doesn't know keeps its code as its words."""
    words = {"wanted": wanted(finding.values), "days": finding.values.get("days", "")}
    if schemes := finding.values.get("schemes"):
        words["schemes"] = fmt_list([_(SCHEMES.get(scheme, scheme)) for scheme in schemes.split(",")])
    asks, mend = _ASKS.get(finding.code, finding.code), _MEND.get(finding.code, "")
    return Said(_(asks, **words), _(mend, **words) if mend else "", _WHERE.get(finding.code, "debtor"))


def says(findings: Iterable[Finding]) -> list[Said]:
    """Return findings in the current language."""
    return [say(finding) for finding in findings]


def wanted(values: dict[str, str]) -> str:
    """Say which number is wanted: "a project number of 11 digits or a PO number"."""
    wants = values.get("wants", "order")
    parts: list[str] = []
    if wants in {"project", "order_or_project"}:
        parts.append(_("a project number of {n} digits", n=values.get("project", "")))
    if wants in {"order", "order_or_project"}:
        parts.append(_order_words(values))
    return _("{one} or {other}", one=parts[0], other=parts[1]) if len(parts) == 2 else parts[0]


def _order_words(values: dict[str, str]) -> str:
    starts, digits = values.get("starts"), values.get("digits")
    if starts and digits:
        return _("a PO number of {n} digits that starts with {starts}", n=digits, starts=starts)
    if starts:
        return _("a PO number that starts with {starts}", starts=starts)
    return _("a PO number of {n} digits", n=digits) if digits else _("a PO number")
