package files

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// OnlineRetail reads invoice lines in the layout of the data sets "Online
// Retail" and "Online Retail II" of the UCI Machine Learning Repository. One
// invoice is one transaction; its lines need not stand together. An invoice
// without a customer number has no identifiers: guests never become one
// customer.
type OnlineRetail struct{}

var _ Format = OnlineRetail{}

const (
	retailSource   = "online-retail"
	retailCurrency = "GBP"
	noCountry      = "Unspecified" // how the data set writes an unknown country
)

// Name returns "online-retail".
func (OnlineRetail) Name() string { return "online-retail" }

// Begin implements Format.
func (OnlineRetail) Begin(opts Options) Conversion {
	return &retailConversion{reader: retailReader{opts: opts}, customers: make(map[string]bool)}
}

type retailConversion struct {
	reader    retailReader
	counts    Counts
	customers map[string]bool
	shift     time.Duration
	emit      func(Record) error
}

// Survey implements Conversion.
func (c *retailConversion) Survey(ctx context.Context, r io.Reader) (Survey, error) {
	return c.reader.survey(ctx, r)
}

// Counts implements Conversion.
func (c *retailConversion) Counts() Counts {
	counts := c.counts
	counts.Lines = c.counts.Lines + c.counts.Rejected
	counts.Customers = len(c.customers)
	return counts
}

// Convert implements Conversion.
func (c *retailConversion) Convert(ctx context.Context, r io.Reader, shift time.Duration, emit func(Record) error) error {
	c.shift, c.emit = shift, emit
	return c.reader.invoices(ctx, r, c.invoice, c.reject)
}

// invoice emits a complete invoice.
func (c *retailConversion) invoice(inv *invoice) error {
	if len(inv.lines) == 0 {
		return nil
	}
	m := retailMessage(inv, c.shift)
	value, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode invoice: %w", err)
	}
	if len(value) > c.reader.opts.MaxMessageBytes {
		for _, l := range inv.lines {
			if err := c.reject(l.raw, l.line, "InvoiceNo: the invoice is too large for one message"); err != nil {
				return err
			}
		}
		return nil
	}
	c.count(inv)
	return c.emit(Record{
		Topic: wire.Transaction.Topic(), Key: wire.PartitionKey(m.Source, m.ID), Value: value,
		Headers: WorkspaceHeaders(c.reader.opts.Workspace),
	})
}

func (c *retailConversion) count(inv *invoice) {
	c.counts.Lines += len(inv.lines)
	c.counts.Messages++
	if inv.mixed {
		c.counts.MixedCountries++
	}
	switch inv.class() {
	case "refund":
		c.counts.Refunds++
	case "adjustment":
		c.counts.Adjustments++
	default:
		if inv.customer == "" {
			c.counts.Orders.Guest++
			return
		}
		c.counts.Orders.Known++
		c.customers[inv.customer] = true
		sum, err := c.counts.Revenue.plus(inv.revenue)
		if err != nil {
			sum = decimalLimit - 1 // No real file comes near it; the count must not wrap.
		}
		c.counts.Revenue = sum
	}
}

// reject emits a line that belongs to no message.
func (c *retailConversion) reject(raw []byte, line int, reason string) error {
	c.counts.Rejected++
	position := c.reader.opts.File + ":" + strconv.Itoa(line)
	headers := append(WorkspaceHeaders(c.reader.opts.Workspace),
		Header{Key: wire.HeaderReject, Value: []byte(reason)},
		Header{Key: wire.HeaderSource, Value: []byte(retailSource)},
		Header{Key: wire.HeaderPosition, Value: []byte(position)})
	return c.emit(Record{
		Topic: wire.Transaction.Topic(), Key: wire.PartitionKey(retailSource, position),
		Value: append([]byte(nil), raw...), Headers: headers,
	})
}

// retailMessage returns the message of an invoice: its id comes from the
// number alone, so a corrected file gives the same message.
func retailMessage(inv *invoice, shift time.Duration) wire.Message {
	order := &wire.Order{
		Type: inv.class(), OrderID: inv.number, Currency: retailCurrency, Amount: inv.amount.Number(),
		Items: make([]wire.Item, len(inv.lines)),
	}
	for i, l := range inv.lines {
		order.Items[i] = wire.Item{
			ProductID: l.product, Name: l.description,
			Quantity: json.Number(strconv.FormatInt(l.quantity, 10)), Price: l.price.Number(),
		}
	}
	m := wire.Message{
		ID: "invoice:" + inv.number, Source: retailSource, Time: inv.time.Add(shift), Transaction: order,
	}
	switch order.Type {
	case "refund":
		m.Name, order.Status = "Order Refunded", "refunded"
	case "adjustment":
		m.Name = "Stock Adjusted"
	default:
		m.Name, order.Status = "Order Completed", "completed"
	}
	var country json.RawMessage
	if inv.country != "" && inv.country != noCountry {
		text, _ := json.Marshal(inv.country) // A string always marshals.
		country = json.RawMessage(`{"country":` + string(text) + `}`)
	}
	m.Context = country
	if inv.customer != "" {
		m.Identifiers = []wire.Identifier{{Namespace: "user_id", Value: inv.customer}}
		m.Traits = country
	}
	return m
}
