"""What the web kit needs from the settings, as one frozen value that is passed in; tests pass their own."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from marketplace.kit.settings import Operator

if TYPE_CHECKING:
    from marketplace.kit.settings import Settings

MEBIBYTE = 1024 * 1024


class WebConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How this web process behaves. Sizes are bytes, rates are requests a minute."""

    secret: bytes
    base_url: str = "http://127.0.0.1:8000"
    operator: Operator = Operator()
    trusted_proxies: tuple[str, ...] = ()
    theme_css: str = ""
    theme_class: str = ""
    demo: bool = False
    mail_page: str = ""
    max_body: int = MEBIBYTE
    api_per_minute: int = 3000
    debug: bool = False

    @property
    def secure(self) -> bool:
        """Whether visitors come by https, so that cookies are ``Secure`` and HSTS is sent."""
        return self.base_url.startswith("https://")

    @property
    def origin(self) -> str:
        """The scheme, host and port under which browsers know us."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    def trusts(self, address: str) -> bool:
        """Tell whether the peer is a proxy whose forwarded headers count."""
        try:
            peer = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(peer in ipaddress.ip_network(network, strict=False) for network in self.trusted_proxies)


def from_settings(loaded: Settings) -> WebConfig:
    """Return the web kit's part of the settings."""
    return WebConfig(
        secret=loaded.signing_secret.encode(),
        base_url=loaded.base_url.rstrip("/"),
        operator=loaded.operator,
        trusted_proxies=loaded.trusted_proxies,
        theme_css=loaded.theme_css,
        theme_class=loaded.theme_class,
        demo=loaded.demo,
        mail_page=loaded.mail_page,
    )
