/** DKIMproxy's maps, look-ups, signature lines and macros. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { describeNotice } from '../../../src/dkimproxy/given.ts'
import { lookUp, lookUpKeys, readMap } from '../../../src/dkimproxy/map-file.ts'
import { expandMacro, readMethod, readSignature, splitSignatures } from '../../../src/dkimproxy/signature-words.ts'

describe('maps', () => {
  test('keys, values, comments', () => {
    const { map, warnings } = readMap('# x\n; y\n\n  a.example   dkim(s=1), domainkeys \nB.Example\tdkim\r\nlonely\na.example dkim(s=2)\n', 'm')
    assert.deepEqual([...map.entries.values()], [{ key: 'a.example', value: 'dkim(s=2)', line: 7 }, { key: 'b.example', value: 'dkim', line: 5 }])
    assert.deepEqual(warnings.map((one) => describeNotice(one).slice(0, 4)), ['m:5:', 'm:6:', 'm:7:'])
  })

  test('what is looked up, in order', () => {
    assert.deepEqual([...lookUpKeys('a+b+c@x.y.tld')], ['a+b+c@x.y.tld', 'a@x.y.tld', 'x.y.tld', 'y.tld', 'tld', '.'])
    assert.deepEqual([...lookUpKeys('list.x.tld')], ['list.x.tld', 'x.tld', 'tld', '.'])
    assert.deepEqual([...lookUpKeys('+b@x.tld')], ['+b@x.tld', 'x.tld', 'tld', '.'])
    assert.deepEqual([...lookUpKeys('')], ['.'])
  })

  test('the first that is there counts, whatever the case', () => {
    const { map } = readMap('Anna@X.tld 1\nx.tld 2\ntld 3\n. 4\n', 'm')
    assert.deepEqual(['ANNA@x.tld', 'anna+shop@x.tld', 'bob@x.tld', 'bob@sub.x.tld', 'bob@y.tld', 'bob@y.org', ''].map((address) => lookUp(map, address)?.value), ['1', '1', '2', '2', '3', '4', '4'])
    assert.equal(lookUp(readMap('x.tld 1', 'm').map, 'a@y.tld'), undefined)
  })
})

describe('signatures', () => {
  test('long and short names, blanks behind commas, values with =', () => {
    const words = readSignature('dkim(c=relaxed, s=sel,d=$keydomain, key=/a=b, i=@x, odd=1)')
    assert.ok(typeof words !== 'string')
    assert.deepEqual(Object.fromEntries(words.parameters), { method: 'relaxed', selector: 'sel', domain: '$keydomain', keyfile: '/a=b', identity: '@x', odd: '1' })
    assert.deepEqual(readSignature('domainkeys'), { type: 'domainkeys', parameters: new Map() })
    for (const bad of ['', '(x)', 'dkim(', 'dkim)x', 'pgp', 'dkim(c)', 'dkim x']) assert.equal(typeof readSignature(bad), 'string', bad)
  })

  test('lists are split outside of parentheses', () => {
    assert.deepEqual(splitSignatures('dkim(a=1,b=2) , domainkeys,dkim'), ['dkim(a=1,b=2)', 'domainkeys', 'dkim'])
    assert.deepEqual(splitSignatures(' '), [])
  })

  test('methods: a single word leaves the body simple', () => {
    const text = (name: string): string | undefined => {
      const method = readMethod(name)
      return method === undefined ? undefined : `${method.header}/${method.body}`
    }
    assert.deepEqual(['relaxed', 'simple', 'relaxed/relaxed', 'simple/relaxed', 'RELAXED', 'nowsp', 'nofws', 'relaxed/', ''].map(text), ['relaxed/simple', 'simple/simple', 'relaxed/relaxed', 'simple/relaxed', 'relaxed/simple', 'relaxed/relaxed', undefined, undefined, undefined])
  })

  test('macros: the first only, and no others than there are', () => {
    const values = { sender: 'anna@sub.x.tld', key: 'anna@x.tld' }
    const table: readonly (readonly [string, string | undefined])[] = [
      ['x', 'x'], ['$sender', 'anna@sub.x.tld'], ['$senderdomain', 'sub.x.tld'], ['$key', 'anna@x.tld'], ['$keydomain', 'x.tld'], ['a.$keydomain', 'a.x.tld'],
      ['$$', '$'], ['$$key', '$key'], ['$keydomain.$key', 'x.tld.$key'], ['$nobody', undefined], ['$', undefined],
    ]
    for (const [text, expected] of table) assert.equal(expandMacro(text, values), expected, text)
    assert.equal(expandMacro('$sender', { sender: '', key: '' }), undefined)
    assert.equal(expandMacro('$keydomain', { sender: '', key: '.' }), undefined)
  })
})
