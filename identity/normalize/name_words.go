package normalize

// titles stand before a name and are not part of it, in the languages of the
// markets Kindred knows, folded. Words that are given names as well, such as
// Don and M., are not here.
var titles = set(
	"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "doctor", "sir", "dame", "lord", "lady", "rev", "reverend",
	"fr", "father", "hon", "capt", "captain", "col", "gen", "lt", "maj", "sgt", "mister", "madam", "dott", "dottssa",
	"sr", "sra", "srta", "dra", "eng", "enga", "arq", "arqa", "dona", "senhor", "senhora", "senor", "senora", "senorita",
	"exmo", "exma", "ilmo", "ilma", "lic", "ing",
	"mme", "mlle", "monsieur", "madame", "mademoiselle", "maitre",
	"herr", "frau", "hr", "fraulein", "dipl", "dhr", "mevr", "sig", "signor", "signora",
	"kyrios", "kyria", "gospodin", "gospozha",
)

// What stands after a name: a generation, which tells a son from his father, or
// a degree. Ma and Ba are surnames, and not here.
var (
	generations = set("jr", "jnr", "junior", "snr", "ii", "iii", "iv", "filho", "neto", "sobrinho")
	degrees     = set("phd", "md", "dds", "dvm", "mba", "msc", "bsc", "llm", "llb", "esq", "esquire", "cpa", "rn", "obe", "mbe", "cbe", "kc", "qc", "ret")
)

// particles belong to the surname that follows, and are left out or written
// apart so often that two forms of one name differ by them alone.
var particles = set(
	"de", "da", "do", "das", "dos", "del", "della", "delle", "dei", "degli", "di", "dal", "dalla", "du", "des", "la", "las", "le", "les", "los", "lo",
	"van", "von", "vom", "zu", "zum", "zur", "der", "den", "het", "ten", "ter", "te", "op", "af", "av", "auf",
	"al", "el", "ul", "ibn", "bin", "bint", "binti", "ben", "bar", "bat", "abu", "abd", "ap", "ab", "mac", "mc", "nic", "ni", "st", "san", "santa", "saint",
)

// elided are particles that an apostrophe joins to the surname.
var elided = set("o", "d", "l", "dell", "dall", "nell")

// hyphenated are particles that a hyphen joins to the surname. The Arabic
// article sounds like the letter after it; it is one article.
var hyphenated = map[string]string{
	"al": "al", "as": "al", "ad": "al", "ar": "al", "ash": "al", "at": "al", "az": "al", "an": "al",
	"el": "el", "ben": "ben", "bin": "bin", "ibn": "ibn", "abu": "abu", "abd": "abd",
}
