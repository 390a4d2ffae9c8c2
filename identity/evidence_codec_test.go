package identity

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// randomEvidence returns evidence in which every field may be anything that its
// type allows, but for texts, which are UTF-8: JSON can hold no other.
func randomEvidence(r *rand.Rand) Evidence {
	text := func() string {
		var b strings.Builder
		for range r.IntN(4) {
			b.WriteString([]string{"", "a", `"`, "\\", "\x00", "é", "\u2028", "<&>", "日本", strings.Repeat("x", 200)}[r.IntN(10)])
		}
		return b.String()
	}
	number := func() int64 {
		return []int64{0, 1, -1, math.MaxInt64, math.MinInt64, r.Int64(), -r.Int64(), r.Int64N(1 << 40)}[r.IntN(8)]
	}
	small := func() int32 {
		return []int32{0, -1, math.MaxInt32, math.MinInt32, r.Int32(), r.Int32N(1 << 15)}[r.IntN(6)]
	}
	e := Evidence{
		Workspace: text(), Anchor: AnchorID(r.Uint64()), Source: text(), Period: Period(small()), Rule: text(),
		Span:    Span{FirstEvent: number(), FirstReceived: number(), LastEvent: Day(small()), LastReceived: Day(small())},
		Witness: Witness{Time: number(), MessageID: text()},
	}
	for range r.IntN(MaxMembers + 1) {
		e.Members = append(e.Members, Member{Identifier: Identifier{Namespace: Namespace(text()), Value: text()}, Key: Key(r.Uint64())})
	}
	return e
}

// TestEvidenceForms: what is read back is what was written, and both forms say
// the same.
func TestEvidenceForms(t *testing.T) {
	const seed = 7
	r := rand.New(rand.NewPCG(seed, 0))
	var d EvidenceDecoder
	var kept, want []Evidence
	for i := range 5000 {
		e := randomEvidence(r)
		compact, err := d.Decode(AppendEvidence(nil, &e))
		if diff := cmp.Diff(e, compact); err != nil || diff != "" {
			t.Fatalf("seed %d, %d: %v, %s", seed, i, err, diff)
		}
		old, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := d.Decode(old)
		if diff := cmp.Diff(compact, plain); err != nil || diff != "" {
			t.Fatalf("seed %d, %d as JSON: %v, %s", seed, i, err, diff)
		}
		kept, want = append(kept, compact), append(want, e)
	}
	// Records share room, and no record writes into another's.
	for i := range kept {
		kept[i].Members = append(kept[i].Members, Member{Key: 1})
		want[i].Members = append(want[i].Members, Member{Key: 1})
	}
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Fatalf("seed %d: %s", seed, diff)
	}
}

// TestEvidenceDamaged cuts a record at every byte and adds one: neither is
// evidence, and no error says what was in it.
func TestEvidenceDamaged(t *testing.T) {
	e := sampleEvidence(3)
	value := AppendEvidence(nil, &e)
	var d EvidenceDecoder
	damaged := [][]byte{append(value[:len(value):len(value)], 0), []byte(`{"source":"c3@shop.example`), {2}, {evidenceVersion, 0x80}}
	for i := range value {
		damaged = append(damaged, value[:i])
	}
	for _, v := range damaged {
		_, err := d.Decode(v)
		if err == nil {
			t.Errorf("%d bytes of %d are evidence", len(v), len(value))
		} else if strings.Contains(err.Error(), "shop") {
			t.Errorf("error %q quotes a value", err)
		}
	}
	many := e
	many.Members = make([]Member, MaxMembers+1)
	if _, err := d.Decode(AppendEvidence(nil, &many)); err == nil {
		t.Error("nine members were read")
	}
}

func FuzzEvidenceDecoder(f *testing.F) {
	e := sampleEvidence(1)
	f.Add(AppendEvidence(nil, &e))
	f.Add([]byte(`{"members":[{}],"anchor":"5"}`))
	f.Add([]byte{evidenceVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, value []byte) {
		var d EvidenceDecoder
		e, err := d.Decode(value)
		if err != nil || len(e.Members) > MaxMembers {
			return // JSON may hold more; the ledger rejects them.
		}
		if len(e.Members) == 0 {
			e.Members = nil // JSON knows an empty list.
		}
		again, err := d.Decode(AppendEvidence(nil, &e))
		if diff := cmp.Diff(e, again); err != nil || diff != "" {
			t.Errorf("read again: %v, %s", err, diff)
		}
	})
}

// TestEvidenceDecoderAllocations: hostile lengths allocate nothing, and ordinary
// records one list of members for many.
func TestEvidenceDecoderAllocations(t *testing.T) {
	e := sampleEvidence(1)
	value := AppendEvidence(nil, &e)
	hostile := []byte{evidenceVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}
	var d EvidenceDecoder
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := d.Decode(hostile); err == nil {
			t.Fatal("hostile length was read")
		}
	}); n != 0 {
		t.Errorf("a hostile length makes %v allocations", n)
	}
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := d.Decode(value); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("an ordinary record makes %v allocations on average", n)
	}
}

func sampleEvidence(i int) Evidence {
	k := NewKeyer(Secret{1}, "main")
	members, _ := k.Members([]Identifier{
		{Namespace: UserID, Value: fmt.Sprint("u", i)},
		{Namespace: Email, Value: fmt.Sprintf("c%d@shop.example", i)},
		{Namespace: AnonymousID, Value: fmt.Sprintf("6f2c1c9e-4a55-4a9e-9d5e-%012d", i)},
	})
	const at = 1_780_000_000_000
	return Evidence{
		Workspace: "main", Anchor: k.Anchor(members), Members: members, Source: "web-shop", Period: PeriodOfMillis(at), Rule: "event",
		Span:    Span{FirstEvent: at, FirstReceived: at + 1200, LastEvent: DayOfMillis(at), LastReceived: DayOfMillis(at + 1200)},
		Witness: Witness{Time: at, MessageID: fmt.Sprintf("0b5f8f7e-2d7e-4c39-8b55-%012d", i)},
	}
}

func BenchmarkEvidence(b *testing.B) {
	e := sampleEvidence(1)
	plain, err := json.Marshal(e)
	if err != nil {
		b.Fatal(err)
	}
	compact := AppendEvidence(nil, &e)
	var d EvidenceDecoder
	decode := func(value []byte) func(*testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			b.ReportMetric(float64(len(value)), "bytes")
			for range b.N {
				if _, err := d.Decode(value); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.Run("decode/json", decode(plain))
	b.Run("decode/compact", decode(compact))
	b.Run("encode/json", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if _, err := json.Marshal(&e); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode/compact", func(b *testing.B) {
		b.ReportAllocs()
		var room []byte
		for range b.N {
			room = AppendEvidence(room[:0], &e)
		}
	})
}
