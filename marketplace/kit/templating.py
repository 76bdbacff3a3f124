"""The one Jinja environment, for pages, mails and documents alike.

Words and formats come from ``i18n`` in the locale of the moment; undefined names are errors, never blanks.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from marketplace.kit import clock, i18n, svg

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


class _Undefined(StrictUndefined):
    """Undefined names are errors; only ``{% if caller %}`` may ask whether a macro was called with a body."""

    def __bool__(self) -> bool:  # type: ignore[override]
        if self._undefined_name == "caller":
            return False
        return super().__bool__()


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the shared environment; ``kit.web`` adds what only pages need."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(("html", "xml", "svg")),
        undefined=_Undefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    names = ("fmt_money", "fmt_date", "fmt_time", "fmt_datetime", "fmt_range", "n_", "current_locale")
    made.globals.update({name: getattr(i18n, name) for name in names})
    made.globals.update({"_": i18n._, "local": clock.local, "svg": svg.NAMESPACE})
    return made


def render_text(template: str, **context: object) -> str:
    """Render a template to text in the current locale."""
    return environment().get_template(template).render(**context)
