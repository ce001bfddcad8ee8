import assert from 'node:assert/strict'
import { test } from 'node:test'
import { extensionOf, isDisguised, isExecutableExtension } from '../../../../../src/spam/content/attachments/file-names.ts'

test('the extension that Windows acts on', () => {
  for (const [name, extension] of [
    ['a.PDF', 'pdf'], ['a.tar.gz', 'gz'], ['a', ''], ['', ''], ['.bashrc', 'bashrc'], ['a.exe. .', 'exe'], ['a.exe ', 'exe'], ['invoice.pdf          .exe', 'exe'],
    ['photo\u202egpj.exe', 'exe'], ['a.exe:b.txt', 'exe'], ['a.e\u200bxe', 'exe'], ['a.thisisnoextensionatall', ''], ['Dr. Smith wrote. And so on and on and on', ''],
  ] as const) assert.equal(extensionOf(name), extension, name)
})

test('what runs when it is opened', () => {
  for (const extension of ['exe', 'scr', 'js', 'vbs', 'lnk', 'hta', 'bat', 'ps1', 'jar', 'iqy', 'msi', 'url', 'chm', 'apk']) assert.equal(isExecutableExtension(extension), true, extension)
  for (const extension of ['pdf', 'docx', 'docm', 'zip', 'txt', 'html', 'jpg', 'ics', 'p7s', 'eml', '']) assert.equal(isExecutableExtension(extension), false, extension)
})

test('names that are made to be taken for others', () => {
  for (const name of ['invoice.pdf.exe', 'photo.jpg   .scr', 'Rechnung.doc.js', 'cod\u202efdp.exe', 'invoice_pdf.\u202eexe']) assert.equal(isDisguised(name), true, name)
  for (const name of ['a.tar.gz', 'setup.exe', 'jquery.min.js', 'v1.2.exe', 'a.pdf', '\u202ename']) assert.equal(isDisguised(name), false, name)
})
