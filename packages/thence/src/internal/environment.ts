/** Whether this process runs in production; the one question that is asked of the environment. */
export const isProduction = (): boolean => process.env['NODE_ENV'] === 'production'
