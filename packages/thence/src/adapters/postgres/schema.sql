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
  replay boolean NOT NULL,
  partitions integer NOT NULL,
  partition integer NOT NULL
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

-- index retries_key
CREATE INDEX retries_key ON thence.retries USING btree (subscription, key, "position");

-- index retries_parked
CREATE INDEX retries_parked ON thence.retries USING btree (subscription, key, "position") WHERE (state = 'parked'::text);

-- index retries_pkey
CREATE UNIQUE INDEX retries_pkey ON thence.retries USING btree (subscription, "position");

-- index retries_position
CREATE INDEX retries_position ON thence.retries USING btree ("position");

-- index retries_share
CREATE INDEX retries_share ON thence.retries USING btree (subscription, partitions, partition, due, "position") WHERE (state = 'due'::text);

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

-- sequence positions
CREATE SEQUENCE thence.positions AS bigint START 0 INCREMENT 1 MINVALUE 0 MAXVALUE 9223372036854775807 CACHE 1;

-- function append(now bigint, lock_timeout text, names text[], bases bigint[], stream_of integer[], starts integer[], offsets integer[], expectations bigint[], counts integer[], message_of integer[], places integer[], kinds text[], types text[], schema_versions integer[], ids text[], times bigint[], datas text[], correlations text[], causations text[], metadatas text[], tag_lists text[], tag_of integer[], tag_places integer[], tag_names text[], once_of integer[], consumers text[], once_ids text[], digests text[], item_of integer[], item_afters bigint[], first_tags text[], other_tags text[], wanted_types text[], query_of integer[], query_afters bigint[], queries text[], repeating_of integer[], OUT given bigint, OUT versions bigint[], OUT outcomes integer[], OUT numbers bigint[], OUT known jsonb, OUT recalled jsonb)
CREATE OR REPLACE FUNCTION thence.append(now bigint, lock_timeout text, names text[], bases bigint[], stream_of integer[], starts integer[], offsets integer[], expectations bigint[], counts integer[], message_of integer[], places integer[], kinds text[], types text[], schema_versions integer[], ids text[], times bigint[], datas text[], correlations text[] DEFAULT '{}'::text[], causations text[] DEFAULT '{}'::text[], metadatas text[] DEFAULT '{}'::text[], tag_lists text[] DEFAULT '{}'::text[], tag_of integer[] DEFAULT '{}'::integer[], tag_places integer[] DEFAULT '{}'::integer[], tag_names text[] DEFAULT '{}'::text[], once_of integer[] DEFAULT '{}'::integer[], consumers text[] DEFAULT '{}'::text[], once_ids text[] DEFAULT '{}'::text[], digests text[] DEFAULT '{}'::text[], item_of integer[] DEFAULT '{}'::integer[], item_afters bigint[] DEFAULT '{}'::bigint[], first_tags text[] DEFAULT '{}'::text[], other_tags text[] DEFAULT '{}'::text[], wanted_types text[] DEFAULT '{}'::text[], query_of integer[] DEFAULT '{}'::integer[], query_afters bigint[] DEFAULT '{}'::bigint[], queries text[] DEFAULT '{}'::text[], repeating_of integer[] DEFAULT '{}'::integer[], OUT given bigint, OUT versions bigint[], OUT outcomes integer[], OUT numbers bigint[], OUT known jsonb, OUT recalled jsonb)
 RETURNS record
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET jit TO 'off'
AS $function$
DECLARE
  many CONSTANT integer := cardinality(counts);
  streams text[] := names;
  as_expected boolean;
  some_ended boolean;
  ended boolean[];
  matched bigint[];
  some_taken boolean;
  taken boolean[];
  -- Messages that were accepted, of all and of each stream.
  written integer := 0;
  added integer[];
  request integer;
  stream integer;
  expectation bigint;
  last_version bigint;
  match bigint;
  outcome integer;
