package sql_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/sql"
)

func parse(t *testing.T, text string) segments.Definition {
	t.Helper()
	d, err := segments.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestPreviewTellsItsCost(t *testing.T) {
	ctx := context.Background()
	conn := warehousetest.NewTestDatabase(t)
	w := clickhousetest.New(t, conn, "main")
	for _, id := range []string{"user_id:1", "user_id:2", "user_id:3"} {
		w.Add(clickhousetest.Event{MessageID: id, Name: "View", Time: now.Add(-time.Hour), Identifiers: []string{id}})
	}
	w.Flush(ctx)
	p, err := sql.New(sql.DefaultConfig(), conn, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	d := parse(t, `{"event":"View","within":"1d"}`)
	for sample, want := range map[int]int{0: 0, 2: 2, 10: 3} {
		got, err := p.Preview(ctx, "main", d, sample)
		if err != nil {
			t.Fatal(err)
		}
		if got.Count != 3 || got.Profiles != 3 || got.Share() != 1 || len(got.Sample) != want {
			t.Errorf("sample of %d: %+v", sample, got)
		}
		if got.RowsRead < 3 || got.BytesRead == 0 || got.QueryID == "" || !got.AsOf.Equal(now) || strings.Contains(got.SQL, "View") {
			t.Errorf("cost: %+v", got)
		}
	}
	// Another workspace has nobody, though it asks the same question.
	if got, err := p.Preview(ctx, "other", d, 10); err != nil || got.Count != 0 || got.Profiles != 0 || got.Share() != 0 {
		t.Errorf("another workspace: %+v, %v", got, err)
	}
}

// TestPreviewCountsThoseWhoCame previews while the remembered number of all profiles is
// that of before: no share of them is more than all.
func TestPreviewCountsThoseWhoCame(t *testing.T) {
	ctx := context.Background()
	conn := warehousetest.NewTestDatabase(t)
	w := clickhousetest.New(t, conn, "main")
	p, err := sql.New(sql.DefaultConfig(), conn, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	for n, id := range []string{"user_id:1", "user_id:2", "user_id:3"} {
		w.Add(clickhousetest.Event{MessageID: id, Name: "View", Time: now.Add(-time.Hour), Identifiers: []string{id}})
		w.Flush(ctx)
		got, err := p.Preview(ctx, "main", parse(t, `{"event":"View","within":"1d"}`), 1)
		if err != nil || got.Count != uint64(n+1) || got.Profiles != uint64(n+1) || got.Share() != 1 {
			t.Errorf("%d people: %+v, %v", n+1, got, err)
		}
	}
}

// TestPreviewWithinLimits gives a query less memory than it needs.
func TestPreviewWithinLimits(t *testing.T) {
	ctx := context.Background()
	conn := warehousetest.NewTestDatabase(t)
	clickhousetest.Crowd(ctx, t, conn, 20_000, 5)
	cfg := sql.DefaultConfig()
	cfg.MaxMemory = 1 << 20
	p, err := sql.New(cfg, conn, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Preview(ctx, "crowd", parse(t, `{"any":[{"event":"Page"},{"trait":"country","op":"eq","value":"secret"}]}`), 10)
	if !errors.Is(err, segments.ErrTooExpensive) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "SELECT") {
		t.Errorf("preview beyond its memory: %v", err)
	}
}

// TestNames reads names once and remembers them.
func TestNames(t *testing.T) {
	ctx := context.Background()
	conn := warehousetest.NewTestDatabase(t)
	w := clickhousetest.New(t, conn, "main")
	at := now
	cfg := sql.DefaultConfig()
	cfg.Rules.Computed = []profiles.ComputedTrait{{Name: "orders", Compute: profiles.ComputeCount}}
	p, err := sql.New(cfg, conn, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	add := func(name string) {
		w.Add(clickhousetest.Event{MessageID: name, Name: name, Time: now, Identifiers: []string{"user_id:1"}, Traits: map[string]any{"t" + name: 1}})
		w.Flush(ctx)
	}
	f := func(workspace string, want segments.Names) {
		t.Helper()
		got, err := p.Names(ctx, workspace)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("names (-want +got):\n%s %v", diff, err)
		}
	}
	add("View")
	one := segments.Names{Events: []string{"View"}, Traits: []string{"tView", "orders"}}
	f("main", one)
	add("Buy")
	f("main", one)
	at = at.Add(5 * time.Minute)
	f("main", segments.Names{Events: []string{"Buy", "View"}, Traits: []string{"tBuy", "tView", "orders"}})
	f("other", segments.Names{Events: []string{}, Traits: []string{"orders"}})
}

func TestConfigNamesFaults(t *testing.T) {
	if _, err := sql.New(sql.Config{}, nil, time.Now); err == nil {
		t.Error("empty configuration is valid")
	}
}

// TestRestrictedAreInNoSegment asks for everybody in ways that need different scans,
// while one of three is restricted by an identifier that is not the founder.
func TestRestrictedAreInNoSegment(t *testing.T) {
	ctx := t.Context()
	conn := warehousetest.NewTestDatabase(t)
	w := clickhousetest.New(t, conn, "main")
	for _, n := range []string{"1", "2", "3"} {
		w.Person("user_id:"+n, "email:"+n+"@example.com")
		w.Add(clickhousetest.Event{MessageID: n, Name: "View", Time: now.Add(-time.Hour), Identifiers: []string{"user_id:" + n, "email:" + n + "@example.com"}})
	}
	w.Flush(ctx)
	p, err := sql.New(sql.DefaultConfig(), conn, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	definitions := []string{
		`{"event":"View","within":"1d"}`,
		`{"not":{"event":"Bought","within":"1d"}}`,
		`{"all":[{"event":"View","within":"1d"},{"identifier":"email"}]}`,
		`{"identifier":"user_id"}`,
	}
	count := func(want uint64) {
		t.Helper()
		for _, d := range definitions {
			if got, err := p.Preview(ctx, "main", parse(t, d), 10); err != nil || got.Count != want || uint64(len(got.Sample)) != want {
				t.Errorf("%s: %+v, %v, want %d", d, got, err, want)
			}
		}
	}
	count(3)
	state := func(revision int, restricted bool) {
		t.Helper()
		if err := conn.Exec(ctx, "INSERT INTO restrictions (workspace, identifier_id, revision, restricted, changed_at) VALUES ('main', ?, ?, ?, ?)", uint64(w.Key("email:2@example.com")), revision, restricted, now); err != nil {
			t.Fatal(err)
		}
	}
	state(1, true)
	count(2)
	state(2, false)
	count(3)
}
