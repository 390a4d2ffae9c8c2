package venues

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newWorker(t *testing.T, conn driver.Conn, clock func() time.Time, batch int) *Worker {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Batch = batch
	w, err := New(cfg, Deps{Conn: conn, Clock: clock, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func execute(t *testing.T, conn driver.Conn, query string) {
	t.Helper()
	if err := conn.Exec(t.Context(), query); err != nil {
		t.Fatalf("%v\nin %s", err, query)
	}
}

func look(t *testing.T, w *Worker, want int) {
	t.Helper()
	if n, err := w.Look(t.Context()); err != nil || n != want {
		t.Errorf("wrote %d assignments (%v), want %d", n, err, want)
	}
}

// assigned returns the venue of each fix as SQL users see it, by name.
func assigned(t *testing.T, conn driver.Conn) map[string]string {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT name, concat(venue, ' ', venue_by) FROM locations WHERE workspace = 'main'")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	all := map[string]string{}
	for rows.Next() {
		var name, venue string
		if err := rows.Scan(&name, &venue); err != nil {
			t.Fatal(err)
		}
		all[name] = venue
	}
	return all
}

// fix stores a fix some metres north of the origin of the test's street.
func fix(t *testing.T, conn driver.Conn, n int, name string, north float64, venue string, received time.Time) {
	t.Helper()
	execute(t, conn, fmt.Sprintf(`INSERT INTO location_facts (workspace, anchor_id, time, message_hash, received_time, name, lat, lon, accuracy, venue)
		VALUES ('main', %d, '2026-02-01 10:00:00', %d, fromUnixTimestamp64Milli(%d, 'UTC'), '%s', %f, -9.14, 20, '%s')`,
		n%3, n, received.UnixMilli(), name, 38.72+north/metresDegree, venue))
}

func venue(t *testing.T, conn driver.Conn, n int, id string, north float64, active bool) {
	t.Helper()
	execute(t, conn, fmt.Sprintf(`INSERT INTO catalogue_entries (workspace, type, item_id, stated, time, message_hash, active, lat, lon)
		VALUES ('main', 'venue', '%s', true, toDateTime64('2026-01-01', 3, 'UTC') + %d, %d, %t, %f, -9.14)`, id, n, n, active, 38.72+north/metresDegree))
}

func TestWorker(t *testing.T) {
	for _, batch := range []int{1, 2, 1000} {
		t.Run(fmt.Sprint("batch ", batch), func(t *testing.T) { testWorker(t, batch) })
	}
}

func testWorker(t *testing.T, batch int) {
	conn := warehousetest.NewTestDatabase(t)
	clock := noon
	w := newWorker(t, conn, func() time.Time { return clock }, batch)
	look(t, w, 0)
	venue(t, conn, 1, "cafe", 0, true)
	venue(t, conn, 2, "bank", 200, true)
	fix(t, conn, 1, "at the cafe", 5, "", noon)
	fix(t, conn, 2, "at the bank", 190, "", noon)
	fix(t, conn, 3, "in the park", 5000, "", noon)
	fix(t, conn, 4, "says so", 0, "bank", noon)
	look(t, w, 3)
	want := map[string]string{"at the cafe": "cafe position", "at the bank": "bank position", "in the park": " ", "says so": "bank producer"}
	if d := cmp.Diff(want, assigned(t, conn)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	look(t, w, 0)

	// New fixes, one of them received before the latest, get their venue at the
	// next look; one that comes later than the overlap waits for the refresh.
	fix(t, conn, 5, "new", 0, "", noon.Add(time.Second))
	fix(t, conn, 6, "late", 0, "", noon.Add(-time.Minute))
	fix(t, conn, 7, "very late", 0, "", noon.Add(-time.Hour))
	look(t, w, 2)
	look(t, w, 0)
	clock = clock.Add(w.cfg.Refresh)
	if _, err := w.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"new", "late", "very late"} {
		want[name] = "cafe position"
	}
	if d := cmp.Diff(want, assigned(t, conn)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}

	// Another venue table: all are judged again.
	venue(t, conn, 3, "cafe", 0, false)
	venue(t, conn, 4, "kiosk", 10, true)
	if n, err := w.Look(t.Context()); err != nil || n < 4 {
		t.Errorf("wrote %d (%v) after the venue table changed", n, err)
	}
	for _, name := range []string{"at the cafe", "new", "late", "very late"} {
		want[name] = "kiosk position"
	}
	if d := cmp.Diff(want, assigned(t, conn)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}

	// Another worker, and the table made again from nothing, agree.
	look(t, newWorker(t, conn, func() time.Time { return clock }, batch), 0)
	execute(t, conn, "TRUNCATE TABLE location_venues")
	look(t, newWorker(t, conn, func() time.Time { return clock }, batch), 6)
	if d := cmp.Diff(want, assigned(t, conn)); d != "" {
		t.Errorf("made again, -want +got:\n%s", d)
	}
}

func TestConfig(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	if err := (Config{}).Validate(); err == nil {
		t.Error("an empty configuration is valid")
	}
	if _, err := New(DefaultConfig(), Deps{}); err == nil {
		t.Error("a worker without dependencies")
	}
}
