package export_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/export"
)

var since = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// file writes somebody with everything, and somebody with nothing.
func file(t *testing.T, f export.Format, list string) []byte {
	t.Helper()
	columns, err := export.ParseColumns(list)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := export.NewWriter(&b, f, columns)
	if err != nil {
		t.Fatal(err)
	}
	id := func(ns, value string, day int) profiles.Identifier {
		return profiles.Identifier{Identifier: identity.Identifier{Namespace: identity.Namespace(ns), Value: value}, LastSeen: since.AddDate(0, 0, day)}
	}
	ana := &profiles.Profile{
		ID: 5, Identifiers: []profiles.Identifier{id("email", "old@example.com", 0), id("email", "ana@example.com", 1), id("phone", "+351911111111", 0)},
		Traits: []profiles.Trait{{Name: "note", Value: json.RawMessage(`"=HYPERLINK(\"http://x\")"`)}, {Name: "debt", Value: json.RawMessage(`-5.5`)}, {Name: "tags", Value: json.RawMessage(`["a","b"]`)}},
		Scores: []profiles.Score{{Name: "churn", Value: .25}},
	}
	for _, p := range []*profiles.Profile{ana, {ID: 6}} {
		if err := w.Write(segments.Member{Profile: p.ID, Since: since}, p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const all = "since,profile,identifier.email,identifiers.email,identifier.phone,trait.note,trait.debt,trait.tags,score.churn"

func TestCSV(t *testing.T) {
	want := all + `
2026-05-04T12:00:00Z,0000000000000005,ana@example.com,"[""ana@example.com"",""old@example.com""]",+351911111111,"'=HYPERLINK(""http://x"")",-5.5,"[""a"",""b""]",0.25
2026-05-04T12:00:00Z,0000000000000006,,,,,,,
`
	if got := string(file(t, export.CSV, all)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestNDJSON(t *testing.T) {
	want := `{"profile":"0000000000000005","trait.tags":["a","b"],"score.churn":0.25}
{"profile":"0000000000000006","trait.tags":null,"score.churn":null}
`
	if got := string(file(t, export.NDJSON, "profile,trait.tags,score.churn")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestParquet(t *testing.T) {
	text := file(t, export.Parquet, all)
	f, err := parquet.OpenFile(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	r := parquet.NewReader(f)
	defer func() { _ = r.Close() }()
	var got []map[string]any
	for {
		row := map[string]any{}
		if err := r.Read(&row); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		got = append(got, row)
	}
	if len(got) != 2 {
		t.Fatalf("%d rows", len(got))
	}
	shown := fmt.Sprint(got[0]["identifier.email"], got[0]["score.churn"], got[0]["trait.debt"], got[0]["profile"], got[1]["profile"], got[1]["identifier.email"], got[1]["score.churn"])
	if shown != fmt.Sprint("ana@example.com", .25, "-5.5", "0000000000000005", "0000000000000006", nil, nil) {
		t.Errorf("read %s from %v", shown, got)
	}
}

func TestColumns(t *testing.T) {
	for _, list := range []string{"profile,profile", "shoe", "identifier.", "identifier.E Mail", "trait.", "profile.x", "since,", strings.Repeat("trait.a,", 60)} {
		if _, err := export.ParseColumns(list); err == nil {
			t.Errorf("%q is taken", list)
		}
	}
	columns, err := export.ParseColumns("")
	if err != nil || len(columns) != 2 || export.NeedProfiles(columns) {
		t.Errorf("%v, %v", columns, err)
	}
}
