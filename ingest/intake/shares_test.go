package intake

import (
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// street is a simulated day at the gate: sources send at their rates, ingest
// stores so much a second.
type street struct {
	t        *testing.T
	now      time.Time
	shares   *Shares
	behind   float64
	written  float64
	capacity float64
	diverted map[string]float64
	sent     map[string]float64
}

func newStreet(t *testing.T, cfg SharesConfig, capacity float64) *street {
	s := &street{t: t, now: time.Unix(1_000_000, 0), capacity: capacity, diverted: map[string]float64{}, sent: map[string]float64{}}
	var err error
	s.shares, err = NewShares(cfg, nil, func() time.Time { return s.now }, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// pass lets time go by in steps of 10 ms, each source sending in batches of 100.
func (s *street) pass(d time.Duration, rates map[string]float64) {
	const step = 10 * time.Millisecond
	owed := map[string]float64{}
	for at := time.Duration(0); at < d; at += step {
		s.now = s.now.Add(step)
		for source, rate := range rates {
			owed[source] += rate * step.Seconds()
			for ; owed[source] >= 100; owed[source] -= 100 {
				s.sent[source] += 100
				if s.shares.Divert("main", source, 100) {
					s.diverted[source] += 100
				} else {
					s.behind += 100
					s.written += 100
				}
			}
		}
		s.behind = math.Max(0, s.behind-s.capacity*step.Seconds())
		if (at/step)%50 == 0 {
			s.shares.look(int64(s.behind), int64(s.written))
		}
	}
}

// A flooding source is diverted, the others are not, and the lag stays short.
func TestFloodDelaysOnlyItself(t *testing.T) {
	s := newStreet(t, DefaultSharesConfig(), 50_000)
	s.pass(60*time.Second, map[string]float64{"flood": 200_000, "shop": 5_000, "app": 8_000})
	if s.diverted["shop"]+s.diverted["app"] > 0 {
		t.Errorf("the others were diverted: %v", s.diverted)
	}
	through := s.sent["flood"] - s.diverted["flood"]
	if through < 60*20_000 || s.diverted["flood"] == 0 {
		t.Errorf("%.0f of %.0f events of the flood went through in a minute", through, s.sent["flood"])
	}
	if s.behind > 3*50_000 {
		t.Errorf("ingest is %.0f records behind", s.behind)
	}
}

func TestNobodyIsDivertedWithoutALag(t *testing.T) {
	s := newStreet(t, DefaultSharesConfig(), 100_000)
	s.pass(20*time.Second, map[string]float64{"a": 60_000, "b": 20_000})
	if len(s.diverted) > 0 {
		t.Errorf("diverted: %v", s.diverted)
	}
}

func TestSourceAloneIsNeverDiverted(t *testing.T) {
	s := newStreet(t, DefaultSharesConfig(), 10_000)
	s.pass(20*time.Second, map[string]float64{"a": 60_000})
	if len(s.diverted) > 0 {
		t.Errorf("diverted: %v", s.diverted)
	}
}

func TestBudgetHoldsWithoutALag(t *testing.T) {
	cfg := DefaultSharesConfig()
	cfg.Budget = 1000
	s := newStreet(t, cfg, 100_000)
	s.pass(60*time.Second, map[string]float64{"a": 5000, "b": 500})
	if s.diverted["b"] > 0 {
		t.Errorf("b is within its budget and was diverted")
	}
	if through := s.sent["a"] - s.diverted["a"]; math.Abs(through-60_000) > 3000 {
		t.Errorf("%.0f events of a went through in a minute; its budget is 1000 a second", through)
	}
}

// When the flood ends the limits go, also those of the source that flooded.
func TestLimitsEndWithTheLag(t *testing.T) {
	s := newStreet(t, DefaultSharesConfig(), 50_000)
	s.pass(30*time.Second, map[string]float64{"flood": 200_000, "shop": 5_000})
	s.pass(20*time.Second, map[string]float64{"flood": 1000, "shop": 5_000})
	before := s.diverted["flood"]
	s.pass(20*time.Second, map[string]float64{"flood": 30_000, "shop": 5_000})
	if s.diverted["flood"] > before {
		t.Error("still diverted after the lag was gone")
	}
}
