/** The door `thence/memory`. */
export { memory, type MemoryOptions } from './database.ts'
export {
  type MemoryClock,
  type MemoryStore,
  memoryStore,
  type MemoryStoreOptions,
} from './store.ts'
