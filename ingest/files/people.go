package files

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kindred-cdp/kindred/ingest/mapping"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// People says how a file with one person in each record becomes identify events:
// an export of a CRM, a list of members. What it does not name is guessed from the
// names of the columns.
//
// Each record becomes an identifier of the namespace record, "<source>/<id>",
// which is how linkage knows it, together with its e-mail addresses and phone
// numbers; what it says of the person becomes traits by the names of Segment's
// specification. A record that is imported again as it is, is stored once; one
// that has changed is a new event of the same record.
type People struct {
	// Source names the system that the records come from.
	Source string
	// ID is the column that tells the records of the source apart.
	ID string
	// Fields are columns and the traits that they hold, such as "address.city";
	// an empty trait leaves the column out.
	Fields map[string]string
	// Time is the column that says when a record was last changed, so that older
	// statements do not hide newer ones of other sources. Without one, records
	// count as of the import.
	Time string
	// DateFormat is how dates are written, such as "dd/MM/yyyy", where the values
	// leave it open.
	DateFormat string
}

// sourceForm is what may stand before the slash of a record.
var sourceForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// validate returns every fault that needs no file.
func (p People) validate() error {
	var faults []error
	if !sourceForm.MatchString(p.Source) || len(p.Source) > wire.MaxSource {
		faults = append(faults, fmt.Errorf("the source must be a name of letters, digits, points, hyphens and underscores, at most %d bytes", wire.MaxSource))
	}
	if p.Source == "user_id" {
		faults = append(faults, errors.New("records of the source user_id are those of the user ids; take another name"))
	}
	if p.ID == "" {
		faults = append(faults, errors.New("the column of the records' ids is required"))
	}
	if p.DateFormat != "" {
		if err := mapping.CheckFormat(p.DateFormat); err != nil {
			faults = append(faults, fmt.Errorf("date format: %w", err))
		}
	}
	return errors.Join(faults...)
}

// Format returns the format that reads in, and the text of the mapping that it
// stands for, which can be kept and corrected by hand.
func (p People) Format(in Input) (*Mapped, string, error) {
	if err := p.validate(); err != nil {
		return nil, "", err
	}
	input, columns, err := readShape(in)
	if err != nil {
		return nil, "", fmt.Errorf("read the columns of %s: %w", in.Name, err)
	}
	form := form{People: p, columns: columns, traits: map[string][]*column{}}
	if err := form.assign(); err != nil {
		return nil, "", fmt.Errorf("%s: %w", in.Name, err)
	}
	text, err := form.render(input)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", in.Name, err)
	}
	m, err := mapping.Load("people", []byte(text))
	if err != nil {
		return nil, "", err
	}
	format, err := NewMapped(m, []byte(text), "")
	return format, text, err
}

// form is what the columns of one file mean.
type form struct {
	People
	columns []*column
	id      *column
	time    *column
	layout  string // of time
	// traits are the columns of each trait, the first of which that has a value
	// counts, and order their names as they came.
	traits map[string][]*column
	order  []string
}

// peopleWords are the words of column names by trait, the surest first.
var peopleWords = []struct{ trait, words string }{
	{"firstName", "first_name,given_name,forename,first,fname,vorname,prenom,nome_proprio"},
	{"lastName", "last_name,surname,family_name,last,lname,nachname,nom,apelido"},
	{"name", "name,full_name,contact_name,customer_name,display_name"},
	{"email", "email,mail,e_mail,email_address,email_1,email_2,secondary_email"},
	{"phone", "phone,phone_number,telephone,tel,mobile,mobile_phone,mobile_number,cell,cell_phone,msisdn,home_phone,work_phone,telefon,telefone"},
	{"birthday", "birthday,birth_date,date_of_birth,dob,born,geburtsdatum,date_naissance,data_nascimento"},
	{"gender", "gender,sex"},
	{"address.street", "street,street_address,address,address_1,address_line_1,addr,strasse,rua,rue"},
	{"address.house", "house_number,house,house_no,hausnummer"},
	{"address.city", "city,town,ort,ville,cidade"},
	{"address.postalCode", "postal_code,postcode,post_code,zip,zip_code,plz,code_postal,codigo_postal"},
	{"address.state", "state,province,county"},
	{"country", "country,country_code,land,pays,pais"},
}

