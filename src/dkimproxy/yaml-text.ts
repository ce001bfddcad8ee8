/** A postern.yaml in the making: lines with comments where something means something else than before. */
export class YamlText {
  private readonly lines: string[] = []

  /** @param remark what is different now; a long one goes on lines of its own, above */
  line(text: string, remark = ''): this {
    if (remark === '') this.lines.push(text)
    else if (text.length + remark.length < 100) this.lines.push(`${text}  # ${remark}`)
    else {
      const indent = /^ */.exec(text)?.[0] ?? ''
      for (const part of wrapped(remark, 96 - indent.length)) this.lines.push(`${indent}# ${part}`)
      this.lines.push(text)
    }
    return this
  }

  remark(text: string): this {
    for (const part of wrapped(text, 96)) this.lines.push(`# ${part}`)
    return this
  }

  blank(): this {
    this.lines.push('')
    return this
  }

  toString(): string {
    return `${this.lines.join('\n')}\n`
  }
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  // What was quoted out of a file stays a comment.
  for (const word of text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ').split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** A string of YAML that can be nothing else; in quotes where it could. */
export function scalar(text: string): string {
  return /^[A-Za-z_/][A-Za-z0-9_./-]*$/.test(text) && !/^(?:true|false|yes|no|on|off|null|y|n)$/i.test(text) ? text : JSON.stringify(text)
}

export function list(items: readonly string[]): string {
  return `[${items.map(scalar).join(', ')}]`
}

export function mapping(pairs: readonly (readonly [string, string | undefined])[]): string {
  return `{ ${pairs.filter(([, value]) => value !== undefined).map(([name, value]) => `${name}: ${value ?? ''}`).join(', ')} }`
}
