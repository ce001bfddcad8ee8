/** What a browser shows of HTML that is odd, case by case: what is seen, and what is not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readHtml } from '../../../../../src/spam/content/html/html-reader.ts'

function check(cases: readonly (readonly [html: string, seen: string, unseen: string])[]): void {
  for (const [html, seen, unseen] of cases) {
    const { text, hidden } = readHtml(html, html.length)
    assert.deepEqual([text.replaceAll('\n', ' '), hidden.replaceAll('\n', ' ')], [seen, unseen], html)
  }
}

test('how an element is hidden, however it is written', () => {
  check([
    ['<div STYLE=display:none>x', '', 'x'], ['<div/style=display:none>x', '', 'x'], ['<div style="display:&#110;one">x', '', 'x'], ['<div style="/**/display/**/:/**/none">x', '', 'x'], ['<div style="DISPLAY:NONE;;">x', '', 'x'],
    ['<p hidden="until-found">x</p>a', 'a', 'x'], ['<p hidden=false>x</p>a', 'a', 'x'], ['<p aria-hidden=true>x</p>a', 'x a', ''], ['</p hidden>x', 'x', ''], ['<br style="display:none">x', 'x', ''],
    ['<div style="max-height:0;overflow:hidden">pre</div>a', 'a', 'pre'], ['<div style="max-height:0px;max-width:0px;opacity:0;overflow:hidden;mso-hide:all;font-size:1px;line-height:1px;color:#fff;display:none">pre</div>a', 'a', 'pre'],
    ['<span style="display:inline-block;width:0;overflow:hidden">x</span>a', 'a', 'x'], ['<div style="line-height:0">x</div>a', 'x a', ''], ['<div style="opacity:.02">x', '', 'x'], ['<font size=-7>x', 'x', ''],
    ['<div style="position:absolute;top:-9999px">x', '', 'x'], ['<div style="position:absolute;left:9999px">x', 'x', 'x'], ['<div style="position:absolute;top:9999px">x', 'x', 'x'], ['<div style="text-indent:9999px">x', 'x', 'x'],
  ])
})

test('sizes and colours that an element has from what is around it', () => {
  check([
    ['<table><tr><td style="font-size:0"><div style="font-size:14px">x', 'x', ''], ['<table><tr><td style="font-size:0">y<div style="font-size:1em">x', '', 'y x'], ['<table><tr><td style="font-size:0"><table><tr><td>x', '', 'x'],
    ['<div style="color:#fff"><p>x', '', 'x'], ['<div style="background:#000"><p style="color:#000">x', '', 'x'], ['<div style="background:#000"><div style="background:#fff"><p style="color:#fff">x', '', 'x'], ['<div style="color:inherit;background:inherit"><p style="color:#fff">x', '', 'x'],
    ['<div style="color:hsl(0,0%,100%)">x', '', 'x'], ['<div style="color:rgb(100%,100%,100%)">x', '', 'x'], ['<div style="color:white;background-color:rgb(255 255 255)">x', '', 'x'],
  ])
})

test('sheets, and what they are for', () => {
  check([
    ['<style>@media (max-width:600px){.a{display:none!important}}</style><p class=a>x', 'x', ''], ['<style>.a{display:none} @media (max-width:600px){.a{display:block!important}}</style><p class=a>x', 'x', 'x'], ['<style media="all">.a{display:none}</style><p class=a>x', '', 'x'],
    ['<style>.a,.b{display:none}</style><p class=b>x', '', 'x'], ['<style><!-- .a{display:none} --></style><p class=a>x', '', 'x'], ['<style>P{display:none}</style><p>x', '', 'x'], ['<style>body *{display:none}</style><p>x', '', 'x'], ['<style>.a::before{content:"seen"}</style><p class=a>x', 'x', ''],
  ])
})

test('elements whose content is shown, or is not', () => {
  check([
    ['<object data=x>instead</object>a', 'instead a', ''], ['<noscript>x</noscript>a', 'xa', ''], ['<iframe>x</iframe><noframes>y</noframes><noembed>z</noembed>a', 'a', ''], ['<template><div hidden></template>a', 'a', ''], ['<datalist><option>x</datalist>a', 'a', 'x'],
    ['<textarea hidden>x</textarea>a', 'a', 'x'], ['<textarea style="display:none">x</textarea>a', 'a', 'x'], ['<xmp style="display:none"><b></xmp>a', 'a', '<b>'], ['<div hidden><textarea>x</textarea></div>a', 'a', 'x'], ['<plaintext style="display:none">a</plaintext>', '', 'a</plaintext>'],
    ['<svg><title>x</title><text>a</text></svg>', 'a', ''], ['<math><mi>x</mi></math>', 'x', ''], ['a<![CDATA[x]]>b', 'ab', ''], ['a\0b', 'ab', ''], ['<b\0>x', 'x', ''], ['<!--[if mso]><p>outlook</p><![endif]--><!--[if !mso]><!-->others<!--<![endif]-->', 'others', ''], ['<![if mso]>x<![endif]>a', 'xa', ''],
    ['<input type=hidden value=x><input type=submit value=y><img alt=z>a', 'a', ''], ['<details><summary>s</summary>x</details>a', 's x a', 'x'],
  ])
})

test('elements that are closed by others than their own end tags', () => {
  check([
    ['<h1 hidden>x</h2>a', 'a', 'x'], ['<h1 hidden>x<h2>a', 'a', 'x'], ['<h1 hidden>x<p>y<h2>a', 'a', 'x y'], ['<h1 hidden>x<span>y<h2>a', '', 'xy a'], ['<h1>x<b hidden>y</b></h3>a', 'x a', 'y'],
    ['<p hidden>x</div>y', '', 'x y'], ['<a hidden>x<a>y', 'y', 'x'], ['<nobr hidden>x<nobr>y', 'y', 'x'], ['<dl hidden><dt>x</dl>a', 'a', 'x'], ['<table><caption hidden>x</caption><tr><td>y</table>a', 'y a', 'x'], ['<div hidden>x</body>y', '', 'x y'],
    ['<div style="display:none">x<table><tr><td>y</div>z</table>w', '', 'x y z w'], ['<table><tr><td><form style="display:none"></td></tr></table>a', 'a', ''],
  ])
})
