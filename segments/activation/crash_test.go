package activation_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/activation"
)

var errKilled = errors.New("killed")

// life ends at a step: from then on nothing that its worker asks for happens.
type life struct {
	mu   sync.Mutex
	left int
	end  context.CancelFunc
}

func (l *life) step() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left--; l.left <= 0 {
		l.end()
		return errKilled
	}
	return nil
}

// mortal is a connection of a life.
type mortal struct {
	driver.Conn
	life *life
}

func (m mortal) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	if err := m.life.step(); err != nil {
		return nil, err
	}
	return m.Conn.Query(ctx, query, args...)
}

func (m mortal) QueryRow(ctx context.Context, query string, args ...any) driver.Row {
	_ = m.life.step() // ctx has ended, and with it the query.
	return m.Conn.QueryRow(ctx, query, args...)
}

func (m mortal) PrepareBatch(ctx context.Context, query string, o ...driver.PrepareBatchOption) (driver.Batch, error) {
	if err := m.life.step(); err != nil {
		return nil, err
	}
	b, err := m.Conn.PrepareBatch(ctx, query, o...)
	return mortalBatch{b, m.life}, err
}

// mortalBatch may be stored when its worker dies, which then does not know of it.
type mortalBatch struct {
	driver.Batch
	life *life
}

func (b mortalBatch) Send() error {
	if err := b.Batch.Send(); err != nil {
		return err
	}
	return b.life.step()
}

// seed is that of a random test, printed with it.
func seed(t *testing.T) uint64 {
	n := rand.Uint64()
	if text := os.Getenv("KINDRED_TEST_SEED"); text != "" {
		var err error
		if n, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("KINDRED_TEST_SEED=%d", n)
	return n
}

// testWhoDropsRepeatedKeysIsToldOnceAndInOrder kills the worker at random steps: at
// queries, before and after inserts, and while the receiver answers, which fails now and
// then. A receiver that drops keys that it has seen must have each change once, and
// those of each profile in their order.
func testWhoDropsRepeatedKeysIsToldOnceAndInOrder(t *testing.T, s *stage) {
	const lives, perLife = 10, 5
	n := seed(t)
	random := rand.New(rand.NewPCG(n, n))
	s.cfg.Window, s.cfg.Parallel, s.cfg.Commit = 9, 3, time.Nanosecond
	people := s.people(6)
	r := newReceiver(t)
	s.define("crm", strings.Replace(r.definition(`,"attempts":100`), `["loyal"]`, `["loyal","at-risk"]`, 1))
	s.restart(s.conn)
	s.step() // It begins.
	current := &life{left: 1 << 30, end: func() {}}
	r.answers(func(int, taken) (int, map[string]string) {
		if random.IntN(10) == 0 {
			_ = current.step()
		}
		if random.IntN(5) == 0 {
			return 500, nil
		}
		return 200, nil
	})
	inside := map[string]bool{}
	want := map[identity.ProfileID][]string{}
	total, killed := 0, 0
	for range lives {
		var block []segments.Change
		r.mu.Lock() // A request of the life before may still be answered, and draws as well.
		for range perLife {
			c := segments.Change{Segment: []segments.ID{"loyal", "at-risk"}[random.IntN(2)], Profile: people[random.IntN(len(people))]}
			who := activation.Key(c)
			c.Entered = !inside[who]
			if contains(block, c) {
				continue
			}
			inside[who] = c.Entered
			block = append(block, c)
		}
		r.mu.Unlock()
		s.changed(block...)
		total += len(block)
		for _, segment := range []segments.ID{"at-risk", "loyal"} { // In the order of a block.
			for _, c := range block {
				if c.Segment == segment {
					c.Block = s.block
					want[c.Profile] = append(want[c.Profile], activation.Key(c))
				}
			}
		}
		s.pass(time.Hour)
		ctx, end := context.WithCancel(context.Background())
		r.mu.Lock()
		current = &life{left: 5 + random.IntN(90), end: end}
		r.mu.Unlock()
		s.restart(mortal{s.conn, current})
		if _, err := s.worker.Step(ctx); err != nil {
			killed++
		}
		end()
	}
	r.mu.Lock()
	current = &life{left: 1 << 30, end: func() {}}
	r.mu.Unlock()
	s.restart(s.conn)
	distinct := func() int {
		keys := r.accepted()
		slices.Sort(keys)
		return len(slices.Compact(keys))
	}
	for n := 0; distinct() < total && n < 200; n++ {
		s.pass(time.Hour)
		s.step()
	}
	got, seen := map[identity.ProfileID][]string{}, map[string]bool{}
	for _, key := range r.accepted() {
		if seen[key] {
			continue
		}
		seen[key] = true
		id, err := identity.ParseProfileID(key[strings.LastIndex(key, "/")+1:])
		s.check(err)
		got[id] = append(got[id], key)
	}
	for id, keys := range want {
		if fmt.Sprint(got[id]) != fmt.Sprint(keys) {
			t.Errorf("of %s it was told\n%v, want\n%v", id, got[id], keys)
		}
	}
	repeated := len(r.accepted()) - total
	t.Logf("%d changes, %d of %d lives ended early, %d were told again", total, killed, lives, repeated)
	if killed == 0 || repeated == 0 {
		t.Error("nothing was told again: the worker was not killed where it matters")
	}
	if st := s.state("crm"); st.Letters != 0 {
		t.Errorf("%d letters", st.Letters)
	}
}

func contains(block []segments.Change, c segments.Change) bool {
	for _, other := range block {
		if other.Profile == c.Profile && other.Segment == c.Segment {
			return true
		}
	}
	return false
}
