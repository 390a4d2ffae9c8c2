package native_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/native"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

var arrival = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// broker remembers what it acknowledged, and fails from a submission on.
type broker struct {
	items  []intake.Item
	calls  int
	fail   error
	after  int // submissions before fail
	forget bool
}

func (b *broker) Submit(_ context.Context, workspace string, items []intake.Item) error {
	if workspace != "acme" {
		return errors.New("wrong workspace")
	}
	if b.calls++; b.fail != nil && b.calls > b.after {
		return b.fail
	}
	if !b.forget {
		b.items = append(b.items, items...)
	}
	return nil
}

func newIntake(t testing.TB, b intake.Submitter, change func(*native.Config)) *native.Intake {
	t.Helper()
	cfg := native.DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	n := 0
	in, err := native.New(cfg, native.Deps{
		Submitter: b, Now: func() time.Time { return arrival },
		NewID: func() string { n++; return fmt.Sprintf("given-%d", n) },
		Identifier: func(ns, value string) error {
			if ns == "email" && !strings.Contains(value, "@") {
				return errors.New("not an e-mail address")
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func take(t testing.TB, in *native.Intake, kind wire.Kind, body string) native.Outcome {
	t.Helper()
	out, err := in.Take(t.Context(), native.Body{Workspace: "acme", Source: "web", Kind: kind, Reader: strings.NewReader(body)})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestMessageIsCompleted(t *testing.T) {
	f := func(body string, want wire.Message) {
		t.Helper()
		b := &broker{}
		out := take(t, newIntake(t, b, nil), wire.Social, body)
		if out.Accepted != 1 || len(b.items) != 1 || b.items[0].Reject != nil {
			t.Errorf("%s: %+v", body, out)
			return
		}
		var got wire.Message
		if err := json.Unmarshal(b.items[0].Value, &got); err != nil {
			t.Fatal(err)
		}
		want.Name, want.Source, want.Social = "Post", "web", &wire.Post{Network: "x"}
		if diff := cmp.Diff(want, got); diff != "" || b.items[0].ID != got.ID || b.items[0].Source != "web" || b.items[0].Kind != wire.Social {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
	const rest = `"name":"Post","social":{"network":"x"}}`
	day := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	f(`{"id":"a","time":"2026-01-02T03:00:00Z",`+rest, wire.Message{ID: "a", Time: day})
	f(`{`+rest, wire.Message{ID: "given-1", Time: arrival, Undated: true})
	f(`{"original_time":"2026-01-02T03:00:00Z",`+rest, wire.Message{ID: "given-1", Time: day, OriginalTime: day})
	// The client's clock is two months slow; ten seconds passed until sending.
	f(`{"original_time":"2026-01-02T03:00:00Z","sent_time":"2026-01-02T03:00:10Z",`+rest,
		wire.Message{ID: "given-1", Time: arrival.Add(-10 * time.Second), OriginalTime: day, SentTime: day.Add(10 * time.Second)})
	f(`{"source":"web","traits":{"a":"<&>"},`+rest, wire.Message{ID: "given-1", Time: arrival, Undated: true, Traits: json.RawMessage(`{"a":"<&>"}`)})
}

func good(id string) string { return `{"id":"` + id + `","name":"n"}` }

func TestForms(t *testing.T) {
	f := func(name, body string, ids ...string) {
		t.Helper()
		b := &broker{}
		out := take(t, newIntake(t, b, nil), wire.Behaviour, body)
		var got []string
		for _, it := range b.items {
			got = append(got, it.ID)
		}
		if diff := cmp.Diff(ids, got); diff != "" || out.Fault != nil || out.Rejected != 0 {
			t.Errorf("%s: %+v %s", name, out, diff)
		}
	}
	f("object", good("a"), "a")
	f("object over lines", "\ufeff\n{\n \"id\": \"a\",\r\n \"name\": \"}{\\\"[\"}\n", "a")
	f("array", "["+good("a")+" ,\n"+good("b")+"]\n", "a", "b")
	f("empty array", " [ ] ")
	f("lines found by themselves", good("a")+"\n\n"+good("b")+"\r\n"+good("c"), "a", "b", "c")
	f("values one after the other", good("a")+good("b"), "a", "b")
	f("nothing", "  \n")
}

func TestRefusals(t *testing.T) {
	f := func(body string, want ...string) {
		t.Helper()
		b := &broker{}
		out := take(t, newIntake(t, b, func(c *native.Config) { c.MessageBytes, c.Depth = 200, 5 }), wire.Behaviour, body)
		var got []string
		for _, r := range out.Refusals {
			got = append(got, fmt.Sprintf("%d %s %s %s", r.Index, r.Code, r.Pointer, r.Detail))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", body, diff)
		}
		letters := 0
		for _, it := range b.items {
			if it.Reject != nil {
				letters++
				if it.Reject.Reason == "" || it.Reject.Detail == "" || it.Reject.Position == "" || it.Source != "web" {
					t.Errorf("%s: letter %+v", body, it.Reject)
				}
			}
		}
		if int64(letters) != out.Rejected || letters != len(want) {
			t.Errorf("%s: %d letters, outcome %+v", body, letters, out)
		}
	}
	f("["+good("a")+`,{"id":"b"},`+good("c")+`]`, `1 missing_field /name field "name" is required`)
	f(`[7,"x",null,[1]]`,
		"0 invalid_json  message must be a JSON object, not a number", "1 invalid_json  message must be a JSON object, not text",
		"2 invalid_json  message must be a JSON object, not null", "3 invalid_json  message must be a JSON object, not an array")
	f(`{"id":7,"name":"n"}`, `0 invalid_json /id field "id" must be text, not number`)
	f(`{"name":"n","time":"yesterday"}`, `0 invalid_field /time field "time" must be a time of RFC 3339 such as 2026-01-31T12:00:00Z, not text`)
	f(`{"name":"n","source":"shop"}`, `0 invalid_field /source field "source" comes from the API key; leave it out`)
	f(`{"name":"n","undated":true}`, `0 invalid_field /undated field "undated" is set by the server; leave it and the time out`)
	f(`{"name":"n","user":"x"}`, `0 invalid_json  unknown field "user"`)
	f(`{"name":"n","ana@example.com":"x"}`, `0 invalid_json  unknown field with a name of 15 bytes`)
	f(`{"name":"n","identifiers":[{"namespace":"email","value":"ana"}]}`, `0 invalid_identifier /identifiers/0/value field "identifiers[0].value" of namespace email: not an e-mail address`)
	f(`{"name":"n","properties":{"a":[[[[1]]]]}}`, `0 too_large  message is nested deeper than 5 levels`)
	f(`{"name":"`+strings.Repeat("x", 300)+`"}`+good("b"), `0 too_large  message is longer than 200 bytes; it is kept as far as that`)
	f("{\"name\":\"\xff\"}", "0 invalid_json  message is not UTF-8")
	f(`{"name":"n"`, "0 invalid_json  message is cut off or not JSON")
	f(good("a")+"\n"+good("b")+"\nnot json\n"+good("c"), "2 invalid_json  syntax error at byte 2")
	f(`{"name":"n","original_time":"0001-06-01T00:00:00Z"}`, `0 invalid_field /time field "time" is before 1900`)
}

// TestDamage keeps what came before the damage, and the bytes at it.
func TestDamage(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	for range 2000 {
		_, _ = io.WriteString(w, good("a")+"\n")
	}
	_ = w.Close()
	f := func(name, encoding, body string, accepted int64, detail, rest string) {
		t.Helper()
		b := &broker{}
		out, err := newIntake(t, b, nil).Take(t.Context(), native.Body{Workspace: "acme", Source: "web", Kind: wire.Behaviour, Reader: strings.NewReader(body), Encoding: encoding})
		if err != nil || out.Fault == nil || out.Fault.Detail != detail || out.Accepted != accepted {
			t.Errorf("%s: %+v %+v, %v", name, out, out.Fault, err)
			return
		}
		if rest != "" {
			if last := b.items[len(b.items)-1]; last.Reject == nil || string(last.Value) != rest {
				t.Errorf("%s: the rest is %q", name, last.Value)
			}
		}
	}
	f("array without a comma", "", "["+good("a")+good("b")+"]", 1, "a comma or the end of the array is missing", good("b")+"]")
	f("array cut off", "", "["+good("a"), 1, "the array is cut off", "")
	f("array with a hole", "", "["+good("a")+",]", 1, "an element of the array is missing", "]")
	f("text after an array", "", "["+good("a")+"] x", 1, "something follows the array", "x")
	f("no gzip", "gzip", good("a"), 0, "the compressed body is damaged or cut off", "")
	f("gzip of nothing", "gzip", "", 0, "the compressed body is damaged or cut off", "")
	f("no zstd", "zstd", good("a"), 0, "the compressed body is damaged or cut off", "")
	out, err := newIntake(t, &broker{}, nil).Take(t.Context(), native.Body{
		Workspace: "acme", Source: "web", Kind: wire.Behaviour, Encoding: "gzip", Reader: bytes.NewReader(z.Bytes()[:z.Len()-10]),
	})
	if err != nil || out.Fault == nil || out.Accepted == 0 {
		t.Errorf("gzip cut off: %+v, %v", out, err)
	}
}

// zeros is an endless supply of blanks.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestBombsAreCutShort(t *testing.T) {
	for _, encoding := range []string{"gzip", "zstd"} {
		var z bytes.Buffer
		var w io.WriteCloser = gzip.NewWriter(&z)
		if encoding == "zstd" {
			w, _ = zstd.NewWriter(&z)
		}
		_, _ = io.CopyN(w, zeros{}, 300<<20)
		_ = w.Close()
		in := newIntake(t, &broker{}, nil)
		out, err := in.Take(t.Context(), native.Body{Workspace: "acme", Source: "web", Kind: wire.Behaviour, Encoding: encoding, Reader: &z})
		if err != nil || out.Fault == nil || out.Fault.Code != wire.CodeTooLarge {
			t.Errorf("%s: %+v, %v", encoding, out, err)
		}
	}
}

// TestMemoryIsBounded streams 80 MiB of lines and of array elements.
func TestMemoryIsBounded(t *testing.T) {
	line := `{"name":"n","properties":{"text":"` + strings.Repeat("x", 8000) + `"}}`
	for _, c := range []struct{ begin, between, end string }{{"", "\n", ""}, {"[", ",", "]"}} {
		const n = 10_000
		sent := 0
		r, w := io.Pipe()
		go func() {
			_, _ = io.WriteString(w, c.begin)
			for ; sent < n; sent++ {
				text := line + c.between
				if sent == n-1 {
					text = line + c.end
				}
				if _, err := io.WriteString(w, text); err != nil {
					return
				}
			}
			_ = w.Close()
		}()
		peak := &peakBroker{}
		out, err := newIntake(t, peak, nil).Take(t.Context(), native.Body{Workspace: "acme", Source: "web", Kind: wire.Behaviour, Reader: r})
		if err != nil || out.Accepted != n {
			t.Fatalf("%+v, %v", out, err)
		}
		if peak.most > 40<<20 || peak.calls < n/1000 {
			t.Errorf("heap of %d MiB in %d submissions", peak.most>>20, peak.calls)
		}
	}
}

// peakBroker measures the heap while it has a chunk.
type peakBroker struct {
	calls int
	most  uint64
}

func (p *peakBroker) Submit(context.Context, string, []intake.Item) error {
	if p.calls++; p.calls%10 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		p.most = max(p.most, m.HeapAlloc)
	}
	return nil
}

func TestErrorsOfTheSubmitter(t *testing.T) {
	body := "[" + strings.Repeat(good("a")+",", 25) + good("a") + "]"
	b := &broker{fail: intake.Overloaded{After: 3 * time.Second}, after: 2}
	out, err := newIntake(t, b, func(c *native.Config) { c.ChunkMessages = 10 }).Take(t.Context(),
		native.Body{Workspace: "acme", Source: "web", Kind: wire.Behaviour, Reader: strings.NewReader(body)})
	var busy intake.Overloaded
	if !errors.As(err, &busy) || busy.After != 3*time.Second || out.Accepted != 20 {
		t.Errorf("%+v, %v", out, err)
	}
	_, err = newIntake(t, b, nil).Take(t.Context(), native.Body{Reader: strings.NewReader("{}"), Encoding: "br"})
	if !errors.Is(err, native.ErrEncoding) {
		t.Errorf("unknown encoding: %v", err)
	}
}

func TestListOfRefusalsIsBounded(t *testing.T) {
	b := &broker{}
	out := take(t, newIntake(t, b, func(c *native.Config) { c.Refusals = 3 }), wire.Behaviour, strings.Repeat("{}\n", 3000))
	if out.Rejected != 3000 || len(out.Refusals) != 3 || len(b.items) != 3000 {
		t.Errorf("%d rejected, %d listed, %d letters", out.Rejected, len(out.Refusals), len(b.items))
	}
}

func TestStreamsAreBounded(t *testing.T) {
	in := newIntake(t, &broker{}, func(c *native.Config) { c.Streams = 1 })
	r, w := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := in.Take(t.Context(), native.Body{Workspace: "acme", Kind: wire.Behaviour, Source: "web", Reader: r})
		done <- err
	}()
	_, _ = io.WriteString(w, "[") // The first body holds the one slot by now.
	_, err := in.Take(t.Context(), native.Body{Reader: strings.NewReader("")})
	var busy intake.Overloaded
	if !errors.As(err, &busy) {
		t.Errorf("a second body: %v", err)
	}
	_ = w.Close()
	<-done
}

// FuzzTake holds for any body: no panic, every message counted once, and what
// is accepted is sound by the rules.
func FuzzTake(f *testing.F) {
	for _, s := range []string{good("a"), "[" + good("a") + "," + good("b") + "]", good("a") + "\n" + good("b"), "[[[", `[{"a":"\"`, "\xff", `{"time":"2026-01-01T00:00:00Z"}`, "}]"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, body string, lines bool) {
		b := &broker{}
		in := newIntake(t, b, func(c *native.Config) { c.MessageBytes, c.ChunkMessages = 500, 3 })
		out, err := in.Take(t.Context(), native.Body{Workspace: "acme", Source: "web", Kind: wire.Behaviour, Reader: strings.NewReader(body), Lines: lines})
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(b.items)) != out.Accepted+out.Rejected {
			t.Fatalf("%d items, %+v", len(b.items), out)
		}
		if len(strings.Trim(body, " \t\r\n\ufeff[]")) > 0 && len(b.items) == 0 && out.Fault == nil {
			t.Fatal("the body disappeared")
		}
		for _, it := range b.items {
			var m wire.Message
			if it.Reject == nil {
				if fault := m.Parse(it.Value); fault != nil || len(m.Check(wire.Behaviour)) > 0 {
					t.Fatalf("accepted %q: %v %v", it.Value, fault, m.Check(wire.Behaviour))
				}
			}
		}
	})
}

// BenchmarkTake reads lines of 750 bytes.
func BenchmarkTake(b *testing.B) {
	line := `{"id":"n","name":"Viewed","time":"2026-03-01T00:00:00Z","identifiers":[{"namespace":"user_id","value":"u1"}],"properties":{"path":"/p/1","filler":"` + strings.Repeat("x", 600) + `"}}` + "\n"
	in := newIntake(b, &broker{forget: true}, nil)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	r := io.LimitReader(&repeated{text: line}, int64(len(line)*b.N))
	if out, err := in.Take(b.Context(), native.Body{Workspace: "acme", Source: "web", Kind: wire.Behaviour, Reader: r, Lines: true}); err != nil || out.Accepted != int64(b.N) {
		b.Fatal(out, err)
	}
}

// repeated gives its text without end.
type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	for n < len(p) {
		c := copy(p[n:], r.text[r.at:])
		n += c
		r.at = (r.at + c) % len(r.text)
	}
	return n, nil
}
