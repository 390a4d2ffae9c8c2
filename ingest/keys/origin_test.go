package keys_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/ingest/keys"
)

func TestCheckOrigin(t *testing.T) {
	for _, good := range []string{
		"*", "https://shop.example", "http://localhost:3000", "https://a.b-c.shop.example:8443", "https://xn--caf-dma.example", "http://192.168.0.7:8080",
		"http://[::1]:3000", "capacitor://localhost", "chrome-extension://abcdefghijklmnop", "https://my_shop.example",
	} {
		if err := keys.CheckOrigin(good); err != nil {
			t.Errorf("%q %v", good, err)
		}
	}
	for bad, why := range map[string]string{
		"": "scheme://host", "null": "scheme://host", "shop.example": "scheme://host", "https://": "scheme://host", "https://shop.example/": "without a path",
		"https://Shop.example": "small letters", "HTTPS://shop.example": "small letters", "https://*.shop.example": "scheme://host", "https://ana@shop.example": "scheme://host",
		"https://shop.example.": "scheme://host", "https://shop..example": "scheme://host", "https://shop.example:443": "leave out the port", "http://shop.example:80": "leave out the port",
		"https://shop.example:65536": "port up to", "https://shop.example:0": "scheme://host", "https://shop.example:": "scheme://host", "https://café.example": "scheme://host",
		"https://a.example, https://b.example": "scheme://host", "https://[::0001]": "shortest form", "https://shop.example\n": "scheme://host",
		"https://" + strings.Repeat("a", 300): "scheme://host",
	} {
		if err := keys.CheckOrigin(bad); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want %q", bad, err, why)
		}
	}
}

// TestPublicKey: a key that everybody can read keeps its origins and the mark of its
// source through rotations, and opens nothing once it has ended.
func TestPublicKey(t *testing.T) {
	w := newWorld(t)
	const shop, other = "https://shop.example", "https://other.example"
	admits := func(want ...string) {
		t.Helper()
		ring := w.newRing()
		if err := ring.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, origin := range []string{shop, other, "null"} {
			for name, r := range map[string]*keys.Ring{"this process": w.ring, "a new one": ring} {
				if got := r.Admits(origin, w.clock); got != slices.Contains(want, origin) {
					t.Errorf("%s admits %s: %t", name, origin, got)
				}
			}
		}
	}
	w.create("main", keys.Creation{Name: "reader", Role: "read"})
	admits()
	k, _ := w.create("main", keys.Creation{Name: "web", Role: keys.RolePublic, Source: "web", Origins: []string{shop}, Expires: w.clock.Add(time.Hour)})
	if k.Source != "public/web" || !slices.Equal(k.Origins, []string{shop}) {
		t.Errorf("made %+v", k)
	}
	if k, _, err := w.service.Rotate(t.Context(), "main", "ana", k.ID, time.Minute); err != nil || k.Source != "public/web" || !slices.Equal(k.Origins, []string{shop}) {
		t.Errorf("rotated %+v, %v", k, err)
	}
	admits(shop)
	w.create("other", keys.Creation{Name: "web", Role: keys.RolePublic, Source: "public/app", Origins: []string{other, shop}})
	admits(shop, other)
	if _, err := w.service.Revoke(t.Context(), "main", "ana", k.ID); err != nil {
		t.Fatal(err)
	}
	admits(shop, other)
	w.clock = w.clock.Add(2 * time.Hour)
	brief, _ := w.create("main", keys.Creation{Name: "all", Role: keys.RolePublic, Source: "web", Origins: []string{keys.AnyOrigin}, Expires: w.clock.Add(time.Minute)})
	admits(shop, other, "null")
	w.clock = brief.Expires
	admits(shop, other)
	for want, c := range map[string]keys.Creation{
		"must name the origins":    {Source: "web"},
		"must have a source":       {Origins: []string{"*"}},
		"* stands alone":           {Source: "web", Origins: []string{"*", shop}},
		"origin 2 must be":         {Source: "web", Origins: []string{shop, "shop.example"}},
		"are for keys of role pub": {Role: "write", Origins: []string{shop}},
		"at most 50":               {Source: "web", Origins: slices.Repeat([]string{shop}, 51)},
	} {
		if c.Name = "x"; c.Role == "" {
			c.Role = keys.RolePublic
		}
		if _, _, err := w.service.Create(t.Context(), "main", "ana", c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
}
