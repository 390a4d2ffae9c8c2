package matching

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/linkage"
)

// benchRecords are records of invented people, every fourth of one that is there.
func benchRecords(n int) []*record {
	w := &town{r: rand.New(rand.NewPCG(1, 1))}
	keyer := identity.NewKeyer(identity.Secret{1}, "main")
	fields := newFieldMap(DefaultFields())
	list := make([]*record, n)
	var p person
	for i := range list {
		if i%4 > 0 || i == 0 {
			p = w.person()
			p.first += string(rune('a'+w.r.IntN(26))) + string(rune('a'+w.r.IntN(26)))
			p.last += string(rune('a'+w.r.IntN(26))) + string(rune('a'+w.r.IntN(26)))
		}
		id := "crm/" + string(rune('a'+i%26)) + p.birthday + string(rune('a'+i/26%26)) + p.street + p.first
		rec := &record{id: id, key: keyer.Key(identity.Identifier{Namespace: identity.Record, Value: id}), values: make([]string, len(fields.fields))}
		for trait, value := range map[string]string{"firstName": p.first, "lastName": w.slip(p.last), "birthday": p.birthday, "street": w.slip(p.street), "city": p.city} {
			rec.values[fields.column[foldTrait(trait)].column] = value
		}
		list[i] = rec
	}
	return list
}

// BenchmarkPut measures what a record costs that comes to 50 000 others: its time,
// and the memory of each of them.
func BenchmarkPut(b *testing.B) {
	const stored = 50_000
	records := benchRecords(stored + b.N)
	cfg := DefaultConfig()
	sample := slices.Clone(records[:5000])
	table, types := tableOf(cfg.Fields, sample)
	result, err := linkage.Link(b.Context(), table, linkage.Options{Types: types, Seed: 1, Budget: 500_000})
	if err != nil {
		b.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s, err := newScores(result.Model, cfg.Fields)
	if err != nil {
		b.Fatal(err)
	}
	put := func(r *record) {
		if _, err := s.put(r, changes{}); err != nil {
			b.Fatal(err)
		}
	}
	for _, r := range records[:stored] {
		put(r)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ResetTimer()
	for _, r := range records[stored:] {
		put(r)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/stored, "B/record")
}
