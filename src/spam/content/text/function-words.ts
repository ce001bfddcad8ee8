/**
 * Words that stand in every text of a language and say nothing: articles,
 * prepositions, pronouns, forms of to be. Lists of our own, lower case. A word
 * that several languages have counts for each of them. Data only.
 */
export const FUNCTION_WORDS: Readonly<Record<string, string>> = {
  en: 'the of and to in is you that it for on are with as be this have from or by not but what all were we when your can there an which their if will about up out them then these so some would been has more our was they at do my his her am did get just any like me know how who use one other only than no now he she make could should also very here may because after over where please',
  de: 'der die das und ist nicht ein eine einen einem einer zu den von mit auf für sich dem des im auch es an als aus bei nach wie oder wenn wir sie ihr ihre ihren ich haben sind wird werden kann nur noch über zum zur durch um so mehr bitte uns',
  fr: 'le la les de des du et est un une que qui dans pour pas sur avec vous nous il elle ce cette ces au aux par plus ne se sont votre vos notre nos mais ou leur être avoir tout si je son sa ses',
  es: 'el la los las de del y es un una que en por para con no se su sus lo al como más pero o este esta estos todo nos le ha si sobre ser son sin muy ya usted tu también desde cuando',
  it: 'il lo la i gli le di del della dei delle e è un una che in per con non si su al alla come più ma o questo questa sono nel nella da dal ha se tutti suo sua anche ci vi essere',
  pt: 'o a os as de do da dos das e é um uma que em no na nos nas por para com não se seu sua ao à como mais mas ou este esta são foi ser também você pelo pela quando muito já',
  nl: 'de het een van en in is dat op te voor met zijn niet aan er ook als bij om dan maar naar uit door over of wij je u uw we hebben heeft wordt worden kan nog deze dit was geen',
  sv: 'och att det som en på är av för med den till inte ett om har de från vi du kan så var eller din ditt dina vår oss när också men hur alla ska här mer jag mig sig',
  da: 'og at det som en på er af for med den til ikke et om har de fra vi du kan så var eller din dit dine vores os når også men hvordan alle skal her mere jeg mig sig blev hvad efter bliver vores hvis være nogen noget kunne skulle ved må igen selv deres',
  no: 'og at det som en på er av for med den til ikke et om har de fra vi du kan så var eller din ditt dine vår oss når også men hvordan alle skal her mer jeg meg seg ble hva etter blir våre hvis være noen noe kunne skulle ved må igjen selv deres dere',
  pl: 'i w na z do nie się jest że to o jak ale za po co tak od przez są oraz dla czy przy tym ten ta być może już tylko lub jego jej ich nas swoje który która które',
  cs: 'a v na je se že to s z do o k i ve pro jsou ale jak za po by od si nebo jeho jako tak co již než být které který která byl bylo můžete vám vás naše pokud',
  tr: 've bir bu da de için ile çok ne daha gibi olan olarak en kadar sonra her ancak ama ya ki var değil biz siz sizin bizim tarafından veya olduğu ise üzere',
  fi: 'ja on ei se että oli hän ovat mutta joka tai kun niin myös kuin voi sen ole jos olla sekä ovat tämä nyt vain mukaan jo jotka hänen teidän meidän olet',
  hu: 'a az és hogy nem egy is ez van de meg csak már ha vagy mint el ki fel lesz volt ezt azt aki ami minden kell még sem nagyon ön önnek',
  ro: 'și de în la cu o un pe că nu este din care pentru sunt mai se a al ale prin sau după dacă fi fost lui ei lor noi vă dumneavoastră această acest ca să',
  id: 'yang dan di ini itu dengan untuk tidak dari dalam akan pada juga ke karena anda kami saya oleh atau ada bisa sudah lebih telah kita mereka seperti',
  vi: 'và của là có không được cho các một những này trong với để người khi đã từ bạn chúng tôi đến về như cũng sẽ tại',
  ru: 'и в не на что я с он а как это по но из за вы у к о от для так же мы или бы если вас вам наш ваш все уже только при его может быть',
  uk: 'і в не на що я з він а як це по але із за ви у до від для так же ми або якщо вас вам наш ваш все вже тільки при його може бути та є',
  bg: 'и в не на че аз с той а как това по но от за вие у към до да се са са или ако вас ви наш ваш всички само при може ще си като които',
}
