"""Piccolo's view of the sandbox's tables; its own app, so that a real deployment's billing migrations never touch them."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="sandbox",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=table_finder(["billing.sandbox.tables"], exclude_imported=True),
)
