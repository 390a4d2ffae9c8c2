package clickhouse

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

func cpu() float64 {
	b, err := os.ReadFile("/proc/" + os.Getenv("SERVERPID") + "/stat")
	if err != nil {
		panic(err)
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+2:]))
	var u, s float64
	fmt.Sscan(f[11], &u)
	fmt.Sscan(f[12], &s)
	return (u + s) * 10
}

func TestLocal(t *testing.T) {
	ctx := context.Background()
	cfg := warehouse.DefaultConfig()
	cfg.URL = "clickhouse://default@127.0.0.1:19160/crowd"
	if os.Getenv("MIGRATE") != "" {
		if err := warehouse.Migrate(ctx, cfg, time.Now, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := warehouse.Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	var n uint64
	conn.QueryRow(ctx, "SELECT count() FROM events").Scan(&n)
	if n == 0 {
		clickhousetest.Crowd(ctx, t, conn, 200000, 10)
	}
	store, _ := New(DefaultConfig(), conn, time.Now)
	var ids []uint64
	conn.QueryRow(ctx, "SELECT groupArray("+clickhousetest.CrowdFounder+") FROM numbers(1000)").Scan(&ids)
	f := func(name string, n int, do func(i int)) {
		start, c := time.Now(), cpu()
		for i := range n {
			do(i)
		}
		fmt.Printf("%-20s %8.2f ms wall %8.2f ms server cpu\n", name, float64(time.Since(start).Milliseconds())/float64(n), (cpu()-c)/float64(n))
	}
	f("select 1", 200, func(i int) { var x uint8; conn.QueryRow(ctx, "select 1").Scan(&x) })
	f("version", 200, func(i int) { store.Refresh("crowd"); store.version(ctx, "crowd") })
	f("resolve", 200, func(i int) {
		if _, err := store.Resolve(ctx, "crowd", identity.Key(ids[i])); err != nil {
			t.Fatal(err)
		}
	})
	f("find", 200, func(i int) {
		if p, err := profiles.Find(ctx, store, "crowd", identity.Key(ids[i])); err != nil || p.Activity.Total() != 10 {
			t.Fatal(p, err)
		}
	})
	readers := make([]*reader, 200)
	ps := make([]*profiles.Profile, 200)
	f("members", 200, func(i int) {
		v, _ := store.version(ctx, "crowd")
		readers[i] = &reader{Store: store, workspace: "crowd", id: identity.ProfileID(ids[i]), version: v}
		ps[i] = &profiles.Profile{}
		readers[i].keys, err = readers[i].members(ctx)
		if err != nil {
			t.Fatal(err)
		}
	})
	f("identifiers", 200, func(i int) { readers[i].identifiers(ctx, ps[i]) })
	f("anchors", 200, func(i int) { readers[i].findAnchors(ctx, ps[i]) })
	f("scores", 200, func(i int) { readers[i].scores(ctx, ps[i]) })
	f("activity", 200, func(i int) { readers[i].activity(ctx, ps[i]) })
	f("recent", 200, func(i int) { readers[i].recent(ctx, ps[i]) })
	f("orders", 200, func(i int) { readers[i].orders(ctx, ps[i]) })
	f("traits", 200, func(i int) { readers[i].traits(ctx, ps[i]) })
}