BEGIN
  -- With a snapshot from before the lock the judgement would be blind to what was committed meanwhile.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'thence.append needs the isolation level read committed' USING ERRCODE = '25001';
  END IF;
  IF lock_timeout IS NOT NULL THEN lock_timeout := set_config('lock_timeout', lock_timeout, true); END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('thence.append', 0));
  SELECT greatest(coalesce((SELECT max(e.position) FROM thence.events e), 0), (SELECT h.position FROM thence.head h)),
      EXISTS (SELECT FROM thence.trimmed t WHERE t.stream = ANY (names) AND t.tombstone),
      EXISTS (SELECT FROM thence.events e WHERE e.id = ANY (ids)),
      array_agg(s.version), bool_and(CASE s.base WHEN -1 THEN s.version > 0 WHEN -2 THEN true ELSE s.version = s.base END)
    INTO given, some_ended, some_taken, versions, as_expected
    FROM (SELECT n.base, coalesce(
          (SELECT e.version FROM thence.events e WHERE e.stream = n.name AND e.version >= n.base
            ORDER BY e.version DESC LIMIT 1),
          CASE WHEN n.base > 1 THEN (SELECT max(e.version) FROM thence.events e WHERE e.stream = n.name) END,
          (SELECT t.version FROM thence.trimmed t WHERE t.stream = n.name), 0) AS version
      FROM unnest(names, bases) AS n(name, base) OFFSET 0) AS s;

  IF cardinality(once_of) > 0 THEN
    recalled := (SELECT jsonb_object_agg(o.request, jsonb_build_object('stream', i.stream, 'version', i.version,
        'position', i.position, 'count', i.count))
      FROM unnest(once_of, consumers, once_ids) AS o(request, consumer, id)
      JOIN thence.inbox i ON i.consumer = o.consumer AND i.id = o.id);
  END IF;
  IF cardinality(item_of) > 0 THEN
    FOR request, match IN SELECT i.request, min(m.position)
      FROM unnest(item_of, item_afters, first_tags, other_tags, wanted_types) AS i(request, after, tag, others, types)
      CROSS JOIN LATERAL (SELECT t.position FROM thence.tags t
        WHERE t.tag = i.tag AND t.position > i.after
        AND (i.others IS NULL OR NOT EXISTS (SELECT FROM unnest(i.others::text[]) AS other(tag) WHERE NOT EXISTS (
          SELECT FROM thence.tags o WHERE o.tag = other.tag AND o.position = t.position)))
        AND (i.types IS NULL OR EXISTS (
          SELECT FROM thence.events e WHERE e.position = t.position AND e.type = ANY (i.types::text[])))
        ORDER BY t.position LIMIT 1) AS m
      GROUP BY i.request
    LOOP matched[request] := match; END LOOP;
  END IF;
  IF cardinality(query_of) > 0 THEN
    FOR request, match IN SELECT q.request, min(m.position)
      FROM unnest(query_of, query_afters, queries) AS q(request, after, query)
      CROSS JOIN LATERAL thence.matches_after(q.query::jsonb, q.after, 9223372036854775807, 1) AS m(position)
      GROUP BY q.request
    LOOP matched[request] := least(matched[request], match); END LOOP;
  END IF;

  IF NOT as_expected OR some_ended OR some_taken OR recalled IS NOT NULL OR matched IS NOT NULL OR repeating_of <> '{}' THEN
    IF some_ended THEN
      ended := ARRAY(SELECT EXISTS (SELECT FROM thence.trimmed t WHERE t.stream = n.name AND t.tombstone)
        FROM unnest(names) AS n(name));
    END IF;
    IF some_taken THEN
      FOR request IN SELECT m.request FROM unnest(message_of, ids) AS m(request, id)
        WHERE EXISTS (SELECT FROM thence.events e WHERE e.id = m.id)
      LOOP taken[request] := true; END LOOP;
    END IF;
    FOREACH request IN ARRAY repeating_of LOOP taken[request] := true; END LOOP;
    outcomes := array_fill(0, ARRAY[many]);
    numbers := array_fill(0::bigint, ARRAY[many]);
    added := array_fill(0, ARRAY[cardinality(names)]);
    FOR request IN 1 .. many LOOP
      stream := stream_of[request];
      expectation := expectations[request];
      last_version := versions[stream] + added[stream];
      outcome := CASE
        WHEN recalled ? request::text THEN 1
        WHEN ended[stream] THEN 2
        WHEN expectation >= 0 AND last_version <> expectation OR expectation = -1 AND last_version = 0 THEN 3
        WHEN matched[request] IS NOT NULL THEN 4
        WHEN taken[request] THEN 5
        ELSE 0 END;
      IF outcome = 0 THEN
        starts[request] := written;
        offsets[request] := added[stream];
        written := written + counts[request];
        added[stream] := added[stream] + counts[request];
      ELSE
        starts[request] := -1;
        outcomes[request] := outcome;
        numbers[request] := CASE outcome WHEN 3 THEN last_version WHEN 4 THEN matched[request] ELSE 0 END;
      END IF;
    END LOOP;
    known := (SELECT jsonb_agg(jsonb_build_object('id', e.id, 'stream', e.stream, 'version', e.version,
        'position', e.position, 'type', e.type, 'schemaVersion', e.schema_version, 'data', e.data))
      FROM thence.events e WHERE e.id = ANY (
        ARRAY(SELECT m.id FROM unnest(message_of, ids) AS m(request, id) WHERE outcomes[m.request] > 1)));
  END IF;

  INSERT INTO thence.events (position, stream, version, kind, type, schema_version, id, correlation_id, causation_id,
      time, tags, metadata, data)
    SELECT given + starts[m.request] + m.place, streams[stream_of[m.request]],
      versions[stream_of[m.request]] + offsets[m.request] + m.place, m.kind, m.type, m.schema_version, m.id,
      m.correlation_id, m.causation_id, m.time, m.tags, m.metadata, m.data
    FROM unnest(message_of, places, kinds, types, schema_versions, ids, correlations, causations, times, tag_lists,
        metadatas, datas)
      AS m(request, place, kind, type, schema_version, id, correlation_id, causation_id, time, tags, metadata, data)
    WHERE starts[m.request] >= 0;
  IF cardinality(tag_of) > 0 THEN
    INSERT INTO thence.tags (tag, position)
      SELECT g.tag, given + starts[g.request] + g.place FROM unnest(tag_of, tag_places, tag_names) AS g(request, place, tag)
      WHERE starts[g.request] >= 0;
  END IF;
  IF cardinality(once_of) > 0 THEN
    INSERT INTO thence.inbox (consumer, id, stream, version, position, count, time, digest)
      SELECT o.consumer, o.id, streams[stream_of[o.request]],
        versions[stream_of[o.request]] + offsets[o.request] + counts[o.request],
        given + starts[o.request] + counts[o.request], counts[o.request],
        coalesce(now, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint), o.digest
      FROM unnest(once_of, consumers, once_ids, digests) AS o(request, consumer, id, digest)
      WHERE starts[o.request] >= 0;
  END IF;
