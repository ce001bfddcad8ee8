/**
 * What a file is that is made of others: an OLE compound file by the names of its
 * streams, a zip by those of its entries. Macros and encryption, as far as names
 * tell. Nothing is unpacked.
 */
import type { FileType } from './file-types.ts'
import type { ZipEntry } from './zip.ts'

export interface Compound {
  readonly type: FileType
  readonly macros: boolean
  readonly encrypted: boolean
}

/** Names in the directory of a compound file are UTF-16. */
const wide = (name: string): Buffer => Buffer.from(name, 'utf16le')

/** A stream by which a kind of file is known, in the order in which they are looked for. */
const STREAMS: readonly (readonly [Buffer, FileType])[] = [
  [wide('EncryptedPackage'), { type: 'application/vnd.openxmlformats-officedocument', kind: 'document' }],
  [wide('WordDocument'), { type: 'application/msword', kind: 'document' }],
  [wide('PowerPoint Document'), { type: 'application/vnd.ms-powerpoint', kind: 'document' }],
  [wide('Workbook'), { type: 'application/vnd.ms-excel', kind: 'document' }],
  [wide('Book\0'), { type: 'application/vnd.ms-excel', kind: 'document' }],
  [wide('VisioDocument'), { type: 'application/vnd.visio', kind: 'document' }],
  [wide('__substg1.0_'), { type: 'application/vnd.ms-outlook', kind: 'document' }],
]
/** The class of the root of an installer: {000C1084-0000-0000-C000-000000000046}. */
const INSTALLER_CLASS = Buffer.from('84100c0000000000c000000000000046', 'hex')
const MACRO_STREAMS = [wide('_VBA_PROJECT'), wide('VBA\0'), wide('Macros\0')]
const ENCRYPTED_PACKAGE = wide('EncryptedPackage')

export function readOle(content: Buffer): Compound {
  const macros = MACRO_STREAMS.some((name) => content.includes(name))
  if (content.includes(INSTALLER_CLASS)) return { type: { type: 'application/x-msi', kind: 'executable' }, macros, encrypted: false }
  const type = STREAMS.find(([name]) => content.includes(name))?.[1] ?? { type: 'application/x-ole-storage', kind: 'document' }
  return { type, macros, encrypted: content.includes(ENCRYPTED_PACKAGE) }
}

const OOXML = 'application/vnd.openxmlformats-officedocument'
/** A folder of an Office document, and what it is. */
const OFFICE_FOLDERS: readonly (readonly [string, string])[] = [['word/', `${OOXML}.wordprocessingml.document`], ['xl/', `${OOXML}.spreadsheetml.sheet`], ['ppt/', `${OOXML}.presentationml.presentation`], ['visio/', 'application/vnd.ms-visio.drawing']]

function zipped(type: string, kind: FileType['kind'], macros = false): Compound {
  return { type: { type, kind }, macros, encrypted: false }
}

/** undefined: a plain archive. */
export function readZipKind(entries: readonly ZipEntry[]): Compound | undefined {
  const names = entries.map(({ name }) => name)
  const has = (name: string): boolean => names.includes(name)
  const starts = (folder: string): boolean => names.some((name) => name.startsWith(folder))
  if (has('[Content_Types].xml')) {
    const macros = names.some((name) => /(?:^|\/)vbaProject\.bin$/i.test(name) || name.startsWith('xl/macrosheets/'))
    for (const [folder, type] of OFFICE_FOLDERS) if (starts(folder)) return zipped(type, 'document', macros)
    if (has('AppxManifest.xml')) return zipped('application/msix', 'executable')
  }
  if (names[0] === 'mimetype') {
    const type = entries[0]?.method === 0 ? entries[0].packed.toString('latin1', 0, 80).trim() : ''
    if (type.startsWith('application/vnd.oasis.opendocument') || type === 'application/epub+zip') return zipped(type, 'document', starts('Basic/') || starts('Scripts/'))
  }
  if (has('AndroidManifest.xml')) return zipped('application/vnd.android.package-archive', 'executable')
  return has('META-INF/MANIFEST.MF') && names.some((name) => name.endsWith('.class')) ? zipped('application/java-archive', 'executable') : undefined
}
