package graph

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// explained returns an ordinary graph of about as many identifiers as
// KINDRED_BENCH_ROWS says, a million unless it does, with its keys.
func explained(b *testing.B) (*Graph, []identity.Key) {
	rows := 1_000_000
	if s := os.Getenv("KINDRED_BENCH_ROWS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			b.Fatalf("KINDRED_BENCH_ROWS: %v", err)
		}
		rows = n
	}
	rules := identity.DefaultRules()
	rules.Untrusted = map[string]bool{"web": true}
	g, o := New(rules), newOrdinary(rows/3)
	for i := 0; g.count.identifiers < rows; i++ {
		g.See(o.next())
		if i%1_000_000 == 999_999 {
			g.Flush()
		}
	}
	g.Flush()
	keys := make([]identity.Key, 0, g.nodes.end())
	for x := ref(1); x < g.nodes.end(); x++ {
		keys = append(keys, g.nodes.at(x).key)
	}
	return g, keys
}

// BenchmarkWhy explains random pairs of identifiers: half of them of one
// profile, half of any two, and also pairs around a value seen with thousands.
func BenchmarkWhy(b *testing.B) {
	g, keys := explained(b)
	shared := identity.Node{Key: 1 << 40, Namespace: identity.Email}
	var users []identity.Key
	for i := range 50_000 {
		u := nodeOf(0, 1<<30+i)
		users = append(users, u.Key)
		g.See(seen("server", start, u, shared))
	}
	g.Flush()
	r := rand.New(rand.NewPCG(1, 14))
	one := func() identity.Key { return keys[r.IntN(len(keys))] }
	for name, pair := range map[string]func() (a, b identity.Key){
		"same": func() (identity.Key, identity.Key) {
			m := g.Members(g.Profile(one()))
			for len(m) < 2 {
				m = g.Members(g.Profile(one()))
			}
			return m[r.IntN(len(m))], m[r.IntN(len(m))]
		},
		"any":     func() (identity.Key, identity.Key) { return one(), one() },
		"generic": func() (identity.Key, identity.Key) { return users[r.IntN(len(users))], users[r.IntN(len(users))] },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var took []time.Duration
			for range b.N {
				for range 300 {
					x, y := pair()
					begun := time.Now()
					g.Why(x, y)
					took = append(took, time.Since(begun))
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds()), "p95-µs")
			b.ReportMetric(float64(took[len(took)-1].Microseconds()), "max-µs")
		})
	}
}

// BenchmarkHealth describes the whole graph, and counts as the metrics do.
func BenchmarkHealth(b *testing.B) {
	g, _ := explained(b)
	b.Run("health", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			g.Health(20)
		}
	})
	b.Run("counts", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			g.Counts()
		}
	})
}
