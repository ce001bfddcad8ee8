import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readHtml } from '../../../../../src/spam/content/html/html-reader.ts'

const text = (html: string) => readHtml(html, html.length).text
const hidden = (html: string) => readHtml(html, html.length).hidden

test('blocks are paragraphs, line breaks and cells are blanks', () => {
  assert.equal(text('<html><head><title>Title</title></head><body><h1>One</h1><p>Two <b>b</b>old<br>three</p>four</body></html>'), 'One\nTwo bold three\nfour')
  assert.equal(text('a<br><br>b<br/>c'), 'a\nb c')
  assert.equal(text('<table><tr><td>1<td>2<tr><td>3</td><th>4</th></tr></table>5'), '1 2\n3 4\n5')
  assert.equal(text('<ul><li>x<li>y</ul>z'), 'x\ny\nz')
  assert.equal(text('  a \n\n b&nbsp;&nbsp;c  '), 'a b c')
  assert.equal(text('Vi<b></b>ag<!-- no --><i>ra</i>'), 'Viagra')
  assert.equal(text('w<wbr>o<unknown>r</unknown>d'), 'word')
})

test('what is no markup is text', () => {
  assert.equal(text('1 < 2 && 3 > 2 <3 a<'), '1 < 2 && 3 > 2 <3 a<')
  assert.equal(text('a</>b</ c>d<?xml x?>e<!doctype html>f<![CDATA[g]]>h'), 'abdefh')
  assert.equal(text('a<b c="d>e"f>g'), 'ag')
  assert.equal(text('a <b title="never closed>b'), 'a')
  assert.equal(text('a <b '), 'a')
  assert.equal(text('a &lt;b&gt; &#65;&#x42; &bogus; &amp'), 'a <b> AB &bogus; &')
})

test('comments, as browsers end them', () => {
  assert.equal(text('a<!-- b > c -->d'), 'ad')
  assert.equal(text('a<!-->b'), 'ab')
  assert.equal(text('a<!--->b'), 'ab')
  assert.equal(text('a<!--b--!>c'), 'ac')
  assert.equal(text('a<!-- b -- > c --->d'), 'ad')
  assert.equal(text('a<!-- never closed <p>b'), 'a')
  assert.equal(text('<!--[if mso]>outlook<![endif]--><!--[if !mso]><!-->others<!--<![endif]--><![if !mso]>x<![endif]>'), 'othersx')
  assert.equal(hidden('a<!-- comment -->'), '')
})

test('what is not shown as it stands: scripts, styles, titles, templates, frames', () => {
  assert.equal(text('a<script>if (1 < 2) "</b>" </ScRiPt >b<style>p { x }</style>c<title>t</title>d<template>e</template>f<iframe>g</iframe>h<noembed>i</noembed>j'), 'abcdfhj')
  assert.equal(text('a<noscript>b</noscript><textarea>c <b>d</textarea>e<xmp><i></xmp>f'), 'abc <b>de<i>f')
  assert.equal(text('a<script>never closed'), 'a')
  assert.equal(text('a<plaintext>b</plaintext><b>'), 'ab</plaintext><b>')
})

test('text that is hidden, by all the ways there are', () => {
  for (const open of [
    '<div style="display:none">', '<div style="display: none !important;">', '<div hidden>', '<div style="visibility:hidden">', '<div style="opacity:0">', '<div style="font-size:0">', '<div style="font-size:1px">', '<span style="font:1px Arial">',
    '<div style="max-height:0;overflow:hidden">', '<div style="width:0px;height:0;overflow:hidden">', '<div style="height:3px;overflow:hidden">', '<div style="height:0;overflow:hidden;padding-top:90px;background:url(logo.png)">', '<font color="white">', '<font color=#FFFFFE>', '<span style="color:#fff">', '<span style="color:transparent">',
    '<span style="color:rgba(0,0,0,0)">', '<div style="position:relative;left:-9999px">', '<div style="position:absolute;left:-9999px;width:100px">', '<div style="position:absolute;top:-9999px">', '<div style="position:absolute;clip:rect(0,0,0,0)">', '<zz style="display:none">', '<o:p style="font:0/0 a">', '<div style="background:black;color:#000">', '<table bgcolor=navy><tr><td><font color=#000080>', '<body bgcolor=black text=#010101>', '<p style="color:#eee">',
    '<div style="font-size:10px"><span style="font-size:5%">', '<div style="display:none"><p style="display:block;color:black">',
  ]) {
    const found = readHtml(`<p>seen</p>${open}secret`, 0)
    assert.deepEqual([found.text, found.hidden], ['seen', 'secret'], open)
    assert.equal(found.facts.hiddenElements, 1, open)
  }
})

