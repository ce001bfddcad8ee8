/** The formats of a list in the DNS, whatever it lists: its zone, and what stands for it where others read. Pure; nothing throws. */
import { read, refuse, textFormat } from './format.ts'
import type { Format } from './format.ts'
import { normaliseDomain } from './format-names.ts'
import { showValue } from './source.ts'

export function zoneFormat(example: string, maxCharacters: number): Format<string> {
  return textFormat({ type: 'domain', allowed: `the zone of a list, such as ${example}, at most ${maxCharacters} characters` }, (text) => {
    const domain = normaliseDomain(text)
    return domain === undefined || domain.startsWith('[') || domain.length > maxCharacters ? refuse(`${showValue(text)} is not a zone`) : read(domain)
  })
}

export const shortText: Format<string> = textFormat({ type: 'text', allowed: '1 to 200 printable ASCII characters without blanks' }, (text) =>
  (/^[\x21-\x7e]{1,200}$/.test(text) ? read(text) : refuse(`found ${showValue(text)}`)))

/** Keys of the known lists are 26 or more letters and digits; no host is called like that. */
const KEY = /(?:^|\.)(?=[^.]*\d)(?=[^.]*[a-z])[a-z0-9]{20,}(?:\.|$)/

/** Undefined: whoever reads the zone learns nothing. It never says the zone. */
export function keyProblem({ zone, name }: { readonly zone: string; readonly name?: string | undefined }): string | undefined {
  if (name === undefined) return KEY.test(zone) ? "the zone has what looks like a customer's key in it, and it would stand in replies, headers and logs; give a name beside it, such as { zone: ZONE, name: zen.spamhaus.org }" : undefined
  return KEY.test(name) ? "the name has what looks like a customer's key in it; it stands in replies, headers and logs" : undefined
}