END $function$;

-- function append_concurrent(now bigint, lock_timeout text, names text[], bases bigint[], stream_of integer[], starts integer[], offsets integer[], expectations bigint[], counts integer[], message_of integer[], places integer[], kinds text[], types text[], schema_versions integer[], ids text[], times bigint[], datas text[], correlations text[], causations text[], metadatas text[], tag_lists text[], tag_of integer[], tag_places integer[], tag_names text[], once_of integer[], consumers text[], once_ids text[], digests text[], item_of integer[], item_afters bigint[], first_tags text[], other_tags text[], wanted_types text[], query_of integer[], query_afters bigint[], queries text[], repeating_of integer[], OUT given bigint, OUT versions bigint[], OUT outcomes integer[], OUT numbers bigint[], OUT known jsonb, OUT recalled jsonb)
CREATE OR REPLACE FUNCTION thence.append_concurrent(now bigint, lock_timeout text, names text[], bases bigint[], stream_of integer[], starts integer[], offsets integer[], expectations bigint[], counts integer[], message_of integer[], places integer[], kinds text[], types text[], schema_versions integer[], ids text[], times bigint[], datas text[], correlations text[] DEFAULT '{}'::text[], causations text[] DEFAULT '{}'::text[], metadatas text[] DEFAULT '{}'::text[], tag_lists text[] DEFAULT '{}'::text[], tag_of integer[] DEFAULT '{}'::integer[], tag_places integer[] DEFAULT '{}'::integer[], tag_names text[] DEFAULT '{}'::text[], once_of integer[] DEFAULT '{}'::integer[], consumers text[] DEFAULT '{}'::text[], once_ids text[] DEFAULT '{}'::text[], digests text[] DEFAULT '{}'::text[], item_of integer[] DEFAULT '{}'::integer[], item_afters bigint[] DEFAULT '{}'::bigint[], first_tags text[] DEFAULT '{}'::text[], other_tags text[] DEFAULT '{}'::text[], wanted_types text[] DEFAULT '{}'::text[], query_of integer[] DEFAULT '{}'::integer[], query_afters bigint[] DEFAULT '{}'::bigint[], queries text[] DEFAULT '{}'::text[], repeating_of integer[] DEFAULT '{}'::integer[], OUT given bigint, OUT versions bigint[], OUT outcomes integer[], OUT numbers bigint[], OUT known jsonb, OUT recalled jsonb)
 RETURNS record
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET jit TO 'off'
AS $function$
DECLARE
  many CONSTANT integer := cardinality(counts);
  streams text[] := names;
  as_expected boolean;
  some_ended boolean;
  ended boolean[];
  matched bigint[];
  some_taken boolean;
  taken boolean[];
  -- Messages that were accepted, of all and of each stream.
  written integer := 0;
  added integer[];
  request integer;
  stream integer;
  expectation bigint;
  last_version bigint;
  match bigint;
  outcome integer;
