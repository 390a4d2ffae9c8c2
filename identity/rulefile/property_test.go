package rulefile

import (
	"bytes"
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/kindred-cdp/kindred/identity"
)

func itoa(i int) string { return strconv.Itoa(i) }

// drawFile draws a File of any content that a text can hold, valid or not.
func drawFile(t *rapid.T) File {
	number := rapid.IntRange(-3, 1<<31-1)
	seconds := rapid.Map(rapid.Int64Range(-100, 1<<32), func(n int64) time.Duration { return time.Duration(n) * time.Second })
	texts := func(label string) []string {
		v := rapid.SliceOfN(rapid.String(), 0, 4).Draw(t, label)
		if len(v) == 0 {
			return nil
		}
		return v
	}
	rule := func(label string) (r identity.Rule) {
		for _, f := range ruleFields(&r) {
			switch p := f.value.(type) {
			case *int:
				*p = number.Draw(t, label+f.key)
			case *bool:
				*p = rapid.Bool().Draw(t, label+f.key)
			case *time.Duration:
				*p = seconds.Draw(t, label+f.key)
			}
		}
		return r
	}
	f := Default()
	f.Version = number.Draw(t, "version")
	f.Untrusted, f.Trusted, f.Rename = texts("untrusted"), texts("trusted"), texts("rename")
	f.Caps = Caps{number.Draw(t, "unit"), number.Draw(t, "group")}
	f.Linkage = Linkage{rapid.String().Draw(t, "model"), Bits(number.Draw(t, "review")), Bits(number.Draw(t, "link"))}
	f.Default = rule("default")
	for _, ns := range rapid.SliceOfN(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"email", "phone", "a.b", ""})), 0, 4).Draw(t, "names") {
		f.Namespaces[identity.Namespace(ns)] = rule(ns)
		if b := (Blocking{Add: texts("add"), Remove: texts("remove")}); b.Add != nil || b.Remove != nil {
			if f.Blocked == nil {
				f.Blocked = map[identity.Namespace]Blocking{}
			}
			f.Blocked[identity.Namespace(ns)] = b
		}
	}
	return f
}

// read is Parse without judging, so that every File can be drawn.
func read(t rapid.TB, text []byte) File {
	t.Helper()
	parse := readTOML
	if bytes.HasPrefix(text, []byte("{")) {
		parse = readJSON
	}
	root, fault := parse(text)
	if fault != nil {
		t.Fatalf("%v\n%s", fault, text)
	}
	r := reader{root: root}
	f := r.file()
	if err := r.faults.join(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return f
}

// TestRoundTrip: both forms read back as the File they were written from, and
// the validity of the two is the same.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFile(t)
		for _, text := range [][]byte{Format(f), FormatJSON(f)} {
			if d := cmp.Diff(f, read(t, text)); d != "" {
				t.Fatalf("%s\n%s", d, text)
			}
			if _, err := Parse(text); (err == nil) != (f.Validate() == nil) {
				t.Fatalf("Parse gives %v, Validate %v", err, f.Validate())
			}
		}
		if d := Diff(f, f); len(d) != 0 {
			t.Fatalf("a File differs from itself: %q", d)
		}
		if d := Diff(Default(), f); (len(d) == 0) != cmp.Equal(Default(), f) {
			t.Fatalf("Diff says %q, cmp %s", d, cmp.Diff(Default(), f))
		}
	})
}

func TestJSONMethods(t *testing.T) {
	f := Default()
	f.Version = 3
	text, err := json.Marshal(struct{ Rules File }{f})
	if err != nil {
		t.Fatal(err)
	}
	var back struct{ Rules File }
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(f, back.Rules); d != "" {
		t.Error(d)
	}
	if err := json.Unmarshal([]byte(`{"Rules": {"versio": 1}}`), &back); err == nil {
		t.Error("an unknown key passes")
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range texts {
		if len(c.text) < 1000 {
			f.Add([]byte(c.text))
		}
	}
	f.Add(Format(Default()))
	f.Add(FormatJSON(Default()))
	f.Add([]byte("[blocked.phone]\nadd = [\"+351*\", '\\*']\nremove = ['''a''']"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Parse(text)
		if err != nil {
			if !cmp.Equal(File{}, file) {
				t.Fatal("a File beside an error")
			}
			return
		}
		if err := file.Validate(); err != nil {
			t.Fatalf("parsed, and not valid: %v", err)
		}
		for _, again := range [][]byte{Format(file), FormatJSON(file)} {
			back, err := Parse(again)
			if err != nil {
				t.Fatalf("%v\n%s", err, again)
			}
			if d := cmp.Diff(file, back); d != "" {
				t.Fatal(d)
			}
		}
		rules, err := file.Rules()
		if err != nil {
			t.Fatal(err)
		}
		for ns := range file.Blocked {
			rules.Blocked(identity.Identifier{Namespace: ns, Value: string(text)})
		}
	})
}
