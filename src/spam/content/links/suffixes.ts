/**
 * Top-level domains for which a word with a dot is taken for a host where
 * nothing else says so. Those that are rather a file's extension, an English
 * word after a missing blank, or hardly in use, are left out. Data, and look-up.
 */

/** Enough by themselves: `example.com`. */
const CERTAIN = new Set((
  'com net org info biz edu gov mil int name mobi asia jobs tel travel coop aero museum cat '
  + 'xyz top club online site shop store website space tech icu vip live world today life cloud buzz click link work bond cfd cyou sbs lol quest rest monster bar pics autos beauty hair skin makeup boats yachts homes '
  + 'app dev page blog email agency company digital media news network solutions services support systems center group global international expert guru run fun pro win bid loan men date trade review stream download racing party science faith accountant cricket webcam '
  + 'ltd gmbh inc llc finance money cash credit bank capital fund insurance legal law tax bio health clinic care dental fit pharmacy casino bet poker games game chat dating sexy porn adult xxx cam host press wiki art ink design studio photos gallery '
  + 'ru su ua by kz cn jp kr tw hk in vn th ph my sg id pk bd de fr nl uk eu ch pl cz sk hu ro bg gr tr se fi dk es pt ie lt lv ee hr rs si il ir ae sa eg ma ng ke za za br ar mx cl co pe ve ec uy ca us au nz '
  + 'me io ai tv cc ws ly gl gg gd fm la nu tk ml ga cf gq pw li lu'
).split(/\s+/))

/** Words of languages, and extensions of files; a path behind them makes them certain. */
const DOUBTFUL = new Set(('at be is it no to so am as do in my us me by id la co pro py pl rs sh md ps cc ai mk ms st ac ad ag al app art bar bio bid cat date email email fit fun game host ink int law life link live '
  + 'lol men money name news page party press rest run skin space stream support tax today top trade travel wiki win work world').split(/\s+/))

/** It may be one. */
export function isKnownSuffix(label: string): boolean {
  return CERTAIN.has(label) || (DOUBTFUL.has(label) && label.length === 2)
}

/** It is one even in running text. */
export function isCertainSuffix(label: string): boolean {
  return CERTAIN.has(label) && !DOUBTFUL.has(label)
}
