package synthetic

import (
	"strings"
	"unicode/utf8"
)

// written is a column of a layout and how it is made of a record.
type written struct {
	name string
	text func(w *writer, r *record) string
}

// writer puts records into the columns of a layout.
type writer struct {
	*dice
	flavour *flavour // of the record
	clerk   int      // who typed the record: everyone has a form of dates and names
}

// is writes a field as it stands.
func is(name string, f field) written {
	return written{name, func(_ *writer, r *record) string { return r[f] }}
}

func lower(name string, f field) written {
	return written{name, func(_ *writer, r *record) string { return strings.ToLower(r[f]) }}
}

func (l Layout) columns() []written {
	switch l {
	case FebrlColumns:
		return []written{
			lower("given_name", given), lower("surname", surname), lower("street_number", house), lower("address_1", street), lower("address_2", locality),
			lower("suburb", city), lower("postcode", postcode), lower("state", state), lower("date_of_birth", birth), lower("soc_sec_id", number),
		}
	case SparseColumns:
		return []written{is("first_name", given), is("surname", surname), {"dob", isoDate}, is("city", city), is("email", email)}
	case NameColumns:
		return []written{
			{"fname", capitals(given)},
			{"lname", capitals(surname)},
			{"by", datePart(0, 4)},
			{"bm", datePart(4, 6)},
			{"bd", datePart(6, 8)},
		}
	case CRMColumns:
		return []written{
			{"name", wholeName},
			is("email", email), is("phone", phone),
			{"address", wholeAddress},
			is("city", city), is("postcode", postcode),
			{"birth date", typedDate},
			{"loyalty number", loyalty},
		}
	}
	return []written{
		{"given_name", nameWith},
		is("surname", surname),
		{"birth_date", isoDate},
		is("email", email), is("phone", phone),
		is("street", street), is("house_number", house), is("city", city), is("postcode", postcode), is("customer_number", number),
	}
}

// nameWith is the given name, sometimes with Jr or Sr.
func nameWith(w *writer, r *record) string {
	if r[suffix] != "" && r[given] != "" && w.percent(25) {
		return r[given] + " " + r[suffix]
	}
	return r[given]
}

func capitals(f field) func(*writer, *record) string {
	return func(_ *writer, r *record) string { return strings.ToUpper(plain(r[f], 0)) }
}

// whole reports whether a date has its eight digits, which a misput value has
// not.
func whole(date string) bool { return len(date) == 8 }

func isoDate(_ *writer, r *record) string {
	d := r[birth]
	if !whole(d) {
		return d
	}
	return d[:4] + "-" + d[4:6] + "-" + d[6:]
}

// datePart is a number of the date without leading zeros.
func datePart(from, to int) func(*writer, *record) string {
	return func(_ *writer, r *record) string {
		if !whole(r[birth]) {
			return ""
		}
		return strings.TrimLeft(r[birth][from:to], "0")
	}
}

// typedDate is a date as the clerk types dates.
func typedDate(w *writer, r *record) string {
	d := r[birth]
	if !whole(d) {
		return d
	}
	year, month, day := d[:4], d[4:6], d[6:]
	switch w.clerk {
	case 0, 1:
		return year + "-" + month + "-" + day
	case 2, 3:
		return day + "." + month + "." + year
	case 4, 5:
		return day + "/" + month + "/" + year
	case 6:
		return d
	}
	return day + "/" + month + "/" + year[2:]
}

// wholeName is a name in one column, as the clerk writes names.
func wholeName(w *writer, r *record) string {
	first, last := r[given], r[surname]
	if r[suffix] != "" && last != "" && w.percent(25) {
		last += " " + r[suffix]
	}
	switch {
	case first == "" || last == "":
		return first + last
	case w.clerk == 3:
		return strings.ToUpper(last) + ", " + first
	case w.clerk == 5:
		return last + " " + first
	case w.clerk == 6 && w.percent(40):
		_, size := utf8.DecodeRuneInString(first)
		return first[:size] + ". " + last
	case w.clerk == 7 && w.percent(50):
		return strings.ToUpper(first + " " + last)
	case w.clerk == 1 && w.percent(30):
		return strings.ToLower(first + " " + last)
	}
	return first + " " + last
}

// wholeAddress is street and house number as the nation writes them.
func wholeAddress(w *writer, r *record) string {
	switch {
	case r[street] == "" || r[house] == "":
		return r[street]
	case w.flavour.glued || w.flavour.leading:
		return r[street] + " " + r[house]
	}
	return r[house] + " " + r[street]
}

// loyalty is the number of a customer with the letters of the scheme, which
// some leave out.
func loyalty(w *writer, r *record) string {
	if r[number] == "" || w.clerk > 5 {
		return r[number]
	}
	return "LC-" + r[number]
}
