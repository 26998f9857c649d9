/**
 * The order `concurrent`: positions are taken from a sequence, and whoever takes some says first, by a lock that everybody can see, from
 * where on. Nobody waits for another who writes something else.
 */
import type { Migration } from '../../../ports/database.ts'
import { judgingBy } from './0002-append.ts'

/** A number of 64 bits cut to the 32 that one half of a lock can have. */
const half = (value: string): string =>
  `((((${value})::bigint & 4294967295) # 2147483648) - 2147483648)::integer`
const mark = half("'thence.positions'::regclass::oid::bigint")

/*
 * Positions are taken in a moment of their own: the lock around it goes with what is rolled back, the sequence and the variables stay.
 * So they follow each other without a gap for one call, and the lock does not stay for the rest of the transaction.
 *
 * The mark that others see is set before anything is taken, and stays to the end of the transaction: what is taken is above it.
 * One is enough for a transaction; that it is there is remembered by a setting, which is undone with the same savepoint.
 */
const positions = `
CREATE SEQUENCE thence.positions MINVALUE 0 START 0;
SELECT setval('thence.positions', 0, true);

CREATE FUNCTION thence.take_positions(many integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  marked CONSTANT text := 'thence.positions'::regclass::oid::text;
  before bigint;
BEGIN
  IF many = 0 THEN RETURN thence.safe_position(); END IF;
  IF current_setting('thence_store.marked', true) IS DISTINCT FROM marked THEN
    SELECT greatest(s.last_value, thence.last_position()) INTO before FROM thence.positions s;
    PERFORM pg_advisory_xact_lock_shared(${mark}, ${half('before')});
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
END $$;
`

/*
 * The position up to which everything is there, or never will be. The end of the log is read first, the marks after it: what was taken
 * below that end and is not committed has a mark that is seen then, or has ended in between; and a lock goes only after what was
 * committed can be seen. So whoever reads with a snapshot that is newer than this misses nothing up to here.
 *
 * A mark has the lower half of a position: the one that is nearest to the end. A standby shows none of them.
 */
const safe = `
CREATE FUNCTION thence.safe_position() RETURNS bigint LANGUAGE plpgsql AS $$
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
END $$;
`

/*
 * Whoever writes to a stream, or asks what it has come to, is alone with it. Who writes shares each type and tag with others who write;
 * a condition has what it asks for to itself, by one tag of an item, else by its types, else the whole log. All at once and in one order,
 * so that two never wait for one another. Who waits in vain is told by the detail which session of the server holds what it needs, 0 if it is none.
 *
 * Each is a lock of the server, which has room for so many in all. Whose types and tags would take more than a quarter of it has
 * the whole log to itself instead: whoever writes or has a condition shares that.
 */
const scopes = `
CREATE FUNCTION thence.scopes(names text[], consumers text[], once_ids text[], types text[], tag_names text[],
  first_tags text[], queries text[])
RETURNS TABLE (key bigint, alone boolean) LANGUAGE sql STABLE AS $$
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
$$;

CREATE FUNCTION thence.enter_scopes(names text[], consumers text[], once_ids text[], types text[], tag_names text[],
  first_tags text[], queries text[])
RETURNS void LANGUAGE plpgsql AS $$
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
END $$;
`

const judging = judgingBy({
  name: 'append_concurrent',
  enter:
    'PERFORM thence.enter_scopes(names, consumers, once_ids, types, tag_names, first_tags, queries);',
  place: `  given := thence.take_positions(CASE WHEN outcomes IS NULL THEN cardinality(ids) ELSE written END);
`,
})

export const concurrent: Migration = {
  number: 3,
  name: 'concurrent',
  script: `${positions}${safe}${scopes}${judging}`.trim(),
}
