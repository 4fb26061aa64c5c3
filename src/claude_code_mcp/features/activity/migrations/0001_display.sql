CREATE TABLE display (
    session_id TEXT PRIMARY KEY,
    settings TEXT NOT NULL,
    changed_at TEXT NOT NULL
) STRICT;
