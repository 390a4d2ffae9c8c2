package files

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

func describe(t *testing.T, r Record) string {
	t.Helper()
	var m wire.Message
	if err := json.Unmarshal(r.Value, &m); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s/%d", strings.TrimPrefix(m.ID, "invoice:"), len(m.Transaction.Items))
}

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var errKilled = errors.New("killed")

// mortal is a publisher whose process dies after a number of calls: before
// anything of the batch was sent, in the middle of it, or after all of it but
// before the acknowledgement was noted.
type mortal struct {
	rng   *rand.Rand
	left  int // calls until death
	calls [][]Record
}

func (m *mortal) Publish(_ context.Context, _ string, records []Record) error {
	if m.left--; m.left > 0 {
		m.calls = append(m.calls, slices.Clone(records))
		return nil
	}
	arrived := []int{0, m.rng.IntN(len(records) + 1), len(records)}[m.rng.IntN(3)]
	m.calls = append(m.calls, slices.Clone(records[:arrived]))
	return errKilled
}

// messyFile returns a file with interleaved invoices and corrupt lines.
func messyFile(rng *rand.Rand, lines int) string {
	var b strings.Builder
	b.WriteString(header)
	for i := range lines {
		switch rng.IntN(12) {
		case 0:
			b.WriteString("corrupt," + strconv.Itoa(i) + "\n")
		case 1:
			b.WriteString(good("Q"+strconv.Itoa(i), `"open`))
		case 2: // In the future of the first run, though not of a later one.
			b.WriteString(strings.Replace(good("F"+strconv.Itoa(i), "A"), "2010-12-01 08:26:00", "2026-03-08 00:00:00", 1))
		default:
			b.WriteString(good(strconv.Itoa(1000+i/4+rng.IntN(6)), "D"+strconv.Itoa(i)))
		}
	}
	return b.String()
}

// TestCrashesChangeNothing kills the import at random points until it is done:
// what was published, copies of at most one batch per death apart, is what an
// undisturbed import publishes, in the same order and with the same bytes.
func TestCrashesChangeNothing(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rounds := 8
	if n, err := strconv.Atoi(os.Getenv("KINDRED_TEST_COUNT")); err == nil {
		rounds = max(rounds, n/100)
	}
	for round := range rounds {
		rng := rand.New(rand.NewPCG(seed, uint64(round)))
		content := messyFile(rng, 50+rng.IntN(150))
		size := 1 + rng.IntN(20)
		in := StringInput("f.csv", content)
		wantSum, want := runImport(t, in, func(c *Config) { c.BatchMessages, c.ShiftToNow = size, true })
		sum, got, deaths := crashUntilDone(t, rng, in, size)
		if extra := len(got) - len(want); extra < 0 || extra > deaths*size {
			t.Fatalf("round %d: %d records published, %d expected, %d deaths with batches of %d", round, len(got), len(want), deaths, size)
		}
		if diff := cmp.Diff(want, firstCopies(t, got)); diff != "" {
			t.Fatalf("round %d (-undisturbed +crashed):\n%s", round, diff)
		}
		if wantSum.Counts != sum.Counts || wantSum.Records != sum.Records || !wantSum.Last.Equal(sum.Last) {
			t.Fatalf("round %d: summary %+v, want %+v", round, sum, wantSum)
		}
	}
}

// crashUntilDone runs the import again after each death, each time a little
// later by the clock, and returns all that reached the broker.
func crashUntilDone(t *testing.T, rng *rand.Rand, in Input, size int) (sum Summary, got []Record, deaths int) {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Input, cfg.StateFolder, cfg.BatchMessages, cfg.ShiftToNow = in, t.TempDir(), size, true
	for {
		m := &mortal{rng: rng, left: 1 + rng.IntN(8)}
		deps := testDeps(m)
		deps.Now = func() time.Time { return testNow.Add(time.Duration(deaths) * 4 * 24 * time.Hour) }
		importer, err := New(cfg, deps)
		if err != nil {
			t.Fatal(err)
		}
		sum, err = importer.Run(t.Context())
		for _, c := range m.calls {
			got = append(got, c...)
		}
		if err == nil {
			return sum, got, deaths
		}
		if !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		if deaths++; deaths > 5000 {
			t.Fatal("the import makes no progress")
		}
	}
}

// firstCopies drops records that were published before; a copy must not differ.
func firstCopies(t *testing.T, records []Record) (first []Record) {
	t.Helper()
	seen := make(map[string]string)
	for _, r := range records {
		id := string(r.Key)
		before, ok := seen[id]
		if ok && before != string(r.Value) {
			t.Fatalf("record %s was published with two values", id)
		}
		if !ok {
			seen[id] = string(r.Value)
			first = append(first, r)
		}
	}
	return first
}

