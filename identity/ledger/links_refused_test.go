package ledger

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// TestLinkParted: an unmerge rejects the scored pairs across the cut, and a new
// score of them does not join again; its undo brings the join back.
func TestLinkParted(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	records(w)
	w.sendLinks(w.scored("m1", testNow.Add(-time.Hour), 1500, crmAna, shopAna))
	w.mustOwn()
	out := w.must(identity.Command{Kind: identity.Unmerge, Identifiers: []identity.Identifier{shopAna, anaMail}})
	if out.Pairs != 1 || w.profile(crmAna) == w.profile(shopAna) {
		t.Fatalf("after the unmerge: %+v", out)
	}
	w.sendLinks(w.scored("m1", testNow, 2500, crmAna, shopAna))
	w.mustOwn()
	w.mustCheck("scored again")
	if w.profile(crmAna) == w.profile(shopAna) {
		t.Error("a new score joined what an operator parted")
	}
	w.must(identity.Command{Kind: identity.Undo, Target: out.ID})
	w.mustCheck("undone")
	if w.profile(crmAna) != w.profile(shopAna) {
		t.Error("the undo did not bring the link back")
	}
}

// TestLinkRejections: what is no batch of links, or of a workspace elsewhere, is a
// dead letter, and the rest goes on.
func TestLinkRejections(t *testing.T) {
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	records(w)
	raw := func(value []byte) {
		w.topic.append(kafka.Message{Value: value, Headers: []kafka.Header{{Key: identity.HeaderLinks, Value: []byte("1")}}})
	}
	good := w.scored("m1", testNow, 1500, crmAna, shopAna)
	bad, foreign := good, good
	bad.Pairs = []identity.RecordLink{{A: "crm/7", B: "crm/7"}}
	foreign.Workspace = "elsewhere"
	raw(nil)
	raw([]byte(`{"workspace":"w"}`))
	raw(identity.AppendLinks(nil, &bad))
	raw(identity.AppendLinks(nil, &foreign))
	w.sendLinks(good)
	w.mustOwn()
	got := ""
	for _, r := range w.bin.rejections {
		got += fmt.Sprintln(r.Message.Offset, r.Reason, r.Workspace)
		if r.Detail == "" || strings.Contains(r.Detail, "crm") {
			t.Errorf("detail %q", r.Detail)
		}
	}
	if want := "3 links_malformed \n4 links_malformed \n5 links_malformed \n6 evidence_foreign_workspace elsewhere\n"; got != want {
		t.Errorf("rejections:\n%swant:\n%s", got, want)
	}
	w.mustCheck("after the rejections")
}

// TestFitting: a flush takes links up to a bound, and one batch in any case.
func TestFitting(t *testing.T) {
	links := func(n int) kafka.Message {
		return kafka.Message{Value: make([]byte, n), Headers: []kafka.Header{{Key: identity.HeaderLinks, Value: []byte("1")}}}
	}
	big := kafka.Message{Value: make([]byte, 2*maxLinkBytes)}
	for name, c := range map[string]struct {
		messages []kafka.Message
		want     int
	}{
		"none":              {nil, 0},
		"evidence":          {[]kafka.Message{big, big}, 2},
		"one that is large": {[]kafka.Message{links(2 * maxLinkBytes), big}, 2},
		"the second":        {[]kafka.Message{links(maxLinkBytes), big, links(1), links(1)}, 2},
		"all":               {[]kafka.Message{links(maxLinkBytes - 1), links(1)}, 2},
	} {
		if got := fitting(c.messages); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
