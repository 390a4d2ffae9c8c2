package synthetic

import (
	"errors"
	"fmt"
	"slices"
)

// Errors says how faulty records are.
type Errors string

// The levels of errors. With Light one field in eight of a person's further
// records differs, with Heavy every second one, and often by more than a slip.
const (
	None  Errors = "none"
	Light Errors = "light"
	Heavy Errors = "heavy"
)

// Layout says which columns the records have.
type Layout string

// The layouts.
const (
	// FebrlColumns are those of the FEBRL generator: names, address parts, a
	// date of eight digits, a security number; in lower case.
	FebrlColumns Layout = "febrl"
	// SparseColumns are names, date, city and e-mail.
	SparseColumns Layout = "sparse"
	// NameColumns are names and a date in three parts, in upper case.
	NameColumns Layout = "names"
	// FullColumns are names, date, e-mail, phone, address parts and a customer
	// number.
	FullColumns Layout = "full"
	// CRMColumns are those of an old customer base: whole names and addresses in
	// one column each, dates and phones in whatever form they were typed.
	CRMColumns Layout = "crm"
)

// Flavour is the nation of names and addresses.
type Flavour string

// The flavours. Mixed draws one of the others for each household.
const (
	English    Flavour = "english"
	German     Flavour = "german"
	French     Flavour = "french"
	Portuguese Flavour = "portuguese"
	Polish     Flavour = "polish"
	Mixed      Flavour = "mixed"
)

// Config describes the records to make.
type Config struct {
	// Records is the number of records; People, of persons. Every person has a
	// record, and no one more than six.
	Records, People int
	Seed            uint64
	Errors          Errors
	Layout          Layout
	Flavour         Flavour
	// Missing is the share of values that are missing in any record, beside
	// those that errors take away. Names are missing a third as often.
	Missing float64
	// Households is the share of people who live with another one.
	Households float64
	// TwoFiles puts the first record of each person into source 0, and the
	// further ones into source 1; people of one record go to either.
	TwoFiles bool
}

// maxFurther is the most records that a person has beside the first.
const maxFurther = 5

// Validate joins all faults of the configuration.
func (c Config) Validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	check(c.Records > 0 && c.Records <= 100_000_000, "records must be 1 to 100 million, not %d", c.Records)
	check(c.People > 0 && c.People <= c.Records, "people must be 1 to the number of records (%d), not %d", c.Records, c.People)
	check(c.Records-c.People <= 4*c.People, "%d records of %d people are more than five of each", c.Records, c.People)
	check(slices.Contains([]Errors{None, Light, Heavy}, c.Errors), "errors must be none, light or heavy, not %q", c.Errors)
	check(slices.Contains([]Layout{FebrlColumns, SparseColumns, NameColumns, FullColumns, CRMColumns}, c.Layout), "unknown layout %q", c.Layout)
	check(slices.Contains(Flavours(), c.Flavour), "flavour must be one of %v, not %q", Flavours(), c.Flavour)
	check(c.Missing >= 0 && c.Missing < .9, "the share of missing values must be in [0, 0.9), not %v", c.Missing)
	check(c.Households >= 0 && c.Households <= 1, "the share of people in households must be in [0, 1], not %v", c.Households)
	return errors.Join(faults...)
}

// Flavours lists every flavour.
func Flavours() []Flavour {
	return []Flavour{English, German, French, Portuguese, Polish, Mixed}
}

// Preset is a named configuration.
type Preset struct {
	Name, About string
	Config      Config
}

// Presets lists the configurations that have a name.
func Presets() []Preset {
	return []Preset{
		{"febrl", "the columns of FEBRL, English names, light errors, 5000 records", FebrlLike()},
		{"sparse", "the columns of splink's fake_1000: names, date, city, e-mail, many missing", Sparse()},
		{"names", "given name, surname and date only, German, 10 000 records, a tenth duplicates", NamesOnly()},
		{"heavy", "50 000 records, half of all fields of duplicates touched", Heavy50k()},
		{"million", "a million records of 700 000 people in five nations", Million()},
		{"crm", "a messy old export: whole names and addresses in one column, dates in any form", CRM()},
	}
}

// FebrlLike is 5000 records as the FEBRL generator makes them.
func FebrlLike() Config {
	return Config{Records: 5000, People: 3800, Errors: Light, Layout: FebrlColumns, Flavour: English, Missing: .02, Households: .2}
}

// Sparse is 1000 records with little to compare, a fifth of it missing.
func Sparse() Config {
	return Config{Records: 1000, People: 350, Errors: Heavy, Layout: SparseColumns, Flavour: English, Missing: .18, Households: .1}
}

// NamesOnly is 10 000 German records with a name and a date of birth.
func NamesOnly() Config {
	return Config{Records: 10_000, People: 9000, Errors: Light, Layout: NameColumns, Flavour: German, Households: .05}
}

// Heavy50k is 50 000 records of five nations with heavy errors.
func Heavy50k() Config {
	return Config{Records: 50_000, People: 28_000, Errors: Heavy, Layout: FullColumns, Flavour: Mixed, Missing: .05, Households: .3}
}

// Million is a million records of 700 000 people.
func Million() Config {
	return Config{Records: 1_000_000, People: 700_000, Errors: Light, Layout: FullColumns, Flavour: Mixed, Missing: .05, Households: .3}
}

// CRM is 20 000 records of a messy customer base.
func CRM() Config {
	return Config{Records: 20_000, People: 14_000, Errors: Heavy, Layout: CRMColumns, Flavour: Mixed, Missing: .12, Households: .35}
}
