"""What the operator can set: environment variables, optionally from a ``.env`` file, read once into frozen Structs.

A wrong value, or a ``MARKETPLACE_*`` variable that nobody knows, stops the program with one sentence. Nothing here
opens files (but ``.env`` and the signing secret), the network or the database.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints
from urllib.parse import urlsplit

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "MARKETPLACE_"
_LIVE_KEYS = ("sk_live_", "rk_live_")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class SettingsError(Exception):
    """A setting can't be used; the message is one sentence that says what to change."""


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """Who sells: printed on pages, invoices and mails. The defaults are the demo's."""

    name: str = "Expat Centre Leiden"
    address: str = "Stationsweg 41, 2312 AV Leiden, Netherlands"
    street: str = "Stationsweg 41"
    postcode: str = "2312 AV"
    city: str = "Leiden"
    country: str = "NL"
    vat_id: str = "NL000099998B57"
    kvk: str = "90000011"
    iban: str = "NL02ABNA0123456789"
    bic: str = "ABNANL2A"
    email: str = "welcome@ecl.example"
    phone: str = "+31 71 000 0000"
    website: str = "https://ecl.example"
    logo: str = ""


class Smtp(msgspec.Struct, frozen=True, kw_only=True):
    """Where mail leaves, and how many seconds its server may take. An empty host means that no mail server was set."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False
    timeout: int = 20
    sender: str = "Expat Centre Leiden <no-reply@ecl.example>"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The effective settings of this process. Sizes are counts, times are seconds."""

    operator: Operator = Operator()
    smtp: Smtp = Smtp()
    database_url: str = ""
    pool_size: int = 10
    base_url: str = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: int = 8000
    processes: int = 1
    trusted_proxies: tuple[str, ...] = ()
    home: Path = ROOT / "var"
    secret: str = ""
    demo: bool = True
    live: bool = False
    stripe_api_key: str = ""
    stripe_webhook_secret: str = ""
    stripe_base: str = ""
    stripe_sepa_debit: bool = False
    vat_rules: str = ""
    vies: str = ""
    vies_base: str = "https://ec.europa.eu/taxation_customs/vies/rest-api"
    vies_timeout: int = 10
    vat_proof_days: int = 30
    peppol_url: str = ""
    peppol_token: str = ""
    peppol_timeout: int = 20
    clock_shift: int = 0
    theme_css: str = ""
    theme_class: str = ""
    mail_page: str = ""
    log_level: str = "INFO"
    pg_bin: str = ""

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies are ``Secure`` and carry ``__Host-``: only when visitors come by https."""
        return self.base_url.startswith("https://")

    @property
    def signing_secret(self) -> str:
        """The key for signatures (CSRF tokens, cursors): the setting, else one kept in the home directory."""
        return self.secret or _kept_secret(self.home)

    @property
    def vies_adapter(self) -> str:
        """Who is asked about VAT ids: ``live`` the Commission's VIES, ``offline`` nobody (the default where no real money moves)."""
        return self.vies or ("live" if self.live else "offline")

    @property
    def access_point(self) -> tuple[str, str]:
        """The address and the token of the Peppol access point: the setting's, else the stand-in beside the sandbox; empty for none."""
        if self.peppol_url or not self.stripe_base or self.live:
            return self.peppol_url.rstrip("/"), self.peppol_token
        return f"{self.stripe_base.rstrip('/')}/access-point", "stand-in"

    @property
    def uses_real_stripe(self) -> bool:
        """Whether payments go to Stripe itself and not to our sandbox."""
        return bool(self.stripe_api_key) and not self.stripe_base


class Variable(msgspec.Struct, frozen=True):
    """One environment variable: where it lands and how it is written."""

    name: str
    group: str
    field: str
    kind: Any
    default: Any

    @property
    def is_secret(self) -> bool:
        """Whether its value must not be printed."""
        return self.field in {"password", "secret", "stripe_api_key", "stripe_webhook_secret", "peppol_token"}


_PLAIN = {
    "database_url": "DATABASE_URL",
    "stripe_api_key": "STRIPE_API_KEY",
    "stripe_webhook_secret": "STRIPE_WEBHOOK_SECRET",
    "port": "PORT",
    "pg_bin": "PG_BIN",
}
_ALSO = {"THEME_CSS": "MARKETPLACE_THEME_CSS", "THEME_CLASS": "MARKETPLACE_THEME_CLASS", "MARKETPLACE_DATABASE_URL": "DATABASE_URL"}
# Read elsewhere: which file to read instead of .env, and what the tests are told.
_ENV_FILE = "MARKETPLACE_ENV"
_TESTS = "MARKETPLACE_TEST_"


