CREATE TABLE record (
    space TEXT NOT NULL,
    name TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    closed INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (space, name)
) STRICT;
