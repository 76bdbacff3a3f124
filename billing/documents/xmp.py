"""The XMP packet of our PDFs, with or without a Factur-X invoice inside: one rdf:RDF, every property an element, and the extension schema that PDF/A wants.

WeasyPrint writes its own packet with attributes, and a second RDF for anything added; some readers then miss the invoice.
It also says that the document follows PDF/UA-1, which WeasyPrint can't say beside PDF/A: the tags are there, and tests check both.
Sources: ISO 19005-3 6.6, ISO 14289-1 5, Factur-X 1.0 chapter 6.
"""

from __future__ import annotations

from typing import NamedTuple
from xml.sax.saxutils import escape

ATTACHMENT_NAME = "factur-x.xml"
FACTURX_NAMESPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_PROPERTIES = (
    ("DocumentFileName", "The name of the embedded XML document"),
    ("DocumentType", "The type of the hybrid document in capital letters"),
    ("Version", "The version of the standard that applies to the embedded XML document"),
    ("ConformanceLevel", "The conformance level of the embedded XML document"),
)


class Packet(NamedTuple):
    """What the packet says about the document: PDF/A part and conformance, titles; ``stamp`` is an RFC 3339 instant."""

    part: str
    conformance: str
    title: str
    author: str
    subject: str
    language: str
    producer: str
    stamp: str


def write(packet: Packet, *, factur_x: bool) -> bytes:
    """Return the packet, UTF-8; with ``factur_x`` it says which invoice file is attached."""
    schema = _FACTURX_SCHEMA.format(facturx=FACTURX_NAMESPACE, properties="".join(_property(name, text) for name, text in _PROPERTIES))
    return _TEMPLATE.format(
        part=packet.part,
        conformance=packet.conformance,
        title=escape(packet.title),
        author=escape(packet.author),
        subject=escape(packet.subject),
        language=escape(packet.language),
        producer=escape(packet.producer),
        stamp=escape(packet.stamp),
        ua_properties=_property("part", "The part of PDF/UA that the document follows", kind="Integer", category="internal"),
        facturx_schema=schema if factur_x else "",
        facturx=_FACTURX.format(facturx=FACTURX_NAMESPACE, name=ATTACHMENT_NAME) if factur_x else "",
    ).encode()


def _property(name: str, description: str, *, kind: str = "Text", category: str = "external") -> str:
    return (
        '<rdf:li rdf:parseType="Resource">'
        f"<pdfaProperty:name>{name}</pdfaProperty:name>"
        f"<pdfaProperty:valueType>{kind}</pdfaProperty:valueType>"
        f"<pdfaProperty:category>{category}</pdfaProperty:category>"
        f"<pdfaProperty:description>{description}</pdfaProperty:description>"
        "</rdf:li>\n"
    )


_FACTURX_SCHEMA = """\
<rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>{facturx}</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>fx</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq>
{properties}</rdf:Seq></pdfaSchema:property>
</rdf:li>
"""
_FACTURX = """\
<rdf:Description rdf:about="" xmlns:fx="{facturx}">
<fx:DocumentType>INVOICE</fx:DocumentType>
<fx:DocumentFileName>{name}</fx:DocumentFileName>
<fx:Version>1.0</fx:Version>
<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>
</rdf:Description>
"""
_TEMPLATE = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">
<pdfaid:part>{part}</pdfaid:part>
<pdfaid:conformance>{conformance}</pdfaid:conformance>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">
<pdfuaid:part>1</pdfuaid:part>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{subject}</rdf:li></rdf:Alt></dc:description>
<dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">
<pdf:Producer>{producer}</pdf:Producer>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/">
<xmp:CreateDate>{stamp}</xmp:CreateDate>
<xmp:ModifyDate>{stamp}</xmp:ModifyDate>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" \
xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag>
<rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq>
{ua_properties}</rdf:Seq></pdfaSchema:property>
</rdf:li>
{facturx_schema}</rdf:Bag></pdfaExtension:schemas>
</rdf:Description>
{facturx}</rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""
