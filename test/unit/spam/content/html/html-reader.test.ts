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
    '<div style="max-height:0;overflow:hidden">', '<div style="width:0px;height:0;overflow:hidden">', '<div style="mso-hide:all">', '<font color="white">', '<font color=#FFFFFE>', '<span style="color:#fff">', '<span style="color:transparent">',
    '<span style="color:rgba(0,0,0,0)">', '<div style="text-indent:-9999px">', '<div style="background:black;color:#000">', '<table bgcolor=navy><tr><td><font color=#000080>', '<body bgcolor=black text=#010101>', '<p style="color:#eee">',
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
  ]) {
    const found = readHtml(`${open}seen`, 0)
    assert.deepEqual([found.text, found.hidden], ['seen', ''], open)
  }
})

test('style sheets hide, wherever they stand', () => {
  assert.deepEqual(readHtml('<p class="x pre">a</p><p class=y>b<p id=z>c<div class="pre">d</div><style>.pre{display:none} #z{color:#fff} p.y{font-size:0}</style>', 0), { ...readHtml('<p class="x pre">a</p><p class=y>b<p id=z>c<div class="pre">d</div><style>.pre{display:none} #z{color:#fff} p.y{font-size:0}</style>', 0), text: '', hidden: 'a\nb\nc\nd' })
  assert.equal(text('<style>.a{display:none}</style><p class=a style="display:block">b'), 'b')
  assert.equal(text('<style>@media screen{.a{display:none}} td .b{display:none}</style><p class="a b">c'), 'c')
  assert.equal(text('<style>body{background:#000}</style><body><p style="color:#fff">c'), 'c')
})

test('hidden text ends where its element ends, however badly the rest is closed', () => {
  assert.deepEqual([text('a<div style="display:none">b<p>c<b>d</div>e'), hidden('a<div style="display:none">b<p>c<b>d</div>e')], ['a\ne', 'b\ncd'])
  assert.equal(text('<table><tr><td style="display:none">a<b><td>b</table>c'), 'b\nc')
  assert.equal(text('<p style="display:none">a<p>b'), 'b')
  assert.equal(text('<p style="display:none">a<div>b</div>'), 'b')
  assert.equal(text('<td><font color=white>a</td><td>b</font>c'), 'bc')
  assert.equal(text('<span style="display:none">a<table><tr><td>b</span>c</table></span>d'), 'd')
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
