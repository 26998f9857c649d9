/**
 * The tables of the first version. Texts compare by their bytes, as in every other adapter: collations of the server differ
 * and change.
 */
import type { Migration } from '../../../ports/database.ts'

const log = `
DO $$ BEGIN
  IF to_regnamespace('thence') IS NULL THEN CREATE SCHEMA thence; END IF;
END $$;

CREATE TABLE thence.migrations (
  number integer PRIMARY KEY,
  name text NOT NULL,
  time bigint NOT NULL
);

CREATE TABLE thence.meta (
  key text COLLATE "C" PRIMARY KEY,
  value text NOT NULL
);

CREATE TABLE thence.events (
  position bigint PRIMARY KEY,
  version bigint NOT NULL,
  time bigint NOT NULL,
  schema_version integer NOT NULL,
  stream text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL UNIQUE,
  correlation_id text COLLATE "C",
  causation_id text COLLATE "C",
  tags text,
  metadata text,
  data text NOT NULL,
  UNIQUE (stream, version)
);

CREATE INDEX events_type ON thence.events (type, position);
CREATE INDEX events_correlation ON thence.events (correlation_id) WHERE correlation_id IS NOT NULL;

CREATE TABLE thence.tags (
  tag text COLLATE "C" NOT NULL,
  position bigint NOT NULL,
  PRIMARY KEY (tag, position)
);

-- The last position whose message was removed: positions are never given twice.
CREATE TABLE thence.head (
  position bigint NOT NULL
);
INSERT INTO thence.head (position) VALUES (0);

-- Streams of which messages were removed, or that were ended for good: versions are never given twice.
CREATE TABLE thence.trimmed (
  stream text COLLATE "C" PRIMARY KEY,
  version bigint NOT NULL,
  position bigint NOT NULL,
  time bigint NOT NULL,
  tombstone boolean NOT NULL
);

-- The highest removed position of each type.
CREATE TABLE thence.truncated (
  type text COLLATE "C" PRIMARY KEY,
  position bigint NOT NULL
);

-- Messages up to the measured position are counted here, those after it when somebody asks.
CREATE TABLE thence.sizes (
  category text COLLATE "C" PRIMARY KEY,
  messages bigint NOT NULL,
  bytes bigint NOT NULL,
  streams bigint NOT NULL,
  removed bigint NOT NULL,
  truncated bigint NOT NULL
);

CREATE TABLE thence.measured (
  position bigint NOT NULL
);
INSERT INTO thence.measured (position) VALUES (0);
`

const subscriptions = `
CREATE TABLE thence.checkpoints (
  subscription text COLLATE "C" NOT NULL,
  partition integer NOT NULL,
  position bigint NOT NULL,
  generation integer NOT NULL,
  epoch bigint NOT NULL,
  rebuild_to bigint NOT NULL,
  rebuild_asked boolean NOT NULL,
  time bigint NOT NULL,
  PRIMARY KEY (subscription, partition)
);

CREATE TABLE thence.retries (
  subscription text COLLATE "C" NOT NULL,
  position bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  hash bigint NOT NULL,
  message_id text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL,
  attempts integer NOT NULL,
  due bigint NOT NULL,
  history text NOT NULL,
  replay boolean NOT NULL,
  -- Of how many partitions which one takes care of it, so that what is due of one is found by an index.
  partitions integer NOT NULL,
  partition integer NOT NULL,
  PRIMARY KEY (subscription, position)
);

CREATE INDEX retries_key ON thence.retries (subscription, key, position);
CREATE INDEX retries_share ON thence.retries (subscription, partitions, partition, due, position) WHERE state = 'due';
CREATE INDEX retries_parked ON thence.retries (subscription, key, position) WHERE state = 'parked';
CREATE INDEX retries_state ON thence.retries (subscription, state);
CREATE INDEX retries_position ON thence.retries (position);

CREATE TABLE thence.dead_letters (
  id text COLLATE "C" PRIMARY KEY,
  subscription text COLLATE "C" NOT NULL,
  position bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  replay boolean NOT NULL,
  message text NOT NULL,
  edited text,
  error_name text NOT NULL,
  error_code text,
  error_message text NOT NULL,
  stack text NOT NULL,
  fingerprint text COLLATE "C" NOT NULL,
  attempts text NOT NULL,
  time bigint NOT NULL,
  changed bigint NOT NULL,
  reason text,
  job text COLLATE "C",
  UNIQUE (subscription, position)
);

CREATE INDEX dead_letters_state ON thence.dead_letters (state, id);
CREATE INDEX dead_letters_changed ON thence.dead_letters (state, changed, id);
CREATE INDEX dead_letters_group ON thence.dead_letters (state, subscription, fingerprint, time, id);
CREATE INDEX dead_letters_job ON thence.dead_letters (job, state) WHERE job IS NOT NULL;
CREATE INDEX dead_letters_position ON thence.dead_letters (position);

CREATE TABLE thence.inbox (
  consumer text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  position bigint NOT NULL,
  count integer NOT NULL,
  result text,
  time bigint NOT NULL,
  digest text,
  PRIMARY KEY (consumer, id)
);

CREATE INDEX inbox_time ON thence.inbox (time, consumer, id);
`

const rest = `
CREATE TABLE thence.members (
  id text COLLATE "C" PRIMARY KEY,
  name text NOT NULL,
  runs text NOT NULL,
  started bigint NOT NULL,
  until bigint NOT NULL
);

CREATE TABLE thence.leases (
  name text COLLATE "C" PRIMARY KEY,
  owner text COLLATE "C",
  epoch bigint NOT NULL
);

CREATE TABLE thence.timers (
  id text COLLATE "C" PRIMARY KEY,
  owner text COLLATE "C" NOT NULL,
  due bigint NOT NULL,
  stream text NOT NULL,
  message text NOT NULL,
  next bigint NOT NULL,
  attempts integer NOT NULL,
  error text
);

CREATE INDEX timers_next ON thence.timers (next, id);
CREATE INDEX timers_owner ON thence.timers (owner, next, id);

CREATE TABLE thence.snapshots (
  stream text COLLATE "C" NOT NULL,
  tag text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  state text NOT NULL,
  PRIMARY KEY (stream, tag)
);

CREATE TABLE thence.documents (
  collection text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (collection, key)
);

CREATE TABLE thence.audit (
  id text COLLATE "C" PRIMARY KEY,
  time bigint NOT NULL,
  actor text NOT NULL,
  action text COLLATE "C" NOT NULL,
  target text COLLATE "C" NOT NULL,
  details text NOT NULL,
  reason text
);

CREATE INDEX audit_action ON thence.audit (action, id);
CREATE INDEX audit_target ON thence.audit (target, id);
CREATE INDEX audit_time ON thence.audit (time, id);

CREATE TABLE thence.jobs (
  id text COLLATE "C" PRIMARY KEY,
  kind text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL,
  spec text NOT NULL,
  progress text NOT NULL,
  total bigint,
  next bigint NOT NULL,
  version integer NOT NULL,
  created bigint NOT NULL,
  updated bigint NOT NULL,
  actor text NOT NULL,
  error text
);

CREATE INDEX jobs_state ON thence.jobs (state, id);
CREATE INDEX jobs_updated ON thence.jobs (updated, id);
`

export const tables: Migration = {
  number: 1,
  name: 'tables',
  script: `${log}${subscriptions}${rest}`.trim(),
}
