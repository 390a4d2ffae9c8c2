package synthetic

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// level says how often things go wrong, in percent.
type level struct {
	touched  int // a field of a further record differs
	first    int // a field of the first record of a person does
	again    int // a second slip in the same value
	moved    int // of people with further records, between two records
	married  int // of women; of men a tenth of it
	mailbox  int // another address of mail
	telefone int // another telephone
	swapped  int // given name and surname
	misput   int // a value stands in another column
}

func (e Errors) level() level {
	switch e {
	case Light:
		return level{touched: 12, first: 1, again: 10, moved: 8, married: 3, mailbox: 12, telefone: 10, swapped: 1, misput: 1}
	case Heavy:
		return level{touched: 50, first: 4, again: 30, moved: 22, married: 10, mailbox: 25, telefone: 22, swapped: 5, misput: 3}
	}
	return level{}
}

// live draws what changes in the life of a person between two records.
func (p *population) live(one *person, l level) {
	if p.percent(l.moved) {
		p.settle(&one.later, one.flavour)
		if p.percent(60) { // within the town
			one.later[city], one.later[postcode], one.later[state] = one.now[city], one.now[postcode], one.now[state]
		}
	}
	if married := l.married * 10; p.below(1000) < married && (one.female || p.percent(10)) {
		name := one.flavour.gendered(one.flavour.surname[one.flavour.rare.draw(p.dice)], one.female)
		one.later[surname] = name
		if p.percent(25) {
			one.later[surname] = one.now[surname] + "-" + name
		}
	}
	if p.percent(l.telefone) {
		one.later[phone] = p.phone(one.flavour)
		p.made++
	}
	if p.percent(l.mailbox) {
		was := one.now[surname]
		if one.later[surname] != "" {
			one.now[surname] = strings.ReplaceAll(one.later[surname], "-", "")
		}
		one.later[email] = p.email(one.flavour, &one.now)
		one.now[surname] = was
	}
}

// further is another record of a person: of before or after what changed, with
// faults.
func (p *population) further(one *person, l level) record {
	r := one.now
	for _, part := range [][]field{{house, street, locality, city, postcode, state}, {surname}, {email}, {phone}} {
		if one.later[part[len(part)-1]] != "" && p.percent(70) {
			for _, f := range part {
				r[f] = one.later[f]
			}
		}
	}
	p.faults(&r, one.flavour, l, l.touched)
	return r
}

// faults spoils the fields of a record, each with a chance of touched percent.
func (p *population) faults(r *record, f *flavour, l level, touched int) {
	same := *r
	for i := range r {
		if r[i] != "" && p.percent(touched) {
			r[i] = p.spoil(field(i), r[i], f, l)
		}
	}
	if *r == same && touched == l.touched && touched > 0 {
		// A further record is never a copy.
		at := pick(p.dice, []field{given, surname, birth})
		r[at] = p.spoil(at, r[at], f, l)
	}
	scale := 100 * touched / max(1, l.touched)
	if p.below(10_000) < l.swapped*scale {
		r[given], r[surname] = r[surname], r[given]
	}
	if p.below(10_000) < l.misput*scale {
		pair := pick(p.dice, [][2]field{{email, phone}, {street, city}, {city, state}, {given, suffix}, {postcode, city}, {street, locality}})
		r[pair[0]], r[pair[1]] = r[pair[1]], r[pair[0]]
	}
}

// spoil changes a value as its kind of value is changed.
func (p *population) spoil(at field, text string, f *flavour, l level) string {
	switch at {
	case given:
		return p.spoilGiven(text, f, l)
	case surname:
		return p.spoilSurname(text, l)
	case birth:
		return p.spoilDate(text)
	case email:
		return p.spoilEmail(text, f, l)
	case phone:
		return p.spoilPhone(text, f)
	case street:
		return p.spoilStreet(text, f, l)
	case house:
		return p.choose([]int{55, 15, 30}, func() string { return p.digitOrUnit(text) },
			func() string { return text + string(rune('a'+p.below(4))) }, empty)
	case postcode, number:
		return p.choose([]int{78, 12, 10}, func() string { return p.digitSlip(text, at == postcode) },
			empty, func() string { return p.cut(text) })
	case city, locality:
		return p.choose([]int{58, 14, 10, 10, 8}, func() string { return p.slips(text, l) }, func() string { return p.replaced(text, heard) },
			func() string { return plain(text, p.below(2)) }, empty, func() string { return p.cut(text) })
	case state:
		return p.choose([]int{60, 40}, func() string { return pick(p.dice, strings.Fields(f.states)) }, empty)
	}
	return ""
}

