package rulefile

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/normalize"
)

// TestContradictions: each change of the defaults breaks exactly the keys named.
func TestContradictions(t *testing.T) {
	rule := func(ns identity.Namespace, change func(*identity.Rule)) func(*File) {
		return func(f *File) {
			r := f.Namespaces[ns]
			change(&r)
			f.Namespaces[ns] = r
		}
	}
	block := func(add, remove []string) func(*File) {
		return func(f *File) {
			f.Blocked = map[identity.Namespace]Blocking{identity.Email: {Add: add, Remove: remove}}
		}
	}
	type r = identity.Rule
	for _, c := range []struct {
		name   string
		change func(*File)
		want   string
	}{
		{"nothing", func(*File) {}, ""},
		{"version", func(f *File) { f.Version = 0 }, "version"},
		{"two principals", rule("crm_id", func(r *r) { r.Principal, r.Shieldable, r.TrustedClaims = true, false, false }), "namespaces.crm_id.principal"},
		{"no principal", rule("user_id", func(r *r) { r.Principal = false }), "namespaces"},
		{"principal is not the strongest", rule("user_id", func(r *r) { r.Rank = 1 }), "namespaces.crm_id.rank namespaces.customer_no.rank namespaces.loyalty.rank"},
		{"default is as strong as the principal", func(f *File) { f.Default.Rank = 0 }, "default.rank"},
		{"principal is a household", rule("user_id", func(r *r) { r.Household = true }), "namespaces.user_id.household"},
		{"principal moves", rule("user_id", func(r *r) { r.MovingGap = day }), "namespaces.user_id.moving_gap"},
		{"principal with a limit", rule("user_id", func(r *r) { r.Limit, r.LimitWindow = 2, day }), "namespaces.user_id.limit namespaces.user_id.limit_window"},
		{"principal with limit 1", rule("user_id", func(r *r) { r.Limit = 1 }), ""},
		{"shieldable principal", rule("user_id", func(r *r) { r.Shieldable = true }), "namespaces.user_id.shieldable"},
		{"unique and moving", rule("phone", func(r *r) { r.Limit = 1 }), "namespaces.phone.moving_gap"},
		{"window without a limit", rule("email", func(r *r) { r.Limit = 0 }), "namespaces.email.limit_window"},
		{"no fan-out up", rule("card", func(r *r) { r.FanOutUp = 0 }), "namespaces.card.fan_out_up"},
		{"no fan-out down", func(f *File) { f.Default.FanOutDown = 0 }, "default.fan_out_down"},
		{
			"negative numbers", rule("email", func(r *r) { r.Rank, r.Limit, r.FanOutUp, r.FanOutDown = -1, -1, -1, -1 }),
			"namespaces.email.rank namespaces.email.limit namespaces.email.fan_out_up namespaces.email.fan_out_down namespaces.email.rank",
		},
		{"negative durations", rule("phone", func(r *r) { r.MovingGap, r.LimitWindow = -day, -day }), "namespaces.phone.limit_window namespaces.phone.moving_gap"},
		{"parts of a second", rule("phone", func(r *r) { r.MovingGap = time.Millisecond }), "namespaces.phone.moving_gap"},
		{"household with a limit", rule("landline", func(r *r) { r.Limit = 1 }), "namespaces.landline.limit"},
		{"household that moves", rule("landline", func(r *r) { r.MovingGap = day }), "namespaces.landline.moving_gap"},
		{"household with claims", rule("landline", func(r *r) { r.TrustedClaims = true }), "namespaces.landline.trusted_claims"},
		{"default is principal", func(f *File) { f.Default.Principal, f.Default.Shieldable = true, false }, "default.principal"},
		{"default is a household", func(f *File) { f.Default.Household = true }, "default.household"},
		{"a default namespace is missing", func(f *File) { delete(f.Namespaces, "landline") }, "namespaces.landline"},
		{"a bad name", func(f *File) { f.Namespaces["A b"] = f.Default }, `namespaces."A b"`},
		{"caps", func(f *File) { f.Caps = Caps{} }, "caps.unit caps.group"},
		{"group below unit", func(f *File) { f.Caps.Group = 255 }, "caps.group"},
		{"model", func(f *File) { f.Linkage.Model = "2026-05/1" }, ""},
		{"odd model", func(f *File) { f.Linkage.Model = "a\nb" }, "linkage.model"},
		{"long model", func(f *File) { f.Linkage.Model = strings.Repeat("a", 101) }, "linkage.model"},
		{"link at even odds", func(f *File) { f.Linkage.Link = 0 }, "linkage.link"},
		{"link beyond belief", func(f *File) { f.Linkage.Link = 10001 }, "linkage.link"},
		{"review of what is no match", func(f *File) { f.Linkage.Review = -1 }, "linkage.review"},
		{"review of all", func(f *File) { f.Linkage.Review = 0 }, ""},
		{"review above link", func(f *File) { f.Linkage.Review = 701 }, "linkage.review"},
		{"review at link", func(f *File) { f.Linkage.Review = 700 }, ""},
		{"household without fan-out", rule("landline", func(r *r) { r.FanOutUp = 0 }), "namespaces.landline.fan_out_up"},
		{"trusted and untrusted", func(f *File) { f.Untrusted, f.Trusted = []string{"web", "app"}, []string{"web"} }, "trusted"},
		{"untrusted rename", func(f *File) { f.Untrusted, f.Rename = []string{"web"}, []string{"web"} }, "rename"},
		{"doubles", func(f *File) { f.Untrusted = []string{"web", "web"} }, "untrusted"},
		{"empty source", func(f *File) { f.Trusted = []string{" "} }, "trusted"},
		{"control characters", func(f *File) { f.Trusted = []string{"a\nb"} }, "trusted"},
		{"added and removed", block([]string{"x@y.pt", "info@hotel.pt"}, []string{"Info@Hotel.pt "}), "blocked.email.add"},
		{"a pattern added and removed", block([]string{"*@hotel.pt"}, []string{"*@hotel.pt"}), "blocked.email.add"},
		{"a value out of a pattern", block([]string{"*@hotel.pt"}, []string{"ana@hotel.pt"}), ""},
		{"every value", block([]string{"a", "**?"}, nil), "blocked.email.add"},
		{"every value let through", block(nil, []string{"*"}), "blocked.email.remove"},
		{"a star that is itself", block([]string{`\*`}, nil), ""},
		{"long", block([]string{strings.Repeat("a", 513)}, nil), "blocked.email.add"},
		{"blocked of a bad name", func(f *File) { f.Blocked = map[identity.Namespace]Blocking{"E": {Add: []string{"a"}}} }, "blocked.E"},
		{"as many patterns as may be", block(strings.Fields(many("a*%d ", 100)), nil), ""},
		{"many patterns", block(strings.Fields(many("a*%d ", 101)), nil), "blocked.email.add"},
		{"many values", block(strings.Fields(many("a%d ", maxList+1)), nil), "blocked.email.add"},
	} {
		f := Default()
		c.change(&f)
		var keys []string
		for _, fault := range f.faults() {
			keys = append(keys, fault.Key)
		}
		if got := strings.Join(keys, " "); got != c.want {
			t.Errorf("%s: faults of %q, want %q\n%v", c.name, got, c.want, f.Validate())
		}
		if _, err := f.Rules(); (err == nil) != (c.want == "") {
			t.Errorf("%s: Rules gives %v", c.name, err)
		}
	}
}

