"""Any document on paper: PDF/A-3a by WeasyPrint, an invoice's with the CII inside.

A ``Press`` is the warm part (fonts, style sheet, pictures) and lives as long as its process; the same document always gives
the same bytes. Nothing is fetched but the files beside the template.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any, NoReturn

import pydyf  # type: ignore[import-untyped]
from weasyprint import CSS, HTML, VERSION, Attachment
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from billing.documents import fonts, qr, wording, xmp
from billing.documents.views import view
from marketplace.kit.i18n import _, use_locale
from marketplace.kit.templating import TEMPLATES, environment

if TYPE_CHECKING:
    from weasyprint.document import Document

    from billing.documents.papers import AnyDocument

FOLDER = TEMPLATES / "documents"
PICTURES = ("street.svg", "parade.svg", "mark.svg")
VARIANT, ELDER = "pdf/a-3a", "pdf/a-1b"
_XREF = b"/Type /XRef"


class NotAllowed(FatalURLFetchingError):  # type: ignore[misc]
    """A document asked for something outside its own files. A ``BaseException``: WeasyPrint would swallow another."""


class OwnFiles(URLFetcher):  # type: ignore[misc]
    """Serves ``document:NAME`` from memory, and refuses everything else: no disk, no network."""

    def __init__(self, files: dict[str, bytes]) -> None:
        """Serve these files only."""
        super().__init__()
        self._files = files

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        """Return one of our files, or stop the rendering."""
        del headers
        scheme, _separator, name = url.partition(":")
        if scheme != "document" or name not in self._files:
            self._refuse(url)
        media = "image/svg+xml" if name.endswith(".svg") else "font/ttf"
        return URLFetcherResponse(url, self._files[name], {"Content-Type": media})

    def _refuse(self, url: str) -> NoReturn:
        raise NotAllowed(f"a document may not fetch {url[:200]}")


class Press:
    """Fonts, style sheet and pictures, loaded once. Not safe for threads; use one for each process."""

    def __init__(self) -> None:
        """Load everything."""
        files = fonts.cuts()
        faces = fonts.stylesheet(files)
        files |= {name: (FOLDER / name).read_bytes() for name in PICTURES}
        self._fetcher = OwnFiles(files)
        self._font_config = FontConfiguration()
        self._style = [self._css(faces), self._css((FOLDER / "document.css").read_text())]
        self._pictures: dict[str, Any] = {}
        self.missing_glyphs = ""

    def html(self, document: AnyDocument) -> str:
        """Return the page before layout, in the document's language."""
        with use_locale(document.language):
            seen = view(document)
            return (
                environment()
                .get_template(seen.template)
                .render(
                    document=document,
                    view=seen,
                    words=wording,
                    stamp=_stamp(document).strftime("%Y-%m-%dT%H:%M:%SZ"),
                    qr=qr.transfer(seen.pay, payee=seen.payee, title=_("QR code to pay this with your banking app")) if seen.pay else None,
                    address_qr=qr.address,
                )
            )

    def bare(self, document: AnyDocument) -> bytes:
        """Return the page as WeasyPrint alone makes it, an untagged PDF without attachment: what the bench compares with."""
        page = self._page(self.html(document))
        return page.write_pdf(stylesheets=self._style, font_config=self._font_config, cache=self._pictures) or b""

    def elder(self, document: AnyDocument) -> bytes:
        """Return the same page as PDF/A-1b, which checkers know that don't know PDF/A-3. It is never issued."""
        made = self._page(self.html(document)).write_pdf(
            stylesheets=self._style,
            font_config=self._font_config,
            cache=self._pictures,
            finisher=lambda laid_out, pdf: self._finish(laid_out, pdf, variant=ELDER),
            pdf_variant=ELDER,
            pdf_identifier=b"elder",
        )
        return made or b""

    def pdf(self, document: AnyDocument, *, cii: bytes | None = None) -> bytes:
        """Return the finished PDF/A-3a, of an invoice with the CII attached as ``factur-x.xml``."""
        page = self.html(document)
        made = self._page(page).write_pdf(
            stylesheets=self._style,
            font_config=self._font_config,
            cache=self._pictures,
            finisher=self._finish,
            pdf_variant=VARIANT,
            pdf_identifier=False,
            attachments=[] if cii is None else [_attachment(cii, at=_stamp(document))],
        )
        return _identified(made or b"", origin=page.encode() if cii is None else cii)

    def _css(self, text: str) -> CSS:
        return CSS(string=text, base_url="document:", url_fetcher=self._fetcher, font_config=self._font_config)

    def _page(self, html: str) -> HTML:
        return HTML(string=html, base_url="document:", url_fetcher=self._fetcher)

    def _finish(self, laid_out: Document, pdf: pydyf.PDF, *, variant: str = VARIANT) -> None:
        self.missing_glyphs = "".join(sorted({chr(code) for font in laid_out.fonts.values() for code in font.missing}))
        with_invoice = "AF" in pdf.catalog
        _opaque(pdf)
        _one_rdf(laid_out, pdf, variant=variant, factur_x=with_invoice)
        if with_invoice:
            _facturx_attachment(pdf)


