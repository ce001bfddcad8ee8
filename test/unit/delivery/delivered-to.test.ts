import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deliveredTo, foldAddress, readHeaderSection } from '../../../src/delivery/delivered-to.ts'
import { spooled, stored } from './local-fixture.ts'

const MESSAGE = 'Delivered-To: Anna@Example.org\r\nSubject: Delivered-To: x@y\r\nDELIVERED-TO:\r\n\t<bert@example.org> \r\nX-Delivered-To: carl@example.org\r\n\r\nDelivered-To: dora@example.org\r\n'

test('fields of the header section, whatever their case and folding', async () => {
  const found = deliveredTo(await readHeaderSection(stored(MESSAGE)))
  assert.deepEqual([...found], ['anna@example.org', 'bert@example.org'])
})

test('at every size of pieces', async () => {
  for (let size = 1; size <= MESSAGE.length; size++) {
    assert.deepEqual([...deliveredTo(await readHeaderSection(spooled(MESSAGE, size)))], ['anna@example.org', 'bert@example.org'], String(size))
  }
})

test('a message without header, without body, without anything', async () => {
  assert.equal(await readHeaderSection(stored('\r\nDelivered-To: a@b\r\n')), '')
  assert.deepEqual([...deliveredTo(await readHeaderSection(stored('Delivered-To: a@b')))], ['a@b'])
  assert.equal(await readHeaderSection(stored('')), '')
})

test('no more than 256 KiB are looked at', async () => {
  const section = await readHeaderSection(spooled(`X: ${'y'.repeat(400_000)}\r\n\r\n`, 65_536))
  assert.equal(section.length, 256 * 1024)
})

test('addresses are compared without brackets and case', () => {
  assert.equal(foldAddress(' <A@B> \r\n'), 'a@b')
})