test('text that only looks as if it were', () => {
  for (const open of [
    '<div style="display:block">', '<div style="font-size:2px">', '<td style="font-size:0"><p style="font-size:14px">', '<td bgcolor=black><font color=white>', '<div style="background-image:url(dark.png);color:#fff">', '<td background="dark.gif" style="color:#fff">',
    '<div style="background:linear-gradient(#000,#111);color:#fff">', '<div style="visibility:hidden"><p style="visibility:visible">', '<font color=white><a href="http://a.example">', '<div style="overflow:hidden;height:40px">', '<div style="width:0">',
    '<body bgcolor=black><font color=white>', '<p style="color:#777">', '<a style="mso-hide:all" href="http://a.example">', '<p style="color:inherit">',
    // What is not valid is dropped, what does not apply does nothing.
    '<div style="display:nonesuch">', '<div style="display:none foo">', '<div style="font-size:0x">', '<div style="font-size:1">', '<div style="font:0px">', '<div style="visibility:hiddenly">', '<div style="opacity:0px">', '<div style="display:none !ie">',
    '<div style="left:-9999px">', '<div style="position:static;left:-9999px">', '<span style="text-indent:-9999px">', '<span style="width:0;overflow:hidden">', '<div style="max-height:0">', '<div style="height:0;min-height:50px;overflow:hidden">',
    '<div style="display:none;display:block">', '<div style="display:block!important;display:none">', '<div hidden style="display:block">', '<div style="color:#fff;x:\'/*\';color:#000;y:\'*/\'">', '<div style="color:red\\3b display:none">',
    '<div style="background:rgba(0,0,0,.1);color:#000">', '<div style="background:#000;background:nonsense;color:#fff">', '<div q\u00b2yle="display:none">', `<div style="display:none;${'x:y;'.repeat(3000)}display:block">`,
    '<table style="display:none"><table><tr><td>', '<form><form style="display:none">', '<div style="display:none"></div>', `<div style="display:none">${'<span>'.repeat(300)}</div>`, `<span style="display:none">${'<i>'.repeat(100)}</span>`,
    '<table><tr><td><div style="display:none"></td><td>', '<table><div style="display:none"><tr><td>', '<font style="display:none"><b></font>', '<ul><li style="display:none"><li>',
  ]) {
    const found = readHtml(`${open}seen`, 0)
    assert.deepEqual([found.text, found.hidden], ['seen', ''], open)
  }
})

test('text that some see, or that may be seen, counts as both', () => {
  for (const open of [
    '<div style="mso-hide:all">', '<div style="text-indent:-9999px">', '<div style="margin-left:-9999px">', '<div style="position:absolute;left:-600px">', '<div style="position:absolute;left:-9999px">', '<div style="position:relative;left:-9999px;padding-left:9999px">',
    '<div style="height:0;overflow:hidden;padding-bottom:20px">', '<div style="height:0;overflow:hidden;padding-bottom:calc(1px + 9em)">', '<table style="height:0;overflow:hidden"><tr><td>', '<div style="clip-path:inset(50%)">', '<div style="transform:scale(0)">', '<div style="max-height:0;overflow:hidden"><p style="position:absolute">',
    '<div style="display:none;display:-ms-flexbox">', '<div style="display:var(--x)">', '<div style="color:#fff;-webkit-text-fill-color:#000">', '<div style="color:transparent;text-shadow:0 0 0 #000">', '<details>', '<dialog>', '<svg style="display:none"><p>',
    '<tr style="display:none">', '<table style="display:none">', '<b style="color:#fff"><div></b>', '<table><col bgcolor=black><tr><td><font color=white>', '<p style="display:none"><table><tr><td>', '<select><div style="display:none">',
    '<div style="color:#fff"><div><font color=black></div>', '<body><p>a</p><body style="display:none">',
  ]) {
    const found = readHtml(`${open}secret`, 0)
    assert.ok(found.text.endsWith('secret') && found.hidden === (open.startsWith('<body>') ? '' : 'secret'), `${open}: ${JSON.stringify([found.text, found.hidden])}`)
  }
  assert.deepEqual([text('<details>a<summary>b</summary>c</details>d'), hidden('<details>a<summary>b</summary>c</details>d')], ['a\nb\nc\nd', 'a\nc'])
})

