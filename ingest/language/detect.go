package language

import (
	"strings"
	"sync"

	"github.com/abadojack/whatlanggo"
)

// common are the most frequent words of the languages in Latin script that
// customers of this product are likely to write; short texts are mostly made of
// them. A word may belong to several languages.
var common = map[string]string{
	"en": `the and is was are were be been it its this that these those i i'm i've you your we they he she my our their of to for with on in at from by as but not no don't didn't doesn't isn't wasn't won't can't couldn't very so too just have has had do does did will would can could what when where which who how if or than then there here about all only more most much after before because again out up down off over get got go make made me him her them us an a it's that's i'd will never ever even also some any every other one first really good great love bad like nice best worst product price service phone quality works work worked use used well recommend disappointed excellent happy time back buy bought food place movie film`,
	"fr": `le la les un une des du de et est était sont j'ai je tu il elle nous vous ils elles on mon ma mes ton son sa ses notre votre leur ce cette ces c'est qui que quoi dont où ne pas plus très trop bien mal avec sans pour par sur dans en au aux mais ou donc car comme si tout tous toute toutes être avoir fait faire a ai as ont peu beaucoup aussi toujours jamais rien même leurs d'un d'une n'est qu'il l'accueil y produit produits magasin prix merci bon bonne choix`,
	"de": `der die das ein eine einen einem einer und ist war sind ich du er sie es wir ihr mein dein sein unser euer nicht kein keine sehr zu zum zur mit ohne für von vom auf in im an am bei aus nach über unter aber oder wenn weil dass wie was wer wo auch nur noch schon immer nie mehr habe hat haben wird werden kann können man mich mir dich dir uns gut schlecht danke leider wurde alles den dem des`,
	"es": `el la los las un una unos unas de del y es son fue era yo tú él ella nosotros ellos mi mis tu su sus nuestro no sí muy más menos con sin para por sobre en al a pero o porque que qué quien cuando como cómo donde este esta estos estas eso esto me te se le les lo hay ha he han ser estar está están todo toda todos todas también siempre nunca nada bien mal mucho gracias bueno buena tienda`,
	"pt": `o a os as um uma uns umas de do da dos das e é são foi era eu tu ele ela nós eles meu minha seu sua nosso não sim muito mais menos com sem para por pelo pela sobre em no na nos nas ao à mas ou porque que quem quando como onde este esta isto isso me te se lhe há ser estar está estão tudo todo toda todos todas também sempre nunca nada bem mal bom boa obrigado obrigada loja você`,
	"it": `il lo la i gli le un uno una di del della dei delle e è sono era io tu lui lei noi voi loro mio mia suo sua nostro non sì molto più meno con senza per su in nel nella al alla dal dalla ma o perché che chi quando come dove questo questa questi queste mi ti si ci vi ha ho hanno essere anche sempre mai niente bene male tutto tutti buono buona grazie negozio`,
	"nl": `de het een en is was zijn ik jij je hij zij wij we jullie mijn jouw haar ons onze niet geen wel zeer erg te met zonder voor van op in aan bij uit naar over onder maar of als omdat dat dit die deze wat wie waar hoe ook nog al altijd nooit meer heb heeft hebben wordt worden kan kunnen er goed slecht bedankt veel alles winkel`,
	"sv": `och att det är en ett jag du han hon vi ni de den som på av för med inte till om har hade var kan ska men eller så mycket bra dålig alla allt min din sin vår från när hur vad här där också aldrig alltid tack mig dig sig`,
	"da": `og at det er en et jeg du han hun vi de den som på af for med ikke til om har havde var kan skal men eller så meget god dårlig alle alt min din sin vores fra når hvordan hvad her der også aldrig altid tak mig dig sig blev`,
	"pl": `i w na z do się nie jest to że co jak ale o po za od dla ja ty on ona my wy oni mój twój jego jej nasz bardzo więcej tylko też już jeszcze zawsze nigdy nic wszystko być był była było są ten ta te tego dobrze źle dobry dobra dziękuję sklep mnie przez przy`,
	"ro": `și în de la cu pe nu este sunt era eu tu el ea noi voi ei meu mea său sa lor foarte mai dar sau că ce cine când cum unde acest această acestea o un pentru din prin despre fără tot toate bine rău bun bună mulțumesc niciodată mereu am ai are au`,
	"tr": `ve bir bu da de için çok ben sen o biz siz onlar benim senin değil var yok ne nasıl ama ile gibi daha en her şey iyi kötü kadar sonra önce bana sana ona mi mı hiç teşekkürler olan olarak`,
	"fi": `ja on ei se että hän minä sinä me te he oli ovat olen kun niin mutta tai kuin jos vain myös hyvin erittäin hyvä huono kaikki mitä miten missä tämä nämä minun sinun ole olla aina koskaan kiitos sekä joka`,
	"nb": `og at det er en et jeg du han hun vi de den som på av for med ikke til om har hadde var kan skal men eller så veldig bra dårlig alle alt min din sin vår fra når hvordan hva her der også aldri alltid takk meg deg seg ble mye etter noe bare også være blir opp ut mer`,
	"ca": `el la els les un una uns unes de del dels i és són era jo tu ell ella nosaltres ells meu meva teu seu seva nostre no sí molt més menys amb sense per sobre en al als però o perquè que què qui quan com on aquest aquesta aquests això em et es li hi ha han ser estar està tot tota tots totes també sempre mai res bé gràcies bona botiga va amb`,
	"ru": `и в не на я что он с как это все она так его но да ты к у же вы за бы по только ее мне было вот от меня еще нет о из ему теперь когда даже ну если уже или ни быть был него до вас очень для мы их чем была сам чтоб без хорошо спасибо товар магазин`,
	"uk": `і в не на я що він з як це все вона так його але та ти до у же ви за б по тільки її мені було від мене ще немає про із йому тепер коли навіть якщо вже або ні бути був дуже для ми їх чим була без добре дякую товар магазин є й`,
	"bg": `и в не на аз че той с как това всички тя така го но да ти към у вие за би по само я ми беше от мен още няма из му сега когато дори ако вече или нито бъде бил до вас много за ние ги чем без добре благодаря е се са`,
	"cs": `a v na je se že to s z do ne jsem jsou byl byla bylo já ty on ona my vy oni můj tvůj jeho její náš velmi více jen také už ještě vždy nikdy nic vše pro při po od za ale nebo jak co kdo kde dobře špatně dobrý děkuji který která`,
}

