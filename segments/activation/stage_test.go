package activation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/activation"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// recorder keeps the contacts that it is given.
type recorder struct {
	mu   sync.Mutex
	sent []activation.Contact
}

func (r *recorder) Record(_ context.Context, _ string, sent []activation.Contact) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, sent...)
	return nil
}

// stage is a workspace with a clock, people, and a worker that can be replaced.
type stage struct {
	*testing.T
	conn driver.Conn
	// workspace is its own, as is all in it.
	workspace string
	world     *clickhousetest.World
	sealer    *activation.Sealer
	cfg       activation.Config
	recorder  *recorder
	store     *activation.Store
	worker    *activation.Worker
	mailer    *activation.Mailer

	mu    sync.Mutex // Protects now.
	now   time.Time
	last  uint64 // revision
	block uint64
}

// tests share a database, each with a workspace of its own.
var tests = []func(*testing.T, *stage){
	testWhoDropsRepeatedKeysIsToldOnceAndInOrder,
	testOneThatHangsDelaysNoOther,
	testFailuresAreTriedAgainLaterAndLater,
	testReceiverSaysWhen,
	testWhatIsNotWantedIsALetter,
	testSignatureHolds,
	testWhoHasNotAgreedIsWithheld,
	testWhoIsRestrictedIsWithheld,
	testWhoIsGoneIsNobody,
	testRecordHasOneIdentifier,
	testPrivateAddressesAreNotCalled,
	testNewDestinationIsToldOfWhoIsThere,
	testComparisonGoesOnWhereItWasKilled,
	testWhoWasMergedAwayIsToldByItsIdAlone,
	testChangesNeedTheRevisionThatStands,
	testReceiverThatLostThingsIsPutRight,
	testPeopleWhoAgreedAreWrittenTo,
	testNobodyWritesHeaders,
	testMailServerRefuses,
	testWhoWasToldIsToldOfTheErasure,
	testWhoIsErasedOnTheWayIsToldOf,
}

func TestDestinations(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	for n, test := range tests {
		name := runtime.FuncForPC(reflect.ValueOf(test).Pointer()).Name()
		t.Run(name[strings.LastIndex(name, ".test")+5:], func(t *testing.T) { test(t, newStage(t, conn, n+1)) })
	}
}

// newStage sets up a workspace, in which alone there are destinations.
func newStage(t *testing.T, conn driver.Conn, n int) *stage {
	workspace := fmt.Sprintf("w%d", n)
	s := &stage{T: t, conn: conn, workspace: workspace, world: clickhousetest.New(t, conn, workspace), cfg: activation.DefaultConfig(), recorder: &recorder{}, now: noon, last: uint64(1000 * n), store: activation.NewStore(conn)}
	s.cfg.AllowPrivate = true
	s.check(conn.Exec(context.Background(), "TRUNCATE TABLE destinations"))
	var err error
	s.sealer, err = activation.NewSealer(identity.Secret{1})
	s.check(err)
	s.restart(conn)
	return s
}