test('an element that is closed, or that browsers put elsewhere, hides nothing behind', () => {
  // The end tag of a block in a cell does not close what is around the table.
  assert.equal(text('<div style="color:#fff"><div style="background:#000"><table><tr><td></div>seen'), 'seen')
  assert.equal(text('<div style="color:#fff"><form style="background:#000"><div></form>seen'), 'seen')
  assert.equal(text('<div style="color:#fff"><span><div style="background:#000"></span>seen'), 'seen')
  // What lies too deep to be remembered is counted all the same.
  assert.equal(text(`<div style="display:none">${'<div>'.repeat(300)}${'</div>'.repeat(301)}seen`), 'seen')
  assert.deepEqual([text(`<div style="display:none">${'<div>'.repeat(300)}${'</div>'.repeat(300)}not`), hidden(`<div style="display:none">${'<div>'.repeat(300)}${'</div>'.repeat(300)}not`)], ['', 'not'])
  assert.deepEqual([text('<zz hidden>a<zz>b</zz>c</zz>d'), hidden('<zz hidden>a<zz>b</zz>c</zz>d')], ['d', 'abc'])
})

test('a rule that is not followed, or that beats an inline style, shows what others hide', () => {
  for (const [sheet, open] of [
    ['.a{display:none} body .a{display:block}', '<div class=a>'], ['.a{display:block!important}', '<div class=a style="display:none">'], ['.a{display:none} #i{display:block}', '<p id=i class=a>'], ['p{display:block} .a{display:none} p.a{display:block}', '<p class=a>'],
    ['.a{display:none} .b{display:block} .a{color:red}', '<p class="a b">'], ['.A{display:none}', '<p class=a>'], ['.a{display:nonesuch}', '<p class=a>'], ['@media print{.a{display:none}}', '<p class=a>'], ['@font-face{x:y}.a{background:#000}', '<p class=a style="color:#fff">'],
  ] as const) {
    const found = readHtml(`<style>${sheet}</style>${open}seen`, 0)
    assert.deepEqual([found.text, found.hidden], ['seen', ''], sheet)
  }
  for (const [sheet, open] of [
    ['.a{display:none} td .a{display:block}', '<div class=a>'], ['@media all{.a{display:block!important}}', '<div class=a style="display:none">'], ['@media all{.k{background:#000}}', '<div class=k style="color:#fff">'], ['table .k{background:#000}', '<div class=k style="color:#fff"><p>'],
    ['.a{display:none;&{display:block}}', '<p class=a>'], ['.a{display:none} [class~=a]{display:block}', '<p class=a>'], ['.a{display:none} *:not(b){display:block}', '<p class=a>'], ['.a{display:none} x y{display:none} x .a{display:block} .b .a{display:none}', '<p class=a>'],
    ['.a{font-size:0} b .a{font-size:20px}', '<p class=a>'], [`.a{display:none}${'/**/ '.repeat(40_000)}.a{display:block}`, '<p class=a>'], ['.a{display:none} .\\61{display:block}', '<p class=a>'],
  ] as const) {
    const found = readHtml(`<style>${sheet}</style>${open}seen`, 0)
    assert.deepEqual([found.text, found.hidden], ['seen', 'seen'], sheet.slice(0, 80))
  }
  assert.equal(hidden('<style>.a{display:none} td .b{display:block}</style><p class=a>x'), 'x')
})

