"""Which column of a staff file is which field: Dutch and English headers as HR systems write them. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from marketplace.kit.i18n import N_, _
from marketplace.people import names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketplace.people.staff_files import StaffTable

FULL_NAME = "full_name"
FIELDS = {
    "personnel_number": N_("Personnel number"),
    "given_name": N_("First name"),
    "infix": N_("Infix (van, de)"),
    "family_name": N_("Family name"),
    FULL_NAME: N_("Whole name"),
    "email": N_("E-mail address"),
    "department": N_("Department"),
    "cost_centre": N_("Cost centre"),
    "start_on": N_("First day of work"),
    "language": N_("Language of mails"),
    "level": N_("Level of Dutch"),
}
_SYNONYMS = {
    "personnel_number": "medewerker medewerkernummer medewerkersnummer medewerkernr medewerkerid personeelsnummer personeelsnr personeelnummer"
    " werknemer werknemernummer werknemersnummer registratienummer stamnummer employee employeeid employeenumber employeeno empid staffid"
    " staffnumber personnelnumber personnelno personnelid workerid payrollnumber",
    "given_name": "roepnaam voornaam voornamen firstname givenname forename preferredfirstname legalfirstname calledname",
    "infix": "tussenvoegsel tussenvoegsels voorvoegsel voorvoegsels infix prefix lastnameprefix middlename nameprefix vvg",
    "family_name": "achternaam familienaam geboortenaam lastname familyname surname legallastname",
    "email": "email mail emailadres emailaddress emailwerk werkemail workemail primaryworkemail emailzakelijk zakelijkemail businessemail"
    " emailbusiness companyemail mailadres",
    "department": "afdeling afdelingnaam afdelingsnaam organisatorischeeenheid organisatieeenheid team department departmentname dept"
    " supervisoryorganization organisation organization organizationalunit orgunit division",
    "cost_centre": "kostenplaats kostenplaatscode kostenplaatsnummer kpl costcentre costcenter costcentrecode costcentercode costcenterid",
    "start_on": "datumindienst indienst indienstdatum indiensttreding datumindiensttreding startdatum begindatum start startdate hiredate"
    " dateofhire joindate joiningdate employmentdate originalhiredate firstday firstdayofwork startingdate",
    "language": "taal voorkeurstaal correspondentietaal language preferredlanguage correspondencelanguage lang taalcode",
    "level": "niveau taalniveau niveaunederlands level dutchlevel cefr cefrlevel levelofdutch",
}
_BY_HEADER = {word: field for field, words in _SYNONYMS.items() for word in words.split()}
_SOME_NAME = frozenset(
    [
        "naam",
        "name",
        "preferredname",
        "volledigenaam",
        "fullname",
        "weergavenaam",
        "displayname",
        "legalname",
        "employeename",
        "naammedewerker",
        "wholename",
    ]
)


class Choices(msgspec.Struct, frozen=True, omit_defaults=True):
    """How to read a file, where HR says otherwise: a field (or "") per column, and ``dmy`` or ``mdy`` for its dates."""

    fields: tuple[str, ...] = ()
    date_order: str = ""


AS_READ = Choices()


def mapping(table: StaffTable, choices: Choices = AS_READ) -> tuple[str, ...]:
    """Return the field of each column, "" for one that is not used. A field is taken from one column at most."""
    if len(choices.fields) == table.columns:
        return _once(choices.fields)
    return _once(_of_headers(table.header) if table.header else _of_cells(table))


def label(field: str) -> str:
    """Return what a field is called on pages."""
    return _(FIELDS[field]) if field else _("Not used")


def headers(table: StaffTable) -> list[str]:
    """Return the columns' own headers, or ``Column 1`` where the file has none."""
    return [(table.header[at] if at < len(table.header) else "") or _("Column {n}", n=at + 1) for at in range(table.columns)]


def missing(mapped: Sequence[str]) -> list[str]:
    """Return sentences about what no column says and every person needs."""
    found = []
    if FULL_NAME not in mapped and not {"given_name", "family_name"} <= set(mapped):
        found.append(_("Say which column has the name."))
    if "email" not in mapped and "personnel_number" not in mapped:
        found.append(_("Say which column has the e-mail address or the personnel number."))
    return found


def _of_headers(header: tuple[str, ...]) -> list[str]:
    plain = [re.sub(r"[^a-z0-9]", "", names.fold(text)) for text in header]
    found = [_BY_HEADER.get(text, "") for text in plain]
    for at, text in enumerate(plain):
        if text in _SOME_NAME:
            found[at] = _some_name(found)
    return found


def _some_name(found: list[str]) -> str:
    """Return what a column "Name" is, beside the name columns that are known: the part that is still missing."""
    given, family = "given_name" in found, "family_name" in found
    if given and family:
        return ""
    if family:
        return "given_name"
    return "family_name" if given else FULL_NAME


def _of_cells(table: StaffTable) -> list[str]:
    """Guess the columns of a file without header, from its first lines: the address, the name before all else."""
    found = [""] * table.columns
    for row in table.rows[:5]:
        for at, cell in enumerate(row.cells[: table.columns]):
            if "@" in cell and "email" not in found:
                found[at] = "email"
            elif " " in cell and cell.replace(" ", "").isalpha() and FULL_NAME not in found:
                found[at] = FULL_NAME
    return found


def _once(fields: Sequence[str]) -> tuple[str, ...]:
    seen: set[str] = set()
    kept = []
    for field in fields:
        good = field in FIELDS and field not in seen
        seen.add(field)
        kept.append(field if good else "")
    return tuple(kept)
