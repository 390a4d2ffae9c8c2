package linkage

import (
	"errors"
	"fmt"
)

// Table holds records by column. A Table is read only once it is linked.
type Table struct {
	// Columns are the fields to compare; the column that names a record is not
	// one of them.
	Columns []Column
	// Rows is the number of records.
	Rows int
	// Source says which file each record is of, 0 or 1. With sources only pairs
	// across them are candidates. Nil means that all records are of one file
	// and any two may be one person.
	Source []uint8
}

// Column holds one field of all records, each distinct value once.
type Column struct {
	Name string
	// Values are the distinct values as they were read, white space trimmed;
	// Values[0] is "", the missing one.
	Values []string
	// Codes says for each record which of Values it holds.
	Codes []uint32
}

// Type says how the values of a column are compared.
type Type string

// The types of columns. Name covers whole names in one column, which are taken
// apart; Category is compared for equality only, Text by its words.
const (
	GivenName Type = "given-name"
	Surname   Type = "surname"
	Name      Type = "name"
	Date      Type = "date"
	Day       Type = "day"
	Month     Type = "month"
	Year      Type = "year"
	Email     Type = "email"
	Phone     Type = "phone"
	Postcode  Type = "postcode"
	Number    Type = "number" // customer, tax or document number: compared by its characters
	House     Type = "house"  // house number
	Street    Type = "street"
	City      Type = "city"
	Category  Type = "category"
	// Generation is what tells a father from a son of one name: jr, sr, iii.
	Generation Type = "generation"
	Text       Type = "text"
	Ignore     Type = "ignore"
)

// Types lists every type that may be declared.
func Types() []Type {
	return []Type{GivenName, Surname, Name, Date, Day, Month, Year, Email, Phone, Postcode, Number, House, Street, City, Category, Generation, Text, Ignore}
}

// Value returns what record row holds in the column.
func (c *Column) Value(row int) string { return c.Values[c.Codes[row]] }

// Validate joins every fault of the table's shape.
func (t *Table) Validate() error {
	var faults []error
	if t.Source != nil && len(t.Source) != t.Rows {
		faults = append(faults, fmt.Errorf("table of %d records has %d sources", t.Rows, len(t.Source)))
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		if len(c.Codes) != t.Rows {
			faults = append(faults, fmt.Errorf("column %q has %d values for %d records", c.Name, len(c.Codes), t.Rows))
		}
		if len(c.Values) == 0 || c.Values[0] != "" {
			faults = append(faults, fmt.Errorf("column %q: the first of its values must be the missing one", c.Name))
		}
	}
	return errors.Join(faults...)
}
