/**
 * Letters of other scripts that look like ASCII letters, by their code points.
 * Our own choice: those with which words are disguised in mail and in host
 * names; accents are no disguise. Data, and look-up.
 */

/** Pairs: the letter, and what it is taken for. */
const PAIRS = [
  // Cyrillic
  'аa вb сc еe һh іi јj кk ӏl мm нh оo рp ԛq гr ѕs тt υu ѵv ԝw хx уy ԁd ԍg ьb ҽe ҫc',
  'АA ВB СC ЕE НH ІI ЈJ КK МM ОO РP ЅS ТT ХX УY ӀI ԚQ ԜW Ѵv ҮY Ԁd Ԍg ЗE',
  // Greek
  'αa βb ϲc εe ηn ιi κk νv οo ρp τt υu χx γy ωw σo ϳj',
  'ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX ϹC',
  // Armenian, Cherokee, Georgian, Lisu, Coptic
  'օo ոn սu հh ցg զq յj լl ՏS ՕO ᎪA ᏴB ᏟC ᎠD ᎬE ᎻH ᎥI ᎫJ ᏦK ᏞL ᎷM ᏢP ᏒR ᏚS ᎢT ᏙV ᎳW ᏃZ ꓮA ꓐB ꓚC ꓓD ꓰE ꓝF ꓖG ꓧH ꓲI ꓙJ ꓗK ꓡL ꓟM ꓠN ꓳO ꓑP ꓣR ꓢS ꓔT ꓴU ꓦV ꓪW ꓫX ꓬY ꓜZ ⲟo ⲥc ⲣp',
  // Latin that no alphabet in wide use has: phonetic letters, small capitals
  'ɑa ƅb ɡg ɩi ʟl ᴀa ʙb ᴄc ᴅd ᴇe ꜰf ɢg ʜh ɪi ᴊj ᴋk ᴍm ɴn ᴏo ᴘp ʀr ꜱs ᴛt ᴜu ᴠv ᴡw ʏy ᴢz ʋu ȷj ǀl ǃi ꞮI',
]

const CONFUSABLES = new Map<number, number>()
for (const pair of PAIRS.join(' ').split(' ')) CONFUSABLES.set(pair.charCodeAt(0), pair.charCodeAt(1))

/** The ASCII letter that a character is taken for, by its code; 0: none. */
export function confusedWith(code: number): number {
  return CONFUSABLES.get(code) ?? 0
}

/**
 * Characters that show nothing: soft hyphen, joiners, marks of direction,
 * fillers, selectors of variants, tags. By the 16-bit unit; those beyond the
 * first plane have a surrogate of their own (U+E0000 to U+E0FFF: D83C and on).
 */
export function isInvisible(code: number): boolean {
  if (code < 0x034f) return code === 0xad
  return code === 0x034f || code === 0x061c || code === 0x115f || code === 0x1160 || code === 0x17b4 || code === 0x17b5 || (code >= 0x180b && code <= 0x180f)
    || (code >= 0x200b && code <= 0x200f) || (code >= 0x202a && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code === 0x3164
    || (code >= 0xfe00 && code <= 0xfe0f) || code === 0xfeff || code === 0xffa0
}
