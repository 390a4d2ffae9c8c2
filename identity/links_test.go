package identity

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// randomLinks returns a batch that is valid.
func randomLinks(r *rand.Rand) Links {
	weight := func() int64 { return []int64{0, 700, -1, Unsupported, math.MaxInt32, r.Int64N(5000)}[r.IntN(6)] }
	l := Links{
		Workspace: "main", Model: fmt.Sprint("m", r.IntN(3)),
		ScoredAt: []int64{0, leastLinkTime, greatestLinkTime, r.Int64N(1 << 41)}[r.IntN(4)],
	}
	for range 1 + r.IntN(20) {
		a := r.IntN(30)
		p := RecordLink{A: fmt.Sprintf("crm/%d", a), B: fmt.Sprintf("shop/é%d", r.IntN(30)), Weight: weight()}
		for range r.IntN(4) {
			p.Contributions = append(p.Contributions, Contribution{
				Field: []string{"surname", "birth date", strings.Repeat("f", 200)}[r.IntN(3)], Level: []string{"", "equal"}[r.IntN(2)], Weight: weight(),
			})
		}
		l.Pairs = append(l.Pairs, p)
	}
	return l
}

// TestLinksForm: what is read back is what was written.
func TestLinksForm(t *testing.T) {
	const seed = 9
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range 3000 {
		l := randomLinks(r)
		got, err := DecodeLinks(AppendLinks(nil, &l))
		if diff := cmp.Diff(l, got); err != nil || diff != "" {
			t.Fatalf("seed %d, %d: %v, %s", seed, i, err, diff)
		}
	}
}

// TestLinksDamaged cuts a batch at every byte and adds one, and changes every
// byte: nothing is read that breaks a bound, and no error quotes a record.
func TestLinksDamaged(t *testing.T) {
	l := Links{Workspace: "main", Model: "m1", ScoredAt: 5, Pairs: []RecordLink{
		{A: "crm/ana", B: "shop/ana", Weight: 900, Contributions: []Contribution{{"surname", "equal", 800}, {"prior", "", -300}}},
		{A: "crm/ana", B: "shop/bob", Weight: Unsupported},
	}}
	value := AppendLinks(nil, &l)
	damaged := [][]byte{append(value[:len(value):len(value)], 0), nil, {2}, []byte(`{"workspace":"crm/ana`)}
	for i := range value {
		damaged = append(damaged, value[:i])
	}
	for _, v := range damaged {
		if _, err := DecodeLinks(v); err == nil || strings.Contains(err.Error(), "ana") {
			t.Errorf("%d bytes of %d: %v", len(v), len(value), err)
		}
	}
	for i := range value {
		v := append([]byte(nil), value...)
		v[i] ^= 0x81
		if got, err := DecodeLinks(v); err == nil && got.Validate() != nil {
			t.Errorf("byte %d changed: what was read is not valid", i)
		}
	}
}

func TestLinksValidate(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Links)
		want   string // part of the error; empty for none
	}{
		"good":            {func(*Links) {}, ""},
		"unsupported":     {func(l *Links) { l.Pairs[0].Weight = Unsupported }, ""},
		"no workspace":    {func(l *Links) { l.Workspace = "" }, "workspace"},
		"no model":        {func(l *Links) { l.Model = "" }, "model"},
		"long model":      {func(l *Links) { l.Model = strings.Repeat("m", 201) }, "model"},
		"before 1900":     {func(l *Links) { l.ScoredAt = math.MinInt64 }, "1900"},
		"after 2261":      {func(l *Links) { l.ScoredAt = math.MaxInt64 }, "1900"},
		"no pairs":        {func(l *Links) { l.Pairs = nil }, "pairs"},
		"too many":        {func(l *Links) { l.Pairs = make([]RecordLink, MaxLinks+1) }, "pairs"},
		"empty record":    {func(l *Links) { l.Pairs[0].A = "" }, "pair 1: a record"},
		"long record":     {func(l *Links) { l.Pairs[0].B = strings.Repeat("r", 513) }, "record"},
		"itself":          {func(l *Links) { l.Pairs[0].B = l.Pairs[0].A }, "itself"},
		"weight":          {func(l *Links) { l.Pairs[0].Weight = math.MaxInt64 }, "weight"},
		"contributions":   {func(l *Links) { l.Pairs[0].Contributions = make([]Contribution, 65) }, "contributions"},
		"no field":        {func(l *Links) { l.Pairs[0].Contributions[0].Field = "" }, "field"},
		"long level":      {func(l *Links) { l.Pairs[0].Contributions[0].Level = strings.Repeat("l", 201) }, "level"},
		"of contribution": {func(l *Links) { l.Pairs[0].Contributions[0].Weight = 1 << 40 }, "weight of a contribution"},
	} {
		l := Links{Workspace: "main", Model: "m1", Pairs: []RecordLink{
			{A: "crm/1", B: "shop/1", Weight: 900, Contributions: []Contribution{{"surname", "equal", 900}}},
		}}
		c.change(&l)
		err := l.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestLinkProbability(t *testing.T) {
	for weight, want := range map[int64]float64{0: .5, 100: 2. / 3, -100: 1. / 3, 700: 128. / 129, Unsupported: 0, math.MaxInt32: 1} {
		if got := LinkProbability(weight); math.Abs(got-want) > 1e-12 {
			t.Errorf("probability of weight %d is %v, want %v", weight, got, want)
		}
	}
}

// TestDecodeLinksAllocations: hostile lengths allocate next to nothing.
func TestDecodeLinksAllocations(t *testing.T) {
	head := append([]byte{linksVersion, 1, 'w', 1, 'm', 0}, 0xff, 0xff, 0xff, 0xff, 0x0f) // records
	if n := testing.AllocsPerRun(100, func() { _, _ = DecodeLinks(head) }); n > 1 {
		t.Errorf("%v allocations for a batch that is none", n)
	}
}

func FuzzDecodeLinks(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 0))
	for range 5 {
		l := randomLinks(r)
		f.Add(AppendLinks(nil, &l))
	}
	f.Add([]byte{linksVersion, 1, 'w', 1, 'm', 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, value []byte) {
		l, err := DecodeLinks(value)
		if err != nil {
			return
		}
		again, err := DecodeLinks(AppendLinks(nil, &l))
		if diff := cmp.Diff(l, again); err != nil || diff != "" {
			t.Errorf("read again: %v, %s", err, diff)
		}
	})
}

func ExampleLinks() {
	batch := Links{
		Workspace: "main", Model: "2026-05", ScoredAt: 1777852800000,
		Pairs: []RecordLink{{A: "crm/7", B: "shop/1041", Weight: 1240, Contributions: []Contribution{
			{Field: "prior", Weight: -1100},
			{Field: "surname", Level: "equal", Weight: 980},
			{Field: "birth date", Level: "equal", Weight: 1360},
		}}},
	}
	value := AppendLinks(nil, &batch)
	read, err := DecodeLinks(value)
	fmt.Printf("%d bytes, %.4f, %v\n", len(value), LinkProbability(read.Pairs[0].Weight), err)
	// Output: 91 bytes, 0.9998, <nil>
}
