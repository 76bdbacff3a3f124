"""Settings: what is refused, in one sentence with the mend, and what is never printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from marketplace.kit.settings import SettingsError, effective_environment, load, masked, variables


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"MARKETPLACE_BASEURL": "http://x"}, "MARKETPLACE_BASEURL is not a setting: did you mean MARKETPLACE_BASE_URL?"),
        ({"MARKETPLACE_QQQQ": "1"}, "MARKETPLACE_QQQQ is not a setting: remove it"),
        ({"PORT": "eighty"}, "PORT is “eighty”: write a whole number, for example 8000."),
        ({"PORT": "70000"}, "PORT is 70000: choose one between 1 and 65535."),
        ({"MARKETPLACE_DEMO": "perhaps"}, "MARKETPLACE_DEMO is “perhaps”: write 1 or 0."),
        ({"MARKETPLACE_BASE_URL": "shop.example.org"}, "write it as https://shop.example.org, without a path"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL must start with postgresql://"),
        ({"MARKETPLACE_TRUSTED_PROXIES": "10.0.0.5,proxy"}, "MARKETPLACE_TRUSTED_PROXIES has “proxy”"),
        ({"STRIPE_API_KEY": "sk_live_x"}, "STRIPE_API_KEY is a live key: set MARKETPLACE_LIVE=1"),
        ({"STRIPE_API_KEY": "sk_test_x"}, "STRIPE_API_KEY is set without STRIPE_WEBHOOK_SECRET"),
        ({"MARKETPLACE_LIVE": "1"}, "MARKETPLACE_LIVE=1 needs a live STRIPE_API_KEY"),
        ({"MARKETPLACE_VIES": "maybe"}, "MARKETPLACE_VIES is “maybe”: write live or offline."),
        ({"MARKETPLACE_VIES": "offline", "MARKETPLACE_LIVE": "1"}, "MARKETPLACE_VIES=offline invents answers"),
        ({"MARKETPLACE_VAT_PROOF_DAYS": "0"}, "must be at least 1"),
        ({"MARKETPLACE_PEPPOL_URL": "http://ap.example"}, "MARKETPLACE_PEPPOL_URL must start with https://"),
        ({"MARKETPLACE_PEPPOL_URL": "https://ap.example"}, "without MARKETPLACE_PEPPOL_TOKEN"),
        ({"STRIPE_API_KEY": "sk_live_x", "MARKETPLACE_LIVE": "1"}, "A live STRIPE_API_KEY does not go with demo data"),
    ],
)
def test_a_wrong_setting_is_refused_with_the_mend(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(environ)
    assert sentence in str(refused.value)


def test_every_variable_reaches_its_place() -> None:
    loaded = load(
        {
            "PORT": "9001",
            "MARKETPLACE_SMTP_HOST": "mail.example",
            "MARKETPLACE_OPERATOR_STREET": "Breestraat 1",
            "MARKETPLACE_TRUSTED_PROXIES": "10.0.0.5, 192.168.0.0/24",
            "THEME_CSS": "/theme.css",
            "MARKETPLACE_TEST_ANYTHING": "is for the tests",
        }
    )
    assert loaded.base_url == "http://127.0.0.1:9001"
    assert loaded.smtp.host == "mail.example"
    assert loaded.operator.address.startswith("Breestraat 1, ")
    assert loaded.trusted_proxies == ("10.0.0.5", "192.168.0.0/24")
    assert loaded.theme_css == "/theme.css"
    assert not loaded.secure_cookies
    assert load({"MARKETPLACE_BASE_URL": "https://shop.example"}).secure_cookies


def test_secrets_are_never_printed() -> None:
    secrets = {
        "DATABASE_URL": "postgresql://shop:geheim-1@db/shop",
        "STRIPE_API_KEY": "sk_test_geheim-2",
        "STRIPE_WEBHOOK_SECRET": "whsec_geheim-3",
        "MARKETPLACE_SMTP_PASSWORD": "geheim-4",
        "MARKETPLACE_PEPPOL_TOKEN": "geheim-6",
        "MARKETPLACE_SECRET": "geheim-5",
    }
    shown = masked(load(secrets))
    assert set(shown) == {variable.name for variable in variables()}
    assert "geheim" not in " ".join(shown.values())
    assert shown["DATABASE_URL"] == "postgresql://shop:…@db/shop"


def test_the_signing_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    first = load({"MARKETPLACE_HOME": str(tmp_path)}).signing_secret
    assert len(first) > 40
    assert load({"MARKETPLACE_HOME": str(tmp_path)}).signing_secret == first
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "own.env"
    file.write_text("# ours\nexport PORT=9002\nMARKETPLACE_OPERATOR_NAME='Expat Centre'\n")
    monkeypatch.setenv("MARKETPLACE_ENV", str(file))
    monkeypatch.setenv("PORT", "9003")
    loaded = load(effective_environment())
    assert (loaded.port, loaded.operator.name) == (9003, "Expat Centre")
    file.write_text("PORT\n")
    with pytest.raises(SettingsError, match="Line 1 of own.env"):
        effective_environment()
