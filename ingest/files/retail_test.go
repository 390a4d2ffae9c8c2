package files

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/deploy/sample"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// collector is a publisher that keeps what it acknowledged.
type collector struct {
	records []Record
	calls   int
}

func (c *collector) Publish(_ context.Context, topic string, records []Record) error {
	c.calls++
	for _, r := range records {
		if r.Topic != topic {
			panic("record of another topic")
		}
	}
	c.records = append(c.records, records...)
	return nil
}

var testNow = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func testDeps(p Publisher) Deps {
	return Deps{Publisher: p, Now: func() time.Time { return testNow }, Log: slog.New(slog.DiscardHandler)}
}

func sampleInput() Input { return StringInput(sample.OnlineRetailName, sample.OnlineRetail()) }

// runImport imports content and returns the summary and the records.
func runImport(t *testing.T, in Input, change func(*Config)) (Summary, []Record) {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Input, cfg.StateFolder = in, t.TempDir()
	if change != nil {
		change(&cfg)
	}
	var c collector
	importer, err := New(cfg, testDeps(&c))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := importer.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return sum, c.records
}

// TestWholeFile holds the importer to the published figures of the real file.
func TestWholeFile(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and TestCrashesChangeNothing sees its goroutines")
	}
	start := time.Now()
	sum, records := runImport(t, sampleInput(), func(c *Config) { c.ShiftToNow = true })
	t.Logf("imported in %v", time.Since(start))
	want := Counts{
		Lines: 541_909, Orders: OrderCounts{Known: 18_532, Guest: 1_427}, Refunds: 3_836, Adjustments: 2_105,
		Messages: 25_900, Customers: 4_338, Revenue: 89_114_079_040,
	}
	if diff := cmp.Diff(want, sum.Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if sum.Records != 25_900 || len(records) != 25_900 {
		t.Errorf("records %d, published %d, want 25 900", sum.Records, len(records))
	}
	if sum.Counts.Revenue.String() != "8911407.904" {
		t.Errorf("revenue %s", sum.Counts.Revenue)
	}
	if late := testNow.Sub(sum.Last); late < 0 || late >= week {
		t.Errorf("the data end at %v, %v before now", sum.Last, late)
	}
	checkPublished(t, records, sum)
}

// checkPublished counts again from the published bytes alone.
func checkPublished(t *testing.T, records []Record, sum Summary) {
	t.Helper()
	ids := make(map[string]bool)
	customers := make(map[string]bool)
	lines, known, unattributed := 0, 0, 0
	var revenue Decimal
	for _, r := range records {
		var m wire.Message
		if err := json.Unmarshal(r.Value, &m); err != nil {
			t.Fatal(err)
		}
		if ids[m.ID] {
			t.Fatalf("message %s twice", m.ID)
		}
		ids[m.ID] = true
		if string(r.Key) != string(wire.PartitionKey(m.Source, m.ID)) || r.Topic != "kindred.transaction" {
			t.Fatalf("message %s: key %s, topic %s", m.ID, r.Key, r.Topic)
		}
		if m.Time.After(sum.Last) || m.Time.Before(sum.First) {
			t.Fatalf("message %s at %v", m.ID, m.Time)
		}
		lines += len(m.Transaction.Items)
		if len(m.Identifiers) == 0 {
			unattributed++
		}
		var amount Decimal
		for _, item := range m.Transaction.Items {
			price, err := parseDecimal([]byte(item.Price))
			if err != nil {
				t.Fatal(err)
			}
			quantity, err := item.Quantity.Int64()
			if err != nil {
				t.Fatal(err)
			}
			amount += price * Decimal(quantity)
			if m.Transaction.Type == "order" && len(m.Identifiers) > 0 && quantity > 0 && price > 0 {
				revenue += price * Decimal(quantity)
				customers[m.Identifiers[0].Value] = true
			}
		}
		if amount.Number() != m.Transaction.Amount {
			t.Fatalf("message %s: amount %s, items say %s", m.ID, m.Transaction.Amount, amount)
		}
		if m.Transaction.Type == "order" && len(m.Identifiers) > 0 {
			known++
		}
	}
	if lines != 541_909 || known != 18_532 || len(customers) != 4_338 || revenue.String() != "8911407.904" {
		t.Errorf("published: %d lines, %d known orders, %d customers, revenue %s", lines, known, len(customers), revenue)
	}
	if want := 1_427 + 182 + 2_101; unattributed != want {
		t.Errorf("%d messages without identifiers, want %d", unattributed, want)
	}
}
