/**
 * What is said about one attached file, or one in an archive: by its name, its
 * declared type and its first bytes, and whether they agree.
 */
import type { Attachment } from '../../content.ts'
import { MAX_NAME_CHARACTERS } from '../bounds.ts'
import type { Found } from './archives.ts'
import { extensionOf, isDisguised, isExecutableExtension } from './file-names.ts'
import { kindsOfExtension, type FileKind, type FileType } from './file-types.ts'

export interface Described {
  readonly type: FileType | undefined
  readonly macros?: boolean
  readonly encrypted?: boolean
  readonly bomb?: boolean
  /** a document that is a zip file inside, and may be called one */
  readonly zipped?: boolean
}

/** Kinds that a declared type allows; undefined: it says nothing about it. */
function kindsOfType(declared: string): readonly FileKind[] | undefined {
  const [main = '', sub = ''] = declared.split('/')
  switch (main) {
    case 'image': return sub.startsWith('svg') ? ['markup', 'text'] : ['image', 'document']
    case 'audio':
    case 'video': return ['media']
    case 'text': return ['text', 'markup']
    case 'application':
      if (sub === 'pdf' || sub === 'x-pdf') return ['document']
      if (sub.startsWith('vnd.openxmlformats') || sub === 'msword' || sub.startsWith('vnd.ms-excel') || sub.startsWith('vnd.ms-powerpoint') || sub.startsWith('vnd.ms-word')) return ['document', 'archive', 'markup', 'text']
      if (/^(?:x-)?(?:zip|zip-compressed|gzip|rar|7z-compressed)$/.test(sub)) return ['archive', 'document']
      return undefined
    default: return undefined
  }
}

function disagrees(extension: string, declared: string, { type, zipped }: Described): boolean {
  if (type === undefined) return false
  const kinds = kindsOfExtension(extension)
  if (kinds !== undefined && !kinds.has(type.kind) && !(zipped === true && kinds.has('archive')) && !(type.kind === 'executable' && isExecutableExtension(extension))) return true
  // Nothing but a PDF is called one.
  if ((extension === 'pdf' || declared === 'application/pdf') && type.type !== 'application/pdf') return true
  const allowed = kindsOfType(declared)
  return allowed !== undefined && !allowed.includes(type.kind)
}

/** Without its path, whichever way its slashes lean. */
function baseName(name: string): string {
  const plain = name.length > MAX_NAME_CHARACTERS * 4 ? name.slice(-MAX_NAME_CHARACTERS * 4) : name
  return plain.slice(Math.max(plain.lastIndexOf('/'), plain.lastIndexOf('\\')) + 1).slice(-MAX_NAME_CHARACTERS)
}

export function describe(file: Found, described: Described): Attachment {
  const { type } = described
  const name = baseName(file.name)
  const extension = extensionOf(name)
  return {
    part: file.part,
    name,
    extension,
    declaredType: file.declaredType,
    detectedType: type?.type,
    mismatch: isDisguised(name) || disagrees(extension, file.declaredType, described),
    bytes: file.bytes,
    executable: isExecutableExtension(extension) || type?.kind === 'executable',
    macros: described.macros ?? false,
    inside: file.inside,
    encrypted: file.encrypted || (described.encrypted ?? false),
    bomb: file.bomb || (described.bomb ?? false),
  }
}
