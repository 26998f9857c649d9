// What is said in the post office.
import { event, plain } from 'thence'

export const Posted = event('Posted', plain<{ n: number; to: string }>())
export const Delivered = event('Delivered', plain<{ n: number; to: string }>())
