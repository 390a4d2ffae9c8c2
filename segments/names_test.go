package segments

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDistance(t *testing.T) {
	f := func(a, b string, want int) {
		t.Helper()
		for _, got := range []int{distance(a, b, 100), distance(b, a, 100)} {
			if got != want {
				t.Errorf("distance of %q and %q is %d, want %d", a, b, got, want)
			}
		}
	}
	f("", "", 0)
	f("", "abc", 3)
	f("order", "order", 0)
	f("order", "ordre", 1)
	f("order", "oder", 1)
	f("kitten", "sitting", 3)
	f("ação", "acao", 2)
	if got := distance("aaaaaaaaaa", "b", 3); got != 3 {
		t.Errorf("bounded distance is %d", got)
	}
}

func TestWarnings(t *testing.T) {
	d, err := Parse([]byte(`{"all":[{"trait":"contry","op":"exists"},{"trait":"country","op":"exists"},{"not":{"event":"order completed"}},
		{"sequence":[{"event":"Page"},{"event":"Pages","without":{"event":"Unheard Of"}}]},{"accounts":{"gte":1},"where":[{"trait":"seats","op":"exists"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	got := d.Warnings(Names{Events: []string{"Order Completed", "Page", "Order Refunded"}, Traits: []string{"country", "county"}})
	want := []Warning{
		{"/all/0/trait", `no trait is named "contry"; did you mean "country"?`},
		{"/all/2/not/event", `no event is named "order completed"; did you mean "Order Completed"?`},
		{"/all/3/sequence/1/event", `no event is named "Pages"; did you mean "Page"?`},
		{"/all/3/sequence/1/without/event", `no event is named "Unheard Of"`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	if got := d.Warnings(Names{}); len(got) != 0 {
		t.Errorf("of nothing known: %v", got)
	}
}