def variables() -> Iterator[Variable]:
    """Every variable, in the order in which ``doctor`` shows them."""
    for group, struct in (("", Settings), ("operator", Operator), ("smtp", Smtp)):
        kinds = get_type_hints(struct)
        for field in msgspec.structs.fields(struct):
            if field.name in {"operator", "smtp"}:
                continue
            stem = f"{group}_{field.name}" if group else field.name
            name = PREFIX + stem.upper() if group else _PLAIN.get(field.name, PREFIX + stem.upper())
            yield Variable(name, group, field.name, kinds[field.name], field.default)


@dataclass
class _Source:
    """Where the next ``settings()`` reads from: the process's environment unless a test says otherwise."""

    environ: Mapping[str, str] | None = None


_source = _Source()


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return the settings, read at the first call. Raises ``SettingsError``."""
    return load(effective_environment() if _source.environ is None else _source.environ)


def reload(environ: Mapping[str, str] | None = None) -> Settings:
    """Forget what was read and read again: from ``environ`` (tests), or from the process's environment and ``.env``."""
    _source.environ = environ
    settings.cache_clear()
    return settings()


def effective_environment() -> dict[str, str]:
    """Return the process's environment over the lines of ``.env`` (or of the file that ``MARKETPLACE_ENV`` names)."""
    named = os.environ.get(_ENV_FILE)
    path = ROOT / ".env" if named is None else Path(named)
    if named and not path.is_file():
        message = f"{_ENV_FILE} names {named}, which is not a file: correct the path, or unset the variable."
        raise SettingsError(message)
    return {**(_env_file(path) if path.is_file() else {}), **os.environ}


