-- table audit
CREATE TABLE thence.audit (
  id text COLLATE "C" NOT NULL,
  time bigint NOT NULL,
  actor text NOT NULL,
  action text COLLATE "C" NOT NULL,
  target text COLLATE "C" NOT NULL,
  details text NOT NULL,
  reason text
);

-- table checkpoints
CREATE TABLE thence.checkpoints (
  subscription text COLLATE "C" NOT NULL,
  partition integer NOT NULL,
  position bigint NOT NULL,
  generation integer NOT NULL,
  epoch bigint NOT NULL,
  rebuild_to bigint NOT NULL,
  rebuild_asked boolean NOT NULL,
  time bigint NOT NULL
);

-- table dead_letters
CREATE TABLE thence.dead_letters (
  id text COLLATE "C" NOT NULL,
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
  job text COLLATE "C"
);

-- table documents
CREATE TABLE thence.documents (
  collection text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  value text NOT NULL
);

-- table events
CREATE TABLE thence.events (
  position bigint NOT NULL,
  version bigint NOT NULL,
  time bigint NOT NULL,
  schema_version integer NOT NULL,
  stream text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  correlation_id text COLLATE "C",
  causation_id text COLLATE "C",
  tags text,
  metadata text,
  data text NOT NULL
);

-- table head
CREATE TABLE thence.head (
  position bigint NOT NULL
);

-- table inbox
CREATE TABLE thence.inbox (
  consumer text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  position bigint NOT NULL,
  count integer NOT NULL,
  result text,
  time bigint NOT NULL,
  digest text
);

-- table jobs
CREATE TABLE thence.jobs (
  id text COLLATE "C" NOT NULL,
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

-- table leases
CREATE TABLE thence.leases (
  name text COLLATE "C" NOT NULL,
  owner text COLLATE "C",
  epoch bigint NOT NULL
);

-- table measured
CREATE TABLE thence.measured (
  position bigint NOT NULL
);

-- table members
CREATE TABLE thence.members (
  id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  runs text NOT NULL,
  started bigint NOT NULL,
  until bigint NOT NULL
);

-- table meta
CREATE TABLE thence.meta (
  key text COLLATE "C" NOT NULL,
  value text NOT NULL
);

-- table migrations
CREATE TABLE thence.migrations (
  number integer NOT NULL,
  name text NOT NULL,
  time bigint NOT NULL
);

-- table retries
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
  replay boolean NOT NULL
);

-- table sizes
CREATE TABLE thence.sizes (
  category text COLLATE "C" NOT NULL,
  messages bigint NOT NULL,
  bytes bigint NOT NULL,
  streams bigint NOT NULL,
  removed bigint NOT NULL,
  truncated bigint NOT NULL
);

-- table snapshots
CREATE TABLE thence.snapshots (
  stream text COLLATE "C" NOT NULL,
  tag text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  state text NOT NULL
);

-- table tags
CREATE TABLE thence.tags (
  tag text COLLATE "C" NOT NULL,
  position bigint NOT NULL
);

-- table timers
CREATE TABLE thence.timers (
  id text COLLATE "C" NOT NULL,
  owner text COLLATE "C" NOT NULL,
  due bigint NOT NULL,
  stream text NOT NULL,
  message text NOT NULL,
  next bigint NOT NULL,
  attempts integer NOT NULL,
  error text
);

-- table trimmed
CREATE TABLE thence.trimmed (
  stream text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  position bigint NOT NULL,
  time bigint NOT NULL,
  tombstone boolean NOT NULL
);

-- table truncated
CREATE TABLE thence.truncated (
  type text COLLATE "C" NOT NULL,
  position bigint NOT NULL
);

-- index audit_action
CREATE INDEX audit_action ON thence.audit USING btree (action, id);

-- index audit_pkey
CREATE UNIQUE INDEX audit_pkey ON thence.audit USING btree (id);

-- index audit_target
CREATE INDEX audit_target ON thence.audit USING btree (target, id);

-- index audit_time
CREATE INDEX audit_time ON thence.audit USING btree ("time", id);

-- index checkpoints_pkey
CREATE UNIQUE INDEX checkpoints_pkey ON thence.checkpoints USING btree (subscription, partition);

-- index dead_letters_changed
CREATE INDEX dead_letters_changed ON thence.dead_letters USING btree (state, changed, id);

-- index dead_letters_group
CREATE INDEX dead_letters_group ON thence.dead_letters USING btree (state, subscription, fingerprint, "time", id);

