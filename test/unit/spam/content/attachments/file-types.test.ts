import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileTypeOf, kindsOfExtension } from '../../../../../src/spam/content/attachments/file-types.ts'
import { oleOf, programOf, rar5Of, tarOf, zipOf } from '../../../../support/archive-bytes.ts'

const latin = (text: string) => Buffer.from(text, 'latin1')

test('types by their first bytes', () => {
  for (const [bytes, type] of [
    [programOf(), 'application/vnd.microsoft.portable-executable'], [zipOf([{ name: 'a', content: 'b' }]), 'application/zip'], [rar5Of(['a']), 'application/vnd.rar'], [tarOf([{ name: 'a', content: 'b' }]), 'application/x-tar'], [oleOf(), 'application/x-ole-storage'],
    [latin('%PDF-1.7'), 'application/pdf'], [latin('\r\n\r\n%PDF-1.7'), 'application/pdf'], [latin('{\\rtf1\\ansi'), 'application/rtf'], [latin('{\\rt1 as Word reads it too'), 'application/rtf'],
    [latin('\x89PNG\r\n\x1a\n'), 'image/png'], [latin('\xff\xd8\xff\xe0'), 'image/jpeg'], [latin('GIF89a'), 'image/gif'], [latin('RIFF....WEBPVP8 '), 'image/webp'], [latin('\0\0\0\x18ftypmp42'), 'video/mp4'], [latin('\0\0\0\x18ftypheic'), 'image/heic'],
    [latin('\x7fELF\x02\x01'), 'application/x-elf'], [latin('\xcf\xfa\xed\xfe'), 'application/x-mach-binary'], [latin('\xca\xfe\xba\xbe\0\0\0\x34'), 'application/java-vm'], [latin('\xca\xfe\xba\xbe\0\0\0\x02'), 'application/x-mach-binary'],
    [Buffer.from('4c0000000114020000000000c000000000000046', 'hex'), 'application/x-ms-shortcut'], [latin('7z\xbc\xaf\x27\x1c'), 'application/x-7z-compressed'], [latin('\x1f\x8b\x08\0'), 'application/gzip'], [latin('BZh91AY'), 'application/x-bzip2'], [latin('\xfd7zXZ\0'), 'application/x-xz'],
    [latin('MSCF\0\0'), 'application/vnd.ms-cab-compressed'], [latin('.......**ACE**'), 'application/x-ace'], [Buffer.concat([Buffer.alloc(32_769), latin('CD001')]), 'application/x-iso9660-image'],
    [latin('<!DOCTYPE html><html>'), 'text/html'], [latin('\xef\xbb\xbf \r\n<HTML>'), 'text/html'], [latin('<script>x</script>'), 'text/html'], [Buffer.from('\ufeff<html>', 'utf16le'), 'text/html'],
    [latin('<svg xmlns="x">'), 'image/svg+xml'], [latin('<?xml version="1.0"?>\n<svg>'), 'image/svg+xml'], [latin('<?xml version="1.0"?><a/>'), 'text/xml'], [latin('[InternetShortcut]\r\nURL=x'), 'application/x-mswinurl'], [latin('#!/bin/sh\n'), 'text/x-shellscript'],
    [latin('@echo off\r\n'), 'application/x-bat'], [latin('BEGIN:VCALENDAR'), 'text/calendar'],
    [latin('MZ is how this text begins, and it goes on for quite a while without being a program'), undefined], [latin('plain text'), undefined], [latin(''), undefined], [latin('x'), undefined], [latin('BM is no bitmap, just text that goes on'), undefined], [latin('a < b'), undefined],
  ] as const) assert.equal(fileTypeOf(bytes)?.type, type, bytes.toString('latin1', 0, 40))
})

test('what an extension promises', () => {
  assert.deepEqual([...(kindsOfExtension('jpg') ?? [])], ['image'])
  assert.ok(kindsOfExtension('docx')?.has('document'))
  assert.equal(kindsOfExtension('xyz'), undefined)
})