BEGIN
  -- With a snapshot from before the lock the judgement would be blind to what was committed meanwhile.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'thence.append_concurrent needs the isolation level read committed' USING ERRCODE = '25001';
  END IF;
  IF lock_timeout IS NOT NULL THEN lock_timeout := set_config('lock_timeout', lock_timeout, true); END IF;
  PERFORM thence.enter_scopes(names, consumers, once_ids, types, tag_names, first_tags, queries);
  SELECT greatest(coalesce((SELECT max(e.position) FROM thence.events e), 0), (SELECT h.position FROM thence.head h)),
      EXISTS (SELECT FROM thence.trimmed t WHERE t.stream = ANY (names) AND t.tombstone),
      EXISTS (SELECT FROM thence.events e WHERE e.id = ANY (ids)),
      array_agg(s.version), bool_and(CASE s.base WHEN -1 THEN s.version > 0 WHEN -2 THEN true ELSE s.version = s.base END)
    INTO given, some_ended, some_taken, versions, as_expected
    FROM (SELECT n.base, coalesce(
          (SELECT e.version FROM thence.events e WHERE e.stream = n.name AND e.version >= n.base
            ORDER BY e.version DESC LIMIT 1),
          CASE WHEN n.base > 1 THEN (SELECT max(e.version) FROM thence.events e WHERE e.stream = n.name) END,
          (SELECT t.version FROM thence.trimmed t WHERE t.stream = n.name), 0) AS version
      FROM unnest(names, bases) AS n(name, base) OFFSET 0) AS s;

  IF cardinality(once_of) > 0 THEN
    recalled := (SELECT jsonb_object_agg(o.request, jsonb_build_object('stream', i.stream, 'version', i.version,
        'position', i.position, 'count', i.count))
      FROM unnest(once_of, consumers, once_ids) AS o(request, consumer, id)
      JOIN thence.inbox i ON i.consumer = o.consumer AND i.id = o.id);
  END IF;
  IF cardinality(item_of) > 0 THEN
    FOR request, match IN SELECT i.request, min(m.position)
      FROM unnest(item_of, item_afters, first_tags, other_tags, wanted_types) AS i(request, after, tag, others, types)
      CROSS JOIN LATERAL (SELECT t.position FROM thence.tags t
        WHERE t.tag = i.tag AND t.position > i.after
        AND (i.others IS NULL OR NOT EXISTS (SELECT FROM unnest(i.others::text[]) AS other(tag) WHERE NOT EXISTS (
          SELECT FROM thence.tags o WHERE o.tag = other.tag AND o.position = t.position)))
        AND (i.types IS NULL OR EXISTS (
          SELECT FROM thence.events e WHERE e.position = t.position AND e.type = ANY (i.types::text[])))
        ORDER BY t.position LIMIT 1) AS m
      GROUP BY i.request
    LOOP matched[request] := match; END LOOP;
  END IF;
  IF cardinality(query_of) > 0 THEN
    FOR request, match IN SELECT q.request, min(m.position)
      FROM unnest(query_of, query_afters, queries) AS q(request, after, query)
      CROSS JOIN LATERAL thence.matches_after(q.query::jsonb, q.after, 9223372036854775807, 1) AS m(position)
      GROUP BY q.request
    LOOP matched[request] := least(matched[request], match); END LOOP;
  END IF;

  IF NOT as_expected OR some_ended OR some_taken OR recalled IS NOT NULL OR matched IS NOT NULL OR repeating_of <> '{}' THEN
    IF some_ended THEN
      ended := ARRAY(SELECT EXISTS (SELECT FROM thence.trimmed t WHERE t.stream = n.name AND t.tombstone)
        FROM unnest(names) AS n(name));
    END IF;
    IF some_taken THEN
      FOR request IN SELECT m.request FROM unnest(message_of, ids) AS m(request, id)
        WHERE EXISTS (SELECT FROM thence.events e WHERE e.id = m.id)
      LOOP taken[request] := true; END LOOP;
    END IF;
    FOREACH request IN ARRAY repeating_of LOOP taken[request] := true; END LOOP;
    outcomes := array_fill(0, ARRAY[many]);
    numbers := array_fill(0::bigint, ARRAY[many]);
    added := array_fill(0, ARRAY[cardinality(names)]);
    FOR request IN 1 .. many LOOP
      stream := stream_of[request];
      expectation := expectations[request];
      last_version := versions[stream] + added[stream];
      outcome := CASE
        WHEN recalled ? request::text THEN 1
        WHEN ended[stream] THEN 2
        WHEN expectation >= 0 AND last_version <> expectation OR expectation = -1 AND last_version = 0 THEN 3
        WHEN matched[request] IS NOT NULL THEN 4
        WHEN taken[request] THEN 5
        ELSE 0 END;
      IF outcome = 0 THEN
        starts[request] := written;
        offsets[request] := added[stream];
        written := written + counts[request];
        added[stream] := added[stream] + counts[request];
      ELSE
        starts[request] := -1;
        outcomes[request] := outcome;
        numbers[request] := CASE outcome WHEN 3 THEN last_version WHEN 4 THEN matched[request] ELSE 0 END;
      END IF;
    END LOOP;
    known := (SELECT jsonb_agg(jsonb_build_object('id', e.id, 'stream', e.stream, 'version', e.version,
        'position', e.position, 'type', e.type, 'schemaVersion', e.schema_version, 'data', e.data))
      FROM thence.events e WHERE e.id = ANY (
        ARRAY(SELECT m.id FROM unnest(message_of, ids) AS m(request, id) WHERE outcomes[m.request] > 1)));
  END IF;

  given := thence.take_positions(CASE WHEN outcomes IS NULL THEN cardinality(ids) ELSE written END);
  INSERT INTO thence.events (position, stream, version, kind, type, schema_version, id, correlation_id, causation_id,
      time, tags, metadata, data)
    SELECT given + starts[m.request] + m.place, streams[stream_of[m.request]],
      versions[stream_of[m.request]] + offsets[m.request] + m.place, m.kind, m.type, m.schema_version, m.id,
      m.correlation_id, m.causation_id, m.time, m.tags, m.metadata, m.data
    FROM unnest(message_of, places, kinds, types, schema_versions, ids, correlations, causations, times, tag_lists,
        metadatas, datas)
      AS m(request, place, kind, type, schema_version, id, correlation_id, causation_id, time, tags, metadata, data)
    WHERE starts[m.request] >= 0;
  IF cardinality(tag_of) > 0 THEN
    INSERT INTO thence.tags (tag, position)
      SELECT g.tag, given + starts[g.request] + g.place FROM unnest(tag_of, tag_places, tag_names) AS g(request, place, tag)
      WHERE starts[g.request] >= 0;
  END IF;
  IF cardinality(once_of) > 0 THEN
    INSERT INTO thence.inbox (consumer, id, stream, version, position, count, time, digest)
      SELECT o.consumer, o.id, streams[stream_of[o.request]],
        versions[stream_of[o.request]] + offsets[o.request] + counts[o.request],
        given + starts[o.request] + counts[o.request], counts[o.request],
        coalesce(now, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint), o.digest
      FROM unnest(once_of, consumers, once_ids, digests) AS o(request, consumer, id, digest)
      WHERE starts[o.request] >= 0;
  END IF;
