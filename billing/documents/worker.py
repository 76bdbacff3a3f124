"""The process that makes documents: ``python -m billing.documents.worker``.

It reads documents from stdin and answers on stdout (``frames``), and ends when stdin does, so it never outlives the process that
started it, not even one that was killed. It knows no database, no settings and no secrets.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import msgspec

from billing.documents import finished
from billing.documents.frames import Answer, receive, send
from billing.documents.model import InvoiceDocument
from billing.documents.papers import AnyDocument

if TYPE_CHECKING:
    from billing.documents.pdf import Press


def main() -> None:
    """Warm up, say so with an empty frame, then answer one document at a time until stdin ends."""
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not land between the frames
    press = finished.press()
    decoder = msgspec.msgpack.Decoder[AnyDocument](AnyDocument)
    send(channel, b"")
    while (frame := receive(sys.stdin.buffer)) is not None:
        send(channel, msgspec.msgpack.encode(_answer(frame, decoder, press)))


def _answer(frame: bytes, decoder: msgspec.msgpack.Decoder[AnyDocument], press: Press) -> Answer:
    try:
        document = decoder.decode(frame)
        if not isinstance(document, InvoiceDocument):
            return Answer(pdf=press.pdf(document), missing_glyphs=press.missing_glyphs)
        rendered = finished.make(document, press=press)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - WeasyPrint's refusals are BaseExceptions; the asker decides
        return Answer(error=f"{type(error).__name__}: {error}")
    return Answer(rendered=rendered, missing_glyphs=press.missing_glyphs)


if __name__ == "__main__":
    main()
