package sql_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/sql"
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
	conn, err := warehouse.Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2025, 5, 1, 0, 0, 0, 0, time.UTC)
	p, err := sql.New(sql.DefaultConfig(), conn, func() time.Time { return at })
	for _, c := range []struct{ name, definition string }{
		{"event", `{"event":"Product Viewed","count":{"gte":2}}`},
		{"event_where", `{"event":"Product Viewed","where":[{"property":"category","op":"eq","value":"c7"}],"within":"30d"}`},
		{"orders", `{"orders":{"gte":2},"within":"90d"}`},
		{"revenue", `{"revenue":{"gte":2},"currency":"EUR","within":"90d"}`},
		{"trait", `{"trait":"country","op":"in","value":["PT","BR"]}`},
		{"absent", `{"not":{"event":"Order Completed","within":"7d"}}`},
		{"score", `{"score":"churn","op":"gte","value":0.7}`},
		{"identifier", `{"identifier":"email"}`},
		{"mixed", `{"all":[{"trait":"country","op":"in","value":["PT","BR"]},{"event":"Product Viewed","count":{"gte":2}},{"any":[{"score":"churn","op":"gte","value":0.7},{"identifier":"email"}]},{"not":{"orders":{"gte":1},"within":"7d"}}]}`},
	} {
		d, err := segments.Parse([]byte(c.definition))
		if err != nil {
			t.Fatal(err)
		}
		p.Preview(ctx, "crowd", d, 10)
		start, k := time.Now(), cpu()
		for range 3 {
			if _, err := p.Preview(ctx, "crowd", d, 10); err != nil {
				t.Fatal(err)
			}
		}
		fmt.Printf("%-20s %8.0f ms wall %8.0f ms server cpu\n", c.name, float64(time.Since(start).Milliseconds())/3, (cpu()-k)/3)
	}
}
