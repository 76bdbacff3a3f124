"""A mailbox for the whole world, on this machine: takes every mail by SMTP, keeps it as a file, shows it on a page.

For trying out and for tests; nothing leaves. The newest 1,000 mails are kept in ``home/mail``.
"""

from __future__ import annotations

import asyncio
import html
import signal
import threading
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar, cast

import msgspec
from aiosmtpd.smtp import SMTP

from marketplace.kit.ids import new_id

if TYPE_CHECKING:
    import socket
    from email.message import EmailMessage
    from pathlib import Path

    from aiosmtpd.smtp import Envelope, Session

_KEEP = 1000
_LARGEST = 50 * 1024 * 1024


class Box:
    """The mails in a folder that only this user may open, each a file named by an id that sorts by time of arrival."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's hook
        """Take one mail."""
        self.keep(cast("bytes", envelope.content))
        return "250 Kept"

    def keep(self, content: bytes) -> str:
        """Keep a mail as it came and return its id; the oldest beyond the limit go."""
        name = str(new_id())
        draft = self.folder / f"{name}.part"
        draft.write_bytes(content)
        draft.rename(self.folder / f"{name}.eml")
        for old in self.names()[_KEEP:]:
            (self.folder / f"{old}.eml").unlink(missing_ok=True)
        return name

    def names(self) -> list[str]:
        """Return the ids, newest first."""
        return sorted((path.stem for path in self.folder.glob("*.eml")), reverse=True)

    def raw(self, name: str) -> bytes | None:
        """Return a mail's bytes, or None when there is no such mail."""
        return (self.folder / f"{name}.eml").read_bytes() if name in self.names() else None


class Summary(msgspec.Struct, frozen=True):
    """A mail as the list and ``/mails.json`` show it."""

    id: str
    at: str
    sender: str
    to: str
    subject: str
    text: str


def _parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=default)


def _part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body(preferencelist=(kind,))
    return str(body.get_content()) if body is not None else ""


def summary(name: str, raw: bytes) -> Summary:
    """Return what a list needs of a mail."""
    mail = _parsed(raw)
    milliseconds = int(name.replace("-", "")[:12], 16)  # a uuid7 begins with its time
    at = datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
    return Summary(name, at, str(mail["From"]), str(mail["To"]), str(mail["Subject"]).strip(), _part(mail, "plain"))


