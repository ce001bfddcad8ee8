/**
 * URLs that stand in another one's path or query: redirectors, trackers and
 * services that rewrite links (`…/url?q=https%3A%2F%2Fexample.com`). Whoever
 * clicks ends there, so they are links too.
 */
import { MAX_INNER_URLS } from '../bounds.ts'

/** `http://` or `https://`, plain or with what a query does to it, behind a sign that begins a value. */
const INNER = /[=/?&,;:]((?:https?)(?::|%3a|%253a)(?:\/\/|%2f%2f|%252f%252f|\\\/\\\/))/gi

/** `https-3A__example.com_path`: the second form of a large filtering service. */
const DASHED = /[?&]u=(https?-3A__[^&]*)/i

const SLASH = 47

function decoded(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    // Half an escape, or bytes that are no UTF-8: what can be read is read.
    return text.replace(/%([0-7][0-9a-fA-F])/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  }
}

/** The value that begins at `from`: to the end of its parameter, or, where it stands in a path, to the end. */
function valueAt(text: string, from: number): string {
  const escaped = /^https?(?:%3a|%253a)/i.test(text.slice(from, from + 12))
  const inPath = text.charCodeAt(from - 1) === SLASH
  const ampersand = inPath ? -1 : text.indexOf('&', from)
  const value = text.slice(from, ampersand < 0 ? undefined : ampersand)
  if (!escaped) return value
  const once = decoded(value)
  return /^https?%3a/i.test(once) ? decoded(once) : once
}

/** Those of one URL, outermost first; `pathFrom`: offset behind its authority. */
export function innerUrls(text: string, pathFrom: number): readonly string[] {
  // Nearly no link has one: looked for by a word before anything else.
  if (text.indexOf('http', pathFrom) < 0 && text.indexOf('HTTP', pathFrom) < 0) return []
  const found: string[] = []
  INNER.lastIndex = pathFrom
  for (let match = INNER.exec(text); match !== null && found.length < MAX_INNER_URLS; match = INNER.exec(text)) {
    found.push(valueAt(text, match.index + 1))
    // What stands in the value itself is the affair of whoever reads that.
    const next = text.charCodeAt(match.index) === SLASH ? -1 : text.indexOf('&', match.index + 1)
    if (next < 0) break
    INNER.lastIndex = next
  }
  const dashed = found.length === 0 ? DASHED.exec(text.slice(pathFrom))?.[1] : undefined
  if (dashed !== undefined) found.push(decoded(dashed.replace(/-/g, '%').replace(/_/g, '/')))
  return found
}
