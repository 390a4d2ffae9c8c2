package files

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/ulikunitz/xz"

	"github.com/kindred-cdp/kindred/ingest/mapping"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// anyMapping maps any record that has an "a" to an event.
const anyMapping = `
source = "test"
[[events]]
kind = "behaviour"
name = "${a}"
properties = "rest"
`

func mapped(t testing.TB, text string) *Mapped {
	t.Helper()
	m, err := mapping.Load("test.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	f, err := NewMapped(m, []byte(text), "")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// lines imports content and describes every record in a line.
func lines(t *testing.T, name, content, mappingText string) []string {
	t.Helper()
	_, records := runImport(t, StringInput(name, content), func(c *Config) { c.Format = mapped(t, mappingText) })
	var out []string
	for _, r := range records {
		if reason := headerOf(r, wire.HeaderReject); reason != "" {
			out = append(out, headerOf(r, wire.HeaderPosition)+" "+headerOf(r, wire.HeaderReason)+" "+reason)
			continue
		}
		var m wire.Message
		if err := json.Unmarshal(r.Value, &m); err != nil {
			t.Fatal(err)
		}
		out = append(out, m.Name+" "+string(m.Properties))
	}
	return out
}

func packed(t *testing.T, kind, text string) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch kind {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zstd":
		w, err = zstd.NewWriter(&b)
	case "xz":
		w, err = xz.NewWriter(&b)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestForms(t *testing.T) {
	want := []string{`x {"b":"1"}`, `y {"b":"é; \"q\""}`}
	f := func(name, content, input string) {
		t.Helper()
		if diff := cmp.Diff(want, lines(t, name, content, anyMapping+input)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	const csv = "a,b\r\nx,1\r\ny,\"é; \"\"q\"\"\"\r\n"
	f("comma.csv", csv, "")
	f("bom.csv", "\xef\xbb\xbf"+csv, "")
	f("semicolon.csv", "a;b\nx;1\ny;\"é; \"\"q\"\"\"\n", "")
	f("tab.tsv", "a\tb\nx\t1\ny\té; \"q\"\n", "[input]\nquote = \"none\"")
	f("quote.csv", "a|b\nx|1\ny|'é; \"q\"'", "[input]\nquote = \"'\"\ndelimiter = \"|\"")
	f("noheader.csv", "x,1\ny,\"é; \"\"q\"\"\"\n", "[input]\nheader = false\ncolumns = [\"a\", \"b\"]")
	f("othernames.csv", "A,B\nx,1\ny,\"é; \"\"q\"\"\"\n", "[input]\ncolumns = [\"a\", \"b\"]")
	f("latin.csv", "a,b\nx,1\ny,\"\xe9; \"\"q\"\"\"\n", "[input]\nencoding = \"latin-1\"")
	f("lines.ndjson", "{\"a\":\"x\",\"b\":\"1\"}\n\n{\"a\":\"y\",\"b\":\"é; \\\"q\\\"\"}\n", "")
	f("array.json", "[ {\"a\":\"x\",\"b\":\"1\"},\n{\"a\":\"y\",\"b\":\"é; \\\"q\\\"\"} ]", "")
	for _, kind := range []string{"gzip", "zstd", "xz"} {
		f("packed.csv."+kind, packed(t, kind, csv), "")
	}
	f("packed.gz", packed(t, "gzip", "{\"a\":\"x\",\"b\":\"1\"}\n{\"a\":\"y\",\"b\":\"é; \\\"q\\\"\"}\n"), "")
	utf16 := []byte{0xff, 0xfe}
	for _, r := range strings.ReplaceAll(csv, "\r", "") {
		utf16 = append(utf16, byte(r), byte(r>>8))
	}
	f("utf16.csv", string(utf16), "")
	f("utf16-named.csv", string(utf16[2:]), "[input]\nencoding = \"utf-16le\"")
	var b bytes.Buffer
	w := parquet.NewGenericWriter[struct {
		A string `parquet:"a"`
		B string `parquet:"b,zstd"`
	}](&b)
	if _, err := w.Write([]struct {
		A string `parquet:"a"`
		B string `parquet:"b,zstd"`
	}{{"x", "1"}, {"y", "é; \"q\""}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f("rows.parquet", b.String(), "")
	f("rows.parquet.gz", packed(t, "gzip", b.String()), "")
}

func TestParquetTypes(t *testing.T) {
	type row struct {
		A    string    `parquet:"a"`
		At   time.Time `parquet:"at,timestamp(microsecond)"`
		Day  int32     `parquet:"day,date"`
		Paid int64     `parquet:"paid,decimal(2:18)"`
		Tags []string  `parquet:"tags,list"`
		Geo  struct {
			Lat float64 `parquet:"lat"`
		} `parquet:"geo"`
		None *int64 `parquet:"none,optional"`
		Raw  []byte `parquet:"raw"`
		Open bool   `parquet:"open"`
	}
	path := filepath.Join(t.TempDir(), "rows.parquet")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := parquet.NewGenericWriter[row](file)
	r := row{A: "x", At: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC), Day: 20_000, Paid: -1250, Tags: []string{"p", "q"}, Raw: []byte{0xff}, Open: true}
	r.Geo.Lat = 38.5
	for range 600 {
		if _, err := w.Write([]row{r}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	sum, records := runImport(t, FileInput(path), func(c *Config) { c.Format = mapped(t, anyMapping) })
	if sum.Messages != 600 || sum.Rejected != 0 {
		t.Fatalf("%+v", sum)
	}
	var m wire.Message
	if err := json.Unmarshal(records[599].Value, &m); err != nil {
		t.Fatal(err)
	}
	const want = `{"at":"2026-01-02T03:04:05.000006Z","day":"2024-10-04","geo":{"lat":38.5},"open":true,"paid":-12.5,"raw":"/w==","tags":["p","q"]}`
	if string(m.Properties) != want {
		t.Errorf("got  %s\nwant %s", m.Properties, want)
	}
}

// TestRejectsAreWholeAfterCrashes kills a mapped import at random points: what
// was published, the reject file and the counts are those of a quiet import.
func TestRejectsAreWholeAfterCrashes(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for round := range 4 {
		rng := rand.New(rand.NewPCG(seed, uint64(round)))
		var b strings.Builder
		b.WriteString("a,b\n")
		for i := range 60 + rng.IntN(100) {
			_, _ = b.WriteString([]string{"n", "n", "", "\"open"}[rng.IntN(4)])
			_, _ = fmt.Fprintf(&b, ",%d\n", i)
		}
		in, size := StringInput("f.csv", b.String()), 1+rng.IntN(9)
		quiet := filepath.Join(t.TempDir(), "rejects")
		wantSum, want := runImport(t, in, func(c *Config) { c.Format, c.BatchMessages, c.Rejects = mapped(t, anyMapping), size, quiet })
		cfg := DefaultConfig()
		cfg.Input, cfg.Format, cfg.StateFolder, cfg.BatchMessages = in, mapped(t, anyMapping), t.TempDir(), size
		cfg.Rejects = filepath.Join(cfg.StateFolder, "rejects")
		var got []Record
		for deaths := 0; ; deaths++ {
			m := &mortal{rng: rng, left: 1 + rng.IntN(8)}
			importer, err := New(cfg, testDeps(m))
			if err != nil {
				t.Fatal(err)
			}
			sum, err := importer.Run(t.Context())
			for _, c := range m.calls {
				got = append(got, c...)
			}
			if err == nil {
				if sum.Counts != wantSum.Counts {
					t.Errorf("counts %+v, want %+v", sum.Counts, wantSum.Counts)
				}
				break
			}
		}
		if diff := cmp.Diff(want, firstCopies(t, got)); diff != "" {
			t.Fatalf("round %d (-quiet +crashed):\n%s", round, diff)
		}
		wantText, _ := os.ReadFile(quiet)
		gotText, _ := os.ReadFile(cfg.Rejects)
		if len(wantText) == 0 || string(wantText) != string(gotText) || bytes.Count(gotText, []byte("\n")) != wantSum.Rejected {
			t.Errorf("the reject file differs after crashes:\n%s\n%s", wantText, gotText)
		}
	}
}

func TestAnotherMappingIsAnotherImport(t *testing.T) {
	dir := t.TempDir()
	in := StringInput("f.csv", "a\nx\n")
	for _, text := range []string{anyMapping, anyMapping + "# changed\n"} {
		sum, _ := runImport(t, in, func(c *Config) { c.Format, c.StateFolder = mapped(t, text), dir })
		if sum.ResumedAt != 0 || sum.Messages != 1 {
			t.Errorf("%+v", sum)
		}
	}
	if sum, _ := runImport(t, in, func(c *Config) { c.Format, c.StateFolder = mapped(t, anyMapping), dir }); sum.ResumedAt != 1 {
		t.Errorf("the first import again: %+v", sum)
	}
}

func TestShiftOfMappedTimes(t *testing.T) {
	text := anyMapping + "time = \"${t}\"\n"
	sum, records := runImport(t, StringInput("f.csv", "a,t\nx,2020-01-01\ny,2020-01-08\nz,\n"), func(c *Config) { c.Format, c.ShiftToNow = mapped(t, text), true })
	var last wire.Message
	if err := json.Unmarshal(records[1].Value, &last); err != nil {
		t.Fatal(err)
	}
	if age := testNow.Sub(last.Time); age < 0 || age >= 7*24*time.Hour || last.Time.Weekday() != time.Wednesday || !sum.Last.Equal(last.Time) {
		t.Errorf("last %v, summary %+v", last.Time, sum)
	}
}

func TestNativeMessages(t *testing.T) {
	content := `{"name":"n","sensor":{"technology":"rfid","device":"d"}}
{"id":"m","name":"n","source":"s","time":"2026-01-01T00:00:00Z","sensor":{"technology":"rfid","device":"d"}}
{"name":"n","sensor":{"technology":"laser","device":"d"}}
{"name":
`
	_, records := runImport(t, StringInput("f.ndjson", content), func(c *Config) { c.Format = Messages{Kind: wire.Sensor, Source: "gates"} })
	var got []string
	for _, r := range records {
		var m wire.Message
		_ = json.Unmarshal(r.Value, &m)
		got = append(got, fmt.Sprint(m.ID != "", m.Source, m.Undated, headerOf(r, wire.HeaderReason), headerOf(r, wire.HeaderPosition)))
	}
	want := []string{"truegatestrue", "truesfalse", "truegatestrueinvalid_fieldf.ndjson:3", "falsefalseinvalid_jsonf.ndjson:4"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPreview(t *testing.T) {
	samples, err := Preview(t.Context(), StringInput("f.csv", "a,b\nx,1\n,2\ny,3\nz,4\n"), mapped(t, anyMapping), 3, testNow)
	if err != nil || len(samples) != 3 || samples[0].Message == nil || samples[1].Position != "f.csv:3" || samples[1].Code != "missing_field" {
		t.Errorf("%+v, %v", samples, err)
	}
	samples, err = Preview(t.Context(), StringInput("f.csv", header+good("1", "A")+"bad\n"), OnlineRetail{}, 10, testNow)
	if err != nil || len(samples) != 2 || samples[1].Code != "rejected_by_source" {
		t.Errorf("online-retail: %+v, %v", samples, err)
	}
}

// TestSuggestionsLoad holds the guesses for typical files, each of which must
// load and map the file's records without a fault.
func TestSuggestionsLoad(t *testing.T) {
	f := func(name, content string, want ...string) {
		t.Helper()
		text, err := Suggest(StringInput(name, content))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s lacks %s in\n%s", name, w, text)
			}
		}
		samples, err := Preview(t.Context(), StringInput(name, content), mapped(t, text), 10, testNow)
		if err != nil || len(samples) == 0 {
			t.Errorf("%s: %v", name, err)
		}
		for _, s := range samples {
			if s.Message == nil {
				t.Errorf("%s: %s %s", name, s.Code, s.Reason)
			}
		}
	}
	f("orders.csv", "Order ID;Customer E-Mail;E-Mail;Total;Order Date\n7;x;ana@example.com;12.50;31/01/2026 12:00\n8;y;b@example.com;1;28/02/2026 13:00\n",
		`kind = "transaction"`, `delimiter = ";"`, `namespace = "email", from = '${E-Mail}'`, `format = "dd/MM/yyyy HH:mm"`, `order_id = '${Order ID}'`)
	f("gps.csv", "userId,ts,latitude,longitude\nu1,1767225600,38.7,-9.1\n", `kind = "location"`, `format = "unix"`, `namespace = "user_id"`, `lat = '${latitude}'`)
	f("nps.csv", "score,comment\n9,caf\xe9\n", `kind = "feedback"`, `encoding = "windows-1252"`, `score = '${score}'`)
	f("raw.tsv", "1\t2026-01-01T00:00:00Z\tx\n2\t2026-01-02T00:00:00Z\ty\n", `header = false`, `columns = ["column1", "column2", "column3"]`)
	f("clicks.ndjson", `{"event":"seen","timestamp":1767225600000,"user":{"id":1},"a.b":2}`+"\n", `kind = "behaviour"`, `format = "unix_ms"`, `format = "ndjson"`)
	if _, err := Suggest(StringInput("empty.csv", "")); err == nil {
		t.Error("an empty file has no columns to guess from")
	}
}

// TestShippedMappings loads the examples and maps a few lines as their files
// have them.
func TestShippedMappings(t *testing.T) {
	f := func(name, file, content string, want int) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join("../../deploy/mappings", name))
		if err != nil {
			t.Fatal(err)
		}
		samples, err := Preview(t.Context(), StringInput(file, content), mapped(t, string(text)), 10, testNow)
		if err != nil || len(samples) != want {
			t.Errorf("%s: %d samples, %v", name, len(samples), err)
		}
		for _, s := range samples {
			if s.Message == nil {
				t.Errorf("%s: %s %s", name, s.Code, s.Reason)
			}
		}
	}
	f("cdnow.toml", "master.txt", " customer_id  date number_of_cds  dollar_value\r\n 00001 19970101  1   11.77\r\n 00002 19970112  5   77.00\r\n", 2)
	f("nps_french_retailer.toml", "nps.csv", "\"\",\"id\",\"nps\",\"satisfaction\",\"intention\",\"explication\",\"NbPassageKS\",\"CaTicket\",\"t\"\n\"1\",2368,10,10,10,NA,23,12.85,11\n\"2\",7,NA,7,7,\"tr\xe8s bien\",1,2,11\n", 1)
	f("gowalla_venues.toml", "venues.csv", "1391604\tConference \"House\" Park\t40.5017589436\t-74.2523431778\n", 1)
	f("gowalla_events.toml", "events.csv", "0\t2010-10-12T00:21:28Z\t40.6438845363\t-73.78280639649999\t23261\n", 1)
	f("telco_churn.toml", "telco.csv", "customerID,gender,SeniorCitizen,Partner,Dependents,tenure,MonthlyCharges,TotalCharges,Churn\n7590-VHVEG,Female,0,Yes,No,1,29.85, ,No\n", 1)
	f("retentioneering_ecom.toml", "clicks.csv", "user_id,session_id,event,timestamp,platform,acquisition_channel,user_cohort,user_lifecycle\nuser_0000,sess_000001,home,2024-03-13 10:21:14,desktop,email,2024-01,returning\n", 1)
	shipped, err := filepath.Glob("../../deploy/mappings/*.toml")
	if err != nil || len(shipped) != 6 {
		t.Errorf("%d mappings are shipped, %v; each needs a line above", len(shipped), err)
	}
}
