CREATE TABLE checkpoint_cursor (
    name TEXT PRIMARY KEY,
    seq INTEGER NOT NULL
) STRICT;
