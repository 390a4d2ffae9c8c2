package normalize

// placeholders are dates that programs write where they have none: the zeros of
// Unix, SQL Server, Excel, .NET and Delphi, and what forms are filled with.
var placeholders = func() map[CalendarDate]bool {
	m := map[CalendarDate]bool{}
	for _, d := range [][3]int{
		{1, 1, 1},
		{1000, 1, 1},
		{1111, 1, 1},
		{1111, 11, 11},
		{1753, 1, 1},
		{1800, 1, 1},
		{1899, 12, 30},
		{1899, 12, 31},
		{1900, 0, 0},
		{1900, 1, 0},
		{1900, 1, 1},
		{1901, 1, 1},
		{1970, 1, 1},
		{2999, 12, 31},
		{9999, 1, 1},
		{9999, 9, 9},
		{9999, 12, 31},
		{9999, 99, 99},
	} {
		m[CalendarDate{Year: d[0], Month: d[1], Day: d[2]}] = true
	}
	return m
}()

// months are the names of months and their common short forms, folded, in
// English, Portuguese, Spanish, French and German. No form names two months.
var months = map[string]int{
	"jan": 1, "january": 1, "janeiro": 1, "ene": 1, "enero": 1, "janv": 1, "janvier": 1, "januar": 1, "janner": 1,
	"feb": 2, "february": 2, "fev": 2, "fevereiro": 2, "febrero": 2, "fevr": 2, "fevrier": 2, "februar": 2,
	"mar": 3, "march": 3, "marco": 3, "marzo": 3, "mars": 3, "marz": 3, "mrz": 3, "maerz": 3,
	"apr": 4, "april": 4, "abr": 4, "abril": 4, "avr": 4, "avril": 4,
	"may": 5, "mai": 5, "maio": 5, "mayo": 5,
	"jun": 6, "june": 6, "junho": 6, "junio": 6, "juin": 6, "juni": 6,
	"jul": 7, "july": 7, "julho": 7, "julio": 7, "juil": 7, "juillet": 7, "juli": 7,
	"aug": 8, "august": 8, "ago": 8, "agosto": 8, "aout": 8,
	"sep": 9, "sept": 9, "september": 9, "set": 9, "setembro": 9, "septiembre": 9, "setiembre": 9, "septembre": 9,
	"oct": 10, "october": 10, "out": 10, "outubro": 10, "octubre": 10, "octobre": 10, "okt": 10, "oktober": 10,
	"nov": 11, "november": 11, "novembro": 11, "noviembre": 11, "novembre": 11,
	"dec": 12, "december": 12, "dez": 12, "dezembro": 12, "dic": 12, "diciembre": 12, "decembre": 12, "dezember": 12,
}

// littleWords and weekdays stand in a date and say nothing about it.
var (
	littleWords = set("de", "del", "of", "the", "le", "den", "am", "el", "a")
	weekdays    = set("mon", "monday", "tue", "tuesday", "wed", "wednesday", "thu", "thursday", "fri", "friday", "sat", "saturday", "sun", "sunday")
)
