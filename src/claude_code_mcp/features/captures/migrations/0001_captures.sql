CREATE TABLE capture_home (
    config_dir TEXT PRIMARY KEY
) STRICT;

CREATE TABLE capture_process (
    key TEXT PRIMARY KEY,
    config_dir TEXT NOT NULL,
    pid INTEGER NOT NULL,
    session_id TEXT NOT NULL,
    status TEXT NOT NULL
) STRICT;

CREATE TABLE transcript (
    path TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    device INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    mark TEXT NOT NULL,
    followed INTEGER,
    state BLOB NOT NULL,
    last_active_at TEXT NOT NULL,
    tally BLOB NOT NULL
) STRICT;

CREATE INDEX transcript_by_session ON transcript (session_id, agent_id);
CREATE INDEX transcript_by_time ON transcript (last_active_at, path) WHERE agent_id = '';
