CREATE TABLE store (
    id TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    session_id TEXT,
    subject TEXT NOT NULL,
    parent TEXT,
    tool_use_id TEXT,
    agent_id TEXT,
    source TEXT NOT NULL,
    source_key TEXT UNIQUE,
    payload TEXT NOT NULL
) STRICT;

CREATE INDEX event_by_session ON event (session_id, seq);
CREATE INDEX event_by_tool ON event (tool_use_id) WHERE tool_use_id IS NOT NULL;

CREATE TRIGGER event_never_edited BEFORE UPDATE ON event
BEGIN
    SELECT RAISE(ABORT, 'events are never edited');
END;

CREATE TRIGGER event_never_deleted BEFORE DELETE ON event
BEGIN
    SELECT RAISE(ABORT, 'events are never deleted');
END;
