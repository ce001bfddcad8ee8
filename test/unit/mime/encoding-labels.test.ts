import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isEncodingLabel } from '../../../src/mime/encoding-labels.ts'

test('labels of character sets', () => {
  for (const label of ['utf-8', 'iso-8859-2', 'l10', 'latin6', 'windows-1258', 'koi8-ru', 'gb_2312-80', 'x-x-big5', 'ms_kanji', 'ksc_5601', 'visual', 'unicodefffe', 'x-mac-ukrainian', 'sun_eu_greek', 'dos-874', '866']) {
    const known = label !== 'l10'
    assert.equal(isEncodingLabel(label), known, label)
    if (known) assert.doesNotThrow(() => new TextDecoder(label), label)
  }
})

test('what may be a name and is none of the runtime, and the other way round', () => {
  const parts = ['iso-8859-', 'iso8859-', 'iso8859', 'iso_8859-', 'windows-', 'cp', 'x-cp', 'l', 'latin', 'koi8-', 'ibm', 'utf-', 'iso-ir-']
  const ends = [...Array.from({ length: 170 }, (_, i) => String(i)), ...Array.from({ length: 10 }, (_, i) => String(1250 + i)), '866', '874', '819', '949', 'r', 'u', 'ru', '8-i', '8-e', '16le', '16be']
  for (const part of parts) {
    for (const end of ends) {
      const label = part + end
      let known = true
      try {
        new TextDecoder(label)
      } catch {
        known = false
      }
      assert.equal(isEncodingLabel(label), known, label)
    }
  }
})