test('a sheet counts where a browser reads one', () => {
  for (const html of ['<p title="<style>.a{display:none}</style>"><p class=a>seen', '<script>"<style>.a{display:none}</style>"</script><p class=a>seen', '<template><style>.a{display:none}</style></template><p class=a>seen', '<style media=print>.a{display:none}</style><p class=a>seen', '<style type=text/x>.a{display:none}</style><p class=a>seen']) {
    assert.deepEqual([text(html), hidden(html)], ['seen', ''], html)
  }
  for (const html of ['<sTyLe>.a{display:none}</StYLE><p class=a>x', '<style title=">">.a{display:none}</style><p class=a>x', '<p title="<style>"><style>.a{display:none}</style><p class=a>x']) assert.deepEqual([text(html), hidden(html)], ['', 'x'], html)
})

test('style sheets hide, wherever they stand', () => {
  assert.deepEqual(readHtml('<p class="x pre">a</p><p class=y>b<p id=z>c<div class="pre">d</div><style>.pre{display:none} #z{color:#fff} p.y{font-size:0}</style>', 0), { ...readHtml('<p class="x pre">a</p><p class=y>b<p id=z>c<div class="pre">d</div><style>.pre{display:none} #z{color:#fff} p.y{font-size:0}</style>', 0), text: '', hidden: 'a\nb\nc\nd' })
  assert.equal(text('<style>.a{display:none}</style><p class=a style="display:block">b'), 'b')
  // A name counts for the tags that it stands behind, and an element without any for its tag.
  assert.equal(hidden('<style>div.a{display:none} i#c{display:none} u{display:none}</style><p class=a>d<p id=c>e<div class=" b\ta b">f</div><i class=a id="c">g</i><u class="none">h</u><u>i</u><u id=c>j</u>'), 'f g h i j')
  assert.equal(text('<style>@media screen{.a{display:none}} td .b{display:none}</style><p class="a b">c'), 'c')
  assert.equal(text('<style>body{background:#000}</style><body><p style="color:#fff">c'), 'c')
})

test('hidden text ends where its element ends, however badly the rest is closed', () => {
  assert.deepEqual([text('a<div style="display:none">b<p>c<b>d</div>e'), hidden('a<div style="display:none">b<p>c<b>d</div>e')], ['a\ne', 'b\ncd'])
  assert.equal(text('<table><tr><td style="display:none">a<b><td>b</table>c'), 'b\nc')
  assert.equal(text('<p style="display:none">a<p>b'), 'b')
  assert.equal(text('<p style="display:none">a<div>b</div>'), 'b')
  assert.equal(text('<table><tr><td><font color=white>a</td><td>b</font>c'), 'bc')
  assert.equal(text('<span style="display:none">a<table><tr><td>b</span>c</table></span>d'), 'd')
})

test('text that is written backwards is read as it is shown', () => {
  assert.equal(text('a <bdo dir=rtl>argaiv paehc</bdo> b'), 'a cheap viagra b')
  assert.equal(text('<p dir=rtl>abc <BDO DIR=" RTL ">ba</BDO>'), 'abc ab')
  assert.equal(text('<bdo dir=rtl><p>eno</p><p>owt'), 'one\ntwo')
  assert.equal(text('<span style="unicode-bidi:bidi-override;direction:rtl">olleh</span> you'), 'hello you')
  assert.equal(text('<bdo dir=rtl>\u{1f600}ж</bdo>x'), 'ж\u{1f600}x')
  for (const as of ['<bdo dir=ltr>abc</bdo>', '<bdo>abc</bdo>', '<span style="direction:rtl">abc</span>']) assert.equal(text(as), 'abc', as)
  assert.equal(text('<bdo dir=rtl>שלום</bdo>'), 'שלום')
})

test('elements that show nothing are not counted, several that do are', () => {
  const { facts } = readHtml('<div style="display:none">  </div><i hidden>a<b>b</b></i> x <i hidden>c</i><i hidden>d</i>', 0)
  assert.equal(facts.hiddenElements, 3)
})

test('what it is made of', () => {
  const { facts, base } = readHtml('<html><base href="http://b.example/"><meta http-equiv=Refresh content="0;url=x"><img src="http://t.example/o.gif" width=1 height="1"><img src=cid:a width=1 height=1><img src=https://t.example/p.gif style="display:none">'
    + '<img src=http://t.example/big.jpg width=600><form action=x><input type=PASSWORD></form><script></script><iframe src=y></iframe><foo><o:p><!-- 1 --><!--[if mso]>2<![endif]-->', 321)
  assert.deepEqual(facts, { bytes: 321, tags: 13, images: 4, trackingImages: 2, forms: 1, passwordFields: 1, scripts: 1, iframes: 1, hiddenElements: 0, comments: 1, unknownTags: 1, base: true, refresh: true, truncated: false })
  assert.equal(base, 'http://b.example/')
})

