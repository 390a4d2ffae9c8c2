package mapping_test

import (
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/ingest/mapping"
)

func TestNestedObjects(t *testing.T) {
	f := func(declared, rec, want string) {
		t.Helper()
		m := load(t, rule+"traits = "+declared)
		if got := apply(t, m, record(t, rec)); len(got) != 1 || !strings.Contains(got[0]+" ", want) {
			t.Errorf("%s on %s: %q; want %s", declared, rec, got, want)
		}
	}
	f(`{ a = "${a}", b = { c = "${c}", d = { e = "${e}" } } }`, `{"a":1,"c":2,"e":3}`, `"traits":{"a":1,"b":{"c":2,"d":{"e":3}}}`)
	f(`{ a = "${a}", b = { c = "${c}", d = { e = "${e}" } } }`, `{"a":1}`, `"traits":{"a":1}}`)
	f(`{ "*" = "rest", b = { c = "${c}" } }`, `{"c":2,"other":3}`, `"traits":{"b":{"c":2},"other":3}`)
	f(`{ b = { c = { from = "${c}", as = "integer" } } }`, `{"c":"x"}`, "fault: invalid_field mapping events[0].traits.b.c (line 4)")
	g := func(declared, want string) {
		t.Helper()
		_, err := mapping.Load("m.toml", []byte(rule+"traits = "+declared))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", declared, err, want)
		}
	}
	g(`{ b = { "*" = "rest" } }`, `"*" must be`)
	g(`{ b = { form = "${c", as = "text" } }`, "form")
	g(`{ b = {} }`, "needs from or default")
	g(`{ b = { c = [1] } }`, "must be text or a table")
	g("{ a = "+strings.Repeat("{ a = ", 9)+`"x"`+strings.Repeat(" }", 10), "deeper than 8 tables")
}

func TestDates(t *testing.T) {
	f := func(options, value, want string) {
		t.Helper()
		m := load(t, rule+"[events.properties.v]\nfrom = \"${t}\"\nas = \"date\"\n"+options)
		got := "fault"
		if r := m.Apply(map[string]any{"t": value}, env()); len(r.Messages) == 1 {
			got = string(r.Messages[0].Message.Properties)
		}
		if want != "fault" {
			want = `{"v":"` + want + `"}`
		}
		if got != want {
			t.Errorf("%s %q: %s; want %s", options, value, got, want)
		}
	}
	f(``, "1985-04-03", "1985-04-03")
	f(``, "1985-04-03T23:30:00-02:00", "1985-04-04")
	f("format = \"dd/MM/yyyy\"\nzone = \"Europe/Lisbon\"", "03/08/1985", "1985-08-03")
	f(`format = ["dd/MM/yyyy", "dd.MM.yy"]`, "03.04.85", "1985-04-03")
	f(`format = "dd/MM/yyyy"`, "04/13/1985", "fault")
	f("format = \"dd/MM/yyyy\"\nkeep = true", "04/13/1985", "04/13/1985")
	if _, err := mapping.Load("m.toml", []byte(rule+"properties = { v = { from = \"${t}\", keep = true } }")); err == nil || !strings.Contains(err.Error(), "belongs to dates") {
		t.Errorf("keep without a date: %v", err)
	}
}
