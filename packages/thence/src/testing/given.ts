/**
 * Given, when, then: one form to specify aggregates, projections and sagas, without an app.
 */
import type { Aggregate } from '../decide/aggregate.ts'
import type { EventMessage } from '../message/message.ts'
import type { Projection } from '../project/projection.ts'
import type { Saga } from '../saga/saga.ts'
import type { GivenAggregate } from './aggregate-spec.ts'
import { givenAggregate } from './aggregate-spec.ts'
import type { GivenProjection, ProjectionSpecOptions } from './projection-spec.ts'
import { givenProjection } from './projection-spec.ts'
import type { GivenSaga, SagaSpecOptions } from './saga-spec.ts'
import { givenSaga } from './saga-spec.ts'

/**
 * Begins a specification with what has happened. Events that an older version of their definition wrote are upcast.
 * @example given(order, [OrderPlaced({ … })]).when(ShipOrder({ … })).then([OrderShipped({ … })])
 */
export function given<C extends string, E extends string>(
  aggregate: Aggregate<C, E>,
  history?: readonly EventMessage<NoInfer<E>>[],
): GivenAggregate<C, E>
/** @example await given(orderStatus, [OrderPlaced({ … })]).thenDocument('7', { status: 'placed' }) */
export function given<Q extends string, View>(
  projection: Projection<Q, View>,
  history?: readonly EventMessage[],
  options?: ProjectionSpecOptions,
): GivenProjection<Q, View>
/** @example given(fulfilment, [OrderPlaced({ … })]).when(PaymentDeclined({ … })).thenStatus('compensated') */
export function given(
  saga: Saga,
  history?: readonly EventMessage[],
  options?: SagaSpecOptions,
): GivenSaga
export function given(
  part: Aggregate | Projection | Saga,
  history: readonly EventMessage[] = [],
  options: ProjectionSpecOptions & SagaSpecOptions = {},
): GivenAggregate<string, string> | GivenProjection<string, unknown> | GivenSaga {
  switch (part.part) {
    case 'aggregate':
      return givenAggregate(part, history)
    case 'projection':
      return givenProjection(part, history, options)
    case 'saga':
      return givenSaga(part, history, options)
  }
}