test('links: what they show, what stands in their place, and whether anybody sees them', () => {
  const { links, anchors, text: shown } = readHtml('x <a href="http://a.example/?a=1&amp;b=2">Click <b>here</b></a> y <a href=http://b.example><img src=c.gif alt="Buy now"></a><a href=http://d.example></a><i hidden><a href=http://e.example>e</a></i><a name=top>no</a>', 0)
  assert.deepEqual(links.map(({ kind, url, shown: words, hidden: unseen }) => [kind, url, words, unseen]), [
    ['href', 'http://a.example/?a=1&b=2', 'Click here', false],
    ['image', 'c.gif', 'Buy now', false],
    ['href', 'http://b.example', 'Buy now', false],
    ['href', 'http://d.example', '', true],
    ['href', 'http://e.example', 'e', true],
  ])
  assert.deepEqual([shown.slice(anchors[0], anchors[1]).trim(), anchors.length], ['Click here', 2])
})

test('links of other elements', () => {
  const { links } = readHtml('<form action=http://f.example><input type=image src=http://i.example><button formaction=http://g.example>x</button></form><iframe src="http://h.example"></iframe><link rel=stylesheet href=http://l.example><area href=http://m.example alt=map>'
    + '<meta http-equiv=refresh content="5; URL=\'http://r.example/x\'"><td background=http://bg.example><div style="background:url(http://css.example/a.png)"><object data=http://o.example></object><base href=http://base.example><embed src=http://e.example>', 0)
  assert.deepEqual(links.map(({ kind, url }) => `${kind} ${url}`), [
    'form http://f.example', 'form http://i.example', 'form http://g.example', 'other http://h.example', 'other http://l.example', 'href http://m.example', 'other http://r.example/x', 'image http://bg.example', 'image http://css.example/a.png', 'other http://o.example', 'other http://base.example', 'other http://e.example',
  ])
})

test('the bounds hold, and are said', () => {
  const deep = readHtml(`${'<div>'.repeat(5000)}a${'</div>'.repeat(5000)}b`, 0)
  assert.deepEqual([deep.facts.truncated, deep.text], [true, 'a\nb'])
  const long = readHtml('x'.repeat(3_000_000), 0)
  assert.deepEqual([long.facts.truncated, long.text.length <= 1_048_576], [true, true])
  assert.equal(readHtml('<p>x', 0).facts.truncated, false)
})

test('classes are divided by blanks of HTML alone, an id is what stands there', () => {
  const sheet = '<style>.hide{display:none}.show{display:block}#h{display:none}</style><p>ok</p>'
  for (const attribute of ['class="a\x01hide"', 'class="a&#1;hide"', 'class="a\x0bhide"', 'class="a\u00a0hide"', 'id=" h"']) assert.equal(text(`${sheet}<div ${attribute}>seen</div>`), 'ok\nseen', attribute)
  for (const attribute of ['class="a\thide"', 'class="a\fhide"', 'class="\nhide\r"', 'id="h"']) assert.equal(hidden(`${sheet}<div ${attribute}>unseen</div>`), 'unseen', attribute)
})

test('classes that no sheet names take no place; of an element with very many that are named it is not sure what hides it', () => {
  const sheet = '<style>.hide{display:none}.show{display:block}</style><p>ok</p>'
  assert.equal(text(`${sheet}<div class="hide ${'a b c d e f g '.repeat(20)} show">seen</div>`), 'ok\nseen')
  const names = Array.from({ length: 40 }, (_, at) => `n${at}`)
  const many = `<style>.hide{display:none}${names.map((name) => `.${name}{width:9px}`).join('')}.show{display:block}</style><p>ok</p>`
  assert.equal(text(`${many}<div class="hide ${names.join(' ')} show">seen</div>`), 'ok\nseen')
})

