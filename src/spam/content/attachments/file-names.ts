/**
 * Names of attached files: their extension as Windows reads it, whether opening
 * one runs it, and the tricks with which a name pretends to be another. Nothing
 * here fails.
 */

/** Extensions that run when they are opened: programs, scripts, shortcuts, installers, settings that start programs. */
const EXECUTABLE = new Set((
  'exe com scr pif bat cmd cpl dll ocx sys drv msi msp mst msix msixbundle appx appxbundle appinstaller application appref-ms gadget '
  + 'vbs vbe vb js jse mjs wsf wsh wsc ws sct hta ps1 ps1xml ps2 ps2xml psc1 psc2 psm1 psd1 msh msh1 msh2 mshxml xbap '
  + 'lnk url inf ins isp job reg scf shb shs pcd jnlp jar chm hlp msc settingcontent-ms library-ms search-ms searchconnector-ms theme themepack diagcab website rdp '
  + 'ade adp mde mdb accde accdr accda mad maf mag mam maq mar mas mat mau mav maw mda mdt mdw mdz vsmacros vsw '
  + 'xll wll ppam xlam iqy slk rqy oqy webloc desktop command app action workflow pkg mpkg dmg apk xapk deb rpm run elf sh csh ksh bash zsh fish py pyc pyw pyz'
).split(/\s+/))

/** Extensions that everybody knows and nobody fears: one of them before the real one is a disguise. */
const HARMLESS = new Set('pdf doc docx xls xlsx ppt pptx rtf txt csv jpg jpeg png gif bmp tif tiff webp mp3 mp4 wav avi mov zip rar htm html xml eml msg odt ods'.split(' '))

/** U+202A to U+202E and U+2066 to U+2069: they turn what comes after them. */
const TURNED = /[\u202a-\u202e\u2066-\u2069\u200e\u200f]/

/** Names that some programs make up are long; an extension is not. */
const MAX_EXTENSION_CHARACTERS = 20

/** Windows takes blanks and dots off the end, and knows nothing behind a colon. */
function asOpened(name: string): string {
  const colon = name.indexOf(':', 2)
  return (colon < 0 ? name : name.slice(0, colon)).replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\0]/g, '').replace(/[\s.]+$/, '')
}

/** Lower case, without the dot; '' where there is none. */
export function extensionOf(name: string): string {
  const plain = asOpened(name)
  const dot = plain.lastIndexOf('.')
  if (dot < 0 || plain.length - dot - 1 > MAX_EXTENSION_CHARACTERS) return ''
  return plain.slice(dot + 1).trim().toLowerCase()
}

export function isExecutableExtension(extension: string): boolean {
  return EXECUTABLE.has(extension)
}

/** The name is made to be taken for another: turned letters, or a harmless extension before one that runs. */
export function isDisguised(name: string): boolean {
  if (TURNED.test(name) && /\./.test(name)) return true
  const plain = asOpened(name)
  if (!EXECUTABLE.has(extensionOf(plain))) return false
  const before = plain.slice(0, plain.lastIndexOf('.')).replace(/[\s._]+$/, '')
  return HARMLESS.has(extensionOf(before))
}
