CREATE TABLE approval (
    id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    state TEXT NOT NULL,
    expires_at TEXT,
    data BLOB NOT NULL,
    UNIQUE (run_id, request_id)
) STRICT;

CREATE INDEX approval_open ON approval (session_id, id) WHERE state IN ('waiting', 'answered');
