/**
 * OpenDKIM's patterns: text in which `*` stands for any characters, or none,
 * and everything else for itself, without regard to case. Time is bounded by
 * the product of the two lengths, whatever the pattern; no regular expression
 * is made of what a file holds.
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  let p = 0
  let t = 0
  let star = -1
  let behind = 0
  while (t < text.length) {
    if (pattern[p] === '*') {
      // Nothing at first; more where the rest does not match.
      star = p++
      behind = t
    } else if (pattern[p] === text[t]) {
      p++
      t++
    } else if (star >= 0) {
      p = star + 1
      t = ++behind
    } else return false
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}
