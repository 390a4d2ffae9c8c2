package normalize

// pairs returns a map of words to what they are written as: each argument is
// the canonical word and its other forms.
func pairs(groups ...[]string) map[string]string {
	m := map[string]string{}
	for _, g := range groups {
		for _, form := range g {
			m[form] = g[0]
		}
	}
	return m
}

// leading are the types of streets that stand before the name, of Portuguese,
// Spanish and French, by the abbreviations of their posts (CTT and Correios; the
// road types of the INE; NF Z10-011). Words of one origin are one word, because
// their abbreviations are: "av" is avenue, avenida and avenue.
var leading = pairs(
	[]string{"avenue", "av", "ave", "avn", "avda", "avd", "avenida", "aven"},
	[]string{"boulevard", "bd", "blvd", "bvd", "boul", "bulevar", "bul"},
	[]string{"rua", "r"}, []string{"rue"}, []string{"calle", "c", "cl", "cll"},
	[]string{"place", "pl", "pca", "pc", "praca", "plaza", "plz", "pza"},
	[]string{"travessa", "tv", "trav", "trv", "travesia"}, []string{"largo", "lg", "lgo"},
	[]string{"estrada", "estr", "est"}, []string{"alameda", "al", "alam"}, []string{"praceta", "pcta", "pct", "pta"},
	[]string{"beco", "bc"}, []string{"calcada", "cc", "calc"}, []string{"rodovia", "rod"}, []string{"quinta", "qta"},
	[]string{"camino", "cam", "cno", "caminho", "chemin", "che", "ch"}, []string{"carretera", "ctra", "crta", "cra"},
	[]string{"paseo", "pso", "po", "pº"}, []string{"ronda", "rda"}, []string{"glorieta", "gta"}, []string{"urbanizacao", "urb", "urbanizacion"},
	[]string{"impasse", "imp"}, []string{"allee", "all"}, []string{"quai"}, []string{"route", "rte"}, []string{"square", "sq"}, []string{"cours", "crs"},
	[]string{"passage", "pas", "passagem"}, []string{"residence", "res"}, []string{"faubourg", "fg", "fbg"},
)

// trailing are the types that stand after the name in English, by USPS
// Publication 28, appendix C1, and as Royal Mail's file has them.
var trailing = pairs(
	[]string{"street", "str", "strt"}, []string{"road", "rd"}, []string{"avenue", "ave", "av", "aven", "avenu"},
	[]string{"boulevard", "blvd", "boul"}, []string{"drive", "dr", "drv"}, []string{"lane", "ln"}, []string{"court", "ct", "crt"},
	[]string{"place", "pl"}, []string{"square", "sq"}, []string{"terrace", "ter", "terr"}, []string{"crescent", "cres", "cresc"},
	[]string{"close", "cl"}, []string{"gardens", "gdns", "gdn"}, []string{"grove", "grv", "gro"}, []string{"highway", "hwy"}, []string{"parkway", "pkwy"},
	[]string{"circle", "cir", "circ"}, []string{"trail", "trl"}, []string{"way", "wy"}, []string{"alley", "aly"}, []string{"loop"}, []string{"mews"},
	[]string{"row"}, []string{"walk"}, []string{"parade", "pde"}, []string{"plaza", "plz"}, []string{"turnpike", "tpke"}, []string{"expressway", "expy"},
	[]string{"allee"}, []string{"strasse"}, []string{"weg"}, []string{"platz"}, []string{"gasse"}, []string{"laan"}, []string{"straat"}, []string{"gracht"},
)

// directions are those of USPS Publication 28, appendix B.
var directions = pairs(
	[]string{"north", "n"}, []string{"south", "s"}, []string{"east", "e"}, []string{"west", "w"},
	[]string{"northeast", "ne"}, []string{"northwest", "nw"}, []string{"southeast", "se"}, []string{"southwest", "sw"},
)

// unitWords stand before the number or letter of a part of a building; sides
// stand after the number of a floor.
var (
	unitWords = pairs(
		[]string{
			"unit", "apt", "apartment", "apto", "apartamento", "ap", "appt", "appartement", "flat", "ste", "suite", "room", "rm",
			"porta", "puerta", "pta", "letra", "wohnung", "whg", "fraccao", "fracao", "fr", "sala", "loja",
		},
		[]string{"floor", "fl", "flr", "piso", "andar", "planta", "etage", "og", "stock"},
		[]string{"block", "blk", "bloco", "bloque", "bl", "bat", "batiment", "building", "bldg", "torre", "escalera", "esc", "lote", "lt"},
	)
	sides = pairs(
		[]string{"esq", "esquerdo", "esquerda", "izq", "izda", "izquierda"},
		[]string{"dto", "direito", "direita", "dir", "dcha", "dch", "derecha"},
		[]string{"frt", "frente"},
	)
)

// numberWords mark a house number, and say nothing more.
var numberWords = set("no", "nr", "num", "numero", "number", "n")

// boxWords are what stands before the number of a post office box.
var boxWords = [][]string{
	{"po", "box"},
	{"p", "o", "box"},
	{"pobox"},
	{"post", "office", "box"},
	{"caixa", "postal"},
	{"apartado", "de", "correos"},
	{"apartado", "postal"},
	{"apartado"},
	{"postfach"},
	{"postbus"},
	{"boite", "postale"},
	{"bp"},
}
