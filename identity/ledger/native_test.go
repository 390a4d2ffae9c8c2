package ledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// nativeBlock has a column of each type that native writes.
type nativeBlock struct {
	id    []uint64
	time  []int64
	part  []int32
	names []string
	days  []identity.Day
	lists [][]uint64
}

func (*nativeBlock) table() string { return "native" }
func (*nativeBlock) statement() string {
	return "INSERT INTO native (id, at, part, name, merged, day, list)"
}
func (b *nativeBlock) rows() int { return len(b.id) }
func (b *nativeBlock) columns(i, j int) []any {
	return []any{b.id[i:j], b.time[i:j], b.part[i:j], names(b.names[i:j]), names(b.names[i:j]), b.days[i:j], b.lists[i:j]}
}

// newNativeBlock returns two rows for each of distinct places, a third of which
// have the default name.
func newNativeBlock(distinct int) *nativeBlock {
	b := &nativeBlock{}
	for i := range 2 * distinct {
		b.id = append(b.id, uint64(i))
		b.time = append(b.time, minTime+int64(i)*1_000_003)
		b.part = append(b.part, int32(i-distinct)<<8)
		name := ""
		if n := i / 2; n%3 > 0 || distinct == 1 {
			name = fmt.Sprint("é", n)
		}
		b.names = append(b.names, name)
		b.days = append(b.days, identity.DayOf(time.Date(1900+i%362, 1, 1, 0, 0, 0, 0, time.UTC)))
		list := []uint64{}
		for k := range i % 4 {
			list = append(list, uint64(k)<<60|uint64(i))
		}
		b.lists = append(b.lists, list)
	}
	return b
}

func readNative(t *testing.T, s *store) *nativeBlock {
	t.Helper()
	got := &nativeBlock{}
	var id uint64
	var name, merged string
	var day, part int32
	var at int64
	var list []uint64
	if err := s.each(t.Context(), `SELECT id, toUnixTimestamp64Milli(at), part, name, merged, toInt32(day), list FROM native ORDER BY id`, nil,
		[]any{&id, &at, &part, &name, &merged, &day, &list}, func() error {
			got.id, got.names, got.days = append(got.id, id), append(got.names, name), append(got.days, identity.Day(day))
			got.time, got.part = append(got.time, at), append(got.part, part)
			got.lists = append(got.lists, append([]uint64{}, list...))
			if merged != name {
				t.Errorf("row %d: %q and %q of one value", id, merged, name)
			}
			return nil
		}); err != nil {
		t.Fatal(err)
	}
	return got
}

// TestNative reads back what was written: names in runs and at random, as few
// and as many as make positions of both widths, the default among them, times and days
// from 1900 on, empty lists and empty texts, in several inserts.
func TestNative(t *testing.T) {
	db := warehousetest.NewTestDatabase(t)
	if err := db.Exec(t.Context(), `CREATE TABLE native (id UInt64, at DateTime64(3, 'UTC'), part Int32, name LowCardinality(String),
		merged SimpleAggregateFunction(any, LowCardinality(String)), day Date32, list Array(UInt64)) ENGINE = Memory`); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, db, firstSeed)
	for _, distinct := range []int{1, 3, 300, 100_000} {
		if err := db.Exec(t.Context(), `TRUNCATE TABLE native`); err != nil {
			t.Fatal(err)
		}
		want := newNativeBlock(distinct)
		w.cfg.InsertRows = max(1, len(want.id)/2+1)
		if distinct > 1000 {
			w.cfg.InsertRows = len(want.id)
		}
		s := w.ledger(nil).store
		if err := s.insert(t.Context(), "native", want); err != nil {
			t.Fatal(err)
		}
		got := readNative(t, s)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(nativeBlock{})); diff != "" {
			t.Fatalf("%d names: %.2000s", distinct, diff)
		}
	}
}