const changedWords = "updated_at,updated,last_updated,last_update,modified_at,modified,last_modified,changed_at,changed,last_changed,last_change"

// assign gives every column its meaning: what is declared, what its name says, or
// a trait of its own name.
func (f *form) assign() error {
	var err error
	if f.id, err = f.column(f.ID); err != nil {
		return err
	}
	taken := map[*column]bool{f.id: true}
	for _, name := range sorted(f.Fields) {
		c, err := f.column(name)
		if err != nil {
			return err
		}
		if taken[c] {
			return fmt.Errorf("column %q is declared twice", name)
		}
		taken[c] = true
		if trait := f.Fields[name]; trait != "" {
			f.add(trait, c)
		}
	}
	if err := f.assignTime(taken); err != nil {
		return err
	}
	for _, w := range peopleWords {
		declared := len(f.traits[w.trait]) > 0
		for c := f.find(w.words, taken); c != nil && !declared; c = f.find(w.words, taken) {
			taken[c] = true
			f.add(w.trait, c)
			declared = w.trait != "email" && w.trait != "phone" // People have several.
		}
	}
	for _, c := range f.columns {
		if !taken[c] && c.name != "" {
			f.addOwn(c)
		}
	}
	return nil
}

// addOwn makes a column a trait of its own name, or one more place for the trait
// that has that name already.
func (f *form) addOwn(c *column) {
	parts := func(trait string) bool { return strings.HasPrefix(trait, c.name+".") }
	switch {
	case f.traits[c.name] != nil:
		f.add(c.name, c)
	case slices.ContainsFunc(f.order, parts):
		f.add(c.name+".full", c)
	default:
		f.add("["+c.name+"]", c)
	}
}

// assignTime finds the column with the time of the last change. One that is only
// guessed must have a known format in every record.
func (f *form) assignTime(taken map[*column]bool) error {
	if f.Time == "" {
		c := f.find(changedWords, taken)
		if c == nil {
			return nil
		}
		if f.layout = f.timeLayout(c); f.layout != "" && fitsAll(f.layout, c.values) {
			f.time, taken[c] = c, true
		}
		return nil
	}
	c, err := f.column(f.Time)
	if err != nil {
		return err
	}
	if taken[c] {
		return fmt.Errorf("column %q is declared twice", f.Time)
	}
	f.time, taken[c] = c, true
	if f.layout = f.timeLayout(c); f.layout == "" {
		return fmt.Errorf("column %q has times of no known format, or the day and the month cannot be told apart: declare the format of dates", f.Time)
	}
	return nil
}

// timeLayout is the declared format of dates where the times have it, or theirs.
func (f *form) timeLayout(c *column) string {
	if f.DateFormat != "" && fitsAll(f.DateFormat, c.values) {
		return f.DateFormat
	}
	return commonFormat(c.values, append(slices.Clone(dateFormats), changeFormats...))
}

func (f *form) add(trait string, c *column) {
	if f.traits[trait] == nil {
		f.order = append(f.order, trait)
	}
	f.traits[trait] = append(f.traits[trait], c)
}

// column returns the column of a name.
func (f *form) column(name string) (*column, error) {
	var names []string
	for _, c := range f.columns {
		if c.name == name {
			return c, nil
		}
		names = append(names, c.name)
	}
	return nil, fmt.Errorf("there is no column %q; the columns are %s", name, strings.Join(names, ", "))
}

// find returns the first free column that is called by one of the words.
func (f *form) find(words string, taken map[*column]bool) *column {
	free := slices.DeleteFunc(slices.Clone(f.columns), func(c *column) bool { return taken[c] })
	return find(free, words)
}

// digest names a mapping in the ids of its messages: the same record read in
// another way is another message, or it would be refused as a reused id.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}
