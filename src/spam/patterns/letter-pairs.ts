/**
 * How likely a few characters stand together in mail, about: which place of a
 * literal says most, when one looks for it. Of letters by what stands before
 * them, since words are no letters thrown together. Of English; in other languages it
 * is a worse guess, and never more than that.
 */

/** For each letter, blank first, and each that stands behind it: the likelihood as a negative power of two, 9 for less. */
const BEHIND = [
  '835455565488556459543674969',
  '495458759596352969343667859',
  '648992989579399379347399949',
  '639583993594499299574599979',
  '149963989399778499658579969',
  '257545679798554778335967679',
  '249994499399699299495599989',
  '249772974499695499458599978',
  '439991999399998489694799989',
  '556455559997452469533959996',
  '639892987599569279767298999',
  '258992968397695789847889979',
  '349853799398379479956669949',
  '325992988499559349759599969',
  '357533739596787499943779969',
  '377668479797542659355355999',
  '439883986599479359365499979',
  '469897888988888996877088999',
  '348652869396766479645779959',
  '259693895497788559943599979',
  '259893992399779369555697969',
  '454565859597453859233999879',
  '739981999299999599999999789',
  '439893993399895499659993999',
  '349494896399858839983697669',
  '167895999699877279756897999',
  '549981999399989499988799864',
]
const LETTERS = 27
/** Of other characters whatever stands before; of letters at the begin and behind others. */
const SHARES: Readonly<Record<string, number>> = {
  ' ': 0.14, '\n': 0.02, e: 0.09, t: 0.07, o: 0.06, a: 0.06, i: 0.05, n: 0.05, s: 0.05, r: 0.05, l: 0.03, h: 0.03, c: 0.026, d: 0.025, m: 0.021, u: 0.021, f: 0.019, p: 0.018, w: 0.015, g: 0.015, y: 0.014, b: 0.013,
  v: 0.009, k: 0.006, x: 0.002, j: 0.001, q: 0.001, z: 0.001, '.': 0.013, '-': 0.013, ',': 0.009, _: 0.009, '>': 0.008, '/': 0.007, '<': 0.006, '"': 0.005, '=': 0.004, ':': 0.003, '0': 0.006, '1': 0.003, '2': 0.003, '*': 0.002, '\'': 0.002,
}
const ELSE = 0.001
/** The same sign again and again: lines are drawn so. */
const REPEATED = 0.5

const shares = new Float64Array(128).fill(ELSE)
for (const [character, share] of Object.entries(SHARES)) shares[character.charCodeAt(0)] = share
const behind = Float64Array.from(BEHIND.join(''), (power) => 2 ** -Number(power))

/** Of folded text. */
export function likelihoodOf(text: string): number {
  let all = 1
  let before = -1
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const letter = letterOf(code)
    if (before >= 0 && letter >= 0) all *= behind[before * LETTERS + letter] as number
    else if (letter < 0 && i > 0 && text.charCodeAt(i - 1) === code) all *= REPEATED
    else all *= code < 128 ? shares[code] as number : ELSE
    before = letter
  }
  return all
}

/** 0 is the blank; -1: none. */
function letterOf(code: number): number {
  return code === 0x20 ? 0 : code >= 0x61 && code <= 0x7a ? code - 0x60 : -1
}
