package ledger

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
)

func TestDecode(t *testing.T) {
	at := testNow.Add(-time.Hour)
	sample := func() identity.Evidence {
		return evidenceOf("main", "web", at, testNow, id(identity.Email, "ana@shop.example"), id(identity.UserID, "u1"))
	}
	for name, c := range map[string]struct {
		change func(*identity.Evidence)
		want   string // part of the error; empty for none
	}{
		"good":                 {func(*identity.Evidence) {}, ""},
		"one member":           {func(e *identity.Evidence) { e.Members = e.Members[:1]; e.Anchor = identity.AnchorID(e.Members[0].Key) }, ""},
		"no workspace":         {func(e *identity.Evidence) { e.Workspace = "" }, "workspace"},
		"long workspace":       {func(e *identity.Evidence) { e.Workspace = strings.Repeat("w", 201) }, "workspace"},
		"no source":            {func(e *identity.Evidence) { e.Source = "" }, "source"},
		"no rule":              {func(e *identity.Evidence) { e.Rule = "" }, "rule"},
		"no members":           {func(e *identity.Evidence) { e.Members = nil }, "1 to 8 members"},
		"nine members":         {func(e *identity.Evidence) { e.Members = make([]identity.Member, 9) }, "1 to 8 members"},
		"namespace":            {func(e *identity.Evidence) { e.Members[0].Namespace = "E-Mail" }, "namespace"},
		"empty value":          {func(e *identity.Evidence) { e.Members[0].Value = "" }, "empty value"},
		"no key":               {func(e *identity.Evidence) { e.Members[0].Key = 0 }, "key is not"},
		"key of a set":         {func(e *identity.Evidence) { e.Members[0].Key = 1 << 63 }, "key is not"},
		"same key":             {func(e *identity.Evidence) { e.Members[0].Key = e.Members[1].Key }, "twice"},
		"anchor of one":        {func(e *identity.Evidence) { e.Members = e.Members[:1] }, "must be its key"},
		"anchor of two":        {func(e *identity.Evidence) { e.Anchor &^= 1 << 63 }, "must be a set's"},
		"before 1900":          {func(e *identity.Evidence) { e.Span.FirstEvent = math.MinInt64 }, "1900"},
		"after 2261":           {func(e *identity.Evidence) { e.Span.FirstReceived = math.MaxInt64 }, "1900"},
		"ends after 2261":      {func(e *identity.Evidence) { e.Span.LastReceived = math.MaxInt32 }, "1900"},
		"event after received": {func(e *identity.Evidence) { e.Span.FirstReceived = e.Span.FirstEvent - 1 }, "after its received"},
		"last after received":  {func(e *identity.Evidence) { e.Span.LastEvent = e.Span.LastReceived + 1 }, "after its received"},
		"ends before it began": {func(e *identity.Evidence) { e.Span.LastEvent-- }, "before it begins"},
		"other period":         {func(e *identity.Evidence) { e.Period++ }, "period"},
		"ends in other period": {func(e *identity.Evidence) { e.Span.LastEvent += 100; e.Span.LastReceived += 100 }, "period"},
	} {
		t.Run(name, func(t *testing.T) {
			e := sample()
			c.change(&e)
			value, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			for _, form := range [][]byte{value, identity.AppendEvidence(nil, &e)} {
				got, err := decode(&identity.EvidenceDecoder{}, form)
				if c.want == "" {
					if diff := gocmp.Diff(e, got); err != nil || diff != "" {
						t.Errorf("decode: %v, %s", err, diff)
					}
					continue
				}
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("decode: %v, want an error about %q", err, c.want)
				}
				if err != nil && strings.Contains(err.Error(), "ana") {
					t.Errorf("error %q quotes a value", err)
				}
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	sample := evidenceOf("main", "web", testNow, testNow, id(identity.Email, "ana@shop.example"))
	value, err := json.Marshal(sample)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(value)
	f.Add(identity.AppendEvidence(nil, &sample))
	f.Add([]byte(`{"members":[{}]}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		e, err := decode(&identity.EvidenceDecoder{}, value)
		if err != nil {
			return
		}
		if back, err := decode(&identity.EvidenceDecoder{}, identity.AppendEvidence(nil, &e)); err != nil || !gocmp.Equal(e, back) {
			t.Errorf("evidence decoded again: %v", err)
		}
	})
}

func TestCountable(t *testing.T) {
	const all = math.MaxUint64
	for name, c := range map[string]struct {
		starts []start
		head   uint64
		want   cuts
	}{
		"first":    {[]start{{1, 0, 0}}, 1, cuts{1: all}},
		"chain":    {[]start{{1, 0, 0}, {2, 1, 5}, {3, 2, 9}}, 3, cuts{3: all, 2: 9, 1: 5}},
		"skipped":  {[]start{{1, 0, 0}, {3, 1, 5}}, 3, cuts{3: all, 1: 5}},
		"no order": {[]start{{3, 2, 9}, {1, 0, 0}, {2, 1, 5}}, 3, cuts{3: all, 2: 9, 1: 5}},
		// The owner of epoch 2 read that 1 had published up to 5, paused, and
		// writes its row after the owner of 3 read that it had up to 8.
		"late row beside the chain": {[]start{{1, 0, 0}, {3, 1, 8}, {2, 1, 5}}, 3, cuts{3: all, 1: 8}},
		"no row of its own":         {nil, 1, cuts{1: all}},
		"row that follows itself":   {[]start{{2, 2, 1}}, 2, cuts{2: all}},
	} {
		if diff := gocmp.Diff(c.want, countable(c.starts, c.head)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestCache(t *testing.T) {
	c := newCache[int, int](4)
	for i := range 100 {
		c.age()
		c.put(i, i)
		if v, ok := c.get(i); !ok || v != i {
			t.Fatalf("entry %d is %d, %v", i, v, ok)
		}
		if n := len(c.young) + len(c.old); n > 4 {
			t.Fatalf("%d entries, want at most 4", n)
		}
		if _, ok := c.get(0); !ok {
			t.Fatalf("entry 0, used all the time, is gone after %d", i)
		}
	}
	if _, ok := c.get(50); ok {
		t.Error("an old entry is still there")
	}
	for i := range 100 { // One batch.
		c.put(i, i)
	}
	for i := range 100 {
		if _, ok := c.get(i); !ok {
			t.Fatalf("entry %d is forgotten before the cache aged", i)
		}
	}
}

func TestConfig(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	if err := (Config{BatchWait: -1, FlushPause: -1, DrainTimeout: -1}).Validate(); err == nil || strings.Count(err.Error(), "\n") != 8 {
		t.Errorf("a config with nine faults: %v", err)
	}
	if _, err := New(DefaultConfig(), Deps{}); err == nil || !strings.Contains(err.Error(), "database") {
		t.Errorf("a ledger without dependencies: %v", err)
	}
}
