package warehouse_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

func TestProperty(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	execute(t, conn, "INSERT INTO events (workspace, properties) VALUES (?, ?)", "main", `{"revenue": 50.25, "text": "x", "count": "12", "yes": true, "zero": 0, "nothing": null, "at": "2025-01-02T03:04:05.678Z",
		"address": {"city": "Porto", "geo": {"lat": 41.1}}, "a.b": 7, "a": {"b": 8}, "list": ["p", 1], "it's": "quoted", "back\\slash": "kept", "') OR 1=1 --": "odd", "?": 1, "$1": 2, "@a": 3, "{a:String}": 4}`)
	f := func(path string, kind warehouse.PropertyKind, want string) {
		t.Helper()
		var got string
		query := "SELECT ifNull(toString(" + warehouse.Property("properties", path, kind) + "), 'NULL') FROM events"
		if err := conn.QueryRow(t.Context(), query).Scan(&got); err != nil {
			t.Errorf("%s: %v", path, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s as %d (-want +got):\n%s", path, kind, diff)
		}
	}
	f("revenue", warehouse.PropertyNumber, "50.25")
	f("revenue", warehouse.PropertyDecimal, "50.25")
	f("revenue", warehouse.PropertyText, "50.25")
	f("count", warehouse.PropertyNumber, "12")
	f("text", warehouse.PropertyNumber, "NULL")
	f("missing", warehouse.PropertyNumber, "NULL")
	f("nothing", warehouse.PropertyText, "NULL")
	f("text", warehouse.PropertyText, "x")
	f("yes", warehouse.PropertyBool, "true")
	f("zero", warehouse.PropertyBool, "false")
	f("text", warehouse.PropertyBool, "NULL")
	f("at", warehouse.PropertyTime, "2025-01-02 03:04:05.678")
	f("text", warehouse.PropertyTime, "NULL")
	f("address.city", warehouse.PropertyText, "Porto")
	f("address.geo.lat", warehouse.PropertyNumber, "41.1")
	f("address", warehouse.PropertyText, `{"city":"Porto","geo":{"lat":41.1}}`)
	f(`a.b`, warehouse.PropertyNumber, "8")
	f(`a\.b`, warehouse.PropertyNumber, "7")
	f("list", warehouse.PropertyList, "['p','1']")
	f("text", warehouse.PropertyList, "[]")
	f("nothing", warehouse.PropertyExists, "1")
	f("missing", warehouse.PropertyExists, "0")
	f("it's", warehouse.PropertyText, "quoted")
	f(`back\\slash`, warehouse.PropertyText, "kept")
	f("') OR 1=1 --", warehouse.PropertyText, "odd")
	f("", warehouse.PropertyText, "NULL")
	// What the driver takes for parameters must stay text, beside real ones.
	query := "SELECT " + warehouse.Property("properties", "?", warehouse.PropertyNumber) + ", " +
		warehouse.Property("properties", "$1", warehouse.PropertyNumber) + ", " +
		warehouse.Property("properties", "@a", warehouse.PropertyNumber) + ", " +
		warehouse.Property("properties", "{a:String}", warehouse.PropertyNumber) + " FROM events WHERE workspace = "
	for parameter, arg := range map[string]any{"?": "main", "$1": "main", "@a": clickhouse.Named("a", "main"), "{a:String}": clickhouse.Named("a", "main")} {
		var got [4]*float64
		if err := conn.QueryRow(t.Context(), query+parameter, arg).Scan(&got[0], &got[1], &got[2], &got[3]); err != nil {
			t.Errorf("beside %s: %v", parameter, err)
			continue
		}
		for i, v := range got {
			if v == nil || *v != float64(i+1) {
				t.Errorf("beside %s: property %d is %v", parameter, i, v)
			}
		}
	}
}

// TestNumberColumns states numbers and what is none of each property that has a column of
// its own, and reads them there.
func TestNumberColumns(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	var columns []string
	if err := conn.QueryRow(t.Context(), "SELECT groupArray(name) FROM system.columns WHERE database = currentDatabase() AND table = 'events' AND startsWith(name, 'number_')").Scan(&columns); err != nil {
		t.Fatal(err)
	}
	if len(columns) == 0 {
		t.Fatal("no number has a column")
	}
	for _, name := range []string{"numbers", "Price", "", "price "} {
		if column, ok := warehouse.NumberColumn(name); ok {
			t.Errorf("%q is in column %q", name, column)
		}
	}
	for _, column := range columns {
		name := strings.TrimPrefix(column, "number_")
		if got, ok := warehouse.NumberColumn(name); !ok || got != column {
			t.Errorf("NumberColumn(%q) = %q, %t; the table has %q", name, got, ok, column)
		}
		for value, want := range map[string]string{
			`1.25`: "1.25", `-3`: "-3", `0`: "0", `1e3`: "1000", `"7"`: "nan", `""`: "nan", `null`: "nan", `true`: "nan", `[1]`: "nan", `{"price": 1, "value": 2}`: "nan",
		} {
			f := func(properties, want string) {
				t.Helper()
				execute(t, conn, "INSERT INTO events (workspace, message_id, properties) VALUES (?, ?, ?)", name, properties, properties)
				var got string
				if err := conn.QueryRow(t.Context(), "SELECT toString("+column+") FROM events WHERE workspace = ? AND message_id = ?", name, properties).Scan(&got); err != nil || got != want {
					t.Errorf("%s of %s is %s, %v; want %s", column, properties, got, err, want)
				}
			}
			f(fmt.Sprintf(`{"other": 9, %q: %s}`, name, value), want)
			f(fmt.Sprintf(`{"a": {%q: %s}, "other%s": 9}`, name, value, name), "nan")
		}
	}
}

func ExampleProperty() {
	fmt.Println("SELECT count() FROM events WHERE " + warehouse.Property("properties", "revenue", warehouse.PropertyNumber) + " > 50")
	// Output: SELECT count() FROM events WHERE JSONExtract(properties, 'revenue', 'Nullable(Float64)') > 50
}

func ExampleEventProfile() {
	fmt.Println("SELECT " + warehouse.EventProfile("anchor_id", "time") + " AS profile_id, count() FROM events GROUP BY profile_id")
}
