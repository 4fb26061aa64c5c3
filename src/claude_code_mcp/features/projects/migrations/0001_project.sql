CREATE TABLE project (
    path TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    trusted_by TEXT NOT NULL,
    trusted_at TEXT NOT NULL
) STRICT;
