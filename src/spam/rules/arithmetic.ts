/** Numbers compared and put together, where each may be not known: then what is made of them is not known either. */
import type { Operator } from './condition.ts'

export const OPERATORS: Readonly<Record<Operator, (left: number, right: number) => boolean>> = {
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '=': (left, right) => left === right,
  '!=': (left, right) => left !== right,
}

/** What is divided by 0 is not known. */
export const ARITHMETIC: Readonly<Record<'+' | '-' | '*' | '/', (left: number, right: number) => number | undefined>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => (right === 0 ? undefined : left / right),
}

export function both<R>(left: number | undefined, right: number | undefined, make: (left: number, right: number) => R): R | undefined {
  return left === undefined || right === undefined ? undefined : make(left, right)
}
