package sql_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/siphash"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/sql"
)

// said are statements of marketing in order, an hour apart: + grants and - refuses, by
// a channel or by all (*), for an address after a slash. = goes back to the time of
// the one before.
var said = map[string]string{
	"nothing":   "",
	"yes":       "+*",
	"no":        "-*",
	"changed":   "-email +email",
	"withdrawn": "+* -email",
	"all over":  "-email +*",
	"two":       "+email/email:a@x -email/email:b@x",
	"both":      "-email/email:a@x -email/email:b@x",
	"later all": "+email/email:a@x -email",
	"tie":       "-sms =+sms",
	"tie2":      "+sms =-sms",
}

// TestConsentStories has a row per boundary of what stands.
func TestConsentStories(t *testing.T) {
	ctx := context.Background()
	conn := warehousetest.NewTestDatabase(t)
	w := clickhousetest.New(t, conn, "main")
	who := map[identity.ProfileID]string{}
	for name, story := range said {
		id := "user_id:" + strings.ReplaceAll(name, " ", "_")
		who[identity.ProfileID(w.Key(id))] = name
		w.Add(clickhousetest.Event{MessageID: name, Name: "View", Identifiers: []string{id}, Time: now})
		at := now.Add(-100 * time.Hour)
		for n, word := range strings.Fields(story) {
			word, same := strings.CutPrefix(word, "=")
			if !same {
				at = at.Add(time.Hour)
			}
			channel, address, _ := strings.Cut(word[1:], "/")
			if channel == "*" {
				channel = ""
			}
			w.Add(clickhousetest.Event{
				MessageID: fmt.Sprint(name, n), Name: "Said", Identifiers: []string{id}, Time: at,
				Consents: []clickhousetest.Consent{{Purpose: "marketing", Channel: channel, Address: address, Granted: word[0] == '+'}},
			})
		}
	}
	w.Flush(ctx)
	f := asker(t, sql.DefaultConfig(), w, who)
	f(`{"consent":"marketing","channel":"Email","is":"granted"}`, "yes", "changed", "all over", "two")
	f(`{"consent":"marketing","channel":"email","is":"denied"}`, "no", "withdrawn", "both", "later all")
	f(`{"consent":"marketing","channel":"email","is":"unknown"}`, "nothing", "tie", "tie2")
	f(`{"consent":"marketing","channel":"sms","is":"granted"}`, "yes", "withdrawn", "all over")
	f(`{"consent":"Marketing","is":"granted"}`, "yes", "changed", "all over", "two")
	f(`{"consent":"marketing","is":"denied"}`, "no", "withdrawn", "both", "later all", "tie", "tie2")
	f(`{"consent":"marketing","is":"unknown"}`, "nothing")
	f(`{"all":[{"event":"View"},{"consent":"profiling","is":"granted"}]}`)
	f(`{"not":{"any":[{"consent":"marketing","is":"granted"},{"consent":"marketing","is":"unknown"}]}}`, "no", "withdrawn", "both", "later all", "tie", "tie2")
}

