/**
 * The functions of the log: which positions match a query, and the judgement of a batch of appends in one call.
 */
import type { Migration } from '../../../ports/database.ts'

/** Positions that match a query, nearest first. Each item goes by the index of its first tag, of its types, or by the log. */
const matching = (name: string, order: 'ASC' | 'DESC'): string => `
CREATE FUNCTION thence.${name}(query jsonb, after bigint, before bigint, most bigint)
RETURNS SETOF bigint LANGUAGE plpgsql STABLE AS $$
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
        ORDER BY t.position ${order} LIMIT most;
    ELSIF item_types IS NULL THEN
      RETURN QUERY SELECT e.position FROM thence.events e
        WHERE e.position > after AND e.position < before ORDER BY e.position ${order} LIMIT most;
    ELSE
      RETURN QUERY SELECT found.position FROM (SELECT DISTINCT unnest(item_types) AS type) AS wanted
        CROSS JOIN LATERAL (SELECT e.position FROM thence.events e
          WHERE e.type = wanted.type AND e.position > after AND e.position < before
          ORDER BY e.position ${order} LIMIT most) AS found;
    END IF;
  END LOOP;
END $$;
`

const head = `
CREATE FUNCTION thence.last_position() RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT greatest(coalesce((SELECT max(position) FROM thence.events), 0), (SELECT position FROM thence.head))
$$;
`

/*
 * The lock is taken here and held to the end of the transaction: positions become visible in their order and without gaps.
 * Each statement sees what was committed when the lock was got. Its plans are kept while the log grows, so none may read all of it. A refused request writes nothing, so the batch goes on; what
 * is stored under its ids is given back for the caller to compare.
 */
const judging = `
CREATE FUNCTION thence.append(requests jsonb, now bigint, lock_timeout text)
RETURNS jsonb LANGUAGE plpgsql SET enable_seqscan TO off AS $$
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
END $$;
`

const script = [
  matching('matches_after', 'ASC'),
  matching('matches_before', 'DESC'),
  head,
  judging,
].join('')

export const append: Migration = { number: 2, name: 'append', script: script.trim() }
