/**
 * Other names of character sets that are read: those of IANA's register, of
 * Windows' numbers, of Java, Python and iconv, which programs write into mail.
 * They are compared without signs (`EUC_CN`, `euc-cn` and `eucCN` are one), and
 * without `x-` or `cs` in front. Data, and look-up.
 */
const NAMES: Readonly<Record<string, string>> = {
  'us-ascii': 'ascii isoir6 ibm367 cp367 us iso646us usascii usascii7bit isoascii 20127 ansix341968 ansix341986 iso646irv1991 iso646basic1983',
  'utf-8': 'utf8 utf8n utf8bom unicodeutf8 unicode20utf8',
  'utf-16': 'utf16 unicode11 unicode11utf16 iso10646unicodelatin1 unicodelatin1 iso10646ucsbasic',
  'utf-16le': 'utf16le ucs2le 1200 cp1200 unicodelittle unicodelittleunmarked utf16lebom',
  'utf-16be': 'utf16be ucs2be ucs2 1201 cp1201 unicodebig unicodebigunmarked',
  'utf-32': 'utf32 utf32le utf32be ucs4 ucs4le ucs4be iso10646ucs4 12000 12001',
  'utf-7': 'utf7 utf7imap unicode11utf7 65000 cp65000',
  'iso-8859-1': 'iso88591 88591 latin1 28591 ecma94 iso88591windows30latin1 iso88591windows31latin1 windows30latin1 windows31latin1 ansi1252 winlatin1 cp1004 ibm1004 iso8859 8859',
  'iso-8859-2': 'iso88592 88592 latin2 28592 cp912 ibm912 912 iso88592windowslatin2 windows31latin2',
  'iso-8859-3': 'iso88593 88593 latin3 28593 cp913 ibm913 913',
  'iso-8859-4': 'iso88594 88594 latin4 28594 cp914 ibm914 914',
  'iso-8859-5': 'iso88595 88595 28595 cp915 ibm915 915 latincyrillic',
  'iso-8859-6': 'iso88596 88596 28596 cp1089 ibm1089 1089 asmo708 708 iso88596i iso88596e',
  'iso-8859-7': 'iso88597 88597 28597 cp813 ibm813 813 iso885972003',
  'iso-8859-8': 'iso88598 88598 28598 cp916 ibm916 916 38598 iso88598i iso88598e',
  'iso-8859-9': 'iso88599 88599 latin5 28599 cp920 ibm920 920 ecma128 ts5881 iso88599windowslatin5 windows31latin5',
  'iso-8859-10': 'iso885910 885910 latin6 iso8859101992 28600',
  'iso-8859-13': 'iso885913 885913 latin7 l7 28603 cp921 ibm921 921 isoir179 baltic',
  'iso-8859-14': 'iso885914 885914 latin8 l8 28604 isoir199 isoceltic iso8859141998',
  'iso-8859-15': 'iso885915 885915 latin9 latin0 28605 cp923 ibm923 923 isoir203 iso885915euro iso885915fdis',
  'iso-8859-16': 'iso885916 885916 latin10 l10 28606 isoir226 iso8859162001',
  'windows-874': 'iso885911 885911 28601 874 cp874 windows874 ibm874 cp1162 ibm1162 tis620 tis62025330 tis62025331 tis6202533 tis62025291 tis62025290 isoir166 thai thai8',
  'ibm866': 'cp866 dos866 ibm866',
  'koi8-r': 'koi8r cp878 ibm878 878 20866 cp20866',
  'koi8-u': 'koi8u koi8ru koi8uk 21866 cp21866 cp1167 ibm1167',
  'macintosh': 'macroman macosroman applemacintosh 10000 cp10000',
  'x-mac-cyrillic': 'maccyrillic macukrainian macukraine macuk 10007 cp10007 10017',
  'windows-1250': 'msee', 'windows-1251': 'mscyrl ansi1251 windowscyrillic cp5347 ibm5347', 'windows-1253': 'msgreek', 'windows-1254': 'msturk', 'windows-1255': 'mshebr', 'windows-1256': 'msarab cp9448 ibm9448', 'windows-1257': 'winbaltrim',
  'gb18030': 'gb180302000 gb180302005 gb180302022 gb2312 gb231280 gb23121980 gb231219800 eucgb2312cn gbk gbk2312 euccn cngb 936 cp936 ms936 gb18030 54936 cp54936 20936 cp20936 macsimpchinese macchinesesimp',
  'hz-gb-2312': 'hz hzgb hzgb2312 52936 cp52936',
  'big5': 'big5hkscs big5eten big5et big5tw big5hk big52003 bigfive hkscs 950 cp950 ms950 ibm950 cp1370 951 cp951 mactradchinese macchinesetrad',
  'shift_jis': 'shiftjis sjis mskanji windows31j shiftjis2004 shiftjisx0213 sjis2004 sjisx0213 sjiswin sjisopen sjisms 932 cp932 ms932 ibm932 943 cp943 cp943c ibm943 ibm943c pck mscp932 macjapanese',
  'euc-jp': 'eucjp eucjpms eucjpwin eucjpopen eucjisx0213 eucjis2004 ujis eucjplinux 20932 cp20932 51932 cp51932 extendedunixcodepackedformatforjapanese eucpkdfmtjapanese 33722 cp33722 ibm33722',
  'iso-2022-jp': 'iso2022jp iso2022jp1 iso2022jp2 iso2022jp3 iso2022jp2004 iso2022jpext iso2022jpms iso2022jpkddi jis7 jisencoding junet 50220 50221 50222 windows50220 windows50221 7bitjis windowsiso2022jp',
  'euc-kr': 'euckr euckr1992 eucksc5601 ksc5601 ksc56011987 ksc56011989 ksc56011992 ksx1001 ksx10011992 wansung 949 cp949 ms949 ibm949 cp949c 51949 cp51949 970 cp970 ibm970 20949 uhc mackorean hangul windows949 mscp949',
  'iso-2022-kr': 'iso2022kr 50225 cp50225',
}

const BY_NAME = new Map<string, string>()
for (const [set, names] of Object.entries(NAMES)) for (const name of names.split(' ')) BY_NAME.set(name, set)

/** In lower case; undefined: nothing that is read has this name. */
export function setOfAlias(name: string): string | undefined {
  const bare = name.replace(/^x-(?:x-)?/, '').replace(/[^a-z0-9]+/g, '')
  const windows = /^(?:win|windows|ms|cp|ansi|ibm)?(125[0-8])$/.exec(bare.replace(/^cs/, ''))?.[1]
  return windows === undefined ? BY_NAME.get(bare) ?? (bare.startsWith('cs') ? BY_NAME.get(bare.slice(2)) : undefined) : `windows-${windows}`
}
