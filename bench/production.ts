/**
 * Imported before anything else: the bench measures what runs in production, where recorded messages are not frozen.
 */
process.env['NODE_ENV'] = 'production'