END $function$;

-- function append_concurrent_parts(parts jsonb, now bigint, lock_timeout text)
CREATE OR REPLACE FUNCTION thence.append_concurrent_parts(parts jsonb, now bigint, lock_timeout text)
 RETURNS TABLE(given bigint, versions bigint[], outcomes integer[], numbers bigint[], known jsonb, recalled jsonb)
 LANGUAGE plpgsql
AS $function$
DECLARE
  part jsonb;
BEGIN
  FOR part IN SELECT p.value FROM jsonb_array_elements(parts) AS p LOOP
    RETURN QUERY SELECT * FROM thence.append_concurrent(now, lock_timeout,
      (part ->> 'names')::text[], (part ->> 'bases')::bigint[], (part ->> 'stream_of')::integer[],
      (part ->> 'starts')::integer[], (part ->> 'offsets')::integer[],
      (part ->> 'expectations')::bigint[], (part ->> 'counts')::integer[],
      (part ->> 'message_of')::integer[], (part ->> 'places')::integer[], (part ->> 'kinds')::text[],
      (part ->> 'types')::text[], (part ->> 'schema_versions')::integer[], (part ->> 'ids')::text[],
      (part ->> 'times')::bigint[], (part ->> 'datas')::text[],
      coalesce(part ->> 'correlations', '{}')::text[], coalesce(part ->> 'causations', '{}')::text[],
      coalesce(part ->> 'metadatas', '{}')::text[],
      coalesce(part ->> 'tag_lists', '{}')::text[], coalesce(part ->> 'tag_of', '{}')::integer[],
      coalesce(part ->> 'tag_places', '{}')::integer[], coalesce(part ->> 'tag_names', '{}')::text[],
      coalesce(part ->> 'once_of', '{}')::integer[], coalesce(part ->> 'consumers', '{}')::text[],
      coalesce(part ->> 'once_ids', '{}')::text[], coalesce(part ->> 'digests', '{}')::text[],
      coalesce(part ->> 'item_of', '{}')::integer[], coalesce(part ->> 'item_afters', '{}')::bigint[],
      coalesce(part ->> 'first_tags', '{}')::text[], coalesce(part ->> 'other_tags', '{}')::text[],
      coalesce(part ->> 'wanted_types', '{}')::text[],
      coalesce(part ->> 'query_of', '{}')::integer[], coalesce(part ->> 'query_afters', '{}')::bigint[],
      coalesce(part ->> 'queries', '{}')::text[], coalesce(part ->> 'repeating_of', '{}')::integer[]);
  END LOOP;
