package ledger

import (
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
)

// sendRandom appends a random entry of a small world: evidence, or now and then a
// batch of scored pairs.
func (w *world) sendRandom() {
	if w.r.IntN(4) == 0 {
		w.sendLinks(w.randomLinks())
		return
	}
	w.send(w.random())
}

// sendLinks appends batches of scored pairs to the topic.
func (w *world) sendLinks(all ...identity.Links) {
	for _, l := range all {
		w.linked[l.Workspace] = append(w.linked[l.Workspace], l)
		w.topic.append(kafka.Message{
			Key: []byte(l.Workspace), Value: identity.AppendLinks(nil, &l),
			Headers: []kafka.Header{{Key: identity.HeaderLinks, Value: []byte("1")}},
		})
	}
}

// randomLinks returns scores of few pairs, times and weights, by the model in
// force and by another one: most pairs are scored again, higher and lower. Some
// are of a time to come.
func (w *world) randomLinks() identity.Links {
	l := identity.Links{
		Workspace: w.workspaces[w.r.IntN(len(w.workspaces))],
		Model:     []string{"m1", "m1", "m1", "m2"}[w.r.IntN(4)],
		ScoredAt:  testNow.Add(time.Duration(1-w.r.IntN(4)) * time.Hour).UnixMilli(),
	}
	for range 1 + w.r.IntN(4) {
		a, b := w.r.IntN(7), w.r.IntN(6)
		if b >= a {
			b++
		}
		p := identity.RecordLink{
			A: fmt.Sprint("v", a), B: fmt.Sprint("v", b),
			Weight: []int64{-900, 150, 300, 700, 900, 1500, 1500, identity.Unsupported}[w.r.IntN(8)],
		}
		for i := range w.r.IntN(3) {
			p.Contributions = append(p.Contributions, identity.Contribution{
				Field: fmt.Sprint("field ", i), Level: []string{"", "equal"}[w.r.IntN(2)], Weight: p.Weight / 2,
			})
		}
		l.Pairs = append(l.Pairs, p)
	}
	return l
}

// tellLinks gives g what was sent of the model of its rules: the definition reads
// nothing of others.
func (w *world) tellLinks(g *bruteForce, rules *identity.Rules, workspace string) {
	keyer := identity.NewKeyer(identity.Secret{1}, workspace)
	node := func(value string) identity.Node {
		return recordNode(keyer.Key(identity.Identifier{Namespace: identity.Record, Value: value}))
	}
	for _, l := range w.linked[workspace] {
		if l.Model != rules.ModelVersion {
			continue
		}
		for _, p := range l.Pairs {
			g.Score(node(p.A), node(p.B), l.Model, p.Weight, min(l.ScoredAt, testNow.UnixMilli()))
		}
	}
}

// checkLinks compares what stands in the table, of every model, with what was
// sent.
func (w *world) checkLinks(workspace string) error {
	type pair struct {
		low, high identity.Key
		model     string
	}
	type score struct{ at, weight int64 }
	want := map[pair]score{}
	keyer := identity.NewKeyer(identity.Secret{1}, workspace)
	for _, l := range w.linked[workspace] {
		for _, p := range l.Pairs {
			a := keyer.Key(identity.Identifier{Namespace: identity.Record, Value: p.A})
			b := keyer.Key(identity.Identifier{Namespace: identity.Record, Value: p.B})
			k, s := pair{min(a, b), max(a, b), l.Model}, score{min(l.ScoredAt, testNow.UnixMilli()), p.Weight}
			if old, ok := want[k]; !ok || s.at > old.at || s.at == old.at && s.weight > old.weight {
				want[k] = s
			}
		}
	}
	got := map[pair]score{}
	for _, model := range []string{"m1", "m2"} {
		var pairs [][2]identity.Key
		for k := range want {
			if k.model == model {
				pairs = append(pairs, [2]identity.Key{k.low, k.high})
			}
		}
		found, err := w.ledger(nil).store.scores(w.t.Context(), workspace, model, pairs)
		if err != nil {
			return err
		}
		for k, s := range found {
			got[pair{k[0], k[1], model}] = score{s.ScoredAt, s.Weight}
		}
	}
	for k, s := range want {
		if got[k] != s {
			return fmt.Errorf("records %x and %x by model %s: stored score %+v, want %+v", k.low, k.high, k.model, got[k], s)
		}
	}
	return nil
}

// shuffle brings what is in the topic, of which nothing was read, into another
// order.
func (w *world) shuffle() {
	log := w.topic.log
	w.r.Shuffle(len(log), func(i, j int) { log[i], log[j] = log[j], log[i] })
	for i := range log {
		log[i].Offset = int64(i)
	}
}
