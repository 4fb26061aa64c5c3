CREATE TABLE job (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    session_id TEXT,
    run_id TEXT,
    created_at TEXT NOT NULL,
    ended_at TEXT,
    pinned INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;

CREATE INDEX job_by_state ON job (state);
CREATE INDEX job_by_session ON job (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX job_by_end ON job (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE job_run (
    id TEXT PRIMARY KEY,
    job_id TEXT NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX job_run_by_job ON job_run (job_id);