func TestDoneImportPublishesNothing(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Input, cfg.StateFolder = StringInput("f.csv", header+good("1", "A")+"bad\n"), t.TempDir()
	var sums []Summary
	var c collector
	for range 2 {
		importer, err := New(cfg, testDeps(&c))
		if err != nil {
			t.Fatal(err)
		}
		sum, err := importer.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, sum)
	}
	if len(c.records) != 2 || sums[0].Counts != sums[1].Counts || sums[1].ResumedAt != 2 {
		t.Errorf("%d records, summaries %+v", len(c.records), sums)
	}
}

func TestProgressRefusals(t *testing.T) {
	run := func(cfg Config) error {
		importer, err := New(cfg, testDeps(&collector{}))
		if err != nil {
			t.Fatal(err)
		}
		_, err = importer.Run(t.Context())
		return err
	}
	cfg := DefaultConfig()
	cfg.Input, cfg.StateFolder = StringInput("f.csv", header+good("1", "A")), t.TempDir()
	if err := run(cfg); err != nil {
		t.Fatal(err)
	}
	shifted := cfg
	shifted.ShiftToNow = true
	if err := run(shifted); err == nil || !strings.Contains(err.Error(), "shift-to-now = false") {
		t.Errorf("another shift: %v", err)
	}
	zipped := cfg
	zipped.Input = StringInput("f.csv.gz", string(gzipped(t, header+good("1", "A"))))
	if err := run(zipped); err != nil {
		t.Errorf("the same content, compressed: %v", err)
	}
	saved, err := filepath.Glob(filepath.Join(cfg.StateFolder, "*"))
	if err != nil || len(saved) != 1 {
		t.Fatalf("progress files %v, %v", saved, err)
	}
	if err := os.WriteFile(saved[0], []byte(`{"version":1,`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(cfg); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("damaged progress: %v", err)
	}
	blocked := cfg
	blocked.StateFolder = saved[0]
	if err := run(blocked); err == nil || !strings.Contains(err.Error(), "progress") {
		t.Errorf("a file in place of the folder: %v", err)
	}
}

// TestChangedFile changes the file before the last of its three readings: by a
// line, and by a value that no count shows.
func TestChangedFile(t *testing.T) {
	before := header + good("1", "A")
	for _, after := range []string{before + good("2", "B"), header + good("1", "B"), header} {
		cfg := DefaultConfig()
		cfg.StateFolder = t.TempDir()
		opened := 0
		cfg.Input = Input{Name: "f.csv", Open: func() (io.ReadCloser, error) {
			if opened++; opened == 3 {
				return StringInput("f.csv", after).Open()
			}
			return StringInput("f.csv", before).Open()
		}}
		importer, err := New(cfg, testDeps(&collector{}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := importer.Run(t.Context()); !errors.Is(err, ErrChanged) {
			t.Errorf("error %v, want ErrChanged", err)
		}
	}
}

func TestShift(t *testing.T) {
	day := 24 * time.Hour
	last := time.Date(2011, 12, 9, 12, 50, 0, 0, time.UTC)
	f := func(now time.Time, weeks int) {
		t.Helper()
		if got := Shift(last, now); got != time.Duration(weeks)*week {
			t.Errorf("now %v: %v, want %d weeks", now, got, weeks)
		}
	}
	f(last, 0)
	f(last.Add(7*day), 1)
	f(last.Add(7*day-time.Nanosecond), 0)
	f(last.Add(-time.Nanosecond), -1)
	f(last.Add(-7*day), -1)
	f(last.Add(-8*day), -2)
	f(last.Add(750*7*day+3*day), 750)
}

func TestOversizedInvoice(t *testing.T) {
	var b strings.Builder
	b.WriteString(header)
	for range 5 {
		b.WriteString(good("1", strings.Repeat("x", 200_000)))
	}
	b.WriteString(good("2", "B"))
	sum, records := runImport(t, StringInput("f.csv", b.String()), nil)
	if sum.Messages != 1 || sum.Rejected != 5 || sum.Lines != 6 || len(records) != 6 {
		t.Errorf("summary %+v, %d records", sum, len(records))
	}
}

func TestOpenInvoicesAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(header)
	for range 2 {
		for i := range 100 {
			b.WriteString(good(strconv.Itoa(i), "A"))
		}
	}
	cfg := DefaultConfig()
	cfg.Input, cfg.StateFolder, cfg.MaxOpenBytes = StringInput("f.csv", b.String()), t.TempDir(), 5_000
	importer, err := New(cfg, testDeps(&collector{}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := importer.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "sort the file by invoice") {
		t.Errorf("error %v", err)
	}
}
