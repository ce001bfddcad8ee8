/**
 * Tags in patterns (Mail::SpamAssassin::Plugin::ReplaceTags): `<A>` in a rule that
 * `replace_rules` names stands for an expression; `<pre X>`, `<inter X>` and
 * `<post X>` say what stands before, between and behind the tags of the rule.
 * A pattern never grows beyond 32,768 characters. Pure.
 */

export interface Tags {
  start: string
  end: string
  readonly tag: Map<string, string>
  readonly pre: Map<string, string>
  readonly inter: Map<string, string>
  readonly post: Map<string, string>
}

const MAX_CHARACTERS = 32_768
/** Expressions of tags may hold tags. */
const MAX_NESTING = 8

export function noTags(): Tags {
  return { start: '<', end: '>', tag: new Map(), pre: new Map(), inter: new Map(), post: new Map() }
}

/** undefined: it would be too long */
export function withTagsReplaced(source: string, tags: Tags): string | undefined {
  const [start, end] = [quoted(tags.start), quoted(tags.end)]
  const around = { pre: '', inter: '', post: '' }
  const plain = source.replace(new RegExp(`${start}(pre|inter|post)\\s+(\\w+)${end}`, 'g'), (whole, place: keyof typeof around, name: string) => {
    const text = tags[place].get(name)
    if (text === undefined) return whole
    around[place] = text
    return ''
  })
  return expanded(plain, { tags, around, found: new RegExp(`${start}(\\w+)${end}(${start}\\w+${end})?`) }, 0)
}

interface Expansion {
  readonly tags: Tags
  readonly around: { readonly pre: string; readonly inter: string; readonly post: string }
  /** a tag, and the one that stands right behind it */
  readonly found: RegExp
}

function expanded(source: string, expansion: Expansion, depth: number): string | undefined {
  const { tags, around, found } = expansion
  let made = ''
  let rest = source
  for (let match = found.exec(rest); match !== null; match = found.exec(rest)) {
    const length = match[0].length - (match[2]?.length ?? 0)
    const text = tags.tag.get(match[1] ?? '')
    const next = match[2] === undefined ? undefined : tags.tag.get(match[2].slice(tags.start.length, -tags.end.length))
    made += rest.slice(0, match.index)
    if (text === undefined) made += rest.slice(match.index, match.index + length)
    else {
      const inside = depth < MAX_NESTING ? expanded(text, expansion, depth + 1) : undefined
      if (inside === undefined) return undefined
      made += `${around.pre}${inside}${around.post}${next === undefined ? '' : around.inter}`
    }
    rest = rest.slice(match.index + length)
    if (made.length > MAX_CHARACTERS) return undefined
  }
  return made.length + rest.length > MAX_CHARACTERS ? undefined : made + rest
}

function quoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
