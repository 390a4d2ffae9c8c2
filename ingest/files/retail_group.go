package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// invoice collects the readable lines of one invoice until the last one.
type invoice struct {
	number   string
	time     time.Time // of the earliest line
	customer string    // digits, or empty while no line named one
	country  string
	mixed    bool // its lines name several countries
	sale     bool // it has a line of positive quantity and price
	amount   Decimal
	revenue  Decimal // of the lines of positive quantity and price
	lines    []retailItem
	left     int // lines still to come
	bytes    int // held for it, by estimate
}

// retailItem is one line of an invoice, with what is needed to reject it later.
type retailItem struct {
	product, description string
	quantity             int64
	price                Decimal
	raw                  []byte
	line                 int
}

// add appends a line. An error rejects this line only, and the invoice is as
// it was.
func (inv *invoice) add(l *retailLine, rec csvRecord) error {
	amount, err := inv.amount.plus(l.amount)
	if err != nil {
		return err
	}
	if l.quantity > 0 && l.price > 0 {
		revenue, err := inv.revenue.plus(l.amount)
		if err != nil {
			return err
		}
		inv.sale, inv.revenue = true, revenue
	}
	if len(inv.lines) == 0 || l.time.Before(inv.time) {
		inv.time = l.time
	}
	if inv.customer == "" {
		inv.customer = string(l.customer)
	}
	switch {
	case len(inv.lines) == 0:
		inv.country = string(l.country)
	case inv.country != string(l.country):
		inv.mixed = true
	}
	inv.amount = amount
	item := retailItem{
		product: string(l.product), description: string(l.description), quantity: l.quantity, price: l.price,
		raw: append([]byte(nil), rec.raw...), line: rec.line,
	}
	inv.lines = append(inv.lines, item)
	inv.bytes += len(item.raw) + len(item.product) + len(item.description) + 96
	return nil
}

// class returns the one class of the invoice: a number with C is a refund, one
// with A adjusts bad debt, and an invoice that sells nothing adjusts the stock.
func (inv *invoice) class() string {
	switch inv.number[0] {
	case 'C', 'c':
		return "refund"
	case 'A', 'a':
		return "adjustment"
	}
	if !inv.sale {
		return "adjustment"
	}
	return "order"
}

// retailReader groups lines by invoice. A survey first counts the lines of each
// invoice; the second reading then knows the last line of an invoice when it
// meets it, wherever it stands, and holds open invoices only.
type retailReader struct {
	opts  Options
	left  map[string]*int // lines per invoice, by the survey
	lines int
}

// scan reads every record of r: readable lines go to line, others to reject
// with their reason.
func (g *retailReader) scan(
	ctx context.Context, r io.Reader, line func(*retailLine, csvRecord) error, reject func(csvRecord, string) error,
) error {
	s := newScanner(r)
	header, err := s.next()
	switch {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%s is empty: it has no header line", g.opts.File)
	case err != nil:
		return err
	case header.fault != "":
		return fmt.Errorf("%s: header line: %s", g.opts.File, header.fault)
	}
	layout, err := newRetailLayout(header.fields, g.opts.AsOf)
	if err != nil {
		return fmt.Errorf("%s: %w", g.opts.File, err)
	}
	var l, probe retailLine
	s.columns = len(layout.header)
	s.plausible = func(fields [][]byte) bool { return layout.parse(fields, &probe) == nil }
	for g.lines = 0; ; g.lines++ {
		if g.lines%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		rec, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if rec.fault != "" {
			reason := rec.fault
			if rec.column >= 0 {
				reason = layout.name(rec.column) + ": " + reason
			}
			err = reject(rec, reason)
		} else if fault := layout.parse(rec.fields, &l); fault != nil {
			err = reject(rec, fault.Error())
		} else {
			err = line(&l, rec)
		}
		if err != nil {
			return err
		}
	}
}

// survey counts the lines of each invoice.
func (g *retailReader) survey(ctx context.Context, r io.Reader) (Survey, error) {
	var found Survey
	g.left = make(map[string]*int)
	err := g.scan(ctx, r, func(l *retailLine, _ csvRecord) error {
		n := g.left[string(l.invoice)]
		if n == nil {
			n = new(int)
			g.left[string(l.invoice)] = n
		}
		*n++
		if found.First.IsZero() || l.time.Before(found.First) {
			found.First = l.time
		}
		if l.time.After(found.Last) {
			found.Last = l.time
		}
		return nil
	}, func(csvRecord, string) error {
		found.Rejected++
		return nil
	})
	found.Lines, found.Messages = g.lines, len(g.left)
	return found, err
}

// invoices calls done for each invoice when its last line was read, and reject
// for what belongs to none.
func (g *retailReader) invoices(
	ctx context.Context, r io.Reader, done func(*invoice) error, reject func(raw []byte, line int, reason string) error,
) error {
	open := make(map[string]*invoice)
	held := 0
	line := func(l *retailLine, rec csvRecord) error {
		inv := open[string(l.invoice)]
		if inv == nil {
			n := g.left[string(l.invoice)]
			if n == nil {
				return ErrChanged
			}
			inv = &invoice{number: string(l.invoice), left: *n}
			open[inv.number] = inv
		}
		inv.left--
		held -= inv.bytes
		var fault error
		if inv.customer != "" && len(l.customer) > 0 && inv.customer != string(l.customer) {
			fault = columnError{"CustomerID", errConflict}
		} else if err := inv.add(l, rec); err != nil {
			fault = columnError{"Quantity", err}
		}
		if fault != nil {
			if err := reject(rec.raw, rec.line, fault.Error()); err != nil {
				return err
			}
		}
		if inv.left > 0 {
			if held += inv.bytes; held > g.opts.MaxOpenBytes {
				return fmt.Errorf("%s: more than %d bytes of unfinished invoices; sort the file by invoice first",
					g.opts.File, g.opts.MaxOpenBytes)
			}
			return nil
		}
		delete(open, inv.number)
		return done(inv)
	}
	err := g.scan(ctx, r, line, func(rec csvRecord, reason string) error { return reject(rec.raw, rec.line, reason) })
	if err == nil && len(open) > 0 {
		return ErrChanged
	}
	return err
}
