/**
 * A schema for what the user's own SQL makes, above all tables of views: so two stores in one database never share one.
 */
import type { Migration } from '../../../ports/database.ts'

/*
 * A store that is there already has such tables, if any, where names without a schema have led so far; that is kept, so that no view is
 * empty all of a sudden.
 */
const script = `
DO $$ BEGIN
  IF current_schema() IS NOT NULL AND EXISTS (SELECT FROM thence.meta WHERE key = 'store_id') THEN
    INSERT INTO thence.meta (key, value) VALUES ('views', current_schema());
  ELSE
    IF to_regnamespace('thence_views') IS NULL THEN CREATE SCHEMA thence_views; END IF;
    INSERT INTO thence.meta (key, value) VALUES ('views', (parse_ident('thence_views'))[1]);
  END IF;
END $$;
`

export const views: Migration = { number: 4, name: 'views', script }