// asker returns a function that compares the members of a definition with names.
func asker(t *testing.T, cfg sql.Config, w *clickhousetest.World, who map[identity.ProfileID]string) func(definition string, want ...string) {
	t.Helper()
	cfg.MaxExecution = time.Minute // However busy the machine is.
	p, err := sql.New(cfg, w.Conn, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return func(definition string, want ...string) {
		t.Helper()
		got, err := p.Preview(t.Context(), w.Workspace, parse(t, definition), 100)
		if err != nil {
			t.Errorf("%s: %v", definition, err)
			return
		}
		members, expected := map[string]bool{}, map[string]bool{}
		for _, id := range got.Sample {
			members[who[id]] = true
		}
		for _, name := range want {
			expected[name] = true
		}
		if diff := cmp.Diff(expected, members); diff != "" {
			t.Errorf("%s (-want +got):\n%s", definition, diff)
		}
	}
}

// library is a segments.Library of texts.
type library map[string]string

func (l library) Definition(_ context.Context, _, id string) (segments.Definition, bool, error) {
	text, ok := l[id]
	if !ok {
		return segments.Definition{}, false, nil
	}
	d, err := segments.Parse([]byte(text))
	return d, true, err
}

// TestPersonStories has a row per boundary of the other leaves of what a profile is.
func TestPersonStories(t *testing.T) {
	ctx := context.Background()
	conn := warehousetest.NewTestDatabase(t)
	w := clickhousetest.New(t, conn, "main")
	who := map[identity.ProfileID]string{}
	ids := map[string]identity.ProfileID{}
	for _, name := range []string{"ana", "ben", "cid", "dee"} {
		ids[name] = w.Person("user_id:" + name)
		who[ids[name]] = name
		w.Add(clickhousetest.Event{MessageID: name, Name: "View", Identifiers: []string{"user_id:" + name}, Time: now})
	}
	group := func(name, account string, traits map[string]any) {
		n := len(who) + int(w.Key("user_id:"+name+account))
		w.Add(clickhousetest.Event{
			MessageID: fmt.Sprint(n, traits), Name: "Group", Type: "group", Identifiers: []string{"user_id:" + name}, Time: now.Add(-time.Duration(len(traits)) * time.Minute),
			Properties: map[string]any{"groupId": account, "traits": traits},
		})
	}
	group("ana", "acme", map[string]any{"plan": "gold", "size": 5})
	group("ben", "acme", map[string]any{"size": nil}) // Later: size is gone, plan stays.
	group("ben", "globex", map[string]any{"plan": "free"})
	w.House("landline:1", ids["ana"], ids["ben"])
	w.House("landline:2", ids["cid"])
	w.Score(
		clickhousetest.Score{Profile: ids["ana"], Name: "value", ComputedAt: now, AsOf: now, Value: 5, Lower: 1, Upper: 9},
		clickhousetest.Score{Profile: ids["ben"], Name: "value", ComputedAt: now, AsOf: now, Value: 5, Lower: 4, Upper: 6},
	)
	belongs := func(name, stage, persona string, ago time.Duration) {
		w.Group(clickhousetest.Group{Profile: ids[name], Time: now.Add(-ago), Stage: stage, Persona: persona})
	}
	belongs("ana", "lead", "p1", 2*time.Hour)
	belongs("ana", "at_risk", "p3", time.Hour)
	belongs("ben", "at_risk", "p1", 2*time.Hour)
	belongs("ben", "", "", time.Hour) // Was none any more.
	belongs("cid", "lapsed", "", time.Hour)
	w.Flush(ctx)
	cfg := sql.DefaultConfig()
	cfg.Library = library{"golden": `{"accounts":{"gte":1},"where":[{"trait":"plan","op":"eq","value":"gold"}]}`, "silver": `{"not":{"segment":"golden"}}`}
	f := asker(t, cfg, w, who)
	f(`{"stage":"at_risk"}`, "ana")
	f(`{"stage":"lead"}`)
	f(`{"persona":"p3"}`, "ana")
	f(`{"any":[{"persona":"p1"},{"stage":"lapsed"}]}`, "cid")
	f(`{"all":[{"event":"View"},{"not":{"persona":"p3"}}]}`, "ben", "cid", "dee")
	f(`{"accounts":{"gte":1}}`, "ana", "ben")
	f(`{"accounts":{"eq":0}}`, "cid", "dee")
	f(`{"accounts":{"gte":2}}`, "ben")
	f(`{"accounts":{"gte":1},"in":["globex","nobody"]}`, "ben")
	f(`{"accounts":{"gte":1},"where":[{"trait":"size","op":"exists"}]}`)
	f(`{"accounts":{"eq":1},"where":[{"trait":"plan","op":"in","value":["gold"]}]}`, "ana", "ben")
	f(`{"household":{"gte":2}}`, "ana", "ben")
	f(`{"household":{"eq":1}}`, "cid")
	f(`{"household":{"lt":2}}`, "cid", "dee")
	f(`{"score":"value","op":"eq","value":5}`, "ana", "ben")
	f(`{"score":"value","end":"lower","op":"gt","value":3}`, "ben")
	f(`{"score":"value","end":"upper","op":"gt","value":6}`, "ana")
	f(`{"segment":"golden"}`, "ana", "ben")
	f(`{"all":[{"segment":"silver"},{"household":{"gt":0}}]}`, "cid")
	f(`{"holdout":"h","percent":{"gte":0}}`, "ana", "ben", "cid", "dee")
	f(`{"holdout":"h","percent":{"gte":100}}`)
	place := func(name string) float64 {
		return float64(siphash.Sum64(siphash.Key{}, []byte("h/"+ids[name].String()))%10000) / 100
	}
	f(fmt.Sprintf(`{"all":[{"event":"View"},{"holdout":"h","percent":{"eq":%v}}]}`, place("ana")), "ana")
	f(fmt.Sprintf(`{"not":{"holdout":"h","percent":{"lte":%v,"gte":%v}}}`, place("ben"), place("ben")), "ana", "cid", "dee")

	// A merge brings together what belongs to both; the place is that of who stays.
	w.Person("user_id:ana", "user_id:dee")
	w.Flush(ctx)
	f(`{"not":{"household":{"gte":2}}}`, "cid")
	f(fmt.Sprintf(`{"holdout":"h","percent":{"eq":%v}}`, place("ana")), "ana")
	w.Person("user_id:dee")
	w.Flush(ctx)
	f(fmt.Sprintf(`{"holdout":"h","percent":{"eq":%v}}`, place("dee")), "dee")
}
