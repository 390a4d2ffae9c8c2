package main

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/cache"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/views"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// looks are sources that tell each time that all workspaces were looked at.
type looks struct {
	sources
	begun chan struct{}
}

func (l looks) Stored() time.Time {
	l.begun <- struct{}{}
	return l.sources.Stored()
}

// TestCachedProfilesAreVouchedFor changes what a cached profile of ten minutes ago is
// made of, where it is stored, and tells the cache nothing: it must show at the next
// look, and until then and after it the store is asked no more.
func TestCachedProfilesAreVouchedFor(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var clock atomic.Int64
	clock.Store(time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC).UnixMilli())
	now := func() time.Time { return time.UnixMilli(clock.Load()).UTC() }
	conn := warehousetest.NewTestDatabase(t)
	form := profilestore.DefaultConfig()
	form.VersionAge = 0
	store, err := profilestore.New(form, conn, now)
	if err != nil {
		t.Fatal(err)
	}
	w := clickhousetest.New(t, conn, "main")
	registry := prometheus.NewRegistry()
	c, err := cache.New(cache.DefaultConfig(), cache.Deps{Store: store, Now: now, Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	feed := views.NewFeed(time.Minute, 1000)
	feed.Reached(0, now())
	s := looks{sources{store, feed}, make(chan struct{})}
	ready, done := make(chan struct{}), make(chan error, 2)
	go func() { done <- c.Run(ctx, func() { close(ready) }) }()
	<-ready

	ana := w.Person("user_id:ana")
	for _, who := range []string{"user_id:ana", "user_id:ben"} {
		w.Add(clickhousetest.Event{MessageID: who, Name: "Viewed", Time: now(), Identifiers: []string{who}})
	}
	w.Flush(ctx)
	look := func() {
		<-s.begun // Of a look that may have read the clock before.
		<-s.begun
		<-s.begun // One that has not is over.
	}
	pass := func(d time.Duration) {
		clock.Add(d.Milliseconds())
		feed.Reached(0, now())
		look()
	}
	misses := func() float64 {
		return (&bench{r: &roles{registry: registry}}).metric("kindred_profiles_cache_requests_total", "miss")
	}
	find := func(who string) *profiles.Profile {
		t.Helper()
		p, err := profiles.Find(ctx, c, "main", w.Key(who))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	_, _ = c.Resolve(ctx, "main", identity.Key(1)) // Whoever asked of a workspace lets it be watched.
	go func() { done <- c.Watch(ctx, s, 10*time.Millisecond, slog.New(slog.DiscardHandler)) }()
	defer func() {
		stop()
		for open := 2; open > 0; {
			select {
			case <-done:
				open--
			case <-s.begun:
			}
		}
	}()
	look() // From now on it is vouched for what is read, once what was known is settled.
	pass(2 * time.Second)
	for _, step := range []struct {
		what   string
		change func()
		shows  func() bool
	}{
		{"nothing", func() {}, func() bool { return find("user_id:ana").ID == ana }},
		{"a score", func() {
			w.Score(clickhousetest.Score{Profile: ana, Name: "churn", Value: .5, ComputedAt: now(), AsOf: now()})
		}, func() bool { return len(find("user_id:ana").Scores) == 1 }},
		{"a withdrawn score", func() {
			w.Score(clickhousetest.Score{Name: "churn", ComputedAt: now(), AsOf: now()})
		}, func() bool { return len(find("user_id:ana").Scores) == 0 }},
		{"a stage", func() {
			w.Group(clickhousetest.Group{Profile: ana, Time: now(), Stage: "new"})
		}, func() bool { g := find("user_id:ana").Group; return g != nil && g.Stage == "new" }},
		{"a merge", func() { w.Person("user_id:ana", "user_id:ben") }, func() bool { return find("user_id:ben").ID == ana && len(find("user_id:ana").Keys) == 2 }},
	} {
		t.Run(step.what, func(t *testing.T) {
			find("user_id:ana")
			find("user_id:ben")
			pass(10 * time.Minute)
			before := misses()
			find("user_id:ana")
			find("user_id:ben")
			if n := misses() - before; n != 0 {
				t.Errorf("%v misses after ten minutes in which nothing happened", n)
			}
			step.change()
			w.Flush(ctx)
			pass(time.Second)
			if !step.shows() {
				t.Errorf("%s does not show", step.what)
			}
			if n := misses() - before; step.what == "nothing" && n != 0 {
				t.Errorf("%v misses", n)
			}
			pass(2 * time.Minute)
		})
	}
}
