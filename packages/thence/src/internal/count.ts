/**
 * What counts as a number of things.
 */

/** Whether it is a whole number of at least 1. */
export const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 1
