package sql_test

import (
	"errors"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/sql"
)

// estimated are definitions over the crowd, each of other tables.
var estimated = []string{
	`{"event":"Product Viewed","count":{"gte":2}}`,
	`{"event":"Product Viewed","where":[{"property":"category","op":"eq","value":"c7"}],"within":"30d"}`,
	`{"sequence":[{"event":"Product Viewed"},{"event":"Cart Viewed"}]}`,
	`{"orders":{"gte":2},"within":"90d"}`,
	`{"trait":"country","op":"in","value":["PT","BR"]}`,
	`{"score":"churn","op":"gte","value":0.7}`,
	`{"identifier":"email"}`,
	`{"not":{"event":"Order Completed"}}`,
	`{"all":[{"trait":"country","op":"eq","value":"PT"},{"event":"Product Viewed"},{"event":"Searched"},{"not":{"orders":{"gte":1}}}]}`,
}

// TestEstimateIsWhatIsRead holds what was told beforehand against what the server says
// that it has read.
func TestEstimateIsWhatIsRead(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	ctx := t.Context()
	conn := warehousetest.NewTestDatabase(t)
	clickhousetest.Crowd(ctx, t, conn, 5000, 10)
	cfg := sql.DefaultConfig()
	cfg.MaxExecution = time.Minute // However busy the machine is.
	p, err := sql.New(cfg, conn, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	within := func(what, definition string, told, read uint64, least, most float64) {
		t.Helper()
		if ratio := float64(told) / float64(read); ratio < least || ratio > most {
			t.Errorf("%s: told %d %s, read %d", definition, told, what, read)
		}
	}
	for _, definition := range estimated {
		got, err := p.Preview(ctx, "crowd", parse(t, definition), 0)
		if err != nil {
			t.Fatal(err)
		}
		within("rows", definition, got.Estimate.Rows, got.RowsRead, .8, 1.2)
		within("bytes", definition, got.Estimate.Bytes, got.BytesRead, .5, 2)
	}
	// What is not there costs nothing, and another workspace has nothing.
	if e, err := p.Estimate(ctx, "other", "", parse(t, estimated[0])); err != nil || e.Rows != 0 || e.Bytes != 0 {
		t.Errorf("another workspace: %+v, %v", e, err)
	}
}

// TestTooMuchIsRefused points at the leaf that asks for the most, wherever a definition
// is evaluated.
func TestTooMuchIsRefused(t *testing.T) {
	ctx := t.Context()
	conn := warehousetest.NewTestDatabase(t)
	clickhousetest.Crowd(ctx, t, conn, 500, 10)
	cfg := sql.DefaultConfig()
	cfg.MaxRows = 6000 // Of 5 000 events, 1 000 traits, 1 000 orders and 1 500 identifiers.
	p, err := sql.New(cfg, conn, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	fits, large := parse(t, `{"all":[{"event":"Page"},{"event":"Searched"},{"trait":"country","op":"exists"}]}`), parse(t, estimated[8])
	e, err := p.Estimate(ctx, "crowd", "", fits)
	if err != nil || e.Rows != 6000 || len(e.Leaves) != 3 || e.Leaves[0].Rows != 5000 || e.Leaves[1].Rows != 5000 || e.Leaves[2].Rows != 1000 {
		t.Errorf("what fits: %+v, %v", e, err)
	}
	refused := func(err error, pointer string) {
		t.Helper()
		var got *segments.TooLarge
		if !errors.As(err, &got) || got.Limit != 6000 || got.Rows != 7000 || got.Largest().Pointer != pointer || got.Largest().Rows != 5000 {
			t.Errorf("refused: %+v, %v", got, err)
		}
	}
	_, err = p.Estimate(ctx, "crowd", "", large)
	refused(err, "/all/1")
	_, err = p.Preview(ctx, "crowd", large, 0)
	refused(err, "/all/1")
	_, err = p.Intersect(ctx, "crowd", []segments.Definition{fits, large})
	refused(err, "/1/all/1")
}

// BenchmarkEstimate tells what a definition will read, of tables that were not measured
// before.
func BenchmarkEstimate(b *testing.B) {
	ctx := b.Context()
	conn := warehousetest.NewTestDatabase(b)
	clickhousetest.Crowd(ctx, b, conn, 20_000, 10)
	cfg := sql.DefaultConfig()
	cfg.TotalAge = 0
	p, err := sql.New(cfg, conn, func() time.Time { return now })
	if err != nil {
		b.Fatal(err)
	}
	d, err := segments.Parse([]byte(estimated[8]))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := p.Estimate(ctx, "crowd", "", d); err != nil {
			b.Fatal(err)
		}
	}
}
