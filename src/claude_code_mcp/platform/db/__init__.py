"""The state database: SQLite in WAL mode, one writing thread, forward-only migrations."""