END $function$;

-- function append_one(lock_timeout text, stream text, expected bigint, kind text, type text, schema_version integer, id text, at bigint, data text, correlation_id text, causation_id text, metadata text, tags text, tag_names text[], OUT given bigint, OUT versions bigint[], OUT outcomes integer[], OUT numbers bigint[], OUT known jsonb, OUT recalled jsonb)
CREATE OR REPLACE FUNCTION thence.append_one(lock_timeout text, stream text, expected bigint, kind text, type text, schema_version integer, id text, at bigint, data text, correlation_id text, causation_id text, metadata text, tags text, tag_names text[], OUT given bigint, OUT versions bigint[], OUT outcomes integer[], OUT numbers bigint[], OUT known jsonb, OUT recalled jsonb)
 RETURNS record
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET jit TO 'off'
AS $function$
DECLARE
  name CONSTANT text := stream;
  own_id CONSTANT text := id;
  last_version bigint;
  is_refused boolean;
BEGIN
  -- With a snapshot from before the lock the judgement would be blind to what was committed meanwhile.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'thence.append_one needs the isolation level read committed' USING ERRCODE = '25001';
  END IF;
  IF lock_timeout IS NOT NULL THEN lock_timeout := set_config('lock_timeout', lock_timeout, true); END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('thence.append', 0));
  SELECT greatest(coalesce((SELECT max(e.position) FROM thence.events e), 0), (SELECT h.position FROM thence.head h)),
      coalesce(
        (SELECT e.version FROM thence.events e WHERE e.stream = name AND e.version >= expected
          ORDER BY e.version DESC LIMIT 1),
        (SELECT t.version FROM thence.trimmed t WHERE t.stream = name), 0),
      EXISTS (SELECT FROM thence.events e WHERE e.id = own_id)
        OR EXISTS (SELECT FROM thence.trimmed t WHERE t.stream = name AND t.tombstone)
    INTO given, last_version, is_refused;
  IF is_refused OR expected >= 0 AND last_version <> expected OR expected = -1 AND last_version = 0 THEN
    SELECT a.given, a.versions, a.outcomes, a.numbers, a.known, a.recalled
      INTO given, versions, outcomes, numbers, known, recalled
      FROM thence.append(NULL, NULL, ARRAY[stream], ARRAY[expected], '{1}', '{0}', '{0}', ARRAY[expected], '{1}', '{1}', '{1}',
        ARRAY[kind], ARRAY[type], ARRAY[schema_version], ARRAY[id], ARRAY[at], ARRAY[data],
        ARRAY[correlation_id], ARRAY[causation_id], ARRAY[metadata],
        ARRAY[tags], array_fill(1, ARRAY[cardinality(tag_names)]), array_fill(1, ARRAY[cardinality(tag_names)]), tag_names) AS a;
    RETURN;
  END IF;
  versions := ARRAY[last_version];
  INSERT INTO thence.events (position, stream, version, kind, type, schema_version, id, correlation_id, causation_id,
      time, tags, metadata, data)
    VALUES (given + 1, stream, last_version + 1, kind, type, schema_version, id, correlation_id, causation_id,
      at, tags, metadata, data);
  IF tag_names <> '{}' THEN
    INSERT INTO thence.tags (tag, position) SELECT t.tag, given + 1 FROM unnest(tag_names) AS t(tag);
  END IF;
