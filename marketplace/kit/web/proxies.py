"""Forwarded headers count only from configured proxies; from anybody else they are as if never sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from litestar.types import Scope

    from marketplace.kit.web.config import WebConfig


def apply(scope: Scope, config: WebConfig) -> None:
    """Set the scope's client and scheme from ``X-Forwarded-For`` and ``-Proto`` when the peer is a trusted proxy.

    The client is the last address in the list that isn't itself a trusted proxy.
    """
    client = scope.get("client")
    if not config.trusted_proxies or client is None or not config.trusts(client[0]):
        return
    forwarded = {name: value.decode("latin-1") for name, value in scope["headers"] if name.startswith(b"x-forwarded-")}
    hops = [hop.strip() for hop in forwarded.get(b"x-forwarded-for", "").split(",") if hop.strip()]
    for hop in reversed(hops):
        scope["client"] = (hop, 0)
        if not config.trusts(hop):
            break
    scheme = forwarded.get(b"x-forwarded-proto", "").split(",")[-1].strip()
    if scheme in {"http", "https"}:
        scope["scheme"] = scheme
