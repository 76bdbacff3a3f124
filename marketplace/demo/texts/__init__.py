"""The programmes of the demo, in both languages. Names of people and firms are made up; titles and prices could be real."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketplace.demo.texts import career, culture, dutch, languages, welcome

if TYPE_CHECKING:
    from marketplace.demo.course import Course

COURSES: tuple[Course, ...] = (*dutch.COURSES, *languages.COURSES, *culture.COURSES, *career.COURSES, *welcome.COURSES)