def _env_file(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = raw.strip().removeprefix("export ").strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            message = f"Line {number} of {path.name} has no “=”: write it as NAME=value."
            raise SettingsError(message)
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        found[name.strip()] = value
    return found


def load(environ: Mapping[str, str]) -> Settings:
    """Return the settings that an environment describes, checked. Raises ``SettingsError``."""
    known = {variable.name: variable for variable in variables()}
    given = {_ALSO.get(name, name): value for name, value in environ.items() if name in known or name in _ALSO}
    for name in sorted(environ):
        elsewhere = name in _ALSO or name == _ENV_FILE or name.startswith(_TESTS)
        if name.startswith(PREFIX) and name not in known and not elsewhere:
            raise SettingsError(_unknown(name, list(known)))
    groups: dict[str, dict[str, object]] = {"": {}, "operator": {}, "smtp": {}}
    for name, raw in given.items():
        if raw == "" and known[name].kind is not str:
            continue
        groups[known[name].group][known[name].field] = _value(known[name], raw)
    own = groups[""]
    own.setdefault("base_url", f"http://127.0.0.1:{own.get('port', 8000)}")
    operator = msgspec.structs.replace(Operator(), **_with_address(groups["operator"]))
    loaded = Settings(operator=operator, smtp=Smtp(**groups["smtp"]), **own)  # type: ignore[arg-type]
    _check(loaded)
    return loaded


def _with_address(given: dict[str, object]) -> dict[str, Any]:
    if "address" not in given and given.keys() & {"street", "postcode", "city"}:
        parts = {**msgspec.structs.asdict(Operator()), **given}
        return {**given, "address": f"{parts['street']}, {parts['postcode']} {parts['city']}"}
    return given


def _unknown(name: str, known: list[str]) -> str:
    stems = {one.removeprefix(PREFIX): one for one in known}
    near = difflib.get_close_matches(name.removeprefix(PREFIX), stems, n=1, cutoff=0.6)
    mend = f"did you mean {stems[near[0]]}?" if near else "remove it, or run “marketplace doctor” for the list of settings."
    return f"{name} is not a setting: {mend}"


def _value(variable: Variable, raw: str) -> object:
    kind = variable.kind
    if kind is str:
        return raw.strip()
    if kind is Path:
        return Path(raw).expanduser().absolute()
    if kind is bool:
        if raw.lower() in {"1", "true", "yes", "on"}:
            return True
        if raw.lower() in {"0", "false", "no", "off"}:
            return False
        message = f"{variable.name} is “{raw}”: write 1 or 0."
        raise SettingsError(message)
    if kind is int:
        try:
            return int(raw)
        except ValueError:
            message = f"{variable.name} is “{raw}”: write a whole number, for example {variable.default}."
            raise SettingsError(message) from None
    return tuple(part.strip() for part in raw.split(",") if part.strip())


def _check(loaded: Settings) -> None:
    complaint = _complaint(loaded)
    if complaint:
        raise SettingsError(complaint)


def _complaint(loaded: Settings) -> str | None:
    address = urlsplit(loaded.base_url)
    if address.scheme not in {"http", "https"} or not address.hostname or address.path.strip("/"):
        return f"MARKETPLACE_BASE_URL is “{loaded.base_url}”: write it as https://shop.example.org, without a path."
    if not 0 < loaded.port < 65536:
        return f"PORT is {loaded.port}: choose one between 1 and 65535."
    if loaded.pool_size < 1 or loaded.processes < 1:
        return "MARKETPLACE_POOL_SIZE and MARKETPLACE_PROCESSES must be at least 1."
    for proxy in loaded.trusted_proxies:
        try:
            ipaddress.ip_network(proxy, strict=False)
        except ValueError:
            return f"MARKETPLACE_TRUSTED_PROXIES has “{proxy}”: write addresses or networks, as in 10.0.0.5,192.168.0.0/24."
    if loaded.database_url and not loaded.database_url.startswith(("postgresql://", "postgres://")):
        return "DATABASE_URL must start with postgresql:// (PostgreSQL is the only database this program runs on)."
    if loaded.smtp.starttls and loaded.smtp.tls:
        return "MARKETPLACE_SMTP_STARTTLS and MARKETPLACE_SMTP_TLS exclude each other: keep one."
    return _money_complaint(loaded) or _stripe_complaint(loaded)


def _money_complaint(loaded: Settings) -> str | None:
    if loaded.vies not in {"", "live", "offline"}:
        return f"MARKETPLACE_VIES is “{loaded.vies}”: write live or offline."
    if loaded.live and loaded.vies == "offline":
        return "MARKETPLACE_VIES=offline invents answers about VAT ids: remove it where real money moves."
    if loaded.vat_proof_days < 1 or loaded.vies_timeout < 1 or loaded.peppol_timeout < 1:
        return "MARKETPLACE_VAT_PROOF_DAYS, MARKETPLACE_VIES_TIMEOUT and MARKETPLACE_PEPPOL_TIMEOUT must be at least 1."
    if loaded.peppol_url and not loaded.peppol_url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        return "MARKETPLACE_PEPPOL_URL must start with https:// (invoices go there)."
    if loaded.peppol_url and not loaded.peppol_token:
        return "MARKETPLACE_PEPPOL_URL is set without MARKETPLACE_PEPPOL_TOKEN: copy the token from the access point."
    return None


def _stripe_complaint(loaded: Settings) -> str | None:
    key = loaded.stripe_api_key
    if key.startswith(_LIVE_KEYS) and not loaded.live:
        return "STRIPE_API_KEY is a live key: set MARKETPLACE_LIVE=1 to move real money, or use a key that starts with sk_test_."
    if key.startswith(_LIVE_KEYS) and loaded.stripe_base:
        return "MARKETPLACE_STRIPE_BASE must not be set with a live key: remove it, so that payments reach Stripe."
    if key.startswith(_LIVE_KEYS) and loaded.demo:
        return "A live STRIPE_API_KEY does not go with demo data: set MARKETPLACE_DEMO=0."
    if loaded.live and not key.startswith(_LIVE_KEYS):
        return "MARKETPLACE_LIVE=1 needs a live STRIPE_API_KEY: set the key, or remove MARKETPLACE_LIVE."
    if key and not loaded.stripe_webhook_secret:
        return "STRIPE_API_KEY is set without STRIPE_WEBHOOK_SECRET: copy the endpoint's secret (whsec_…) from Stripe's dashboard."
    return None


def masked(loaded: Settings) -> dict[str, str]:
    """Return the settings by variable name, as text; secrets and passwords in addresses are shown as ``…`` only."""
    shown: dict[str, str] = {}
    for variable in variables():
        holder = getattr(loaded, variable.group) if variable.group else loaded
        value = getattr(holder, variable.field)
        text = ",".join(value) if isinstance(value, tuple) else str(int(value) if isinstance(value, bool) else value)
        if variable.is_secret and text:
            text = next((f"{kind}…" for kind in ("sk_test_", "whsec_") if text.startswith(kind)), "…")
        shown[variable.name] = _without_password(text) if "://" in text else text
    return shown


def _without_password(address: str) -> str:
    parts = urlsplit(address)
    if not parts.password:
        return address
    return address.replace(f":{parts.password}@", ":…@", 1)


@lru_cache(maxsize=4)
def _kept_secret(home: Path) -> str:
    """Return the secret in ``home/secret``, made at the first use and readable by this user only."""
    path = home / "secret"
    home.mkdir(parents=True, exist_ok=True)
    draft = home / f".secret.{os.getpid()}"
    if not path.exists():
        draft.write_text(secrets.token_urlsafe(48), encoding="ascii")
        draft.chmod(0o600)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii").strip()
