CREATE TABLE session (
    id TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL,
    project_path TEXT NOT NULL,
    origin TEXT NOT NULL,
    state TEXT NOT NULL,
    priority INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    run_id TEXT,
    data BLOB NOT NULL
) STRICT;

CREATE INDEX session_by_state ON session (state);
CREATE INDEX session_by_conversation ON session (conversation_id);
CREATE INDEX session_by_project ON session (project_path, updated_at);

CREATE TABLE run (
    id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES session (id),
    created_at TEXT NOT NULL,
    offset INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    stream BLOB NOT NULL,
    ended_at TEXT,
    exit TEXT,
    stopping TEXT
) STRICT;

CREATE INDEX run_open ON run (session_id) WHERE ended_at IS NULL;

CREATE TABLE message (
    id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES session (id),
    position INTEGER NOT NULL,
    text TEXT NOT NULL,
    steering TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at TEXT NOT NULL,
    run_id TEXT
) STRICT;

CREATE INDEX message_by_session ON message (session_id, position);
CREATE INDEX message_open ON message (session_id, position) WHERE state IN ('pending', 'sent', 'started');
