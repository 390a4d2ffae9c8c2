package activation_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/segments/activation"
)

// testOneThatHangsDelaysNoOther has one destination that never answers, one that nobody
// answers for, and a good one.
func testOneThatHangsDelaysNoOther(t *testing.T, s *stage) {
	ids := s.people(4)
	over := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		select {
		case <-over:
		case <-q.Context().Done():
		}
	}))
	defer hangs.Close()
	defer close(over)
	all := make(chan struct{})
	good := newReceiver(t)
	good.answers(func(n int, _ taken) (int, map[string]string) {
		if n == len(ids) {
			close(all)
		}
		return 200, nil
	})
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	s.define("a-hangs", strings.Replace(good.definition(""), good.URL, hangs.URL, 1))
	s.define("b-closed", strings.Replace(good.definition(""), good.URL, closed.URL, 1))
	s.define("c-good", good.definition(""))
	s.cfg.Timeout, s.cfg.Poll = time.Hour, 50*time.Millisecond
	s.restart(s.conn)
	s.changed(in("loyal", ids...)...)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.worker.Run(ctx) }()
	select {
	case <-all:
	case <-time.After(time.Minute):
		t.Error("the good one was not told")
	}
	for late := time.After(time.Minute); s.state("c-good").Delivered != 4; {
		select {
		case <-late:
			t.Fatalf("it has stored %+v", s.state("c-good"))
		default:
		}
	}
	stop()
	s.check(<-ended)
}

// attempts steps second by second, and returns when messages came.
func (s *stage) attempts(r *receiver, seconds int) (at []time.Duration) {
	s.Helper()
	start, n := s.clock(), len(r.keys())
	for range seconds {
		s.step()
		for ; n < len(r.keys()); n++ {
			at = append(at, s.clock().Sub(start))
		}
		s.pass(time.Second)
	}
	return at
}

func testFailuresAreTriedAgainLaterAndLater(t *testing.T, s *stage) {
	id := s.people(1)[0]
	r := newReceiver(t)
	r.answers(func(n int, _ taken) (int, map[string]string) {
		if n < 6 {
			return 503, nil
		}
		return 200, nil
	})
	s.define("crm", r.definition(""))
	s.step()
	s.changed(in("loyal", id)...)
	at := s.attempts(r, 60)
	if len(at) != 6 || at[0] != 0 {
		t.Fatalf("tried at %v", at)
	}
	for i := 1; i < len(at); i++ {
		whole := time.Second << (i - 1)
		if gap := at[i] - at[i-1]; gap < whole/2 || gap > whole+time.Second {
			t.Errorf("after %d failures it was tried again in %s, want %s to %s", i, gap, whole/2, whole)
		}
	}
	if st := s.state("crm"); st.Delivered != 1 || st.Failing != 0 || st.Error != "" {
		t.Errorf("%+v", st)
	}
}

func testReceiverSaysWhen(t *testing.T, s *stage) {
	ids := s.people(3)
	r := newReceiver(t)
	r.answers(func(n int, _ taken) (int, map[string]string) {
		if n == 1 {
			return 429, map[string]string{"Retry-After": "30"}
		}
		return 200, nil
	})
	s.cfg.Parallel = 1
	s.restart(s.conn)
	s.define("crm", r.definition(""))
	s.step()
	s.changed(in("loyal", ids...)...)
	at := s.attempts(r, 40)
	if len(at) != 4 || at[1] < 30*time.Second || at[3] > 31*time.Second {
		t.Errorf("came at %v, want one and 30 seconds later three", at)
	}
}

