package graph

import (
	"cmp"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// storedRows are the rows of an ordinary ledger as a reload reads them, in order.
func storedRows(people int) (ids []StoredIdentifier, pairs []StoredPair) {
	o := newOrdinary(people)
	type pair struct{ low, high identity.Key }
	seenIDs, seenPairs := map[identity.Key]bool{}, map[pair]bool{}
	place := func(n identity.Node) uint16 { return uint16(slices.Index(numbered, n.Namespace)) }
	for range 4 * people {
		s := o.next()
		source := uint16(0)
		if s.Source == "server" {
			source = 1
		}
		for i, a := range s.Members {
			if !seenIDs[a.Key] {
				seenIDs[a.Key] = true
				ids = append(ids, StoredIdentifier{Key: a.Key, Namespace: place(a), Source: source, Period: s.Period, Span: s.Span})
			}
			for _, b := range s.Members[i+1:] {
				x, y := a, b
				if y.Key < x.Key {
					x, y = y, x
				}
				if p := (pair{x.Key, y.Key}); !seenPairs[p] {
					seenPairs[p] = true
					pairs = append(pairs, StoredPair{x.Key, y.Key, source, s.Period, s.Span, 0})
				}
			}
		}
	}
	slices.SortFunc(ids, func(a, b StoredIdentifier) int { return cmp.Compare(a.Key, b.Key) })
	slices.SortFunc(pairs, func(a, b StoredPair) int { return cmp.Or(cmp.Compare(a.Low, b.Low), cmp.Compare(a.High, b.High)) })
	return ids, pairs
}

// BenchmarkReload loads stored rows and evaluates them. What others do on the
// machine lengthens both; the least processor time of several runs says most.
func BenchmarkReload(b *testing.B) {
	ids, pairs := storedRows(people(b))
	least := [3]float64{1e9, 1e9, 1e9}
	for range b.N {
		g := New(identity.DefaultRules())
		g.rules.Untrusted = map[string]bool{"web": true}
		var at [4]float64
		at[0] = processorSeconds()
		l := g.Load(numbered, []string{"web", "server"})
		l.Identifiers(ids)
		at[1] = processorSeconds()
		l.Pairs(pairs)
		l.End()
		at[2] = processorSeconds()
		g.Flush()
		at[3] = processorSeconds()
		for i := range least {
			least[i] = min(least[i], at[i+1]-at[i])
		}
	}
	n := float64(len(ids))
	b.ReportMetric(least[0]*1e9/n, "identifiers-ns/identifier")
	b.ReportMetric(least[1]*1e9/n, "pairs-ns/identifier")
	b.ReportMetric(least[2]*1e9/n, "flush-ns/identifier")
}

// processorSeconds are those that this process has used.
func processorSeconds() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