func (s *stage) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *stage) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *stage) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// restart makes a worker that knows nothing of the one before.
func (s *stage) restart(conn driver.Conn) {
	s.Helper()
	people, err := profilestore.New(profilestore.DefaultConfig(), conn, s.clock)
	s.check(err)
	s.worker, err = activation.New(s.cfg, activation.Deps{
		Conn: conn, Store: people, Clock: s.clock, Sealer: s.sealer, Recorder: s.recorder, Mailer: s.mailer, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	s.check(err)
}

// step has the worker do what is to be done now.
func (s *stage) step() time.Time {
	s.Helper()
	next, err := s.worker.Step(context.Background())
	s.check(err)
	return next
}

// define makes or changes a destination and returns its new secret.
func (s *stage) define(id activation.ID, definition string, more ...func(*activation.Wish)) string {
	s.Helper()
	ctx := context.Background()
	w := activation.Wish{Definition: json.RawMessage(definition)}
	d, err := s.store.Get(ctx, s.workspace, id)
	if err == nil {
		w.Expected = d.Revision
	}
	for _, change := range more {
		change(&w)
	}
	c, secret, err := s.sealer.Change(s.workspace, id, w, d)
	s.check(err)
	s.last++
	s.check(activation.NewDefinitions(s.conn).Apply(ctx, activation.Place{Workspace: s.workspace, Destination: id, Revision: s.last, Actor: "ana", Time: s.clock()}, c))
	return secret
}

// people makes some with an address and a trait each, and returns their profiles.
func (s *stage) people(n int) []identity.ProfileID {
	s.Helper()
	ids := make([]identity.ProfileID, n)
	for i := range ids {
		user, mail := fmt.Sprintf("user_id:u%d", i), fmt.Sprintf("email:p%d@example.com", i)
		ids[i] = s.world.Person(user, mail)
		s.world.Add(clickhousetest.Event{
			MessageID: fmt.Sprint("m", i), Name: "Signed Up", Type: "identify", Time: noon.Add(-time.Hour), Identifiers: []string{user, mail},
			Traits: map[string]any{"first_name": fmt.Sprint("P", i), "city": "Porto"},
		})
	}
	s.world.Flush(context.Background())
	return ids
}

// changed stores a block of changes, as package live does.
func (s *stage) changed(changes ...segments.Change) {
	s.Helper()
	s.block++
	batch, err := s.conn.PrepareBatch(context.Background(), "INSERT INTO segment_changes (workspace, segment, profile_id, block, entered, time, cause, revision)")
	s.check(err)
	for _, c := range changes {
		s.check(batch.Append(s.workspace, string(c.Segment), uint64(c.Profile), s.block, c.Entered, s.clock(), "data", uint64(1)))
	}
	s.check(batch.Send())
}

func in(segment segments.ID, ids ...identity.ProfileID) (list []segments.Change) {
	for _, id := range ids {
		list = append(list, segments.Change{Segment: segment, Profile: id, Entered: true})
	}
	return list
}

func out(segment segments.ID, ids ...identity.ProfileID) (list []segments.Change) {
	for _, id := range ids {
		list = append(list, segments.Change{Segment: segment, Profile: id})
	}
	return list
}

// taken is a message that a receiver has got.
type taken struct {
	key    string
	header http.Header
	method string
	path   string
	body   []byte
}

// receiver keeps what it gets and may refuse it. Requests of a worker that was killed may
// still be on their way when the test goes on, so all is read and set by its methods.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []taken
	ok     []string                                                    // keys of those that it did not refuse
	answer func(n int, t taken) (status int, header map[string]string) // nil accepts
}

// answers sets what is answered from now on to message n, counted from 1; nil accepts all.
func (r *receiver) answers(f func(n int, t taken) (status int, header map[string]string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

// messages are those that it got, refused ones too.
func (r *receiver) messages() []taken {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		m := taken{q.Header.Get("Idempotency-Key"), q.Header.Clone(), q.Method, q.URL.RequestURI(), body}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, m)
		status, header := 200, map[string]string(nil)
		if r.answer != nil {
			status, header = r.answer(len(r.got), m)
		}
		if status == 200 {
			r.ok = append(r.ok, m.key)
		} else {
			for name, value := range header {
				w.Header().Set(name, value)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "said of "+string(body))
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) keys() []string {
	keys := []string{}
	for _, m := range r.messages() {
		keys = append(keys, m.key)
	}
	return keys
}

// accepted are the keys of what it did not refuse, repeated ones too.
func (r *receiver) accepted() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.ok...)
}

func (r *receiver) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got, r.ok = nil, nil
}

func (r *receiver) definition(more string) string {
	return `{"kind":"webhook","segments":["loyal"],"url":"` + r.URL + `/hook"` + more + `}`
}

func (s *stage) state(id activation.ID) activation.State {
	s.Helper()
	d, err := s.store.Get(context.Background(), s.workspace, id)
	s.check(err)
	return d.State
}
