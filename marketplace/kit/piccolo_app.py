"""Piccolo's view of the kit's tables."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="kit",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=table_finder(["marketplace.kit.tables", "marketplace.kit.identity_tables"], exclude_imported=True),
)