def _attachment(cii: bytes, *, at: datetime) -> Attachment:
    return Attachment(
        string=cii,
        name=xmp.ATTACHMENT_NAME,
        description="Factur-X EN 16931",
        created=at,
        modified=at,
        relationship="Alternative",
    )


def _opaque(pdf: pydyf.PDF) -> None:
    """Our pictures see through nothing: without the groups that WeasyPrint puts around each, old printers need not flatten the page."""
    for made in pdf.objects:
        if isinstance(made, pydyf.Stream) and made.extra.get("Subtype") == "/Form":
            made.extra.pop("Group", None)


def _one_rdf(laid_out: Document, pdf: pydyf.PDF, *, variant: str, factur_x: bool) -> None:
    about, level = laid_out.metadata, variant.rpartition("-")[2].upper()
    packet = xmp.Packet(
        part=level[0],
        conformance=level[1],
        title=about.title or "",
        author=", ".join(about.authors),
        subject=about.description or "",
        language=about.lang or "",
        producer=f"WeasyPrint {VERSION}",
        stamp=about.created or "",
    )
    stream = _object(pdf, pdf.catalog["Metadata"])
    stream.stream = [xmp.write(packet, factur_x=factur_x)]
    stream.compress = False


def _facturx_attachment(pdf: pydyf.PDF) -> None:
    """Name the attachment text/xml, as Factur-X wants, and list it once in /AF (WeasyPrint lists it twice)."""
    references = list(dict.fromkeys(pdf.catalog["AF"]))
    pdf.catalog["AF"] = pydyf.Array(references)
    for reference in references:
        file = _object(pdf, _object(pdf, reference)["EF"]["F"])
        file.extra["Subtype"] = "/text#2fxml"


def _identified(pdf: bytes, *, origin: bytes) -> bytes:
    """Put the file identifier, which PDF/A wants, into the trailer.

    pydyf would write and compress every object a second time for it. The cross-reference stream is the last object, so nothing moves.
    """
    at = pdf.rfind(_XREF)
    if at < 0:
        raise RuntimeError("the PDF has no cross-reference stream")
    first, second = (hashlib.sha256(content).hexdigest()[:32] for content in (origin, pdf))
    return b"%b/ID [<%b> <%b>] %b" % (pdf[:at], first.encode(), second.encode(), pdf[at:])


def _object(pdf: pydyf.PDF, reference: bytes) -> Any:  # noqa: ANN401 - pydyf's objects have no common type
    return pdf.objects[int(reference.split()[0])]


def _stamp(document: AnyDocument) -> datetime:
    return datetime.combine(document.dated_on, time(), UTC)
