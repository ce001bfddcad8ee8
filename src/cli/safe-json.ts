/** JSON of one line that no terminal obeys: what JSON itself leaves as it is of control characters is escaped as \u…. */
export function safeJson(value: unknown): string {
  // JSON escapes C0 itself; the rest of what could harm stands in strings only, where \u is understood.
  return JSON.stringify(value).replace(/[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
