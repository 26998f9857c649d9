/** Whether this process runs in production; the one question that is asked of the environment. */
export const isProduction = (): boolean => process.env['NODE_ENV'] === 'production'

/** Whether what every message passes may be looked at more closely: asked once, because asking takes time. */
export const isDevelopment: boolean = !isProduction()
