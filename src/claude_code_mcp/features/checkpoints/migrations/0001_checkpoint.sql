CREATE TABLE checkpoint (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    parent TEXT,
    manifest TEXT NOT NULL,
    how TEXT NOT NULL,
    session_id TEXT,
    created_at TEXT NOT NULL,
    pinned INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;

CREATE INDEX checkpoint_by_project ON checkpoint (project, id);
CREATE INDEX checkpoint_by_manifest ON checkpoint (manifest);
CREATE INDEX checkpoint_by_parent ON checkpoint (parent) WHERE parent IS NOT NULL;
CREATE INDEX checkpoint_by_session ON checkpoint (session_id, id) WHERE session_id IS NOT NULL;

CREATE TABLE checkpoint_project (
    path TEXT PRIMARY KEY,
    data BLOB NOT NULL
) STRICT;

CREATE TABLE checkpoint_restore (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    data BLOB NOT NULL
) STRICT;
