import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAscii } from '../../../../../src/spam/content/text/codes.ts'
import { languageOf } from '../../../../../src/spam/content/text/language.ts'
import { scriptShares } from '../../../../../src/spam/content/text/scripts.ts'

const language = (text: string) => languageOf(text, scriptShares([text], isAscii(text)))

const TEXTS: Readonly<Record<string, string>> = {
  en: 'Thank you for your order. We will send you a message as soon as the parcel has left our house, and you can follow it on our site. If you have any questions, write to us.',
  de: 'Vielen Dank für Ihre Bestellung. Wir schreiben Ihnen, sobald das Paket unser Haus verlassen hat, und Sie können es auf unserer Seite verfolgen. Wenn Sie Fragen haben, schreiben Sie uns bitte.',
  fr: 'Merci pour votre commande. Nous vous écrirons dès que le colis aura quitté notre maison, et vous pourrez le suivre sur notre site. Si vous avez des questions, écrivez-nous.',
  es: 'Gracias por su pedido. Le escribiremos en cuanto el paquete haya salido de nuestra casa, y usted podrá seguirlo en nuestra página. Si tiene alguna pregunta, no dude en escribirnos para que le ayudemos.',
  it: 'Grazie per il suo ordine. Le scriveremo non appena il pacco sarà partito dalla nostra sede, e lei potrà seguirlo sul nostro sito. Se ha delle domande, ci scriva anche tramite il modulo di questa pagina.',
  pt: 'Obrigado pelo seu pedido. Nós escreveremos assim que o pacote tiver saído da nossa casa, e você poderá acompanhar em nosso site. Se você tiver alguma dúvida, não deixe de nos escrever para que possamos ajudar.',
  nl: 'Bedankt voor uw bestelling. We sturen u een bericht zodra het pakket ons huis heeft verlaten, en u kunt het op onze site volgen. Als u vragen heeft, kunt u ons altijd schrijven met dit formulier.',
  sv: 'Tack för din beställning. Vi skickar ett meddelande till dig när paketet har lämnat oss, och du kan följa det på vår sida. Om du har frågor är det bara att skriva till oss, så svarar vi.',
  da: 'Tak for din bestilling. Vi skriver til dig, når pakken er sendt, og du kan følge den på vores side. Hvis du har spørgsmål, må du gerne skrive til os. Jeg håber, at du bliver glad for det, og at vi ses igen efter ferien.',
  pl: 'Dziękujemy za zamówienie. Napiszemy do Państwa, gdy paczka opuści nasz magazyn, i można ją śledzić na naszej stronie. Jeśli są jakieś pytania, to prosimy o wiadomość, a my na nią odpowiemy jak tylko się da.',
  tr: 'Siparişiniz için teşekkür ederiz. Paket yola çıktığında size bir mesaj göndereceğiz ve onu bu sayfada izleyebilirsiniz. Sorularınız varsa bize yazın, çok kısa bir süre sonra size cevap veririz. Ya da bizi arayın, bu da olur.',
  ru: 'Спасибо за ваш заказ. Мы напишем вам, как только посылка будет отправлена, и вы сможете следить за ней на нашем сайте. Если у вас есть вопросы, напишите нам, и мы ответим на них в тот же день.',
  fi: 'Kiitos tilauksesta. Kirjoitamme kun paketti on lähtenyt, ja voit seurata sitä sivulla. Jos sinulla on kysyttävää, niin kirjoita, sillä me olemme täällä. Tämä on myös se, joka ei ole vielä tullut, mutta se tulee kun voin.',
  ja: 'ご注文ありがとうございます。商品を発送しましたら、メールでお知らせいたします。ご質問がございましたら、お気軽にお問い合わせください。',
  zh: '感谢您的订购。包裹寄出后我们会发送邮件通知您，您可以在我们的网站上跟踪包裹。如果您有任何问题，请随时与我们联系，谢谢您的支持。',
  ko: '주문해 주셔서 감사합니다. 상품이 발송되면 이메일로 알려 드리겠습니다. 궁금한 점이 있으시면 언제든지 문의해 주시기 바랍니다.',
  el: 'Ευχαριστούμε για την παραγγελία σας. Θα σας γράψουμε μόλις το δέμα φύγει από την αποθήκη μας.',
  he: 'תודה על הזמנתך. נכתוב לך ברגע שהחבילה תצא מהמחסן שלנו, ותוכל לעקוב אחריה באתר שלנו.',
  ar: 'شكرا لطلبك. سنكتب لك بمجرد أن يغادر الطرد مستودعنا، ويمكنك متابعته على موقعنا.',
  th: 'ขอบคุณสำหรับคำสั่งซื้อของคุณ เราจะแจ้งให้คุณทราบเมื่อพัสดุออกจากคลังสินค้าของเรา',
}

test('languages by their function words and their scripts', () => {
  for (const [name, text] of Object.entries(TEXTS)) assert.equal(language(text), name, text)
})

test('too little, or nothing that is prose', () => {
  for (const text of ['', 'Hello', 'Thank you for your order', 'x1 '.repeat(100), 'lorem ipsum dolor sit amet '.repeat(10), 'foo.bar@baz '.repeat(50), '你好']) assert.equal(language(text), undefined, text)
})

test('a long text is looked at in three places', () => {
  assert.equal(language((TEXTS['en'] ?? '').repeat(1000)), 'en')
  assert.equal(language(`${TEXTS['de'] ?? ''} ${(TEXTS['en'] ?? '').repeat(300)}`), 'en')
})

test('in capital letters, and in the letters of other keyboards', () => {
  assert.equal(language((TEXTS['en'] ?? '').toUpperCase()), 'en')
  assert.equal(language((TEXTS['de'] ?? '').toUpperCase()), 'de')
  // K is a letter by itself, which is a k in lower case (the sign for kelvin).
  assert.equal(language((TEXTS['fi'] ?? '').replace(/k/gi, '\u212a')), 'fi')
})