-- index dead_letters_job
CREATE INDEX dead_letters_job ON thence.dead_letters USING btree (job, state) WHERE (job IS NOT NULL);

-- index dead_letters_pkey
CREATE UNIQUE INDEX dead_letters_pkey ON thence.dead_letters USING btree (id);

-- index dead_letters_position
CREATE INDEX dead_letters_position ON thence.dead_letters USING btree ("position");

-- index dead_letters_state
CREATE INDEX dead_letters_state ON thence.dead_letters USING btree (state, id);

-- index dead_letters_subscription_position_key
CREATE UNIQUE INDEX dead_letters_subscription_position_key ON thence.dead_letters USING btree (subscription, "position");

-- index documents_pkey
CREATE UNIQUE INDEX documents_pkey ON thence.documents USING btree (collection, key);

-- index events_correlation
CREATE INDEX events_correlation ON thence.events USING btree (correlation_id) WHERE (correlation_id IS NOT NULL);

-- index events_id_key
CREATE UNIQUE INDEX events_id_key ON thence.events USING btree (id);

-- index events_pkey
CREATE UNIQUE INDEX events_pkey ON thence.events USING btree ("position");

-- index events_stream_version_key
CREATE UNIQUE INDEX events_stream_version_key ON thence.events USING btree (stream, version);

-- index events_type
CREATE INDEX events_type ON thence.events USING btree (type, "position");

-- index inbox_pkey
CREATE UNIQUE INDEX inbox_pkey ON thence.inbox USING btree (consumer, id);

-- index inbox_time
CREATE INDEX inbox_time ON thence.inbox USING btree ("time", consumer, id);

-- index jobs_pkey
CREATE UNIQUE INDEX jobs_pkey ON thence.jobs USING btree (id);

-- index jobs_state
CREATE INDEX jobs_state ON thence.jobs USING btree (state, id);

-- index jobs_updated
CREATE INDEX jobs_updated ON thence.jobs USING btree (updated, id);

-- index leases_pkey
CREATE UNIQUE INDEX leases_pkey ON thence.leases USING btree (name);

-- index members_pkey
CREATE UNIQUE INDEX members_pkey ON thence.members USING btree (id);

-- index meta_pkey
CREATE UNIQUE INDEX meta_pkey ON thence.meta USING btree (key);

-- index migrations_pkey
CREATE UNIQUE INDEX migrations_pkey ON thence.migrations USING btree (number);

-- index retries_due
CREATE INDEX retries_due ON thence.retries USING btree (subscription, due, "position") WHERE (state = 'due'::text);

-- index retries_key
CREATE INDEX retries_key ON thence.retries USING btree (subscription, key, "position");

-- index retries_parked
CREATE INDEX retries_parked ON thence.retries USING btree (subscription, key, "position") WHERE (state = 'parked'::text);

-- index retries_pkey
CREATE UNIQUE INDEX retries_pkey ON thence.retries USING btree (subscription, "position");

-- index retries_position
CREATE INDEX retries_position ON thence.retries USING btree ("position");

-- index retries_state
CREATE INDEX retries_state ON thence.retries USING btree (subscription, state);

-- index sizes_pkey
CREATE UNIQUE INDEX sizes_pkey ON thence.sizes USING btree (category);

-- index snapshots_pkey
CREATE UNIQUE INDEX snapshots_pkey ON thence.snapshots USING btree (stream, tag);

-- index tags_pkey
CREATE UNIQUE INDEX tags_pkey ON thence.tags USING btree (tag, "position");

-- index timers_next
CREATE INDEX timers_next ON thence.timers USING btree (next, id);

-- index timers_owner
CREATE INDEX timers_owner ON thence.timers USING btree (owner, next, id);

-- index timers_pkey
CREATE UNIQUE INDEX timers_pkey ON thence.timers USING btree (id);

-- index trimmed_pkey
CREATE UNIQUE INDEX trimmed_pkey ON thence.trimmed USING btree (stream);

-- index truncated_pkey
CREATE UNIQUE INDEX truncated_pkey ON thence.truncated USING btree (type);

