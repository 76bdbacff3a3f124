"""The ground: settings, the embedded database, processes, the command line."""
