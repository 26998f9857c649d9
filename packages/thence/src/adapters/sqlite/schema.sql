CREATE TABLE thence_audit (
  id TEXT PRIMARY KEY,
  time INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  details TEXT NOT NULL,
  reason TEXT
) STRICT;

CREATE INDEX thence_audit_action ON thence_audit (action, id);

CREATE INDEX thence_audit_target ON thence_audit (target, id);

CREATE INDEX thence_audit_time ON thence_audit (time, id);

CREATE TABLE "thence_checkpoints" (
  subscription TEXT NOT NULL,
  partition INTEGER NOT NULL,
  position INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  rebuild_to INTEGER NOT NULL,
  rebuild_asked INTEGER NOT NULL,
  time INTEGER NOT NULL,
  PRIMARY KEY (subscription, partition)
) STRICT, WITHOUT ROWID;

CREATE TABLE thence_dead_letters (
  id TEXT PRIMARY KEY,
  subscription TEXT NOT NULL,
  position INTEGER NOT NULL,
  key TEXT NOT NULL,
  state TEXT NOT NULL,
  message TEXT NOT NULL,
  error_name TEXT NOT NULL,
  error_code TEXT,
  error_message TEXT NOT NULL,
  stack TEXT NOT NULL,
  attempts TEXT NOT NULL,
  time INTEGER NOT NULL,
  reason TEXT, type TEXT NOT NULL DEFAULT '', fingerprint TEXT NOT NULL DEFAULT '', changed INTEGER NOT NULL DEFAULT 0, edited TEXT, job TEXT, kind TEXT NOT NULL DEFAULT 'transient', replay INTEGER NOT NULL DEFAULT 0,
  UNIQUE (subscription, position)
) STRICT;

CREATE INDEX thence_dead_letters_changed ON thence_dead_letters (state, changed, id);

CREATE INDEX thence_dead_letters_group ON thence_dead_letters (state, subscription, fingerprint, time, id);

CREATE INDEX thence_dead_letters_job ON thence_dead_letters (job, state) WHERE job IS NOT NULL;

CREATE INDEX thence_dead_letters_position ON thence_dead_letters (position);

CREATE INDEX thence_dead_letters_state ON thence_dead_letters (state, id);

CREATE TABLE thence_documents (
  collection TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (collection, key)
) STRICT;

CREATE TABLE thence_events (
  position INTEGER PRIMARY KEY,
  stream TEXT NOT NULL,
  version INTEGER NOT NULL,
  kind TEXT NOT NULL,
  type TEXT NOT NULL,
  schema_version INTEGER NOT NULL,
  id TEXT NOT NULL UNIQUE,
  correlation_id TEXT,
  causation_id TEXT,
  time INTEGER NOT NULL,
  tags TEXT,
  metadata TEXT,
  data TEXT NOT NULL,
  UNIQUE (stream, version)
) STRICT;

CREATE INDEX thence_events_correlation ON thence_events (correlation_id) WHERE correlation_id IS NOT NULL;

CREATE TRIGGER thence_events_deleted AFTER DELETE ON thence_events BEGIN
  UPDATE thence_head SET position = old.position WHERE position < old.position;
  DELETE FROM thence_tags WHERE old.tags IS NOT NULL
    AND tag IN (SELECT value FROM json_each(old.tags)) AND position = old.position;
END;

CREATE INDEX thence_events_type ON thence_events (type);

CREATE TABLE thence_head (
  position INTEGER NOT NULL
) STRICT;

CREATE TABLE thence_inbox (
  consumer TEXT NOT NULL,
  id TEXT NOT NULL,
  stream TEXT NOT NULL,
  version INTEGER NOT NULL,
  position INTEGER NOT NULL,
  count INTEGER NOT NULL, result TEXT, time INTEGER NOT NULL DEFAULT 0, digest TEXT,
  PRIMARY KEY (consumer, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX thence_inbox_time ON thence_inbox (time, consumer, id);

CREATE TABLE thence_jobs (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  spec TEXT NOT NULL,
  progress TEXT NOT NULL,
  total INTEGER,
  next INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  actor TEXT NOT NULL,
  error TEXT
) STRICT;

CREATE INDEX thence_jobs_state ON thence_jobs (state, id);

CREATE INDEX thence_jobs_updated ON thence_jobs (updated, id);

CREATE TABLE thence_leases (
  name TEXT PRIMARY KEY,
  owner TEXT,
  epoch INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE thence_measured (
  position INTEGER NOT NULL
) STRICT;

CREATE TABLE thence_members (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  runs TEXT NOT NULL,
  started INTEGER NOT NULL,
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE thence_meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE thence_migrations (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  time INTEGER NOT NULL
) STRICT;

CREATE TABLE thence_retries (
  subscription TEXT NOT NULL,
  position INTEGER NOT NULL,
  key TEXT NOT NULL,
  message_id TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  due INTEGER NOT NULL,
  history TEXT NOT NULL, hash INTEGER NOT NULL DEFAULT 0, replay INTEGER NOT NULL DEFAULT 0, partitions INTEGER NOT NULL DEFAULT 1, partition INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (subscription, position)
) STRICT;

CREATE INDEX thence_retries_due ON thence_retries (subscription, due, position) WHERE state = 'due';

CREATE INDEX thence_retries_key ON thence_retries (subscription, key, position);

CREATE INDEX thence_retries_parked ON thence_retries (subscription, key, position) WHERE state = 'parked';

CREATE INDEX thence_retries_position ON thence_retries (position);

CREATE INDEX thence_retries_share ON thence_retries (subscription, partitions, partition, due, position) WHERE state = 'due';

CREATE INDEX thence_retries_state ON thence_retries (subscription, state);

CREATE TABLE thence_sizes (
  category TEXT PRIMARY KEY,
  messages INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  streams INTEGER NOT NULL,
  removed INTEGER NOT NULL,
  truncated INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE thence_snapshots (
  stream TEXT NOT NULL,
  tag TEXT NOT NULL,
  version INTEGER NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (stream, tag)
) STRICT;

CREATE TABLE thence_tags (
  tag TEXT NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (tag, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE thence_timers (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  due INTEGER NOT NULL,
  stream TEXT NOT NULL,
  message TEXT NOT NULL
, next INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, error TEXT) STRICT;

CREATE INDEX thence_timers_next ON thence_timers (next, id);

CREATE INDEX thence_timers_owner ON thence_timers (owner, next, id);

CREATE TABLE thence_trimmed (
  stream TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  position INTEGER NOT NULL,
  time INTEGER NOT NULL,
  tombstone INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE thence_truncated (
  type TEXT PRIMARY KEY,
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
