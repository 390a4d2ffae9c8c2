package forecast

import (
	"math/big"
	"slices"
	"testing"
	"time"
)

// contact is a row of contact_facts.
type contact struct {
	who             int
	at              time.Time
	action, channel string
}

func (w *world) contact(contacts ...contact) {
	w.t.Helper()
	facts, err := w.conn.PrepareBatch(w.t.Context(), "INSERT INTO contact_facts (workspace, anchor_id, time, message_hash, received_time, source, name, action, channel)")
	if err != nil {
		w.t.Fatal(err)
	}
	all, err := w.conn.PrepareBatch(w.t.Context(), "INSERT INTO events (workspace, anchor_id, time, message_hash, message_id, kind, name, type, source, received_time)")
	for _, c := range contacts {
		w.hash++
		name := "Message " + c.action
		if err == nil {
			err = facts.Append(workspace, person(c.who), c.at, big.NewInt(w.hash), c.at, "crm", name, c.action, c.channel)
		}
		if err == nil {
			err = all.Append(workspace, person(c.who), c.at, big.NewInt(w.hash), "m", "contact", name, "track", "crm", c.at)
		}
	}
	if err == nil {
		err = facts.Send()
	}
	if err == nil {
		err = all.Send()
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// A response is foretold from those who were contacted on the channel: every third of
// them likes mail and clicks, the others hardly do, and clicks without mail, on another
// channel or before the mail are none.
func TestResponse(t *testing.T) {
	w := newWorld(t, 900, 4)
	likes := func(i int) bool { return i%3 == 0 }
	const contacted = 700 // the others get no mail
	for month := range 9 {
		var list []contact
		for i := range w.keen {
			at := day(30 * month).Add(time.Duration(w.random.IntN(20*86_400)) * time.Second)
			list = append(list, contact{i, at, "sent", "sms"}, contact{i, at.Add(time.Hour), "clicked", "sms"})
			if i >= contacted {
				continue
			}
			list = append(list, contact{i, at, "sent", "email"}, contact{i, at.Add(-time.Minute), "clicked", "email"})
			chance := .04
			if likes(i) {
				chance = .6
			}
			if w.random.Float64() < chance {
				list = append(list, contact{i, at.Add(2 * time.Hour), "clicked", "email"})
			}
		}
		w.contact(list...)
	}
	w.now = day(270)
	w.put(1, "mail", `{"target":{"ready":"response","channel":"email"},"horizon":"30d"}`)
	m := w.look("mail")
	if m.State != StateReady {
		t.Fatalf("the model is %+v", m)
	}
	c, err := NewStore(w.conn).Card(t.Context(), workspace, "mail", "")
	if err != nil {
		t.Fatal(err)
	}
	rate := 0.
	for _, moment := range c.Moments {
		if moment.Rows < 600 || moment.Rows > contacted {
			t.Errorf("%d examples, of %d who were contacted", moment.Rows, contacted)
		}
		rate = float64(moment.Positives) / float64(moment.Rows)
	}
	t.Logf("AUC %.3f, ECE %.3f, rate %.3f; baselines %+v", c.Metrics.AUC, c.Metrics.ECE, rate, c.Baselines)
	if c.Metrics.AUC < .75 || c.Metrics.ECE > .06 || rate < .17 || rate > .28 || !c.Baselines["base_rate"].Beaten.Better || c.Baselines["recency"].Feature != "contact_click_rate_90d" {
		t.Errorf("rate %.3f, measures %+v beside %+v", rate, c.Metrics, c.Baselines)
	}
	if !slices.ContainsFunc(c.Limits, func(s string) bool { return len(s) > 60 && s[:40] == "The examples are people who were contact" }) {
		t.Errorf("the limits do not say of whom it tells: %q", c.Limits)
	}
	// Everybody has a score: what a message would bring.
	if n := w.number("(SELECT count() " + standing("mail") + ")"); n < 890 {
		t.Errorf("%v scores", n)
	}
	fond, cold := w.number("(SELECT avg(value) "+standing("mail")+" AND profile_id < 1700 AND profile_id % 3 = 1)"), w.number("(SELECT avg(value) "+standing("mail")+" AND profile_id < 1700 AND profile_id % 3 != 1)")
	if fond < 3*cold {
		t.Errorf("probabilities of %.3f and %.3f", fond, cold)
	}
}