test('what cannot stand in the head is in the body, and the end of the head comes too late for it', () => {
  for (const html of ['<head><div style="display:none"></head>a', '<html><head><title>t</title><p style="color:#fff"></head><body>a', '<head><noscript><div hidden></noscript></head>a', '<head></head><div hidden></head>a', '<div hidden><head></head>a', '<p hidden><body>a']) assert.deepEqual([text(html), hidden(html)], ['', 'a'], html)
  // Nothing is in the head itself, whatever is said of it.
  for (const html of ['<head style="display:none"><p>a', '<head hidden>a', '<head style="color:#fff"></head>a', '<head><style>p{}</style><base href=x><meta><link></head>a', '<head><template><div hidden></template></head>a', '<span hidden>b<head></span></head>a']) assert.equal(text(html), 'a', html)
})

test('words on a picture can be read, whatever colour lies below it, and whatever size a box has that leaves room for it', () => {
  for (const open of [
    '<div style="background-image:url(hero.jpg);background-color:#fff;color:#fff">', '<div style="background-color:#fff;background-image:url(hero.jpg);color:#fff">', '<div style="background:#fff url(hero.jpg);color:#fff">', '<td background=hero.jpg bgcolor=white style="background-color:#fff;color:#fff">',
    '<style>.h{background-image:url(hero.jpg)}</style><div class=h style="background-color:#000;color:#000">', '<div style="height:0;overflow:hidden;padding-bottom:56%;background:url(hero.jpg)">', '<div style="width:1px;overflow:hidden;padding:0 200px 0 0">', '<div style="height:100vh;background:url(hero.jpg);color:#fff">',
  ]) assert.deepEqual([text(`${open}seen`), hidden(`${open}seen`)], ['seen', ''], open)
  for (const open of [
    '<div style="background:url(hero.jpg);background:#fff;color:#fff">', '<div style="background:url(hero.jpg) #fff;background-image:none;color:#fff">', '<table><tr><td background="" style="color:#fff">', '<div style="background:url();color:#fff">', '<div style="background:url(hero.jpg)"><p style="background:#fff;color:#fff">',
    '<table><tr><td background=hero.jpg style="background:#fff;color:#fff">', '<div style="background:url(hero.jpg);font-size:0;line-height:0">', '<div style="height:0;overflow:hidden;background:url(hero.jpg)">',
  ]) assert.deepEqual([text(`${open}secret`), hidden(`${open}secret`)], ['', 'secret'], open)
})

test('a ground that only some mail programs show is doubtful, and so is what shows through another one', () => {
  const sheet = '<style>@media (max-width:600px){.picture{background-image:url(x.jpg)}.black{background:#000}.dark{background-color:#000}}</style>'
  for (const body of ['<p class=picture style="color:#fff">x', '<p class=black style="color:#fff">x', '<p class=dark style="color:#fff">x', '<div class=black><p style="background:rgba(255,255,255,.5);color:#fff">x']) assert.deepEqual([text(sheet + body), hidden(sheet + body)], ['x', 'x'], body)
  for (const body of ['<div class=black><p style="background:#fff;color:#fff">x', '<div class=picture><p style="background:#fff;color:#fff">x', '<p style="background:rgba(255,255,255,.5);color:#fff">x']) assert.deepEqual([text(sheet + body), hidden(sheet + body)], ['', 'x'], body)
})

test('nothing is looked for again and again to the end of the text', (t) => {
  let walked = 0
  const find: (this: string, mark: string, from?: number) => number = Reflect.get(String.prototype, 'indexOf')
  t.mock.method(String.prototype, 'indexOf', function (this: string, mark: string, from = 0) {
    const found = find.call(this, mark, from)
    walked += (found < 0 ? this.length : found) - Math.min(from, this.length)
    return found
  })
  for (const start of ['<pre>ж', '<p>ж', '<textarea></textarea>']) {
    for (const unit of ['&<i>', 'a<b>', 'a\n<i>', '&amp;<i>', '<!>a', '<a href=x>a', '<b></i>', '< <<i>', '<br>\u00a0']) {
      const markup = start + unit.repeat(500)
      walked = 0
      readHtml(markup, 0)
      assert.ok(walked < markup.length * 10, `${start}${unit}: ${walked / markup.length} times its length`)
    }
  }
})