END $function$;

-- function append_parts(parts jsonb, now bigint, lock_timeout text)
CREATE OR REPLACE FUNCTION thence.append_parts(parts jsonb, now bigint, lock_timeout text)
 RETURNS TABLE(given bigint, versions bigint[], outcomes integer[], numbers bigint[], known jsonb, recalled jsonb)
 LANGUAGE plpgsql
AS $function$
DECLARE
  part jsonb;
BEGIN
  FOR part IN SELECT p.value FROM jsonb_array_elements(parts) AS p LOOP
    RETURN QUERY SELECT * FROM thence.append(now, lock_timeout,
      (part ->> 'names')::text[], (part ->> 'bases')::bigint[], (part ->> 'stream_of')::integer[],
      (part ->> 'starts')::integer[], (part ->> 'offsets')::integer[],
      (part ->> 'expectations')::bigint[], (part ->> 'counts')::integer[],
      (part ->> 'message_of')::integer[], (part ->> 'places')::integer[], (part ->> 'kinds')::text[],
      (part ->> 'types')::text[], (part ->> 'schema_versions')::integer[], (part ->> 'ids')::text[],
      (part ->> 'times')::bigint[], (part ->> 'datas')::text[],
      coalesce(part ->> 'correlations', '{}')::text[], coalesce(part ->> 'causations', '{}')::text[],
      coalesce(part ->> 'metadatas', '{}')::text[],
      coalesce(part ->> 'tag_lists', '{}')::text[], coalesce(part ->> 'tag_of', '{}')::integer[],
      coalesce(part ->> 'tag_places', '{}')::integer[], coalesce(part ->> 'tag_names', '{}')::text[],
      coalesce(part ->> 'once_of', '{}')::integer[], coalesce(part ->> 'consumers', '{}')::text[],
      coalesce(part ->> 'once_ids', '{}')::text[], coalesce(part ->> 'digests', '{}')::text[],
      coalesce(part ->> 'item_of', '{}')::integer[], coalesce(part ->> 'item_afters', '{}')::bigint[],
      coalesce(part ->> 'first_tags', '{}')::text[], coalesce(part ->> 'other_tags', '{}')::text[],
      coalesce(part ->> 'wanted_types', '{}')::text[],
      coalesce(part ->> 'query_of', '{}')::integer[], coalesce(part ->> 'query_afters', '{}')::bigint[],
      coalesce(part ->> 'queries', '{}')::text[], coalesce(part ->> 'repeating_of', '{}')::integer[]);
  END LOOP;
END $function$;

