/**
 * The functions of the log: which positions match a query, and the judgement of a batch of appends in one call.
 */
import type { Migration } from '../../../ports/database.ts'
import { judgingOne } from './append-one.ts'

/**
 * Positions that match a query, nearest first. Each item goes by the index of its first tag, of its types, or by the log; the rest is asked of each
 * position in a form that no plan can answer by reading a whole table beforehand.
 */
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
        AND (cardinality(item_tags) = 1 OR item_tags <@ ARRAY(
          SELECT o.tag FROM thence.tags o WHERE o.tag = ANY (item_tags) AND o.position = t.position))
        AND (item_types IS NULL OR
          (SELECT e.type FROM thence.events e WHERE e.position = t.position) = ANY (item_types))
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

/** In which order positions are given; see decisions 0036 and 0044. */
export interface Way {
  /** Of the function. */
  readonly name: string
  /** What it waits for before it looks at anything. */
  readonly enter: string
  /** What it does when it knows what it will write: lines of their own. */
  readonly place: string
}

const sequenced: Way = {
  name: 'append',
  enter: "PERFORM pg_advisory_xact_lock(hashtextextended('thence.append', 0));",
  place: '',
}

/*
 * The lock is taken here and held to the end of the transaction: positions become visible in their order and without gaps.
 * Each statement sees what was committed when the lock was got.
 *
 * What must be known is asked for all requests at once. If nothing stands against any of them, all is written at once too;
 * otherwise they are judged in order first, by arithmetic on arrays, and what was accepted is written. So requests of one call must not
 * depend on one another, but for the versions of their streams: the caller sees to that. Arrays whose names end in "_of" say
 * to which request (or stream) an entry belongs, from 1 on.
 *
 * An expectation is a version, -1 for "exists", -2 for none. "bases" has for each stream what its expectations say together of the
 * version before the batch, if all are accepted; -3 if they contradict each other. "starts" and "offsets" have the
 * messages of earlier requests, to any stream and to the same. An outcome is 0 appended, 1 remembered by the inbox, 2 tombstoned, 3 conflict, 4 condition failed, 5 an id is taken;
 * null for all means all appended. A number is the actual version or the matching position. What is stored under the
 * ids of refused requests is given back for the caller to compare.
 *
 * Plans are kept while the log grows, so none may read all of it, and none is worth compiling.
 */
const judging = `
CREATE FUNCTION thence.<name>(
  now bigint, lock_timeout text,
  names text[], bases bigint[], stream_of integer[], starts integer[], offsets integer[], expectations bigint[],
  counts integer[],
  message_of integer[], places integer[], kinds text[], types text[], schema_versions integer[], ids text[],
  times bigint[], datas text[],
  correlations text[] DEFAULT '{}', causations text[] DEFAULT '{}', metadatas text[] DEFAULT '{}',
  tag_lists text[] DEFAULT '{}', tag_of integer[] DEFAULT '{}', tag_places integer[] DEFAULT '{}',
  tag_names text[] DEFAULT '{}',
  once_of integer[] DEFAULT '{}', consumers text[] DEFAULT '{}', once_ids text[] DEFAULT '{}', digests text[] DEFAULT '{}',
  item_of integer[] DEFAULT '{}', item_afters bigint[] DEFAULT '{}', first_tags text[] DEFAULT '{}',
  other_tags text[] DEFAULT '{}', wanted_types text[] DEFAULT '{}',
  query_of integer[] DEFAULT '{}', query_afters bigint[] DEFAULT '{}', queries text[] DEFAULT '{}',
  repeating_of integer[] DEFAULT '{}',
  OUT given bigint, OUT versions bigint[], OUT outcomes integer[], OUT numbers bigint[], OUT known jsonb, OUT recalled jsonb
) LANGUAGE plpgsql
SET plan_cache_mode TO force_generic_plan SET enable_seqscan TO off SET jit TO off AS $$
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
    RAISE EXCEPTION 'thence.<name> needs the isolation level read committed' USING ERRCODE = '25001';
  END IF;
  IF lock_timeout IS NOT NULL THEN lock_timeout := set_config('lock_timeout', lock_timeout, true); END IF;
  <enter>
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

<place>  INSERT INTO thence.events (position, stream, version, kind, type, schema_version, id, correlation_id, causation_id,
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
END $$;
`

/** Parts of a batch of which each is judged by what those before it wrote. A part has an array for each column, as text. */
const judgingParts = `
CREATE FUNCTION thence.<name>_parts(parts jsonb, now bigint, lock_timeout text)
RETURNS TABLE (given bigint, versions bigint[], outcomes integer[], numbers bigint[], known jsonb, recalled jsonb) LANGUAGE plpgsql AS $$
DECLARE
  part jsonb;
BEGIN
  FOR part IN SELECT p.value FROM jsonb_array_elements(parts) AS p LOOP
    RETURN QUERY SELECT * FROM thence.<name>(now, lock_timeout,
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
END $$;
`

/** The functions that judge a batch, in one of the ways. */
export const judgingBy = ({ name, enter, place }: Way): string =>
  `${judging}${judgingParts}`
    .replaceAll('<name>', name)
    .replace('<enter>', enter)
    .replace('<place>', place)

const script = [
  matching('matches_after', 'ASC'),
  matching('matches_before', 'DESC'),
  head,
  judgingBy(sequenced),
  judgingOne,
].join('')

export const append: Migration = { number: 2, name: 'append', script: script.trim() }
