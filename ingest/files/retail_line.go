package files

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The columns of the layout, by position in retailLayout.at.
const (
	colInvoice = iota
	colProduct
	colDescription
	colQuantity
	colDate
	colPrice
	colCustomer
	colCountry
	retailColumns
)

// retailColumnNames are the names of each column, in lower case and without
// blanks: those of the first and of the second edition of the data set.
var retailColumnNames = [retailColumns][]string{
	colInvoice:     {"invoiceno", "invoice"},
	colProduct:     {"stockcode"},
	colDescription: {"description"},
	colQuantity:    {"quantity"},
	colDate:        {"invoicedate"},
	colPrice:       {"unitprice", "price"},
	colCustomer:    {"customerid"},
	colCountry:     {"country"},
}

// The rules that a field can break.
var (
	errEmpty    = errors.New("empty")
	errUTF8     = errors.New("not UTF-8")
	errNUL      = errors.New("holds a NUL byte")
	errLong     = errors.New("longer than 100 bytes")
	errControl  = errors.New("holds a control character")
	errDate     = errors.New("not a date and time")
	errEarly    = errors.New("before 1970")
	errFuture   = errors.New("later than the import")
	errCustomer = errors.New("not a customer number")
	errConflict = errors.New("differs from an earlier line of the invoice")
)

// columnError is a rule broken by a field. It never holds the field's value.
type columnError struct {
	column string
	rule   error
}

func (e columnError) Error() string { return e.column + ": " + e.rule.Error() }

// retailLine is one readable line. Its byte slices are parts of the record.
type retailLine struct {
	invoice, product, description []byte
	customer                      []byte // digits, or empty for a guest
	country                       []byte
	quantity                      int64
	price, amount                 Decimal
	time                          time.Time
}

// retailLayout knows where the columns stand and reads lines.
type retailLayout struct {
	header []string
	at     [retailColumns]int
	asOf   time.Time

	dateText []byte // of the last date read: lines of an invoice repeat it
	date     time.Time
}

// newRetailLayout reads the header line.
func newRetailLayout(header [][]byte, asOf time.Time) (*retailLayout, error) {
	l := &retailLayout{asOf: asOf}
	var folded []string
	for _, h := range header {
		h = bytes.TrimPrefix(h, []byte("\ufeff"))
		l.header = append(l.header, strings.TrimSpace(string(h)))
		folded = append(folded, strings.ToLower(strings.ReplaceAll(string(h), " ", "")))
	}
	var missing []string
	for c, names := range retailColumnNames {
		l.at[c] = slices.IndexFunc(folded, func(h string) bool { return slices.Contains(names, h) })
		if l.at[c] < 0 {
			missing = append(missing, names[0])
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("the header line has no column %s", strings.Join(missing, ", "))
	}
	return l, nil
}

// name returns the header's name of the column at a position of the file.
func (l *retailLayout) name(position int) string {
	if position >= 0 && position < len(l.header) {
		return l.header[position]
	}
	return "line"
}

// parse reads the fields of one record. The error is a columnError.
func (l *retailLayout) parse(fields [][]byte, line *retailLine) error {
	for i, f := range fields {
		if bytes.IndexByte(f, 0) >= 0 {
			return columnError{l.name(i), errNUL}
		}
		if !utf8.Valid(f) {
			return columnError{l.name(i), errUTF8}
		}
	}
	var err error
	bad := func(column int) error { return columnError{l.header[l.at[column]], err} }
	field := func(column int) []byte { return fields[l.at[column]] }
	line.product, line.description = field(colProduct), field(colDescription)
	line.country = bytes.TrimSpace(field(colCountry))
	if line.invoice, err = parseInvoiceNo(field(colInvoice)); err != nil {
		return bad(colInvoice)
	}
	if line.quantity, err = parseWhole(bytes.TrimSpace(field(colQuantity))); err != nil {
		return bad(colQuantity)
	}
	if line.time, err = l.parseTime(bytes.TrimSpace(field(colDate))); err != nil {
		return bad(colDate)
	}
	if line.price, err = parseDecimal(bytes.TrimSpace(field(colPrice))); err != nil {
		return bad(colPrice)
	}
	if line.amount, err = line.price.times(line.quantity); err != nil {
		return bad(colQuantity)
	}
	if line.customer, err = parseCustomer(bytes.TrimSpace(field(colCustomer))); err != nil {
		return bad(colCustomer)
	}
	return nil
}

func parseInvoiceNo(b []byte) ([]byte, error) {
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0:
		return nil, errEmpty
	case len(b) > 100: // The message id, "invoice:" and this, has at most 200.
		return nil, errLong
	case bytes.IndexFunc(b, func(r rune) bool { return r < ' ' || r == 0x7f }) >= 0:
		return nil, errControl
	}
	return b, nil
}

// parseCustomer returns the digits of a whole number ("17850.0" gives "17850"),
// or nothing for a guest.
func parseCustomer(b []byte) ([]byte, error) {
	whole, fraction, _ := bytes.Cut(b, []byte{'.'})
	if len(bytes.Trim(fraction, "0")) > 0 || len(whole) > 18 || len(bytes.Trim(whole, "0123456789")) > 0 ||
		len(whole) == 0 && len(b) > 0 {
		return nil, errCustomer
	}
	for len(whole) > 1 && whole[0] == '0' {
		whole = whole[1:]
	}
	return whole, nil
}

// clockTolerance is how much later than the import a line may be dated: files
// without time zones may be written up to 14 hours east of UTC.
const clockTolerance = 24 * time.Hour

// retailTimes are the date forms of the editions of the data set. Times
// without a zone are UTC.
var retailTimes = []string{
	time.DateTime, "2006-01-02 15:04", time.RFC3339, "2006-01-02T15:04:05", "1/2/2006 15:04", "1/2/2006 15:04:05",
}

func (l *retailLayout) parseTime(b []byte) (time.Time, error) {
	if !l.date.IsZero() && bytes.Equal(b, l.dateText) {
		return l.date, nil
	}
	for _, form := range retailTimes {
		t, err := time.Parse(form, string(b))
		if err != nil {
			continue
		}
		switch t = t.UTC(); {
		case t.Before(time.Unix(0, 0)):
			return time.Time{}, errEarly
		case t.After(l.asOf.Add(clockTolerance)):
			return time.Time{}, errFuture
		}
		l.date, l.dateText = t, append(l.dateText[:0], b...)
		return t, nil
	}
	return time.Time{}, errDate
}