// votes maps a word to the languages that it is common in.
var votes = sync.OnceValue(func() map[string][]string {
	all := map[string][]string{}
	for language, list := range common {
		for _, w := range strings.Fields(list) {
			all[w] = append(all[w], language)
		}
	}
	return all
})

// Detect returns the language of a text as its BCP 47 code, or "" when it is
// not clear.
func Detect(text string) string {
	text = scanned(text)
	if language, clear := byWords(words(text)); clear {
		return language
	}
	info := whatlanggo.Detect(text)
	if info.Lang < 0 || !info.IsReliable() {
		return ""
	}
	return info.Lang.Iso6391()
}

// byWords lets the words of a text vote. A word of several languages gives each
// a part of its vote. The winner must have one whole vote, a share of the words
// and a clear lead.
func byWords(list []string) (language string, clear bool) {
	table := votes()
	count := map[string]float64{}
	total := 0.0
	for _, w := range list {
		if w == "!" || w == "?" {
			continue
		}
		total++
		for _, l := range table[w] {
			count[l] += 1 / float64(len(table[w]))
		}
	}
	best, second := 0.0, 0.0
	for l, n := range count {
		switch {
		case n > best || n == best && l < language:
			language, best, second = l, n, max(best, second)
		case n > second:
			second = n
		}
	}
	return language, best >= 1 && best >= 1.5*second && best >= .15*total
}