func empty() string { return "" }

// choose calls one of several ways, by weight.
func (p *population) choose(weights []int, ways ...func() string) string {
	return ways[p.weighted(weights)]()
}

// slips is a slip, or two.
func (p *population) slips(text string, l level) string {
	text = p.slip(text)
	if p.percent(l.again) {
		text = p.slip(text)
	}
	return text
}

func (p *population) spoilGiven(text string, f *flavour, l level) string {
	nicks := f.nick[text]
	weights := []int{40, 22, 12, 10, 5, 5, 6}
	if len(nicks) == 0 {
		weights[1] = 0
	}
	switch p.weighted(weights) {
	case 0:
		return p.slips(text, l)
	case 1:
		return pick(p.dice, nicks)
	case 2:
		_, size := utf8.DecodeRuneInString(text)
		return text[:size] + pick(p.dice, []string{"", "."})
	case 3:
		return p.replaced(text, heard)
	case 4:
		return p.replaced(text, scanned)
	case 5:
		return p.cut(text)
	}
	return ""
}

func (p *population) spoilSurname(text string, l level) string {
	switch p.weighted([]int{50, 20, 8, 12, 5, 5}) {
	case 0:
		return p.slips(text, l)
	case 1:
		return p.replaced(text, heard)
	case 2:
		return p.replaced(text, scanned)
	case 3:
		return plain(text, p.below(2))
	case 4:
		return p.cut(text)
	}
	return ""
}

// spoilDate changes a date of eight digits, which may not be one afterwards.
func (p *population) spoilDate(text string) string {
	year, _ := strconv.Atoi(text[:4])
	switch p.weighted([]int{38, 22, 12, 6, 8, 14}) {
	case 0:
		return p.digitSlip(text, true)
	case 1:
		return text[:4] + text[6:8] + text[4:6]
	case 2:
		return strconv.Itoa(year+2*p.below(2)-1) + text[4:]
	case 3:
		if year < 2000 {
			return strconv.Itoa(year+100) + text[4:]
		}
		return strconv.Itoa(year-100) + text[4:]
	case 4:
		return text[:4] + "0101"
	}
	return ""
}

func (p *population) spoilEmail(text string, f *flavour, l level) string {
	local, host, _ := strings.Cut(text, "@")
	switch p.weighted([]int{38, 14, 16, 10, 22}) {
	case 0:
		return p.slips(local, l) + "@" + host
	case 1:
		return local + "@" + p.slip(host)
	case 2:
		return local + "@" + f.domain[f.mail.draw(p.dice)]
	case 3:
		return strings.ToUpper(local[:1]) + local[1:] + "@" + host
	}
	return ""
}

func (p *population) spoilPhone(text string, f *flavour) string {
	switch p.weighted([]int{40, 34, 6, 20}) {
	case 0:
		digits := strings.ReplaceAll(text, " ", "")
		national := strings.TrimPrefix(digits, "0")
		return pick(p.dice, []string{digits, "+" + f.country + national, "00" + f.country + national, "+" + f.country + " " + national, strings.ReplaceAll(text, " ", "-")})
	case 1:
		return p.digitSlip(text, false)
	case 2:
		return p.cut(text)
	}
	return ""
}

func (p *population) spoilStreet(text string, f *flavour, l level) string {
	switch p.weighted([]int{34, 34, 10, 8, 8, 6}) {
	case 0:
		return p.abbreviated(text, f)
	case 1:
		return p.slips(text, l)
	case 2:
		return plain(text, p.below(2))
	case 3:
		return p.replaced(text, heard)
	case 4:
		return ""
	}
	return p.cut(text)
}

// abbreviated shortens the kind of street, as a word or at the end of one.
func (p *population) abbreviated(text string, f *flavour) string {
	if f.glued {
		for _, kind := range strings.Fields(f.kinds) {
			if name, ok := strings.CutSuffix(text, kind); ok && len(f.abbr[kind]) > 0 {
				return name + pick(p.dice, f.abbr[kind])
			}
		}
		return text
	}
	parts := strings.Fields(text)
	for i, word := range parts {
		if forms := f.abbr[word]; len(forms) > 0 {
			parts[i] = pick(p.dice, forms)
		}
	}
	return strings.Join(parts, " ")
}

// digitOrUnit is another house number, or one with a flat.
func (p *population) digitOrUnit(text string) string {
	if p.percent(30) {
		return strconv.Itoa(1+p.below(40)) + "/" + text
	}
	if len(text) < 2 {
		return strconv.Itoa(1 + p.below(99))
	}
	return p.digitSlip(text, false)
}
