package synthetic

import "strconv"

// home copies what people who live together share.
func (r *record) home(of *record) {
	for _, f := range []field{house, street, locality, city, postcode, state} {
		r[f] = of[f]
	}
}

// spouse lives with the first person, mostly under one surname, and often with
// one telephone and one mailbox for both.
func (p *population) spouse(first person) person {
	year, _ := strconv.Atoi(first.now[birth][:4])
	one := p.person(first.flavour, !first.female, max(1920, year+p.between(-6, 6)))
	one.now.home(&first.now)
	if p.percent(65) {
		one.now[surname] = p.family(first, one.female)
	}
	if p.percent(45) {
		one.now[phone] = first.now[phone]
	}
	if p.percent(20) {
		one.now[email] = first.now[email]
	} else {
		one.now[email] = p.email(one.flavour, &one.now)
	}
	return one
}

// family is the surname of the first person as a relative bears it.
func (p *population) family(first person, female bool) string {
	name := first.now[surname]
	if f := first.flavour; f.feminine && len(name) > 3 {
		if tail := name[len(name)-3:]; tail == "ska" || tail == "cka" {
			name = name[:len(name)-1] + "i"
		}
	}
	return first.flavour.gendered(name, female)
}

// twin has the date, the surname and the home of the first person.
func (p *population) twin(first person) person {
	one := p.person(first.flavour, p.percent(50), 2000)
	for one.now[given] == first.now[given] {
		one = p.person(first.flavour, p.percent(50), 2000)
	}
	one.now.home(&first.now)
	one.now[birth] = first.now[birth]
	one.now[surname] = p.family(first, one.female)
	one.now[email] = p.email(one.flavour, &one.now)
	if p.percent(40) {
		one.now[phone] = first.now[phone]
	}
	return one
}

// namesake is the son or daughter with both names of the first person.
func (p *population) namesake(first person) person {
	year, _ := strconv.Atoi(first.now[birth][:4])
	one := p.person(first.flavour, first.female, year+p.between(19, 38))
	one.now[given], one.now[surname], one.now[suffix] = first.now[given], first.now[surname], "Jr"
	if p.percent(60) {
		one.now.home(&first.now)
	}
	if p.percent(25) {
		one.now[phone] = first.now[phone]
	}
	one.now[email] = p.email(one.flavour, &one.now)
	return one
}

// child lives at home and has the telephone of the house.
func (p *population) child(first person) person {
	year, _ := strconv.Atoi(first.now[birth][:4])
	one := p.person(first.flavour, p.percent(50), year+p.between(20, 38))
	one.now.home(&first.now)
	one.now[surname] = p.family(first, one.female)
	one.now[email] = p.email(one.flavour, &one.now)
	if p.percent(50) {
		one.now[phone] = first.now[phone]
	}
	return one
}

// flatmate shares the home only.
func (p *population) flatmate(first person) person {
	one := p.person(first.flavour, p.percent(50), p.between(1975, 2005))
	one.now.home(&first.now)
	return one
}
