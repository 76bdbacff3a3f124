"""An uploaded bank file's bytes: one XML document, or a zip of them, within limits that a bomb can't pass. Nothing is written to disk."""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib

from marketplace.kit.errors import Invalid
from marketplace.kit.i18n import _

MAX_BYTES = 10_000_000
MAX_UNPACKED = 40_000_000
MAX_FILES = 200
_ZIP = b"PK\x03\x04"


def refused(code: str, sentence: str, mend: str) -> Invalid:
    """Return the refusal of a file: what is wrong with it and what to do, on the form's field."""
    return Invalid(code, sentence, next_step=mend, fields={"file": f"{sentence} {mend}"})


def documents(content: bytes) -> list[bytes]:
    """Return the XML documents of an upload, in the order of their names. Pure.

    Raises ``Invalid`` for an empty, too large, encrypted or broken file, and for a zip without XML.
    """
    if not content.strip():
        raise refused("bank_file_empty", _("This file is empty."), _("Download the statement from your bank again."))
    if len(content) > MAX_BYTES:
        raise _too_large()
    return _unzipped(content) if content.startswith(_ZIP) else [content]


def _unzipped(content: bytes) -> list[bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = sorted((one for one in archive.infolist() if _is_xml(one)), key=lambda one: one.filename)
            if not inside:
                raise refused(
                    "bank_file_no_xml", _("There is no XML file in this zip."), _("Choose CAMT.053 when you download from your bank.")
                )
            if len(inside) > MAX_FILES or sum(one.file_size for one in inside) > MAX_UNPACKED:
                raise _too_large()
            return _read(archive, inside)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, EOFError, OSError) as broken:
        raise refused(
            "bank_file_broken", _("This zip can't be opened."), _("Unpack it yourself and send the XML files, or download it again.")
        ) from broken


def _is_xml(one: zipfile.ZipInfo) -> bool:
    return one.filename.lower().endswith(".xml") and not one.is_dir() and not one.filename.startswith("__MACOSX/")


def _read(archive: zipfile.ZipFile, inside: list[zipfile.ZipInfo]) -> list[bytes]:
    """Read the members, counting what really comes out: a zip may lie about its sizes."""
    found, left = [], MAX_UNPACKED
    for one in inside:
        with archive.open(one) as member:
            text = member.read(left + 1)
        left -= len(text)
        if left < 0:
            raise _too_large()
        found.append(text)
    return found


def _too_large() -> Invalid:
    return refused(
        "bank_file_too_large",
        _("This file is larger than {size} MB.", size=MAX_BYTES // 1_000_000),
        _("Download a shorter period and send the files one by one."),
    )
