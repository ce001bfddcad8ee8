/**
 * What an SMTP or LMTP server said it can do: the keywords of its EHLO or LHLO
 * reply (RFC 5321 §4.1.1.1), upper-cased, each with its parameters as they came.
 */
export type Capabilities = ReadonlyMap<string, string>

export const NO_CAPABILITIES: Capabilities = new Map()

/** Reads the text lines of an EHLO reply; the first is the server's name and is left out. */
export function parseCapabilities(lines: readonly string[]): Capabilities {
  const found = new Map<string, string>()
  for (const line of lines.slice(1)) {
    const space = line.indexOf(' ')
    const keyword = (space < 0 ? line : line.slice(0, space)).toUpperCase()
    // The RFC's ehlo-keyword; anything else is not one and is not believed.
    if (/^[A-Z0-9][A-Z0-9-]*$/.test(keyword)) found.set(keyword, space < 0 ? '' : line.slice(space + 1).trim())
  }
  return found
}