// testWhatIsNotWantedIsALetter goes through the statuses, and sends a letter again.
func testWhatIsNotWantedIsALetter(t *testing.T, s *stage) {
	ctx := context.Background()
	ids := s.people(2)
	r := newReceiver(t)
	status := 422
	r.answers(func(int, taken) (int, map[string]string) { return status, nil })
	s.define("crm", r.definition(`,"attempts":3`))
	s.step()
	letters := func(state string) []activation.Letter {
		t.Helper()
		list, err := s.store.Letters(ctx, s.workspace, "crm", state, "", 10)
		s.check(err)
		return list
	}
	s.changed(in("loyal", ids...)...)
	s.step()
	dead := letters(activation.LetterDead)
	if len(dead) != 2 || dead[0].Reason != "rejected" || dead[0].Status != 422 || dead[0].Attempts != 1 || !strings.HasPrefix(dead[0].Answer, "said of") || dead[0].State != "dead" {
		t.Fatalf("letters: %+v", dead)
	}
	s.changed(out("loyal", ids[0])...) // Overtakes the first letter.
	status = 200
	s.step()
	redeliver := func(names ...string) {
		t.Helper()
		s.last++
		_, err := activation.NewDefinitions(s.conn).Redeliver(ctx, activation.Place{Workspace: s.workspace, Destination: "crm", Revision: s.last, Time: s.clock()}, activation.Redelivery{Letters: names})
		s.check(err)
		s.worker.Redefined()
		s.pass(time.Minute)
		s.step()
	}
	r.clear()
	redeliver()
	if got := r.keys(); len(got) != 1 || !strings.HasSuffix(got[0], ids[1].String()) {
		t.Errorf("sent again: %v, want that of %s alone", got, ids[1])
	}
	if n, m := len(letters(activation.LetterDelivered)), len(letters(activation.LetterObsolete)); n != 1 || m != 1 {
		t.Errorf("%d letters delivered and %d obsolete, want one each", n, m)
	}
	// One that fails for long is a letter too, and one that fails again is one again.
	status = 500
	s.changed(in("loyal", ids[0])...)
	for range 5 {
		s.pass(time.Hour)
		s.step()
	}
	exhausted := letters(activation.LetterDead)
	if len(exhausted) != 1 || exhausted[0].Reason != "exhausted" || exhausted[0].Attempts != 3 {
		t.Fatalf("letters: %+v", exhausted)
	}
	status = 404
	redeliver(exhausted[0].ID)
	if again := letters(activation.LetterDead); len(again) != 1 || again[0].Reason != "rejected" || again[0].Attempts != 4 {
		t.Errorf("letters: %+v", again)
	}
}

// testSignatureHolds verifies by what the documents say, with both secrets while one
// takes the place of the other.
func testSignatureHolds(t *testing.T, s *stage) {
	id := s.people(1)[0]
	r := newReceiver(t)
	token := "Bearer of-the-receiver"
	first := s.define("crm", r.definition(`,"headers":{"X-Team":"blue"}`), func(w *activation.Wish) { w.SecretHeaders = map[string]*string{"authorization": &token} })
	s.step()
	s.changed(in("loyal", id)...)
	s.step()
	second := s.define("crm", r.definition(""), func(w *activation.Wish) { w.Rotate = true })
	s.changed(out("loyal", id)...)
	s.step()
	third := s.define("crm", r.definition(""))
	s.changed(in("loyal", id)...)
	s.step()
	if third != "" || first == second || len(r.messages()) != 3 {
		t.Fatalf("secrets %t %t, %d messages", third == "", first == second, len(r.messages()))
	}
	for i, secrets := range [][]string{{first}, {second, first}, {second}} {
		parts := strings.Split(r.messages()[i].header.Get("Kindred-Signature"), ",")
		stamp := strings.TrimPrefix(parts[0], "t=")
		if stamp != fmt.Sprint(noon.Unix()) || len(parts) != 1+len(secrets) {
			t.Fatalf("signature %d is %v", i, parts)
		}
		for _, secret := range secrets {
			mac := hmac.New(sha256.New, []byte(secret))
			_, _ = fmt.Fprintf(mac, "%s.%s", stamp, r.messages()[i].body)
			if want := "v1=" + hex.EncodeToString(mac.Sum(nil)); !slices.Contains(parts[1:], want) {
				t.Errorf("message %d is not signed with the secret", i)
			}
		}
		if r.messages()[i].header.Get("Authorization") != token {
			t.Errorf("message %d has no token", i)
		}
	}
	if r.messages()[0].header.Get("X-Team") != "blue" {
		t.Error("a header is missing")
	}
}

// testWhoHasNotAgreedIsWithheld has consent given, refused, withdrawn and unknown.
func testWhoHasNotAgreedIsWithheld(t *testing.T, s *stage) {
	ctx := context.Background()
	ids := s.people(4)
	say := func(n int, granted bool, at time.Time) {
		s.world.Add(clickhousetest.Event{
			MessageID: fmt.Sprint("c", n, granted), Name: "Consent", Time: at, Identifiers: []string{fmt.Sprintf("user_id:u%d", n)},
			Consents: []clickhousetest.Consent{{Purpose: "marketing", Channel: "email", Granted: granted}},
		})
	}
	say(0, true, noon.Add(-time.Minute))
	say(1, false, noon.Add(-time.Minute))
	say(2, true, noon.Add(-time.Minute))
	s.world.Flush(ctx)
	r := newReceiver(t)
	s.define("ads", r.definition(`,"consent":{"purpose":"marketing","channel":"email"},"traits":["city"]`))
	s.step()
	s.changed(in("loyal", ids...)...)
	s.step()
	if got := r.keys(); len(got) != 2 || !strings.Contains(fmt.Sprint(got), ids[0].String()) || !strings.Contains(fmt.Sprint(got), ids[2].String()) {
		t.Errorf("told of %v, want of the first and the third", got)
	}
	if st := s.state("ads"); st.Delivered != 2 || st.Withheld != 2 {
		t.Errorf("%+v", st)
	}
	// Who withdraws it and leaves must leave there, too, without a word more; of who was
	// never told nothing is.
	say(2, false, noon)
	s.world.Flush(ctx)
	s.pass(time.Minute)
	r.clear()
	s.changed(out("loyal", ids[1:]...)...)
	s.step()
	if got := r.keys(); len(got) != 1 || !strings.Contains(got[0], ids[2].String()) || strings.Contains(string(r.messages()[0].body), "Porto") {
		t.Errorf("told of %v: %s", got, r.messages())
	}
}

