/**
 * Names of character sets as mail writes them, and what of the runtime reads
 * them. The names of the Encoding Standard are known to the runtime; here are
 * those that mail uses besides.
 */

import { setOfAlias } from './charset-aliases.ts'
import { isEncodingLabel } from './encoding-labels.ts'

/** `guess`: the name says nothing. `utf-7`, `hz`, `iso-2022-kr`, `euc-kr`: read here. Otherwise a label of TextDecoder. */
export type CharsetReading = 'guess' | 'utf-8' | 'windows-1252' | 'utf-16' | 'utf-32' | 'utf-7' | 'hz' | 'iso-2022-kr' | 'euc-kr' | { readonly label: string }

const ALIASES: Readonly<Record<string, string>> = {
  'gb2312': 'gb18030', 'gbk': 'gb18030', 'x-gbk': 'gb18030', 'gb_2312-80': 'gb18030', 'gb2312-80': 'gb18030', 'cp936': 'gb18030', 'ms936': 'gb18030', 'windows-936': 'gb18030', 'cn-gb': 'gb18030', 'euc-cn': 'gb18030', 'euccn': 'gb18030', 'gb-2312': 'gb18030',
  'cp950': 'big5', 'ms950': 'big5', 'windows-950': 'big5', 'big-5': 'big5', 'cn-big5': 'big5', 'big5hkscs': 'big5',
  'cp932': 'shift_jis', 'ms932': 'shift_jis', 'x-sjis': 'shift_jis', 'windows-932': 'shift_jis', 'shift-jis': 'shift_jis', 'sjis': 'shift_jis', 'shift_jisx0213': 'shift_jis',
  'eucjp': 'euc-jp', 'euc_jp': 'euc-jp', 'x-euc-jp': 'euc-jp', 'iso-2022-jp-1': 'iso-2022-jp', 'iso-2022-jp-2': 'iso-2022-jp', 'iso-2022-jp-ms': 'iso-2022-jp', 'iso2022jp': 'iso-2022-jp', 'jis': 'iso-2022-jp', 'cp50220': 'iso-2022-jp', 'cp50221': 'iso-2022-jp', 'cp50222': 'iso-2022-jp',
  'cp949': 'euc-kr', 'ms949': 'euc-kr', 'uhc': 'euc-kr', 'euckr': 'euc-kr', 'euc_kr': 'euc-kr', 'ks_c_5601': 'euc-kr', 'ksc5601': 'euc-kr', 'x-windows-949': 'euc-kr', 'ks_c_5601_1987': 'euc-kr',
  'koi8r': 'koi8-r', 'koi8u': 'koi8-u', 'koi-8': 'koi8-r', 'mac': 'macintosh', 'x-mac-roman': 'macintosh', 'mac-roman': 'macintosh', 'macroman': 'macintosh', 'mac-cyrillic': 'x-mac-cyrillic',
  'tis620': 'windows-874', 'cp874': 'windows-874', 'unicode': 'utf-16le', 'ucs-2': 'utf-16be', 'iso-10646-ucs-2': 'utf-16be',
}

const GUESSED: ReadonlySet<string> = new Set(['', 'us-ascii', 'ascii', 'usascii', 'us_ascii', 'ansi_x3.4-1968', 'ansi_x3.4-1986', 'iso646-us', 'iso_646.irv:1991', 'ansi', '646', '7bit', '8bit', 'binary', 'unknown', 'unknown-8bit', 'x-unknown', 'default', 'default_charset', '_autodetect', '_autodetect_all', 'none', 'auto'])
const LATIN_1: ReadonlySet<string> = new Set(['iso-8859-1', 'latin1', 'latin-1', 'windows-1252', 'iso8859-1', 'iso_8859-1', 'iso88591', 'iso-8859-1-windows-3.1-latin-1', 'cp1252', 'cp819', 'l1', 'ibm819', 'x-ansi', 'iso-latin-1', 'iso8859_1', 'windows1252', 'win-1252'])
const UTF_8: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'utf-8-mac', 'utf8mb4', 'utf_8', 'unicode-1-1-utf-8', 'cp65001', 'x-utf-8', 'utf-8-strict', 'utf-8n', '65001'])

/** Names come from strangers: no more of them are kept than this. */
const MAX_KNOWN = 200
const MAX_NAME_CHARACTERS = 60
const known = new Map<string, CharsetReading | undefined>()

/** Undefined: no character set is known by this name. Names are in lower case. */
export function charsetReading(name: string): CharsetReading | undefined {
  if (name.length > MAX_NAME_CHARACTERS) return undefined
  if (known.has(name)) return known.get(name)
  const bare = name.replace(/^[\s"'=]+|[\s"';,]+$/g, '')
  const reading = lookUp(bare) ?? lookUp(setOfAlias(bare) ?? 'none of these')
  if (known.size >= MAX_KNOWN) known.clear()
  known.set(name, reading)
  return reading
}

/** Letters of ASCII take two bytes or four in it. */
export function isWide(reading: CharsetReading | undefined): boolean {
  return reading === 'utf-16' || reading === 'utf-32' || (typeof reading === 'object' && reading.label.startsWith('utf-16'))
}

function lookUp(name: string): CharsetReading | undefined {
  if (UTF_8.has(name)) return 'utf-8'
  if (GUESSED.has(name)) return 'guess'
  if (LATIN_1.has(name)) return 'windows-1252'
  if (name === 'utf-16' || name === 'utf16' || name === 'iso-10646-utf-16') return 'utf-16'
  if (/^utf-?32(?:[bl]e)?$|^ucs-4$/.test(name)) return 'utf-32'
  if (/^(?:unicode-1-1-|x-unicode-2-0-)?utf-?7(?:-imap)?$/.test(name)) return 'utf-7'
  if (name === 'hz-gb-2312' || name === 'hz') return 'hz'
  if (/^(?:cs)?iso-?2022-?kr$/.test(name)) return 'iso-2022-kr'
  for (const label of labels(name)) {
    const canonical = canonicalLabel(label)
    // The Encoding Standard makes one U+FFFD of everything in some sets.
    if (canonical === 'windows-1252') return 'windows-1252'
    if (canonical === 'utf-8') return 'utf-8'
    if (canonical === 'euc-kr') return 'euc-kr'
    if (canonical !== undefined && canonical !== 'replacement') return { label: canonical }
  }
  return undefined
}

/** What may be meant, most likely first. */
function* labels(name: string): Generator<string> {
  const alias = Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined
  if (alias !== undefined) yield alias
  yield name
  const windows = /^(?:x-)?(?:cp|win|windows|ms)[-_ ]?(125\d|874)$/.exec(name)?.[1]
  if (windows !== undefined) yield `windows-${windows}`
  const iso = /^(?:x-)?iso[-_ ]?8859[-_ ]?(\d{1,2})(?:[-_:][a-z0-9]+)?$/.exec(name)?.[1]
  if (iso !== undefined) yield `iso-8859-${iso}`
  const stripped = name.replace(/^x-|^cs(?=iso|koi|gb|big|euc|shift)/, '')
  if (stripped !== name) yield (Object.hasOwn(ALIASES, stripped) ? ALIASES[stripped] : undefined) ?? stripped
}

function canonicalLabel(label: string): string | undefined {
  // To ask the runtime for a name that it does not know costs as much as some hundred words of text.
  return isEncodingLabel(label) ? new TextDecoder(label).encoding : undefined
}
