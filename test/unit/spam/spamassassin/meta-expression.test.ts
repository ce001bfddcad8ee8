import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readExpression } from '../../../../src/spam/spamassassin/meta-expression.ts'
import type { Expression } from '../../../../src/spam/spamassassin/meta-expression.ts'

/** With all its brackets. */
function shown(tree: Expression | string): string {
  if (typeof tree === 'string') return tree
  switch (tree.kind) {
    case 'number': return String(tree.value)
    case 'rule': return tree.id
    case 'matching': return `<${tree.glob}>`
    case 'not': return `!${shown(tree.of)}`
    case 'minus': return `-${shown(tree.of)}`
    case 'and': return `(${tree.of.map(shown).join(' && ')})`
    case 'or': return `(${tree.of.map(shown).join(' || ')})`
    case 'sum': return `(${tree.of.map(shown).join(' + ')})`
    case 'choose': return `(${shown(tree.by)} ? ${shown(tree.yes)} : ${shown(tree.no)})`
    default: return `(${shown(tree.left)} ${tree.kind} ${shown(tree.right)})`
  }
}

test('expressions are read as Perl reads them', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['A && !(B || C)', '(A && !(B || C))'],
    ['(3 * A - 2 * B) > 0', '(((3 * A) + -(2 * B)) > 0)'],
    ['A || B && C == 1 + 2 * 3', '(A || (B && (C = (1 + (2 * 3)))))'],
    ['!A == 0', '(!A = 0)'],
    ['A > 1 != B <= 2', '((A > 1) != (B <= 2))'],
    ['A ? 1 : B ? 2 : 3', '(A ? 1 : (B ? 2 : 3))'],
    ['-A + +B / 2.5', '(-A + (B / 2.5))'],
    ['rules_matching(__FOO_*) >= 2', '(<__FOO_*> >= 2)'],
    ['  A  ', 'A'],
  ]
  for (const [text, tree] of cases) assert.equal(shown(readExpression(text)), tree, text)
})

test('what is no expression is told', () => {
  for (const text of ['', 'A B', 'A and B', 'A &&', '(A', 'A)', 'A ? B', '&& A', '!']) assert.equal(shown(readExpression(text)), 'the expression is incomplete, or two values stand side by side', text)
  assert.equal(shown(readExpression('A % B')), 'the expression cannot be read from "% B" on')
  assert.match(shown(readExpression('abs(A) ** 2')), /incomplete|cannot be read/)
  assert.match(shown(readExpression(`${'('.repeat(200)}A${')'.repeat(200)}`)), /nested more than 100 deep/)
  assert.match(shown(readExpression(`${'!'.repeat(200)}A`)), /nested more than 100 deep/)
  for (const sign of ['*', '/', '>', '==']) assert.match(shown(readExpression(`A${` ${sign} A`.repeat(200)}`)), /nested more than 100 deep/, sign)
  assert.match(shown(readExpression(`A${' + A'.repeat(3000)}`)), /more than 5000 words/)
  assert.equal(typeof readExpression(`A${' || A'.repeat(2000)}`), 'object')
})
