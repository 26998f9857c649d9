/** The door `thence/memory`. */
export { memory, type MemoryOptions } from './database.ts'
