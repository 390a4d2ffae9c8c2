package rulefile

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
)

var update = flag.Bool("update", false, "write the golden files")

func TestDefaultIsIdentitys(t *testing.T) {
	got, err := Default().Rules()
	if err != nil {
		t.Fatal(err)
	}
	want := identity.DefaultRules()
	got.Blocked, want.Blocked = nil, nil // functions do not compare; TestBlocked does
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestGolden(t *testing.T) {
	for name, got := range map[string][]byte{
		"testdata/default.toml": Format(Default()), "testdata/default.json": FormatJSON(Default()),
	} {
		if *update {
			if err := os.WriteFile(name, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		f, err := Parse(want)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(Default(), f); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestPartial: what a text does not say keeps its default, and a new namespace
// starts from the text's own default.
func TestPartial(t *testing.T) {
	f, err := Parse([]byte(`
version = 7
rename = ["crm"]
default.fan_out_up = 4   # before or after: the order of tables means nothing

[namespaces]
email = { limit = 3, limit_window = "36h" }
member_card.limit = 1

[blocked.email]
add = ["info@hotel.com"]
`))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Version, want.Rename = 7, []string{"crm"}
	want.Default.FanOutUp = 4
	email := want.Namespaces[identity.Email]
	email.Limit, email.LimitWindow = 3, 36*time.Hour
	want.Namespaces[identity.Email] = email
	card := want.Default
	card.Limit = 1
	want.Namespaces["member_card"] = card
	want.Blocked = map[identity.Namespace]Blocking{identity.Email: {Add: []string{"info@hotel.com"}}}
	if d := cmp.Diff(want, f); d != "" {
		t.Error(d)
	}
}

// texts are the faults of texts, both forms, whole and in order.
var texts = []struct{ name, text, want string }{
	{"unknown keys, every one", "version = 1\nnamspaces = 1\n\n[namespaces.email]\nlimt = 5\nlimit_windo = \"30d\"\n\n[caps]\nzebra = 1\n", "" +
		"line 2: namspaces: is not a key of the rules; did you mean namespaces?\n" +
		"line 5: namespaces.email.limt: is not a key of the rules; did you mean limit?\n" +
		"line 6: namespaces.email.limit_windo: is not a key of the rules; did you mean limit_window?\n" +
		"line 9: caps.zebra: is not a key of the rules"},
	{"the same in JSON", "{\"version\": 1,\n\"namspaces\": 1,\n\"namespaces\": {\"email\": {\n\"limt\": 5,\n\"limit_windo\": \"30d\"}}}", "" +
		"line 2: namspaces: is not a key of the rules; did you mean namespaces?\n" +
		"line 4: namespaces.email.limt: is not a key of the rules; did you mean limit?\n" +
		"line 5: namespaces.email.limit_windo: is not a key of the rules; did you mean limit_window?"},
	{"kinds", "version = \"1\"\nuntrusted = \"web\"\ntrusted = [1]\n[caps]\nunit = 2.5\n[linkage]\nmodel = 4\nlink = \"7\"\nreview = 2.345\n[namespaces]\nemail = 3\nphone.moving_gap = 30\nphone.limit = 1979-05-27\n", "" +
		"line 1: version: must be a whole number, and is text\n" +
		"line 2: untrusted: must be a list of texts, and is text\n" +
		"line 3: trusted: must be a list of texts, and holds a whole number\n" +
		"line 5: caps.unit: must be a whole number, and is a number with a fraction or an exponent\n" +
		"line 7: linkage.model: must be text, and is a whole number\n" +
		"line 8: linkage.link: must be a number of bits with at most two decimals, as 7.25, and is text\n" +
		"line 9: linkage.review: must be a number of bits with at most two decimals, as 7.25, and is a number with a fraction or an exponent\n" +
		"line 11: namespaces.email: must be a table of keys, and is a whole number\n" +
		"line 12: namespaces.phone.moving_gap: must be a duration in text: a whole number and one of d, h, m, s, as \"30d\"\n" +
		"line 13: namespaces.phone.limit: must be a whole number, and is a date or time"},
	{"null", "{\"caps\": {\"unit\": null},\n\"default\": null}", "" +
		"line 1: caps.unit: must be a whole number, and is null\n" +
		"line 2: default: must be a table of keys, and is null"},
	{"contradictions have lines", "version = 0\n\n[namespaces.email]\nfan_out_up = 0\n\n[namespaces.crm_id]\nprincipal = true\n", "" +
		"line 1: version: must be a whole number from 1\n" +
		"line 4: namespaces.email.fan_out_up: must be 1 or more: with 0 every identifier is generic at its first neighbour\n" +
		"line 6: namespaces.crm_id.shieldable: must be false for a principal: it is what shields others\n" +
		"line 7: namespaces.crm_id.principal: must be false: user_id is the principal, and there is one"},
	{"what is no rule", "[normalise]\nregion = \"PT\"\nstrip_plus_tags = true\nprovider_rule = true\nprovider_rules = 1\n", "" +
		"line 2: normalise.region: is no rule: values are normalised when their events come in. Leave it out, and set phone-region in the settings of Kindred (kindred --help)\n" +
		"line 3: normalise.strip_plus_tags: is no rule: values are normalised when their events come in. Leave it out, and set strip-plus-tags in the settings of Kindred (kindred --help)\n" +
		"line 4: normalise.provider_rule: is not a key of the rules; did you mean provider_rules?\n" +
		"line 5: normalise.provider_rules: is no rule: values are normalised when their events come in. Leave it out, and set mail-provider-rules in the settings of Kindred (kindred --help)"},
	{"what is no table", "normalise = 1", "line 1: normalise: must be a table of keys, and is a whole number"},
	{"thresholds", "[linkage]\nreview = 8\nlink = 7.5\n[caps]\nunit = 0", "" +
		"line 2: linkage.review: must be at most linkage.link (7.5): pairs that join would not count\n" +
		"line 5: caps.unit: must be a whole number from 1 to 2147483647"},
	{"too large", "version = 99999999999", "line 1: version: must be a whole number of at most 2147483647"},
	{"duration overflow", "namespaces.email.limit_window = '999999999999d'", "line 1: namespaces.email.limit_window: must be a duration in text: a whole number and one of d, h, m, s, as \"30d\""},
	{"a list of tables", "[[namespaces.email]]\nlimit = 2", "line 1: namespaces.email: must be a table of keys, and is a list"},
	{"quoted keys", "[namespaces.\"e mail\"]\nlimit = 2", "line 1: namespaces.\"e mail\": is not a name of a namespace: " + identity.ErrNamespace.Error()},
	{"escaped keys", "\n\"vers\\u0069on\" = 0", "line 2: version: must be a whole number from 1"},
	{"twice in TOML", "version = 1\nversion = 2", "line 2: is not TOML: key version is already defined"},
	{"twice in JSON", "{\"version\": 1,\n\"version\": 2}", "line 2: is not JSON: key version is there twice"},
	{"damaged TOML", "version = 1\ncaps = {", "line 2: is not TOML: expected character } but the document ended here"},
	{"damaged JSON", "{\"version\": 1,\n", "line 1: is not JSON: the document ends too early"},
	{"two documents", "{} {}", "line 1: is not JSON: there is more after the end of the document"},
	{"deep", strings.Repeat(`{"default":`, 20), "line 1: is not JSON: the document is nested too deeply"},
	{"not UTF-8", "rename = [\"\xff\"]", "must be UTF-8 text"},
	{"damaged text", `{"rename": ["\ud800"]}`, "line 1: rename: must have entries of printable UTF-8 text: entry 1 is not"},
	{"huge", strings.Repeat("#", MaxText+1), "must be at most 256 KiB of text"},
}

func TestFaultsOfTexts(t *testing.T) {
	for _, c := range texts {
		f, err := Parse([]byte(c.text))
		if err == nil {
			t.Errorf("%s: no fault, %+v", c.name, f)
			continue
		}
		if d := cmp.Diff(c.want, err.Error()); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		var fault *Fault
		if !errors.As(err, &fault) {
			t.Errorf("%s: %T holds no Fault", c.name, err)
		}
		if d := cmp.Diff(File{}, f); d != "" {
			t.Errorf("%s: a File beside an error: %s", c.name, d)
		}
	}
}

func TestMeansTheSame(t *testing.T) {
	// The third is what earlier releases stored.
	for _, text := range []string{"", "# nothing", `{"normalise": {"region": "", "strip_plus_tags": false, "provider_rules": false}}`, "{}", " \n{\n}\n", "\ufeff{}", "\ufeffversion = 1"} {
		f, err := Parse([]byte(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if d := cmp.Diff(Default(), f); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
}

// hostile texts must be answered, quickly, and without a panic.
func TestHostile(t *testing.T) {
	for name, text := range map[string]string{
		"brackets":     "a = " + strings.Repeat("[", MaxText-4),
		"braces":       strings.Repeat("{", MaxText),
		"inline":       "a = " + strings.Repeat("{a=", (MaxText-4)/3),
		"dots":         strings.Repeat("a.", MaxText/2-4) + "a = 1",
		"tables":       strings.Repeat("[namespaces.a.b.c.d]\n", 1000),
		"keys":         "[namespaces]\n" + many("k%d.limit = 1\n", 8000),
		"unknown keys": many("k%d = 1\n", 20000),
		"list":         "[blocked.email]\nadd = [" + many(`"%d@x.pt",`, 12000) + "]",
		"patterns":     "[blocked.email]\nadd = [" + many(`"*%d@x.pt",`, 9000) + "]",
		"stars":        `blocked.email.add = ["` + strings.Repeat("*a", 250) + `"]`,
		"nul":          "version = 1\x00",
		"carriage":     strings.Repeat("\r", 1000),
		"quotes":       strings.Repeat(`"""`, 1000),
		"long key":     strings.Repeat("k", MaxText-5) + " = 1",
		"escapes":      `{"` + strings.Repeat(`\u0000`, 1000) + `": 1}`,
		"numbers":      `{"version": 1` + strings.Repeat("0", 100000) + "}",
		"exponent":     `{"version": 1e999999999}`,
		"hex":          "version = 0x7fffffffffffffff",
	} {
		start := time.Now()
		f, err := Parse([]byte(text))
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
		if err == nil {
			if _, err := f.Rules(); err != nil {
				t.Errorf("%s: parsed, and not valid: %v", name, err)
			}
		}
	}
}

func many(format string, n int) string {
	var b bytes.Buffer
	for i := range n {
		b.WriteString(strings.Replace(format, "%d", strings.Repeat("x", i%7)+string(rune('a'+i%26))+itoa(i), 1))
	}
	return b.String()
}
