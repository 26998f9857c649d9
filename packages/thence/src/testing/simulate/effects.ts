/** Where handlers note what they have done: one document per handler and key, a list of positions. */

export const effectsCollection = '$simulated'
/** The same of what was done again on purpose. */
export const replaysCollection = '$replayed'

export const effectKey = (handler: string, key: string): string => JSON.stringify([handler, key])
