"""The document on paper: PDF/A-3a by WeasyPrint, with the CII inside.

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
from marketplace.kit.i18n import _, fmt_date, n_, use_locale
from marketplace.kit.templating import TEMPLATES, environment

if TYPE_CHECKING:
    from weasyprint.document import Document

    from billing.documents.model import InvoiceDocument

FOLDER = TEMPLATES / "documents"
PICTURES = ("street.svg", "mark.svg")
VARIANT = "pdf/a-3a"
ISO_GROUP = 4
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
        self._template = environment().get_template("documents/invoice.html")
        self.missing_glyphs = ""

    def html(self, document: InvoiceDocument) -> str:
        """Return the page before layout, in the document's language."""
        with use_locale(document.language):
            title = _("Credit note") if document.is_credit else _("Invoice")
            orders = {line.order_number for line in document.lines if line.order_number}
            return self._template.render(
                document=document,
                title=title,
                words=wording,
                facts=_facts(document),
                stamp=_stamp(document).strftime("%Y-%m-%dT%H:%M:%SZ"),
                qr=qr.svg(document, title=_("QR code to pay this invoice with your banking app")),
                iban=_grouped(document.seller.iban),
                country=wording.country(document.buyer.address.country),
                many_orders=len(orders) > 1,
            )

    def layout(self, document: InvoiceDocument) -> Document:
        """Return the laid-out pages."""
        return self._html(document).render(stylesheets=self._style, font_config=self._font_config, cache=self._pictures)

    def bare(self, document: InvoiceDocument) -> bytes:
        """Return the page as WeasyPrint alone makes it, an untagged PDF without attachment: what the bench compares with."""
        page = self._html(document)
        made = page.write_pdf(stylesheets=self._style, font_config=self._font_config, cache=self._pictures)
        return made or b""

    def pdf(self, document: InvoiceDocument, *, cii: bytes) -> bytes:
        """Return the finished PDF/A-3a with the CII attached as ``factur-x.xml``."""
        moment = _stamp(document)
        attachment = Attachment(
            string=cii,
            name=xmp.ATTACHMENT_NAME,
            description="Factur-X EN 16931",
            created=moment,
            modified=moment,
            relationship="Alternative",
        )
        made = self._html(document).write_pdf(
            stylesheets=self._style,
            font_config=self._font_config,
            cache=self._pictures,
            finisher=self._finish,
            pdf_variant=VARIANT,
            pdf_identifier=False,
            attachments=[attachment],
        )
        return _identified(made or b"", origin=cii)

    def _css(self, text: str) -> CSS:
        return CSS(string=text, base_url="document:", url_fetcher=self._fetcher, font_config=self._font_config)

    def _html(self, document: InvoiceDocument) -> HTML:
        return HTML(string=self.html(document), base_url="document:", url_fetcher=self._fetcher)

    def _finish(self, laid_out: Document, pdf: pydyf.PDF) -> None:
        self.missing_glyphs = "".join(sorted({chr(code) for font in laid_out.fonts.values() for code in font.missing}))
        _one_rdf(laid_out, pdf)
        _facturx_attachment(pdf)


def _one_rdf(laid_out: Document, pdf: pydyf.PDF) -> None:
    about = laid_out.metadata
    packet = xmp.Packet(
        title=about.title or "",
        author=", ".join(about.authors),
        subject=about.description or "",
        language=about.lang or "",
        producer=f"WeasyPrint {VERSION}",
        stamp=about.created or "",
    )
    stream = _object(pdf, pdf.catalog["Metadata"])
    stream.stream = [xmp.write(packet)]
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


def _stamp(document: InvoiceDocument) -> datetime:
    return datetime.combine(document.dated_on, time(), UTC)


def _grouped(iban: str) -> str:
    packed = iban.replace(" ", "")
    return " ".join(packed[at : at + ISO_GROUP] for at in range(0, len(packed), ISO_GROUP))


def _facts(document: InvoiceDocument) -> list[tuple[str, str]]:
    """Return the references at the top right, without those that are empty."""
    reverse = any(total.category == "AE" for total in document.vat)
    supply = document.supply
    credited = ", ".join(f"{it.number} ({fmt_date(it.dated_on, 'medium')})" for it in document.credits)
    rows = [
        (_("Date") if document.is_credit else _("Invoice date"), fmt_date(document.dated_on, "long")),
        (_("Due date"), fmt_date(document.due_on, "long") if document.due_on else ""),
        (_("Credits invoice"), credited),
        (_("Your PO number"), document.purchase_order),
        (_("Your reference"), document.buyer_reference),
        (_("Cost centre"), document.cost_centre),
        (_("Ordered by"), document.ordered_by),
        (n_("Our order", "Our orders", len(document.order_numbers)), wording.orders(document.order_numbers)),
        (_("Your VAT number"), document.buyer.vat_id if reverse else ""),
        (_("Delivered on"), "" if supply else fmt_date(document.dated_on, "long")),
    ]
    return [(label, value) for label, value in rows if value]
