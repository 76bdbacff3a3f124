"""Our own stylesheet, script and pictures: from memory, with a hash in the address so that browsers keep them a year."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from pathlib import Path
from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromPath, FromQuery

from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import _
from marketplace.kit.web import minify
from marketplace.kit.web.types import WebRequest

ROOT = Path(__file__).resolve().parents[2] / "static"
_PACKED = (".css", ".js", ".svg", ".json", ".txt")


class _File(msgspec.Struct, frozen=True):
    path: Path
    stamp: tuple[int, int]
    content: bytes
    packed: bytes | None
    version: str
    media_type: str


_files: dict[str, _File] = {}


def _find(name: str) -> _File | None:
    """Return a file as it is on disk now; read again only when it changed."""
    known = _files.get(name)
    try:
        path = known.path if known else (ROOT / name).resolve()
        if known is None and not (path.is_relative_to(ROOT) and path.is_file()):
            return None
        stat = path.stat()
    except (OSError, ValueError):  # gone, or a name that no file can have
        return None
    stamp = (stat.st_mtime_ns, stat.st_size)
    if known is None or known.stamp != stamp:
        content = path.read_bytes()
        if path.suffix == ".css":
            content = minify.css(content.decode()).encode()
        packed = gzip.compress(content, 9, mtime=0) if path.suffix in _PACKED else None
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        known = _File(path, stamp, content, packed, hashlib.sha256(content).hexdigest()[:12], media_type)
        _files[name] = known
    return known


def asset(name: str) -> str:
    """Return the address of a static file, with its hash; a name that doesn't exist stays plain, and answers 404."""
    found = _find(name)
    return f"/static/{name}?v={found.version}" if found else f"/static/{name}"


@get("/static/{name:path}", opt={"access": "public"}, include_in_schema=False)
async def serve(request: WebRequest, name: FromPath[str], v: FromQuery[str | None] = None) -> Response[bytes]:
    """Answer a static file; for ever when the address has its hash, else for five minutes."""
    found = _find(str(name).lstrip("/"))
    if found is None:
        raise NotFound("not_found", _("There is nothing here."))
    lifetime = "public, max-age=31536000, immutable" if v == found.version else "public, max-age=300"
    headers: dict[str, Any] = {"Cache-Control": lifetime, "Vary": "Accept-Encoding"}
    content = found.content
    if found.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        content, headers["Content-Encoding"] = found.packed, "gzip"
    return Response(content=content, media_type=found.media_type, headers=headers)


HANDLERS = [serve]
