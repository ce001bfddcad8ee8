/**
 * Services that make a short link of any link: whoever reads it does not see
 * where it leads. Host names, without `www.`; a list of our own of those that
 * occur in mail. Data, and look-up. Short names that one company keeps for its
 * own pages (youtu.be, amzn.eu) are none.
 */

const NAMES = `
bit.ly bitly.com j.mp tinyurl.com tiny.cc tiny.one tiny.pl t.co goo.gl is.gd v.gd ow.ly buff.ly rebrand.ly rb.gy cutt.ly cutt.us shorturl.at shorturl.gg shorturl.asia short.io
shortcm.li shorter.me shrtco.de bl.ink t.ly t2m.io tr.im snip.ly snipurl.com snurl.com sn.im su.pr u.to s.id ur1.ca url.ie urlz.fr urlzs.com x.co x.gd xurl.es y2u.be yep.it
adf.ly adfoc.us ay.gy q.gs bc.vc ouo.io ouo.press linkvertise.com link-to.net shorte.st sh.st clk.sh exe.io gestyy.com za.gl
lnkd.in db.tt dlvr.it ift.tt mcaf.ee hyperurl.co lnk.to lnk.bio lnk.ink smarturl.it soo.gd clck.ru vk.cc qps.ru goo.su u.nu da.gd 2.gp 1url.com 2u.pw 4sq.com
budurl.com bitly.ws bit.do moourl.com doiop.com notlong.com shrinkurl.org makeashorterlink.com metamark.net memurl.com digbig.com dwarfurl.com elfurl.com fwd4.me
han.gl me2.do vo.la c11.kr url.kr zpr.io t1p.de kurzelinks.de kutt.it 0rz.tw ppt.cc reurl.cc lihi.cc lihi1.com pse.is picsee.io supr.link maac.io risu.io
t.cn dwz.cn suo.im url.cn w.url.cn mrw.so sina.lt 3.cn tb.cn dwz.mk a.nel.co
qr.ae qrco.de qr.net qrs.ly l.ead.me linktr.ee tini.to trib.al zi.ma zurl.co zws.im surl.li surl.lt shorten.is shorten.ee shorten.as urlr.me acortar.link n9.cl encurtador.com.br
bityl.co bityli.com tny.im tny.sh ity.im po.st prettylink.pro polr.me gg.gg chilp.it cli.gs rurl.org safe.mn snkr.me spoo.me tinu.be twurl.nl vzturl.com
hubs.ly hubs.la hubs.li page.link app.link onelink.to onelnk.com l8.nu lc.chat sprl.in swll.to shor.by rotf.lol urluno.com urlshortner.net
`

const SHORTENERS = new Set(NAMES.trim().split(/\s+/))
/** Services that give each customer a name below theirs. */
const WITH_CUSTOMERS = ['app.link', 'page.link', 'lnk.to', 'short.gy', 'shortcm.li', 't2m.io']

/** `host`: lower case, A-labels. */
export function isShortener(host: string): boolean {
  const name = host.startsWith('www.') ? host.slice(4) : host
  return SHORTENERS.has(name) || WITH_CUSTOMERS.some((service) => name.endsWith(service) && name.charCodeAt(name.length - service.length - 1) === 46)
}