// testWhoIsRestrictedIsWithheld restricts one of three between the change and its
// delivery, and one who was told of: who leaves must leave there too, without a word more.
func testWhoIsRestrictedIsWithheld(t *testing.T, s *stage) {
	restrict := func(id string) {
		t.Helper()
		s.last++
		s.check(s.conn.Exec(context.Background(), "INSERT INTO restrictions (workspace, identifier_id, revision, restricted, changed_at) VALUES (?, ?, ?, true, ?)",
			s.workspace, uint64(s.world.Key(id)), s.last, noon))
	}
	ids := s.people(3)
	mails, r := newMailServer(t), newReceiver(t)
	s.mails(mails)
	for n := range ids {
		s.agree(n, "", true)
	}
	s.define("crm", r.definition(`,"traits":["city"]`))
	s.define("welcome", welcome)
	s.step()
	s.changed(in("loyal", ids...)...)
	restrict("email:p0@example.com")
	s.step()
	if got := r.keys(); len(got) != 2 || strings.Contains(fmt.Sprint(got), ids[0].String()) || len(mails.mailed()) != 2 || len(s.recorder.sent) != 4 {
		t.Errorf("told of %v, %d mails, %d contacts on record; want those of two", got, len(mails.mailed()), len(s.recorder.sent))
	}
	if crm, welcome := s.state("crm"), s.state("welcome"); crm.Withheld != 1 || welcome.Withheld != 1 {
		t.Errorf("%+v, %+v", crm, welcome)
	}
	r.clear()
	restrict("user_id:u1")
	s.changed(out("loyal", ids[0], ids[1])...)
	s.step()
	if got := r.keys(); len(got) != 1 || !strings.Contains(got[0], ids[1].String()) || strings.Contains(string(r.messages()[0].body), "Porto") {
		t.Errorf("told of %v: %s", got, r.messages())
	}
}

// testWhoIsGoneIsNobody erases one between the change and its delivery.
func testWhoIsGoneIsNobody(t *testing.T, s *stage) {
	ctx := context.Background()
	ids := s.people(2)
	r := newReceiver(t)
	s.define("crm", r.definition(""))
	s.step()
	s.changed(in("loyal", ids...)...)
	s.world.Erase(ctx, ids[0], noon.Add(time.Hour), "user_id:u0", "email:p0@example.com")
	s.world.Flush(ctx)
	s.step()
	if got := r.keys(); len(got) != 1 || !strings.Contains(got[0], ids[1].String()) {
		t.Errorf("told of %v", got)
	}
	if st := s.state("crm"); st.Passed != 1 || len(s.recorder.sent) != 1 {
		t.Errorf("%+v, on record %d", st, len(s.recorder.sent))
	}
}

// testRecordHasOneIdentifier looks at what is put on record of a delivery.
func testRecordHasOneIdentifier(t *testing.T, s *stage) {
	ids := s.people(1)
	r := newReceiver(t)
	s.define("crm", r.definition(""))
	s.define("silent", r.definition(`,"record":false`))
	s.step()
	s.changed(in("loyal", ids...)...)
	s.step()
	if len(s.recorder.sent) != 1 {
		t.Fatalf("on record: %+v", s.recorder.sent)
	}
	c := s.recorder.sent[0]
	if c.ID != "crm/loyal/1/"+ids[0].String() || c.Identifier.String() != "user_id:u0" || c.Channel != "webhook" || c.Detail != "loyal entered" || c.Destination != "crm" {
		t.Errorf("on record: %+v", c)
	}
}

// testPrivateAddressesAreNotCalled has a receiver on this machine.
func testPrivateAddressesAreNotCalled(t *testing.T, s *stage) {
	id := s.people(1)[0]
	r := newReceiver(t)
	s.cfg.AllowPrivate = false
	s.restart(s.conn)
	s.define("crm", strings.Replace(r.definition(""), "127.0.0.1", "localhost", 1))
	s.step()
	s.changed(in("loyal", id)...)
	s.step()
	list, err := s.store.Letters(context.Background(), s.workspace, "crm", "", "", 10)
	s.check(err)
	if len(r.keys()) != 0 || len(list) != 1 || list[0].Reason != "address" {
		t.Errorf("got %v, letters %+v", r.keys(), list)
	}
}
