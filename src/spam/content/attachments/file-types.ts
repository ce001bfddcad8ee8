/**
 * The type of a file by its first bytes (and, for what is made of others, by a
 * few more): a table of our own out of the formats' descriptions. Undefined
 * where they say nothing. What kind of thing a type is, to tell a picture that
 * is a program.
 */

export type FileKind = 'archive' | 'document' | 'executable' | 'image' | 'media' | 'text' | 'markup' | 'disk' | 'font'

export interface FileType {
  readonly type: string
  readonly kind: FileKind
}

interface Magic extends FileType {
  readonly offset: number
  readonly bytes: Buffer
}

/** type, kind, offset, bytes in hexadecimal */
const TABLE: readonly (readonly [string, FileKind, number, string])[] = [
  ['application/zip', 'archive', 0, '504b0304'], ['application/zip', 'archive', 0, '504b0506'], ['application/zip', 'archive', 0, '504b0708'],
  ['application/gzip', 'archive', 0, '1f8b08'], ['application/x-bzip2', 'archive', 0, '425a68'], ['application/x-xz', 'archive', 0, 'fd377a585a00'], ['application/zstd', 'archive', 0, '28b52ffd'],
  ['application/x-7z-compressed', 'archive', 0, '377abcaf271c'], ['application/vnd.rar', 'archive', 0, '526172211a07'], ['application/x-ace', 'archive', 7, '2a2a4143452a2a'],
  ['application/vnd.ms-cab-compressed', 'archive', 0, '4d534346'], ['application/x-lzh', 'archive', 2, '2d6c68'], ['application/x-arj', 'archive', 0, '60ea'], ['application/x-compress', 'archive', 0, '1f9d'], ['application/x-tar', 'archive', 257, '7573746172'],
  ['application/x-elf', 'executable', 0, '7f454c46'], ['application/x-mach-binary', 'executable', 0, 'feedface'], ['application/x-mach-binary', 'executable', 0, 'feedfacf'], ['application/x-mach-binary', 'executable', 0, 'cefaedfe'], ['application/x-mach-binary', 'executable', 0, 'cffaedfe'],
  ['application/x-ms-shortcut', 'executable', 0, '4c0000000114020000000000c000000000000046'], ['application/vnd.ms-htmlhelp', 'executable', 0, '49545346'], ['application/vnd.android.dex', 'executable', 0, '6465780a'], ['application/x-rpm', 'executable', 0, 'edabeedb'], ['application/x-debian-package', 'executable', 0, '213c617263683e0a64656269616e'],
  ['application/pdf', 'document', 0, '255044462d'], ['application/rtf', 'document', 0, '7b5c7274'], ['application/postscript', 'document', 0, '25215053'], ['application/x-ole-storage', 'document', 0, 'd0cf11e0a1b11ae1'], ['application/onenote', 'document', 0, 'e4525c7b8cd8a74daeb15378d02996d3'], ['application/vnd.ms-tnef', 'document', 0, '789f3e22'], ['application/vnd.ms-access', 'document', 4, '5374616e6461726420'], ['image/vnd.djvu', 'document', 0, '41542654464f524d'],
  ['image/png', 'image', 0, '89504e470d0a1a0a'], ['image/jpeg', 'image', 0, 'ffd8ff'], ['image/gif', 'image', 0, '47494638'], ['image/tiff', 'image', 0, '49492a00'], ['image/tiff', 'image', 0, '4d4d002a'], ['image/vnd.adobe.photoshop', 'image', 0, '38425053'], ['image/x-icon', 'image', 0, '00000100'], ['image/wmf', 'image', 0, 'd7cdc69a'], ['image/emf', 'image', 40, '20454d46'], ['image/jxl', 'image', 0, '0000000c4a584c20'],
  ['audio/mpeg', 'media', 0, '494433'], ['audio/ogg', 'media', 0, '4f676753'], ['audio/flac', 'media', 0, '664c6143'], ['audio/midi', 'media', 0, '4d546864'], ['video/x-matroska', 'media', 0, '1a45dfa3'], ['video/x-ms-asf', 'media', 0, '3026b2758e66cf11'], ['application/x-shockwave-flash', 'media', 0, '465753'], ['application/x-shockwave-flash', 'media', 0, '435753'],
  ['font/woff', 'font', 0, '774f4646'], ['font/woff2', 'font', 0, '774f4632'], ['application/x-iso9660-image', 'disk', 32_769, '4344303031'], ['application/x-vhd', 'disk', 0, '636f6e6563746978'], ['application/x-vhdx', 'disk', 0, '7668647866696c65'], ['application/x-virtualbox-vdi', 'disk', 64, '7f10dabe'],
]

