package simulate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"go/build"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/ingest/files"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// someCustomers invents customers with a few orders each.
func someCustomers(n int) (all []files.Customer) {
	rng := rand.New(rand.NewPCG(7, 7))
	for i := range n {
		c := files.Customer{ID: string(rune('a'+i%26)) + hex.EncodeToString([]byte{byte(i >> 8), byte(i)}), Country: "Portugal"}
		if i%10 == 0 { // An order in the last minute of the data.
			c.Orders = append(c.Orders, files.Purchase{OrderID: c.ID + "z", Time: testEnd.Add(-time.Second)})
		}
		for k := range rng.IntN(5) {
			c.Orders = append(c.Orders, files.Purchase{
				OrderID: c.ID + string(rune('0'+k)), Time: testEnd.Add(-time.Duration(rng.IntN(300*24)) * time.Hour),
				Products: []string{"85123A", "71053"},
			})
		}
		all = append(all, c)
	}
	return all
}

func digest(tb testing.TB, w *World) string {
	tb.Helper()
	h := sha256.New()
	err := w.Records(tb.Context(), func(r files.Record) error {
		text, err := json.Marshal(r)
		h.Write(text)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	if err := errors.Join(w.Truth.WriteCSV(h), WriteCRM(h, w.CRM), WriteCRMTruth(h, w.CRM)); err != nil {
		tb.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func TestSameSeedSameBytes(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	customers := someCustomers(200)
	first := digest(t, mustGenerate(t, testConfig(), customers))
	for _, procs := range []int{1, 2, 4} {
		before := runtime.GOMAXPROCS(procs)
		again := digest(t, mustGenerate(t, testConfig(), customers))
		runtime.GOMAXPROCS(before)
		if again != first {
			t.Errorf("GOMAXPROCS %d gives other bytes", procs)
		}
	}
	other := testConfig()
	other.Seed++
	if digest(t, mustGenerate(t, other, customers)) == first {
		t.Error("another seed gives the same bytes")
	}
}

// readAll returns the messages of a world in order of arrival, and the records.
func readAll(tb testing.TB, w *World) (messages []wire.Message, records []files.Record) {
	tb.Helper()
	err := w.Records(tb.Context(), func(r files.Record) error {
		var m wire.Message
		err := json.Unmarshal(r.Value, &m)
		messages, records = append(messages, m), append(records, r)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return messages, records
}

func TestEventsKeepTheirPromises(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	w := mustGenerate(t, testConfig(), someCustomers(200))
	messages, records := readAll(t, w)
	bodies := make(map[string]wire.Message)
	copies, exact, outOfOrder := 0, 0, 0
	latest := time.Time{}
	raw := make(map[string][]byte)
	for i, m := range messages {
		if m.Time.After(testEnd) {
			t.Fatalf("%s at %v, after the end", m.Name, m.Time)
		}
		if m.ID == "" || len(m.ID) > 200 || m.Name == "" || m.Source == "" || len(m.Identifiers) == 0 && m.Catalogue == nil || len(m.Identifiers) > 8 {
			t.Fatalf("message %+v", m)
		}
		if string(records[i].Key) != string(wire.PartitionKey(m.Source, m.ID)) {
			t.Fatalf("key of %s", m.ID)
		}
		if kind := wire.Kind(strings.TrimPrefix(records[i].Topic, "kindred.")); len(m.Check(kind)) > 0 {
			t.Fatalf("%s of kind %s: %v", m.Name, kind, m.Check(kind))
		}
		if (records[i].Topic == wire.Behaviour.Topic()) != (m.Type != "") {
			t.Fatalf("topic %s with type %q", records[i].Topic, m.Type)
		}
		if first, ok := bodies[m.ID]; ok {
			copies++
			if bytes.Equal(raw[m.ID], records[i].Value) {
				exact++
			}
			first.SentTime, m.SentTime = time.Time{}, time.Time{}
			a, _ := json.Marshal(first)
			b, _ := json.Marshal(m)
			if !bytes.Equal(a, b) {
				t.Fatalf("a copy of %s has another body", m.ID)
			}
			continue
		}
		bodies[m.ID], raw[m.ID] = m, records[i].Value
		if m.Time.Before(latest.Add(-24 * time.Hour)) {
			outOfOrder++
		}
		latest = later(latest, m.Time)
	}
	if copies == 0 || exact == 0 || exact == copies || outOfOrder == 0 || w.counts.Late == 0 {
		t.Errorf("%d copies, %d of them exact, %d out of order by a day", copies, exact, outOfOrder)
	}
	if w.counts.Messages != len(bodies) || w.counts.Copies != copies || w.Deliveries() != len(messages) {
		t.Errorf("counts %+v, found %d messages and %d copies", w.counts, len(bodies), copies)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// TestMessOfRealLife looks for each kind of mess in the events.
func TestMessOfRealLife(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	w := mustGenerate(t, testConfig(), someCustomers(1500))
	messages, _ := readAll(t, w)
	found := make(map[string]int)
	for _, m := range messages {
		found["source "+m.Source]++
		found["name "+m.Name]++
		for _, id := range m.Identifiers {
			c, ok := canonical(id)
			switch {
			case !ok:
				found["placeholder "+id.Namespace]++
			case c.value != id.Value:
				found["spelling "+id.Namespace]++
			}
			if owners := w.Truth.owners[c]; ok && len(owners) > 1 {
				found["shared "+id.Namespace]++
			}
			if ok && !w.Truth.seen[c] {
				t.Fatalf("an identifier of namespace %s is not in the truth", id.Namespace)
			}
		}
	}
	for _, want := range []string{
		"source web", "source app", "source newsletter", "source store-tablet", "source call-centre",
		"name Page Viewed", "name Product Viewed", "name Product Added", "name Checkout Started", "name Signed In",
		"name Signed Out", "name Newsletter Subscribed", "name Newsletter Clicked", "name Support Case Opened",
		"name Loyalty Card Issued", "name Loyalty Card Linked", "placeholder user_id", "placeholder email",
		"placeholder phone", "spelling email", "spelling phone", "shared device", "shared anonymous_id", "shared email",
	} {
		if found[want] == 0 {
			t.Errorf("nothing of %q in %d messages", want, len(messages))
		}
	}
	for id, owners := range w.Truth.owners {
		if id.value == staffEmail && len(owners) > 0 {
			t.Error("the shop's own address has an owner")
		}
	}
	accounts := make(map[string]int)
	for _, o := range w.Truth.Ownerships() {
		if o.Namespace == "user_id" && len(o.People) == 1 {
			accounts[o.People[0]]++
		}
		if o.Namespace == "email" && !strings.HasSuffix(o.Value, ".example") {
			t.Errorf("an e-mail address outside the reserved domain")
		}
		if o.Namespace == "phone" && !strings.Contains(o.Value, "55501") {
			t.Errorf("a phone number outside the reserved range")
		}
	}
	if second := slices.Max(mapValues(accounts)); second < 2 {
		t.Error("nobody has two accounts")
	}
}

func mapValues(m map[string]int) (values []int) {
	for _, v := range m {
		values = append(values, v)
	}
	return values
}

var errKilled = errors.New("killed")

// mortal dies after some calls; its last batch may have arrived.
type mortal struct {
	rng  *rand.Rand
	left int
	got  []files.Record
}

func (m *mortal) Publish(_ context.Context, _ string, records []files.Record) error {
	if m.left--; m.left > 0 || m.rng.IntN(2) == 0 {
		m.got = append(m.got, records...)
	}
	if m.left <= 0 {
		return errKilled
	}
	return nil
}

// TestCrashesChangeNothing kills the simulation at random points: the records
// that arrived are those of an undisturbed run.
func TestCrashesChangeNothing(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	customers := someCustomers(60)
	run := func(p files.Publisher, folder string) (Summary, error) {
		s, err := New(testConfig(), customers, Options{
			StateFolder: folder, TruthFile: filepath.Join(folder, "truth.csv"), BatchMessages: 97,
		}, Deps{Publisher: p, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return s.Run(t.Context())
	}
	whole := &mortal{rng: rng, left: 1 << 30}
	want, err := run(whole, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	folder, deaths := t.TempDir(), 0
	var got []files.Record
	for {
		m := &mortal{rng: rng, left: 1 + rng.IntN(12)}
		sum, err := run(m, folder)
		got = append(got, m.got...)
		if err == nil {
			sum.ResumedAt, sum.TruthFile, want.TruthFile = 0, "", ""
			if a, b := asJSON(t, want), asJSON(t, sum); a != b {
				t.Errorf("summary\n%s\nwant\n%s", b, a)
			}
			break
		}
		if deaths++; !errors.Is(err, errKilled) || deaths > 1000 {
			t.Fatal(err)
		}
	}
	if deaths == 0 || len(got) < len(whole.got) || len(got) > len(whole.got)+deaths*97 {
		t.Errorf("%d deaths, %d records of %d", deaths, len(got), len(whole.got))
	}
	set := func(records []files.Record) string {
		var all []string
		for _, r := range records {
			all = append(all, r.Topic+" "+string(r.Key)+" "+string(r.Value))
		}
		slices.Sort(all)
		return strings.Join(slices.Compact(all), "\n")
	}
	if set(got) != set(whole.got) {
		t.Error("other records than those of an undisturbed run")
	}
	if text, err := os.ReadFile(filepath.Join(folder, "truth.csv")); err != nil || !bytes.HasPrefix(text, []byte("namespace,value,people\n")) {
		t.Errorf("truth file: %v", err)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRatesNameEveryField(t *testing.T) {
	for _, r := range testConfig().Rates() {
		if r.Name == "" || r.Value == "" || r.Unit == "" || r.About == "" {
			t.Errorf("rate %+v", r)
		}
	}
}

func TestValidate(t *testing.T) {
	f := func(change func(*Config), want string) {
		t.Helper()
		cfg := testConfig()
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	f(func(c *Config) { c.Typo = 1.5 }, "Typo")
	f(func(c *Config) { c.Late = -.1 }, "Late")
	f(func(c *Config) { c.Browse = nan() }, "Browse")
	f(func(c *Config) { c.End = time.Time{} }, "End")
	f(func(c *Config) { c.StoreTablets = 0 }, "StoreTablets")
	if err := testConfig().Validate(); err != nil {
		t.Error(err)
	}
}

func nan() float64 {
	zero := 0.0
	return zero / zero
}

// TestExtremes runs the ends of the rates: nothing may loop or fail.
func TestExtremes(t *testing.T) {
	customers := someCustomers(30)
	for _, rate := range []float64{0, 1} {
		cfg := Config{Seed: 3, End: testEnd, StoreTablets: 1, MaxCookies: 1, Bots: 2, BotPages: 5}
		setShares(&cfg, rate)
		w := mustGenerate(t, cfg, customers)
		if messages, _ := readAll(t, w); len(messages) == 0 {
			t.Errorf("rates of %v give no message", rate)
		}
	}
	if w := mustGenerate(t, testConfig(), nil); w.People != 0 {
		t.Errorf("%d people without customers", w.People)
	}
}

func setShares(cfg *Config, rate float64) {
	v := reflect.ValueOf(cfg).Elem()
	for i := range v.NumField() {
		if v.Field(i).Kind() == reflect.Float64 {
			v.Field(i).SetFloat(rate)
		}
	}
}

// TestKnowsNothingOfIdentity follows the imports within the module.
func TestKnowsNothingOfIdentity(t *testing.T) {
	const module = "github.com/kindred-cdp/kindred/"
	seen := make(map[string]bool)
	var visit func(path string)
	visit = func(path string) {
		if seen[path] {
			return
		}
		seen[path] = true
		p, err := build.ImportDir(filepath.Join("..", "..", filepath.FromSlash(strings.TrimPrefix(path, module))), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range p.Imports {
			if strings.HasPrefix(i, module+"identity") {
				t.Errorf("%s imports %s", path, i)
			}
			if strings.HasPrefix(i, module) {
				visit(i)
			}
		}
	}
	visit(module + "ingest/simulate")
	if len(seen) < 3 {
		t.Errorf("only %d packages were read", len(seen))
	}
}
