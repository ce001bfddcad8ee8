/**
 * The probability that a chi-square variable with 2k degrees of freedom is above
 * 2m: e^−m · Σ m^i / i! for i < k. Exact to some fifteen digits for all k; 0 where
 * it is too small for a double. Never throws.
 */
const STIRLING_FROM = 32

/** @param half m, half of the variable; 0 or more. @param pairs k, half the degrees of freedom: a whole number, at least 1 */
export function chiSquareAbove(half: number, pairs: number): number {
  if (half <= 0) return 1
  // Terms from the last one down: each is smaller than the one before, or soon is.
  const last = pairs - 1
  if (half > last) {
    let sum = 1
    let term = 1
    for (let i = last; i > 0 && term > 1e-17 * sum; i--) {
      term *= i / half
      sum += term
    }
    return Math.min(1, Math.exp(last * Math.log(half) - half - logFactorial(last)) * sum)
  }
  // The rest of the whole series, which is e^m: from the first term that is left out upwards.
  let sum = 1
  let term = 1
  for (let i = pairs + 1; term > 1e-17 * sum; i++) {
    term *= half / i
    sum += term
  }
  return Math.max(0, 1 - Math.exp(pairs * Math.log(half) - half - logFactorial(pairs)) * sum)
}

function logFactorial(n: number): number {
  if (n < STIRLING_FROM) {
    let product = 1
    for (let i = 2; i <= n; i++) product *= i
    return Math.log(product)
  }
  const x = n + 1
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5)
}
