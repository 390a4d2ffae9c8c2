package synthetic

import (
	"strconv"
	"strings"
)

// field is what a record may say of a person.
type field int

const (
	given field = iota
	surname
	suffix // Jr, Sr
	birth  // eight digits
	email
	phone
	house
	street
	locality
	city
	postcode
	state
	number // of the customer
	fields
)

// record holds a value for each field, "" where it is missing.
type record [fields]string

// person is one invented person.
type person struct {
	flavour *flavour
	female  bool
	now     record
	// later is what changed: a new name, home, address of mail, phone; "" where
	// nothing did.
	later record
}

// population makes people, household by household.
type population struct {
	*dice
	cfg      Config
	flavours []*flavour
	made     int // people
	offset   uint64
	plenty   int // range of numbers in addresses of mail, so that they hardly meet
	waiting  []person
}

func newPopulation(cfg Config) *population {
	p := &population{dice: newDice(cfg.Seed, 1), cfg: cfg, offset: cfg.Seed, plenty: max(100, cfg.People/50)}
	lists := map[Flavour]words{English: englishWords, German: germanWords, French: frenchWords, Portuguese: portugueseWords, Polish: polishWords}
	for _, name := range Flavours() {
		w, ok := lists[name]
		if !ok || cfg.Flavour != name && cfg.Flavour != Mixed {
			continue
		}
		if cfg.Layout == FebrlColumns {
			w.postcode = "####"
		}
		p.flavours = append(p.flavours, newFlavour(w, p.dice))
	}
	return p
}

// next returns the next person.
func (p *population) next() person {
	if len(p.waiting) == 0 {
		p.household()
	}
	first := p.waiting[0]
	p.waiting = p.waiting[1:]
	return first
}

// household makes one person, or several who share a home and more.
func (p *population) household() {
	first := p.person(pick(p.dice, p.flavours), p.percent(50), p.between(1930, 2005))
	p.waiting = append(p.waiting[:0], first)
	// With q of all households in company, of 2.13 people on average, the share of
	// people in company is 2.13 q / (2.13 q + 1 - q).
	if share := int(p.cfg.Households * million); !p.parts(share * 100 / (213 - share*113/million)) {
		return
	}
	switch p.weighted([]int{55, 12, 13, 12, 8}) {
	case 0:
		p.waiting = append(p.waiting, p.spouse(first))
	case 1:
		p.waiting = append(p.waiting, p.twin(first))
	case 2:
		p.waiting[0].now[suffix] = "Sr"
		p.waiting = append(p.waiting, p.namesake(first))
	case 3:
		spouse := p.spouse(first)
		p.waiting = append(p.waiting, spouse, p.child(first))
	case 4:
		p.waiting = append(p.waiting, p.flatmate(first))
	}
}

// person makes somebody without company.
func (p *population) person(f *flavour, female bool, year int) person {
	one := person{flavour: f, female: female}
	sex := 0
	if female {
		sex = 1
	}
	one.now[given] = f.given[sex][f.givenSkew[sex].draw(p.dice)]
	one.now[surname] = f.gendered(f.surname[f.rare.draw(p.dice)], female)
	one.now[birth] = p.date(year)
	p.settle(&one.now, f)
	one.now[number] = p.unique(p.made, 8, 7_368_787)
	if p.cfg.Layout == FebrlColumns {
		one.now[number] = p.unique(p.made, 7, 7_368_787)
	}
	one.now[phone] = p.phone(f)
	one.now[email] = p.email(f, &one.now)
	p.made++
	return one
}

func (p *population) date(year int) string {
	lengths := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	month := p.below(12)
	return strconv.Itoa(year*10000 + (month+1)*100 + p.between(1, lengths[month]))
}

// settle gives a record a home.
func (p *population) settle(r *record, f *flavour) {
	place := &f.town[f.townSkew.draw(p.dice)]
	r[city], r[state] = place.name, place.state
	road := f.roads.draw(p.dice)
	r[street] = f.street[road]
	// A street has one postcode of its town.
	r[postcode] = place.postcodes[road%len(place.postcodes)]
	r[house] = strconv.Itoa(1 + p.below(1+p.below(200)))
	if p.percent(8) {
		r[house] += string(rune('a' + p.below(4)))
	}
	if p.cfg.Layout == FebrlColumns && p.percent(70) {
		r[locality] = strings.ToLower(f.surname[f.rare.draw(p.dice)]) + pick(p.dice, []string{" park", " flats", " farm", "", ""})
	}
}

// unique returns the digits of a number that no other n of the run has.
// Another factor gives numbers that have nothing to do with each other.
func (p *population) unique(n, digits int, factor uint64) string {
	span := uint64(1)
	for range digits {
		span *= 10
	}
	// The factor has no divisor in common with a power of ten, so this is a
	// permutation of all numbers of that many digits.
	at := (uint64(n)*factor + p.offset%span*(factor>>10) + factor*factor%99_991) % span
	text := strconv.FormatUint(at+span, 10)
	return text[1:]
}

// phone fills the pattern of a nation from the right, the last digits unique.
func (p *population) phone(f *flavour) string {
	digits := p.unique(p.made, strings.Count(f.phone, "#"), 48_271_933)
	out := []byte(f.phone)
	for i, c := range out {
		if c == '#' {
			out[i], digits = digits[0], digits[1:]
		}
	}
	return string(out)
}

// email makes an address of mail from the name, as people do.
func (p *population) email(f *flavour, r *record) string {
	first, last := strings.ToLower(plain(r[given], 0)), strings.ToLower(plain(r[surname], 0))
	last = strings.ReplaceAll(last, "'", "")
	out := make([]byte, 0, 40)
	switch p.weighted([]int{40, 20, 20, 10, 10}) {
	case 0:
		out = append(append(append(out, first...), '.'), last...)
	case 1:
		out = append(append(out, first[0]), last...)
	case 2:
		out = append(append(out, first...), last...)
	case 3:
		out = append(append(append(out, last...), '.'), first...)
	case 4:
		out = append(append(out, first...), last[0])
	}
	switch n := p.below(100); {
	case n < 25 && p.plenty <= 1000:
		out = append(out, r[birth][2:4]...)
	case n < 35 && p.plenty <= 200:
	default:
		out = strconv.AppendInt(out, int64(p.below(p.plenty)), 10)
	}
	out = append(append(out, '@'), f.domain[f.mail.draw(p.dice)]...)
	return string(out)
}