-- function enter_scopes(names text[], consumers text[], once_ids text[], types text[], tag_names text[], first_tags text[], queries text[])
CREATE OR REPLACE FUNCTION thence.enter_scopes(names text[], consumers text[], once_ids text[], types text[], tag_names text[], first_tags text[], queries text[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
BEGIN
  PERFORM CASE WHEN s.alone THEN pg_advisory_xact_lock(s.key) ELSE pg_advisory_xact_lock_shared(s.key) END
    FROM (SELECT w.key, w.alone FROM thence.scopes(names, consumers, once_ids, types, tag_names, first_tags, queries) AS w
      ORDER BY 1 OFFSET 0) AS s;
EXCEPTION WHEN lock_not_available THEN
  RAISE EXCEPTION 'an append waited for another that is open' USING ERRCODE = '55P03', DETAIL = (
    SELECT coalesce(max(l.pid), 0) FROM thence.scopes(names, consumers, once_ids, types, tag_names, first_tags, queries) AS w
      JOIN pg_locks l ON l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted AND l.pid <> pg_backend_pid()
        AND l.classid::bigint = (w.key >> 32) & 4294967295 AND l.objid::bigint = w.key & 4294967295
        AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
      WHERE w.alone OR l.mode = 'ExclusiveLock');
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
        AND (cardinality(item_tags) = 1 OR item_tags <@ ARRAY(
          SELECT o.tag FROM thence.tags o WHERE o.tag = ANY (item_tags) AND o.position = t.position))
        AND (item_types IS NULL OR
          (SELECT e.type FROM thence.events e WHERE e.position = t.position) = ANY (item_types))
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
        AND (cardinality(item_tags) = 1 OR item_tags <@ ARRAY(
          SELECT o.tag FROM thence.tags o WHERE o.tag = ANY (item_tags) AND o.position = t.position))
        AND (item_types IS NULL OR
          (SELECT e.type FROM thence.events e WHERE e.position = t.position) = ANY (item_types))
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

-- function safe_position()
CREATE OR REPLACE FUNCTION thence.safe_position()
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
DECLARE
  last bigint;
  behind bigint;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'thence.safe_position needs the isolation level read committed' USING ERRCODE = '25001';
  END IF;
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION 'up to where a log of the order concurrent can be read is known to the primary alone; connect to that' USING ERRCODE = '25006';
  END IF;
  last := thence.last_position();
  SELECT max(m.behind) INTO behind FROM (SELECT (last - l.objid::bigint) & 4294967295 AS behind FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid() AND l.classid = 'thence.positions'::regclass
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())) AS m
    WHERE m.behind < 2147483648;
  RETURN last - coalesce(behind, 0);
END $function$;

-- function scopes(names text[], consumers text[], once_ids text[], types text[], tag_names text[], first_tags text[], queries text[])
CREATE OR REPLACE FUNCTION thence.scopes(names text[], consumers text[], once_ids text[], types text[], tag_names text[], first_tags text[], queries text[])
 RETURNS TABLE(key bigint, alone boolean)
 LANGUAGE sql
 STABLE
AS $function$
  WITH narrow AS (SELECT n.scope, bool_or(n.alone) AS alone FROM (
      SELECT 'type ' || t AS scope, false AS alone FROM unnest(types) AS t
      UNION ALL SELECT 'tag ' || t, false FROM unnest(tag_names) AS t
      UNION ALL SELECT 'tag ' || t, true FROM unnest(first_tags) AS t
      UNION ALL SELECT 'type ' || t, true FROM unnest(queries) AS q
        CROSS JOIN jsonb_array_elements(q::jsonb) AS i(item) CROSS JOIN jsonb_array_elements_text(i.item -> 'types') AS t) AS n
    GROUP BY 1),
  room AS (SELECT count(*) > current_setting('max_locks_per_transaction')::bigint * current_setting('max_connections')::bigint / 4 AS lacks
    FROM narrow)
  SELECT hashtextextended('thence.' || w.scope, 0), bool_or(w.alone) FROM (
    SELECT 'stream ' || n AS scope, true AS alone FROM unnest(names) AS n
    UNION ALL SELECT 'once ' || o.consumer || ' ' || o.id, true FROM unnest(consumers, once_ids) AS o(consumer, id)
    UNION ALL SELECT n.scope, n.alone FROM narrow AS n CROSS JOIN room WHERE NOT room.lacks
    UNION ALL SELECT 'all', room.lacks FROM room WHERE cardinality(types) + cardinality(first_tags) + cardinality(queries) > 0
    UNION ALL SELECT 'all', true FROM unnest(queries) AS q
      CROSS JOIN jsonb_array_elements(q::jsonb) AS i(item) WHERE NOT i.item ? 'types') AS w
  GROUP BY 1
$function$;

-- function take_positions(many integer)
CREATE OR REPLACE FUNCTION thence.take_positions(many integer)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
DECLARE
  marked CONSTANT text := 'thence.positions'::regclass::oid::text;
  before bigint;
BEGIN
  IF many = 0 THEN RETURN thence.safe_position(); END IF;
  IF current_setting('thence_store.marked', true) IS DISTINCT FROM marked THEN
    SELECT greatest(s.last_value, thence.last_position()) INTO before FROM thence.positions s;
    PERFORM pg_advisory_xact_lock_shared((((('thence.positions'::regclass::oid::bigint)::bigint & 4294967295) # 2147483648) - 2147483648)::integer, ((((before)::bigint & 4294967295) # 2147483648) - 2147483648)::integer);
    PERFORM set_config('thence_store.marked', marked, true);
  END IF;
  BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('thence.positions', 0));
    SELECT greatest(s.last_value, thence.last_position()) INTO before FROM thence.positions s;
    PERFORM setval('thence.positions', before + many);
    RAISE EXCEPTION USING ERRCODE = 'TH001';
  EXCEPTION WHEN SQLSTATE 'TH001' THEN NULL;
  END;
  RETURN before;
END $function$;