const MAGICS: readonly Magic[] = TABLE.map(([type, kind, offset, hex]) => ({ type, kind, offset, bytes: Buffer.from(hex, 'hex') }))

/** By the first byte, for those that begin at the first. */
const BY_FIRST = new Map<number, Magic[]>()
const ELSEWHERE: Magic[] = []
for (const magic of MAGICS) {
  const first = magic.bytes[0] ?? 0
  if (magic.offset !== 0) ELSEWHERE.push(magic)
  else BY_FIRST.set(first, [...(BY_FIRST.get(first) ?? []), magic])
}

function matches(content: Buffer, { offset, bytes }: Magic): boolean {
  return content.length >= offset + bytes.length && content.compare(bytes, 0, bytes.length, offset, offset + bytes.length) === 0
}

function ascii(content: Buffer, from: number, to: number): string {
  return content.toString('latin1', from, Math.min(to, content.length))
}

const PE: FileType = { type: 'application/vnd.microsoft.portable-executable', kind: 'executable' }
const DOS: FileType = { type: 'application/x-dosexec', kind: 'executable' }

/** `MZ` begins programs, and words; a program has a header where the one for DOS says. */
function dosProgram(content: Buffer): FileType | undefined {
  if (content.length < 64) return undefined
  const header = content.readUInt32LE(60)
  if (header + 4 <= content.length && ascii(content, header, header + 2) === 'PE') return PE
  const relocation = content.readUInt16LE(24)
  // The rest may not be held; a text has printable characters here.
  return header < 0x10_0000 && (content.readUInt16LE(2) < 512 || relocation < 512) && content.includes(0, 2) ? (header + 4 > content.length ? PE : DOS) : undefined
}

/** Formats that are told by a word within. */
function byInnerWord(content: Buffer): FileType | undefined {
  const start = ascii(content, 0, 16)
  if (start.startsWith('RIFF')) {
    const form = start.slice(8, 12)
    return form === 'WEBP' ? { type: 'image/webp', kind: 'image' } : form === 'WAVE' ? { type: 'audio/wav', kind: 'media' } : form === 'AVI ' ? { type: 'video/x-msvideo', kind: 'media' } : undefined
  }
  if (start.slice(4, 8) === 'ftyp') {
    const brand = start.slice(8, 12)
    return /^(?:heic|heix|mif1|avif|avis)/.test(brand) ? { type: brand.startsWith('av') ? 'image/avif' : 'image/heic', kind: 'image' } : { type: 'video/mp4', kind: 'media' }
  }
  if (start.startsWith('BM') && content.length >= 26 && content.readUInt32LE(6) === 0 && content.readUInt32LE(14) < 200) return { type: 'image/bmp', kind: 'image' }
  if (start.startsWith('\xca\xfe\xba\xbe') && content.length >= 8) {
    // Java's classes have a version here, programs for several processors their number.
    return content.readUInt16BE(6) >= 43 ? { type: 'application/java-vm', kind: 'executable' } : { type: 'application/x-mach-binary', kind: 'executable' }
  }
  const second = content[1] ?? 0
  if (content[0] === 0xff && (second & 0xe6) === 0xe2 && content.length > 4) return { type: 'audio/mpeg', kind: 'media' }
  return undefined
}

/** How far a document's first tag may be from its beginning. */
const MARKUP_BYTES = 1024

