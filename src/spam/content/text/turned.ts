/**
 * Text that is written backwards and turned around when it is shown: what
 * stands between U+202E (right-to-left override, UAX 9) and U+202C, or the end
 * of its paragraph, becomes what the reader sees. The simple case only: another
 * sign of direction ends it. Each character is looked at once.
 */
const OVERRIDE = '\u202e'
const RUN = /\u202e([^\n\u202a-\u202e\u2066-\u2069]*)/g

export function turnedBack(text: string): string {
  if (!text.includes(OVERRIDE)) return text
  return text.replace(RUN, (_, run: string) => Array.from(run).reverse().join(''))
}
