"""Forms as a browser sees them, and what careless or hostile people send with them: Hypothesis makes it, from a fixed seed."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from lxml import html

_TYPED = {"text", "email", "search", "tel", "url", "number", "date", "datetime-local", "time", "textarea", "month"}
_HUGE = "Ω" * 20_000
_STRANGE = [
    "", " ", "\0", "a\0b", _HUGE, "-1", "0", "99999999999999999999", "1e308", "NaN", "٣", "2027-02-30", "31-02-2027", "0000-01-01", "9999-12-31",
    "9999-12-31T23:59", "00000000-0000-0000-0000-000000000000", "not-a-uuid", "'; DROP TABLE seat; --", "<script>alert(1)</script>", "{{ 7 * 7 }}",
    "%s%n", "\u202eevil", "Zoë Nguyễn Thị Ánh", "👩‍🏫", "a@b", "=1+1", "\r\nBcc: x@y.example", "../../etc/passwd", "\ud7ff", "\ufeff", "١٢:٣٠", "645,50", "-0,01",
]  # fmt: skip


class Control(NamedTuple):
    """One field: its name, what kind it is, and the values that it may have by itself."""

    name: str
    kind: str
    values: tuple[str, ...]


class Sheet(NamedTuple):
    """One POST form of a page."""

    action: str
    page: str
    controls: tuple[Control, ...]


def sheets(page: str, text: str) -> list[Sheet]:
    """Return the POST forms of a page."""
    forms = [form for form in html.fromstring(text).xpath("//form") if (form.get("method") or "get").lower() == "post"]
    return [Sheet(_local(form.get("action") or page), page, tuple(_controls(form))) for form in forms]


def _local(action: str) -> str:
    return action.split("?", maxsplit=1)[0]


def _controls(form: Any) -> list[Control]:
    made: dict[str, Control] = {}
    owner = form.get("id")
    outside = form.getroottree().xpath("//*[@form=$id]", id=owner) if owner else []
    for field in [*form.xpath(".//input|.//select|.//textarea|.//button"), *outside]:
        name = field.get("name")
        if not name or name == "_csrf":
            continue
        kind = field.tag if field.tag in {"select", "textarea", "button"} else (field.get("type") or "text")
        values = tuple(option.get("value") or "" for option in field.xpath(".//option")) if kind == "select" else (_value(field, kind),)
        before = made.get(name)
        made[name] = Control(name, before.kind if before else kind, (before.values if before else ()) + values)
    return list(made.values())


def _value(field: Any, kind: str) -> str:
    return (field.text or "") if kind == "textarea" else (field.get("value") or ("on" if kind in {"checkbox", "radio"} else ""))


def _plausible(control: Control) -> str:
    by_name = {
        "email": "maria@post.example",
        "password": "a long new sentence",
        "country": "NL",
        "postcode": "2311 CS",
        "start_on": "2027-01-18",
        "reason": "Ill",
    }
    given_value = next((value for value in control.values if value), "")
    by_kind = {"date": "2027-01-18", "datetime-local": "2027-01-18T10:00", "time": "10:00", "number": "8", "email": "maria@post.example"}
    return given_value or by_name.get(control.name) or by_kind.get(control.kind) or "Maria"


_TEXT = st.one_of(st.sampled_from(_STRANGE), st.text(max_size=40), st.from_regex(r"[0-9]{1,4}[-/:.,][0-9]{1,4}", fullmatch=True))


@st.composite
def _post(draw: st.DrawFn, sheet: Sheet) -> list[tuple[str, str]]:
    sent: list[tuple[str, str]] = []
    for control in sheet.controls:
        right = _plausible(control)
        what = draw(st.sampled_from(["right", "right", "right", "strange", "strange", "missing", "twice"]))
        if what == "right":
            sent.append((control.name, right))
        elif what == "strange":
            sent.append((control.name, draw(_TEXT)))
        elif what == "twice":
            sent += [(control.name, right), (control.name, draw(_TEXT))]
    if draw(st.booleans()):
        sent.append((draw(st.sampled_from(["", "id", "company_id", "roles", "__class__", "state", "n" * 500])), draw(_TEXT)))
    return draw(st.permutations(sent))


def posts(sheet: Sheet, count: int) -> list[list[tuple[str, str]]]:
    """Return what is sent with a form, the same at every run."""
    made: list[list[tuple[str, str]]] = []

    @seed(20261123)
    @settings(max_examples=count, database=None, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
    @given(_post(sheet))
    def collect(sent: list[tuple[str, str]]) -> None:
        made.append(sent)

    collect()
    return made[:count]


def lost(sheet: Sheet, sent: list[tuple[str, str]], answer: str) -> list[str]:
    """Return the typed fields whose value is not in the page that shows the form again."""
    shown = {form.action: {control.name: control for control in form.controls} for form in sheets(sheet.page, answer)}
    fields = shown.get(sheet.action)
    if fields is None:
        return ["the form itself"]
    last = dict(sent)
    missing = []
    for control in sheet.controls:
        value = last.get(control.name)
        if value is None or control.kind not in _TYPED or not _can_be_shown(value):
            continue
        again = fields.get(control.name)
        if again is None or " ".join(again.values[-1].split()) != " ".join(value.split()):
            missing.append(f"{control.name}={value[:30]!r}")
    return missing


def _can_be_shown(value: str) -> bool:
    return value.isprintable() and value == value.strip() and "\ufeff" not in value
