/** The door `thence/testing`: specifications, a virtual clock, spies. It works with any test runner. */
export type { Decided, GivenAggregate } from './aggregate-spec.ts'
export { given } from './given.ts'
export type { DocumentOf, GivenProjection, ProjectionSpecOptions } from './projection-spec.ts'
export type { GivenSaga, SagaSpecOptions } from './saga-spec.ts'
export type { UntilOptions, VirtualRuntime, VirtualRuntimeOptions } from './virtual-runtime.ts'
export { virtualRuntime } from './virtual-runtime.ts'