// TestFaultsKeepSecrets: no listed value reaches a message.
func TestFaultsKeepSecrets(t *testing.T) {
	f := Default()
	secret := "ana.secret@hotel.pt"
	f.Blocked = map[identity.Namespace]Blocking{identity.Email: {Add: []string{secret, secret, secret + "\n", strings.Repeat(secret, 40)}, Remove: []string{secret}}}
	if err := f.Validate(); err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
	if d := strings.Join(Diff(Default(), f), "\n"); d == "" || strings.Contains(d, "secret") {
		t.Error(d)
	}
}

// TestEveryFieldHasAKey: a field that a text cannot say would be lost in it.
func TestEveryFieldHasAKey(t *testing.T) {
	check := func(v any, fields []field) {
		if n := reflect.TypeOf(v).NumField(); n != len(fields) {
			t.Errorf("%T has %d fields and %d keys", v, n, len(fields))
		}
	}
	f := Default()
	check(f.Default, ruleFields(&f.Default))
	check(f.Caps, f.Caps.fields())
	check(f.Linkage, f.Linkage.fields())
	check(Blocking{}, (&Blocking{}).fields())
	check(f, append(f.fields(), make([]field, len(topTables))...))
}

func TestBlocked(t *testing.T) {
	f := Default()
	f.Blocked = map[identity.Namespace]Blocking{
		identity.Email:  {Add: []string{"INFO@Hotel.com", "*@mailinator.com", "kiosk-??@shop.pt"}, Remove: []string{"test@*", "real@mailinator.com"}},
		identity.Phone:  {Add: []string{"800 200 200"}},
		identity.UserID: {Add: []string{`\*`, "tmp-*-x"}},
		"store":         {Add: []string{"Lisboa"}},
	}
	rules, err := f.RulesFor(normalize.New(normalize.Options{Region: "PT"}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ns    identity.Namespace
		value string
		want  bool
	}{
		{"email", "info@hotel.com", true},
		{"email", "info@hotel.com.pt", false},
		{"email", "a@mailinator.com", true},
		{"email", "real@mailinator.com", false},
		{"email", "kiosk-01@shop.pt", true},
		{"email", "kiosk-1@shop.pt", false},
		{"email", "kiosk-001@shop.pt", false},
		{"email", "test@test.com", false},
		{"email", "noreply@hotel.com", true},
		{"email", "ana@hotel.com", false},
		{"phone", "+351800200200", true},
		{"phone", "800200200", true}, // as it was read before there was a region
		{"phone", "+351912345678", false},
		{"user_id", "*", true},
		{"user_id", "42", false},
		{"user_id", "TMP-9-x-9-X", true},
		{"user_id", "tmp-9-y", false},
		{"user_id", "guest", true},
		{"store", "LISBOA", true},
		{"device", "null", true},
	} {
		if got := rules.Blocked(identity.Identifier{Namespace: c.ns, Value: c.value}); got != c.want {
			t.Errorf("%s:%s is %v, want %v", c.ns, c.value, got, c.want)
		}
	}
	f.Blocked["store"].Add[0] = "Porto"
	delete(f.Blocked, identity.Email)
	delete(f.Namespaces, identity.Email)
	if !rules.Blocked(identity.Identifier{Namespace: "store", Value: "lisboa"}) || !rules.Blocked(identity.Identifier{Namespace: "email", Value: "info@hotel.com"}) {
		t.Error("the rules share the File's lists")
	}
	if rules.Rule(identity.Email).Limit != 5 {
		t.Error("the rules share the File's namespaces")
	}
}

// TestServed: what a file declares is in the rules.
func TestServed(t *testing.T) {
	f := Default()
	f.Untrusted, f.Trusted, f.Rename = []string{"web"}, []string{"public/kiosk"}, []string{"crm", "public/app"}
	f.Linkage = Linkage{Model: "m2", Review: 150, Link: 825}
	rules, err := f.Rules()
	if err != nil {
		t.Fatal(err)
	}
	if rules.Trusted("web") || !rules.Trusted("crm") || !rules.Renames("crm") || rules.Renames("shop") {
		t.Errorf("untrusted %v, rename %v", rules.Untrusted, rules.Rename)
	}
	if rules.Trusted("public/app") || rules.Renames("public/app") || !rules.Trusted("public/kiosk") || !rules.Trusted("public") || identity.DefaultRules().Trusted("public/app") {
		t.Error("sources of public keys are trusted where the file does not say so, or not where it does")
	}
	rules.Rename["web"] = true
	if rules.Renames("web") {
		t.Error("an untrusted source renames")
	}
	if rules.ModelVersion != "m2" || rules.ReviewThreshold != 150 || rules.LinkThreshold != 825 {
		t.Errorf("linkage by %q from %d and %d", rules.ModelVersion, rules.ReviewThreshold, rules.LinkThreshold)
	}
}

func TestDiff(t *testing.T) {
	b := Default()
	b.Version = 2
	b.Untrusted, b.Rename = []string{"web", "app"}, []string{"crm"}
	b.Caps.Unit = 128
	b.Linkage = Linkage{Model: "m2", Review: 200, Link: 825}
	email := b.Namespaces["email"]
	email.Limit, email.LimitWindow, email.TrustedClaims = 0, 0, true
	b.Namespaces["email"] = email
	phone := b.Namespaces["phone"]
	phone.MovingGap = 36 * time.Hour
	b.Namespaces["phone"] = phone
	card := b.Default
	card.Limit = 1
	b.Namespaces["member_card"] = card
	b.Blocked = map[identity.Namespace]Blocking{"email": {Add: []string{"info@hotel.com"}, Remove: []string{"a@a.com"}}}
	want := []string{
		"version: from 1 to 2",
		"untrusted: now also web, app",
		"rename: now also crm",
		"caps.unit: from 256 to 128",
		"linkage.model: from none to m2",
		"linkage.link: from 7 bits to 8.25 bits",
		"email.limit: from 5 to no limit",
		"email.limit_window: from 30 days to none",
		"email.trusted_claims: from no to yes",
		"member_card: is declared, and had the default rules",
		"member_card.limit: from no limit to 1",
		"phone.moving_gap: from 180 days to 36 hours",
		"email: 1 more values or patterns are blocked in addition",
		"email: 1 more values or patterns are let through",
	}
	if d := cmp.Diff(want, Diff(Default(), b)); d != "" {
		t.Error(d)
	}
	back := Diff(b, Default())
	if len(back) != len(want) || !slices.Contains(back, "untrusted: no longer web, app") ||
		!slices.Contains(back, "member_card: is no longer declared, and has the default rules") {
		t.Errorf("%q", back)
	}
}