/** Formats that are text: by their first characters, white space and a byte order mark aside. */
function byFirstCharacters(content: Buffer): FileType | undefined {
  const wide = content[0] === 0xff && content[1] === 0xfe
  const head = (wide ? content.toString('utf16le', 2, MARKUP_BYTES) : ascii(content, 0, MARKUP_BYTES)).replace(/^(?:\xef\xbb\xbf)?\s+|^\xef\xbb\xbf/, '')
  const start = head.slice(0, 200).toLowerCase()
  if (start.startsWith('#!')) return { type: 'text/x-shellscript', kind: 'text' }
  if (start.startsWith('[internetshortcut]')) return { type: 'application/x-mswinurl', kind: 'executable' }
  if (start.startsWith('@echo off')) return { type: 'application/x-bat', kind: 'executable' }
  if (start.startsWith('windows registry editor') || start.startsWith('regedit4')) return { type: 'text/x-ms-regedit', kind: 'executable' }
  if (start.startsWith('begin:vcard')) return { type: 'text/vcard', kind: 'text' }
  if (start.startsWith('begin:vcalendar')) return { type: 'text/calendar', kind: 'text' }
  if (!start.startsWith('<')) return undefined
  if (/^<(?:\?xml[^>]*>\s*(?:<!--[^>]*>\s*)?)?(?:<!doctype svg|<?svg[\s>])/.test(start)) return { type: 'image/svg+xml', kind: 'markup' }
  if (/<hta:application/.test(start)) return { type: 'application/hta', kind: 'executable' }
  if (/^<(?:!doctype html|html|head|body|script|iframe|meta|title|style|table|div|form|base)[\s>]/.test(start) || /<html[\s>]/.test(head.toLowerCase())) return { type: 'text/html', kind: 'markup' }
  if (start.startsWith('<job') || start.startsWith('<package')) return { type: 'application/x-ms-wsf', kind: 'executable' }
  return start.startsWith('<?xml') ? { type: 'text/xml', kind: 'text' } : undefined
}

/** By its first bytes; `content` need not be whole. */
export function fileTypeOf(content: Buffer): FileType | undefined {
  if (content.length < 2) return undefined
  if (content[0] === 0x4d && content[1] === 0x5a) {
    const program = dosProgram(content)
    if (program !== undefined) return program
  }
  for (const magic of BY_FIRST.get(content[0] ?? 0) ?? []) if (matches(content, magic)) return { type: magic.type, kind: magic.kind }
  for (const magic of ELSEWHERE) if (matches(content, magic)) return { type: magic.type, kind: magic.kind }
  // A document may begin with something else; readers of PDF look at the first kilobyte.
  return byInnerWord(content) ?? byFirstCharacters(content) ?? (content.subarray(0, MARKUP_BYTES).includes('%PDF-') ? { type: 'application/pdf', kind: 'document' } : undefined)
}

const EXTENSION_KINDS: Readonly<Record<FileKind, string>> = {
  archive: 'zip rar 7z gz tgz bz2 tbz xz txz tar cab ace arj lzh z zst jar war apk epub docx docm dotx dotm xlsx xlsm xltx xltm xlsb pptx pptm ppsx ppsm potx odt ods odp odg vsdx xps oxps pages numbers key kmz xpi ipa aab appx msix nupkg whl vsix cbz',
  document: 'pdf doc dot xls xlt ppt pps rtf ps eps ai one vsd pub mpp msg wps docx docm xlsx xlsm xlsb pptx pptm ppsx odt ods odp dat mdb accdb djvu hwp xla wri wbk msi msp mst db',
  executable: '',
  image: 'jpg jpeg jpe jfif png gif bmp tif tiff webp ico heic heif avif psd wmf emf jxl cur apng raw dng nef cr2',
  media: 'mp3 mp4 m4a m4v mov avi mkv webm wav ogg oga ogv flac mid midi wma wmv asf mpg mpeg aac amr 3gp 3gpp swf mka opus',
  text: 'doc xls txt text log csv tsv md xml json yaml yml ini cfg conf ics vcf vcard eml patch diff asc sig pgp tex srt sql c h cpp hpp cc java ts go rs css po',
  markup: 'htm html xhtml xht shtml svg mht mhtml xml php jsp asp aspx txt eml doc xls md',
  disk: 'iso img vhd vhdx vdi dmg',
  font: 'ttf otf woff woff2 eot',
}

const KINDS_OF_EXTENSION = new Map<string, Set<FileKind>>()
for (const [kind, names] of Object.entries(EXTENSION_KINDS) as [FileKind, string][]) {
  for (const name of names.split(' ')) if (name !== '') KINDS_OF_EXTENSION.set(name, (KINDS_OF_EXTENSION.get(name) ?? new Set()).add(kind))
}

/** The kinds of thing that a file with this extension may be; undefined: it says nothing. */
export function kindsOfExtension(extension: string): ReadonlySet<FileKind> | undefined {
  return KINDS_OF_EXTENSION.get(extension)
}