_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { width: 100%; border-collapse: collapse; } th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid #8884; vertical-align: top; }
pre { white-space: pre-wrap; font: inherit; border: 1px solid #8884; border-radius: 6px; padding: 1rem; }
iframe { width: 100%; height: 40rem; border: 1px solid #8884; border-radius: 6px; background: #fff; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { opacity: .7; } dd { margin: 0; }
"""


def _page(title: str, body: str) -> bytes:
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/style.css">'
    return f'<!doctype html><html lang="en"><head>{head}<title>{html.escape(title)}</title></head><body>{body}</body></html>'.encode()


def list_page(box: Box) -> bytes:
    """Return the page with the newest 200 mails."""
    found = [summary(name, raw) for name in box.names()[:200] if (raw := box.raw(name)) is not None]
    rows = "".join(
        f"<tr><td>{html.escape(one.at[11:19])}</td><td>{html.escape(one.to)}</td>"
        f'<td><a href="/mails/{one.id}">{html.escape(one.subject) or "(no subject)"}</a></td></tr>'
        for one in found
    )
    if not rows:
        return _page("Mail", "<h1>Mail</h1><p>No mail yet. Place an order, and the confirmation appears here.</p>")
    head = "<tr><th>At (UTC)</th><th>To</th><th>Subject</th></tr>"
    return _page(
        "Mail", f"<h1>Mail</h1><p>Nothing here has left this machine.</p><table><thead>{head}</thead><tbody>{rows}</tbody></table>"
    )


def mail_page(name: str, raw: bytes) -> bytes:
    """Return the page of one mail: its text, its HTML in a frame that runs nothing, its attachments."""
    mail, one = _parsed(raw), summary(name, raw)
    facts = "".join(
        f"<dt>{label}</dt><dd>{html.escape(text)}</dd>" for label, text in (("From", one.sender), ("To", one.to), ("At", one.at))
    )
    files = "".join(
        f'<li><a href="/mails/{name}/files/{number}">{html.escape(part.get_filename() or part.get_content_type())}</a></li>'
        for number, part in enumerate(mail.iter_attachments())
    )
    shown = f'<h2>As HTML</h2><iframe sandbox="" title="The mail as HTML" src="/mails/{name}/html"></iframe>' if _part(mail, "html") else ""
    body = (
        f'<p><a href="/">All mail</a></p><h1>{html.escape(one.subject)}</h1><dl>{facts}</dl><pre>{html.escape(one.text)}</pre>'
        f'{f"<h2>Attachments</h2><ul>{files}</ul>" if files else ""}{shown}<p><a href="/mails/{name}/raw">As it was sent</a></p>'
    )
    return _page(one.subject, body)


def answer(box: Box, path: str) -> tuple[int, str, bytes]:
    """Return status, media type and body for a path."""
    words = [word for word in path.partition("?")[0].split("/") if word]
    if not words:
        return 200, "text/html; charset=utf-8", list_page(box)
    if words == ["style.css"]:
        return 200, "text/css", _STYLE.encode()
    if words == ["mails.json"]:
        found = [summary(name, raw) for name in box.names() if (raw := box.raw(name)) is not None]
        return 200, "application/json", msgspec.json.encode(found)
    raw = box.raw(words[1]) if words[0] == "mails" and len(words) > 1 else None
    if raw is None:
        return 404, "text/html; charset=utf-8", _page("Not here", '<h1>There is no such mail</h1><p><a href="/">All mail</a></p>')
    return _of_mail(words[1], raw, words[2:])


def _of_mail(name: str, raw: bytes, rest: list[str]) -> tuple[int, str, bytes]:
    match rest:
        case []:
            return 200, "text/html; charset=utf-8", mail_page(name, raw)
        case ["raw"]:
            return 200, "text/plain; charset=utf-8", raw
        case ["html"]:
            return 200, "text/html; charset=utf-8", _part(_parsed(raw), "html").encode()
        case ["files", number] if number.isdigit():
            parts = list(_parsed(raw).iter_attachments())
            if int(number) < len(parts):
                part = parts[int(number)]
                return 200, part.get_content_type(), part.get_payload(decode=True) or b""  # type: ignore[return-value]
        case _:
            pass
    return 404, "text/plain", b"There is no such part of this mail."


class _Handler(BaseHTTPRequestHandler):
    box: ClassVar[Box]

    def do_GET(self) -> None:
        """Answer a page; only to visitors who came by a loopback name."""
        host = self.headers.get("host", "").rsplit(":", 1)[0]
        status, media_type, body = (
            (403, "text/plain", b"Loopback only.") if host not in {"127.0.0.1", "localhost"} else answer(self.box, self.path)
        )
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src data:; frame-src 'self'")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:  # noqa: ANN401 - the standard library's signature
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listening: socket.socket, box: Box) -> None:
        super().__init__(listening.getsockname(), type("Handler", (_Handler,), {"box": box}), bind_and_activate=False)
        self.socket.close()
        self.socket = listening


async def run(smtp: socket.socket, page: socket.socket, folder: Path) -> None:
    """Take and show mail on two listening sockets until TERM or Ctrl-C."""
    box = Box(folder)
    server = _Server(page, box)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    smtp.setblocking(False)  # noqa: FBT003 - the standard library's signature
    listening = await loop.create_server(lambda: SMTP(box, data_size_limit=_LARGEST, enable_SMTPUTF8=True, hostname="localhost"), sock=smtp)
    await stop.wait()
    listening.close()
    server.shutdown()
