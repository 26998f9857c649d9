/**
 * The function that appends one message: the append of every day, by scalars. It only goes ahead where nothing stands against it; everything
 * else is left to `thence.append`, under the same lock.
 */

/*
 * As in 0002-append.ts an expectation is a version, -1 for "exists", -2 for none. A stream that is shorter than expected has no version from there on, so it is told
 * by another one, and `thence.append` says which it is.
 */
export const judgingOne = `
CREATE FUNCTION thence.append_one(
  lock_timeout text, stream text, expected bigint, kind text, type text, schema_version integer, id text, at bigint,
  data text, correlation_id text, causation_id text, metadata text, tags text, tag_names text[],
  OUT given bigint, OUT versions bigint[], OUT outcomes integer[], OUT numbers bigint[], OUT known jsonb, OUT recalled jsonb
) LANGUAGE plpgsql
SET plan_cache_mode TO force_generic_plan SET enable_seqscan TO off SET jit TO off AS $$
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
END $$;
`
