CREATE TABLE usage_sample (
    subject TEXT NOT NULL,
    at TEXT NOT NULL,
    memory_bytes INTEGER NOT NULL,
    cpu_s REAL NOT NULL,
    processes INTEGER NOT NULL,
    PRIMARY KEY (subject, at)
) STRICT, WITHOUT ROWID;

CREATE INDEX usage_sample_by_time ON usage_sample (at);