-- function append(requests jsonb, now bigint, lock_timeout text)
CREATE OR REPLACE FUNCTION thence.append(requests jsonb, now bigint, lock_timeout text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET enable_seqscan TO 'off'
AS $function$
DECLARE
  request jsonb;
  refusal jsonb;
  stored jsonb;
  verdicts jsonb[] := '{}';
  last_version bigint;
  ended boolean;
  given bigint;
  matched bigint;
  many integer;
  ids text[];
  taken boolean;
BEGIN
  -- With a snapshot from before the lock the judgement would be blind to what was committed meanwhile.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'thence.append needs the isolation level read committed' USING ERRCODE = '25001';
  END IF;
  IF lock_timeout IS NOT NULL THEN PERFORM set_config('lock_timeout', lock_timeout, true); END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('thence.append', 0));
  given := thence.last_position();
  FOR request IN SELECT value FROM jsonb_array_elements(requests) LOOP
    IF request ? 'once' THEN
      SELECT jsonb_build_object('outcome', 'duplicate', 'stream', i.stream, 'version', i.version,
          'position', i.position, 'count', i.count) INTO stored
        FROM thence.inbox i
        WHERE i.consumer = request #>> '{once,consumer}' AND i.id = request #>> '{once,id}';
      IF stored IS NOT NULL THEN
        verdicts := array_append(verdicts, stored);
        CONTINUE;
      END IF;
    END IF;

    refusal := NULL;
    SELECT t.version, t.tombstone INTO last_version, ended FROM thence.trimmed t WHERE t.stream = request ->> 'stream';
    last_version := coalesce((SELECT max(e.version) FROM thence.events e WHERE e.stream = request ->> 'stream'), last_version, 0);
    IF ended THEN
      refusal := jsonb_build_object('outcome', 'tombstoned');
    ELSIF (CASE request ->> 'expected'
        WHEN 'none' THEN last_version <> 0
        WHEN 'exists' THEN last_version = 0
        ELSE last_version <> (request ->> 'expected')::bigint END) THEN
      refusal := jsonb_build_object('outcome', 'conflict', 'actual', last_version);
    ELSIF request ? 'condition' THEN
      SELECT min(m) INTO matched FROM thence.matches_after(
        request #> '{condition,query}', (request #>> '{condition,after}')::bigint, 9223372036854775807, 1) AS m;
      IF matched IS NOT NULL THEN
        refusal := jsonb_build_object('outcome', 'condition-failed', 'position', matched);
      END IF;
    END IF;

    ids := ARRAY(SELECT message ->> 'id' FROM jsonb_array_elements(request -> 'messages') AS message);
    many := cardinality(ids);
    IF refusal IS NULL THEN
      taken := (SELECT count(DISTINCT i) < many FROM unnest(ids) AS i)
        OR EXISTS (SELECT FROM thence.events e WHERE e.id = ANY (ids));
    END IF;
    IF refusal IS NOT NULL OR taken THEN
      SELECT jsonb_agg(jsonb_build_object('id', e.id, 'stream', e.stream, 'version', e.version, 'position', e.position,
          'type', e.type, 'schemaVersion', e.schema_version, 'data', e.data)) INTO stored
        FROM thence.events e WHERE e.id = ANY (ids);
      verdicts := array_append(verdicts, jsonb_build_object('refusal', refusal, 'known', coalesce(stored, '[]')));
      CONTINUE;
    END IF;

    IF many > 0 THEN
      INSERT INTO thence.events (position, stream, version, kind, type, schema_version, id, correlation_id, causation_id,
          time, tags, metadata, data)
        SELECT given + m.place, request ->> 'stream', last_version + m.place, m.kind, m.type, m."schemaVersion", m.id,
          m."correlationId", m."causationId", m.time, m.tags, m.metadata, m.data
        FROM ROWS FROM (jsonb_to_recordset(request -> 'messages') AS (kind text, type text, "schemaVersion" integer, id text,
          "correlationId" text, "causationId" text, time bigint, tags text, metadata text, data text)) WITH ORDINALITY
          AS m(kind, type, "schemaVersion", id, "correlationId", "causationId", time, tags, metadata, data, place);
      INSERT INTO thence.tags (tag, position)
        SELECT DISTINCT tag, given + m.place
        FROM ROWS FROM (jsonb_to_recordset(request -> 'messages') AS (tags text)) WITH ORDINALITY AS m(tags, place)
        CROSS JOIN LATERAL jsonb_array_elements_text(m.tags::jsonb) AS tag
        WHERE m.tags IS NOT NULL;
      given := given + many;
      last_version := last_version + many;
    END IF;
    IF request ? 'once' THEN
      INSERT INTO thence.inbox (consumer, id, stream, version, position, count, time, digest)
        VALUES (request #>> '{once,consumer}', request #>> '{once,id}', request ->> 'stream', last_version, given, many,
          coalesce(now, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint), request #>> '{once,digest}');
    END IF;
    verdicts := array_append(verdicts, jsonb_build_object('outcome', 'appended', 'stream', request ->> 'stream',
      'version', last_version, 'position', given, 'count', many));
  END LOOP;
  RETURN to_jsonb(verdicts);
END $function$;

-- function last_position()
CREATE OR REPLACE FUNCTION thence.last_position()
 RETURNS bigint
 LANGUAGE sql
 STABLE
AS $function$
  SELECT greatest(coalesce((SELECT max(position) FROM thence.events), 0), (SELECT position FROM thence.head))
$function$;

-- function matches_after(query jsonb, after bigint, before bigint, most bigint)
CREATE OR REPLACE FUNCTION thence.matches_after(query jsonb, after bigint, before bigint, most bigint)
 RETURNS SETOF bigint
 LANGUAGE plpgsql
 STABLE
AS $function$
DECLARE
  item jsonb;
  item_tags text[];
  item_types text[];
BEGIN
  FOR item IN SELECT value FROM jsonb_array_elements(query) LOOP
    item_tags := ARRAY(SELECT jsonb_array_elements_text(item -> 'tags'));
    item_types := CASE WHEN item ? 'types' THEN ARRAY(SELECT jsonb_array_elements_text(item -> 'types')) END;
    IF cardinality(item_tags) > 0 THEN
      RETURN QUERY SELECT t.position FROM thence.tags t
        WHERE t.tag = item_tags[1] AND t.position > after AND t.position < before
        AND NOT EXISTS (SELECT FROM unnest(item_tags[2:]) AS other(tag) WHERE NOT EXISTS (
          SELECT FROM thence.tags o WHERE o.tag = other.tag AND o.position = t.position))
        AND (item_types IS NULL OR EXISTS (
          SELECT FROM thence.events e WHERE e.position = t.position AND e.type = ANY (item_types)))
        ORDER BY t.position ASC LIMIT most;
    ELSIF item_types IS NULL THEN
      RETURN QUERY SELECT e.position FROM thence.events e
        WHERE e.position > after AND e.position < before ORDER BY e.position ASC LIMIT most;
    ELSE
      RETURN QUERY SELECT found.position FROM (SELECT DISTINCT unnest(item_types) AS type) AS wanted
        CROSS JOIN LATERAL (SELECT e.position FROM thence.events e
          WHERE e.type = wanted.type AND e.position > after AND e.position < before
          ORDER BY e.position ASC LIMIT most) AS found;
    END IF;
  END LOOP;
END $function$;

-- function matches_before(query jsonb, after bigint, before bigint, most bigint)
CREATE OR REPLACE FUNCTION thence.matches_before(query jsonb, after bigint, before bigint, most bigint)
 RETURNS SETOF bigint
 LANGUAGE plpgsql
 STABLE
AS $function$
DECLARE
  item jsonb;
  item_tags text[];
  item_types text[];
BEGIN
  FOR item IN SELECT value FROM jsonb_array_elements(query) LOOP
    item_tags := ARRAY(SELECT jsonb_array_elements_text(item -> 'tags'));
    item_types := CASE WHEN item ? 'types' THEN ARRAY(SELECT jsonb_array_elements_text(item -> 'types')) END;
    IF cardinality(item_tags) > 0 THEN
      RETURN QUERY SELECT t.position FROM thence.tags t
        WHERE t.tag = item_tags[1] AND t.position > after AND t.position < before
        AND NOT EXISTS (SELECT FROM unnest(item_tags[2:]) AS other(tag) WHERE NOT EXISTS (
          SELECT FROM thence.tags o WHERE o.tag = other.tag AND o.position = t.position))
        AND (item_types IS NULL OR EXISTS (
          SELECT FROM thence.events e WHERE e.position = t.position AND e.type = ANY (item_types)))
        ORDER BY t.position DESC LIMIT most;
    ELSIF item_types IS NULL THEN
      RETURN QUERY SELECT e.position FROM thence.events e
        WHERE e.position > after AND e.position < before ORDER BY e.position DESC LIMIT most;
    ELSE
      RETURN QUERY SELECT found.position FROM (SELECT DISTINCT unnest(item_types) AS type) AS wanted
        CROSS JOIN LATERAL (SELECT e.position FROM thence.events e
          WHERE e.type = wanted.type AND e.position > after AND e.position < before
          ORDER BY e.position DESC LIMIT most) AS found;
    END IF;
  END LOOP;
END $function$;
