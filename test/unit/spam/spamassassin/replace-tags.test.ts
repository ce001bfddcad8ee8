import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noTags, withTagsReplaced } from '../../../../src/spam/spamassassin/replace-tags.ts'

function tagsOf(tag: Readonly<Record<string, string>>, more: Partial<Record<'pre' | 'inter' | 'post', Readonly<Record<string, string>>>> = {}) {
  const tags = noTags()
  for (const [name, text] of Object.entries(tag)) tags.tag.set(name, text)
  for (const place of ['pre', 'inter', 'post'] as const) for (const [name, text] of Object.entries(more[place] ?? {})) tags[place].set(name, text)
  return tags
}

test('tags stand for expressions, also within each other', () => {
  assert.equal(withTagsReplaced('x<A>+<B><C>', tagsOf({ A: '[a4]', B: '(?:<A>|b)' })), 'x[a4]+(?:[a4]|b)<C>')
  assert.equal(withTagsReplaced('(?<=a)<b>(?<NAME>x)', tagsOf({ A: '[a4]' })), '(?<=a)<b>(?<NAME>x)')
})

test('what stands before, between and behind the tags of a rule', () => {
  const tags = tagsOf({ A: 'a', B: 'b' }, { pre: { P: '_' }, inter: { W: '\\W?' }, post: { T: '{1,2}' } })
  assert.equal(withTagsReplaced('<inter W><post T><A><B>x<A>', tags), 'a{1,2}\\W?b{1,2}xa{1,2}')
  assert.equal(withTagsReplaced('<pre P><A>', tags), '_a')
  assert.equal(withTagsReplaced('<post NONE><A>', tags), '<post NONE>a')
})

test('other signs may stand around a tag', () => {
  const tags = tagsOf({ A: 'a' })
  tags.start = '[['
  tags.end = ']]'
  assert.equal(withTagsReplaced('[[A]]<A>', tags), 'a<A>')
})

test('tags that grow without end are refused', () => {
  assert.equal(withTagsReplaced('<A>', tagsOf({ A: 'x<A>' })), undefined)
  assert.equal(withTagsReplaced('<A><A><A><A>', tagsOf({ A: 'x'.repeat(10_000) })), undefined)
  const doubling = tagsOf(Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`T${i}`, `<T${i + 1}>`.repeat(50)])))
  assert.equal(withTagsReplaced('<T0>', doubling), undefined)
})
