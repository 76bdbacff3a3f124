"""Where Piccolo looks for the engine and for our apps, in the order in which their migrations run."""

from piccolo.conf.apps import AppRegistry

from marketplace.kit.db import DB
from marketplace.kit.migrations import APPS

APP_REGISTRY = AppRegistry(apps=list(APPS))

__all__ = ["APP_REGISTRY", "DB"]
