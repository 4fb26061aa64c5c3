CREATE TABLE binary_preference (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    path TEXT NOT NULL,
    chosen_at TEXT NOT NULL
) STRICT;
