package clickhouse_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
)

// pages reads a timeline page by page and returns the message ids.
func pages(t *testing.T, store *clickhouse.Store, id identity.ProfileID, q profiles.TimelineQuery) string {
	t.Helper()
	var all []string
	for {
		events, err := store.Timeline(context.Background(), "main", id, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			all = append(all, e.MessageID)
			q.After = e.Position
		}
		if len(events) < q.Limit {
			return strings.Join(all, " ")
		}
	}
}

func TestTimeline(t *testing.T) {
	ctx := context.Background()
	store, w := newStore(t)
	ana, ben := anaAndBen(w)
	// Two more at one time, which a page may part.
	w.Add(
		clickhousetest.Event{MessageID: "same-a", Name: "Same", Time: day, Identifiers: []string{"user_id:ana"}},
		clickhousetest.Event{MessageID: "same-b", Name: "Same", Time: day, Identifiers: []string{"anonymous_id:c1"}},
	)
	w.Flush(ctx)
	whole := pages(t, store, ana, profiles.TimelineQuery{PageQuery: profiles.PageQuery{Limit: 100}})
	if got := strings.Fields(whole); len(got) != 12 || got[0] != "9" || got[11] != "10" {
		t.Errorf("timeline %s", whole)
	}
	backwards := strings.Fields(pages(t, store, ana, profiles.TimelineQuery{Ascending: true, PageQuery: profiles.PageQuery{Limit: 5}}))
	for i, j := 0, len(backwards)-1; i < j; i, j = i+1, j-1 {
		backwards[i], backwards[j] = backwards[j], backwards[i]
	}
	if d := cmp.Diff(whole, strings.Join(backwards, " ")); d != "" {
		t.Errorf("oldest first is not the same backwards:\n%s", d)
	}
	for limit := 1; limit <= 7; limit++ {
		if got := pages(t, store, ana, profiles.TimelineQuery{PageQuery: profiles.PageQuery{Limit: limit}}); got != whole {
			t.Errorf("pages of %d: %s, want %s", limit, got, whole)
		}
	}
	f := func(name, want string, q profiles.TimelineQuery) {
		t.Helper()
		q.Limit = 2
		if got := pages(t, store, ana, q); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	f("kind", "8 7 6 5 4 3", profiles.TimelineQuery{Kinds: []string{"transaction"}})
	f("name", "7 6 1", profiles.TimelineQuery{Names: []string{"Order Refunded", "Product Viewed"}})
	f("but names", "10", profiles.TimelineQuery{Except: []string{"Same"}, To: day})
	f("source and kind", "", profiles.TimelineQuery{Kinds: []string{"transaction"}, Sources: []string{"web"}})
	f("times", "4 3", profiles.TimelineQuery{From: day.Add(2 * time.Hour), To: day.Add(4 * time.Hour)})
	f("hostile", "", profiles.TimelineQuery{Names: []string{"' OR 1=1 --", `\`}})
	events, err := store.Timeline(ctx, "main", ana, profiles.TimelineQuery{Names: []string{"Order Updated"}, PageQuery: profiles.PageQuery{Limit: 1}})
	if err != nil || len(events) != 1 || !strings.Contains(string(events[0].Detail), `"order_id":"o1"`) || !strings.Contains(string(events[0].Detail), `"amount":12.75`) {
		t.Errorf("detail %+v, %v", events, err)
	}
	if got := pages(t, store, ben, profiles.TimelineQuery{PageQuery: profiles.PageQuery{Limit: 9}}); got != "13 11" {
		t.Errorf("ben's: %s", got)
	}
	if events, err := store.Timeline(ctx, "other", ana, profiles.TimelineQuery{PageQuery: profiles.PageQuery{Limit: 1}}); err != nil || len(events) > 0 {
		t.Errorf("another workspace: %+v, %v", events, err)
	}
	if _, err := store.Timeline(ctx, "main", identity.ProfileID(w.Key("user_id:ana")), profiles.TimelineQuery{PageQuery: profiles.PageQuery{Limit: 1}}); !errors.Is(err, profiles.ErrNotFound) {
		t.Errorf("an id that is none now: %v", err)
	}
}

func TestProducts(t *testing.T) {
	ctx := context.Background()
	store, w := newStore(t)
	ana := w.Person("user_id:ana")
	buy := func(hours int, typ, id, status, amount string, items ...clickhousetest.Item) {
		w.Add(clickhousetest.Event{
			MessageID: fmt.Sprint(hours), Kind: "transaction", Name: "x", Source: "shop", Time: day.Add(time.Duration(hours) * time.Hour),
			Identifiers: []string{"user_id:ana"}, Order: &clickhousetest.Order{Type: typ, ID: id, Status: status, Currency: "EUR", Amount: amount, Items: items},
		})
	}
	item := func(product, quantity, price string) clickhousetest.Item {
		return clickhousetest.Item{Product: product, Name: "the " + product, Quantity: quantity, Price: price}
	}
	buy(1, "order", "o1", "completed", "30", item("cup", "2", "10"), item("tea", "1", "10"))
	buy(2, "refund", "o1", "refunded", "-10", item("cup", "-1", "10"))
	buy(3, "order", "o2", "completed", "5", item("pen", "1", "5"))
	buy(4, "refund", "o2", "refunded", "-5") // Whole, without lines.
	buy(5, "order", "o3", "cancelled", "7", item("hat", "1", "7"))
	buy(6, "order", "o4", "completed", "10", item("cup", "1", "10"))
	buy(7, "subscription", "s1", "active", "3", item("news", "1", "3"))
	buy(8, "subscription", "s2", "active", "3", item("mag", "1", "3"))
	buy(9, "subscription", "s2", "cancelled", "0", item("mag", "1", "0"))
	w.Flush(ctx)
	var got []string
	q := profiles.PageQuery{Limit: 2}
	for {
		products, err := store.Products(ctx, "main", ana, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range products {
			got = append(got, fmt.Sprintf("%s %q orders %d bought %s held %s subscribed %t spent %s last %d", p.ID, p.Name, p.Orders, p.Bought, p.Held, p.Subscribed, p.Spent["EUR"], p.Position.Time.Hour()))
			q.After = p.Position
		}
		if len(products) < q.Limit {
			break
		}
	}
	want := []string{
		`news "the news" orders 0 bought 0 held 0 subscribed true spent 3 last 19`,
		`cup "the cup" orders 2 bought 3 held 2 subscribed false spent 20 last 18`,
		`pen "the pen" orders 1 bought 1 held 0 subscribed false spent 0 last 15`,
		`tea "the tea" orders 1 bought 1 held 1 subscribed false spent 10 last 13`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("products (-want +got):\n%s", d)
	}
	p, err := store.Load(ctx, "main", ana)
	if err != nil || len(p.Products) != 4 {
		t.Errorf("the whole view has %d products, %v", len(p.Products), err)
	}
}

func TestContacts(t *testing.T) {
	ctx := context.Background()
	store, w := newStore(t)
	ana := w.Person("email:ana@example.com", "user_id:ana")
	n := 0
	contact := func(minutes int, action, channel, id string) {
		n++
		w.Add(clickhousetest.Event{
			MessageID: fmt.Sprint(n), Kind: "contact", Name: "x", Source: "mailer", Time: day.Add(time.Duration(minutes) * time.Minute),
			Identifiers: []string{"email:ana@example.com"}, Contact: &clickhousetest.Contact{Action: action, Channel: channel, Campaign: "spring", ID: id},
		})
	}
	contact(1, "sent", "email", "m1")
	contact(2, "opened", "email", "m1")
	contact(9, "opened", "email", "m1")
	contact(3, "sent", "sms", "m1") // The same id over another channel is another message.
	contact(4, "sent", "email", "m2")
	contact(5, "bounced", "email", "")
	w.Flush(ctx)
	var got []string
	q := profiles.PageQuery{Limit: 3}
	for {
		contacts, err := store.Contacts(ctx, "main", ana, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range contacts {
			got = append(got, fmt.Sprintf("%d %s %s %d actions, opened %d", c.Position.Time.Minute(), c.Channel, c.MessageID, len(c.Actions), c.Actions["opened"].Minute()))
			q.After = c.Position
		}
		if len(contacts) < q.Limit {
			break
		}
	}
	if d := cmp.Diff([]string{"5 email  1 actions, opened 0", "4 email m2 1 actions, opened 0", "3 sms m1 1 actions, opened 0", "1 email m1 2 actions, opened 2"}, got); d != "" {
		t.Errorf("contacts (-want +got):\n%s", d)
	}
	p, err := store.Load(ctx, "main", ana)
	if err != nil || len(p.Channels) != 2 {
		t.Fatalf("channels %+v, %v", p, err)
	}
	email := p.Channels[0]
	if email.Messages["sent"] != 2 || email.Messages["opened"] != 1 || email.Answered.Minute() != 9 || email.First.Minute() != 1 || email.Last.Minute() != 9 {
		t.Errorf("email %+v", email)
	}
	if !p.Channels[1].Answered.IsZero() {
		t.Errorf("sms %+v", p.Channels[1])
	}
}

func TestAccounts(t *testing.T) {
	ctx := context.Background()
	store, w := newStore(t)
	ana, ben := w.Person("user_id:ana", "email:ana@example.com"), w.Person("user_id:ben")
	group := func(id, user, account string, hours int, traits map[string]any) {
		w.Add(clickhousetest.Event{
			MessageID: id, Name: "group", Type: "group", Time: day.Add(time.Duration(hours) * time.Hour), Identifiers: []string{user},
			Properties: map[string]any{"groupId": account, "traits": traits},
		})
	}
	group("1", "user_id:ana", "acme ltd/1", 1, map[string]any{"plan": "free", "size": 5, "gone": 1})
	group("2", "email:ana@example.com", "acme ltd/1", 2, map[string]any{"plan": "gold"})
	group("3", "user_id:ben", "acme ltd/1", 0, map[string]any{"plan": "old", "gone": nil})
	group("4", "user_id:ben", "acme ltd/1", 3, map[string]any{"gone": nil})
	group("5", "user_id:ben", "other", 1, nil)
	w.Flush(ctx)
	a, err := store.Account(ctx, "main", "acme ltd/1", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	traits := map[string]string{}
	for _, tr := range a.Traits {
		traits[tr.Name] = string(tr.Value)
	}
	if d := cmp.Diff(map[string]string{"plan": `"gold"`, "size": "5"}, traits); d != "" {
		t.Errorf("traits (-want +got):\n%s", d)
	}
	members := map[identity.ProfileID]uint64{}
	for _, m := range a.Members {
		members[m.ID] = m.Events
	}
	if d := cmp.Diff(map[identity.ProfileID]uint64{ana: 2, ben: 2}, members); d != "" {
		t.Errorf("members (-want +got):\n%s", d)
	}
	if next, err := store.Account(ctx, "main", "acme ltd/1", a.Members[0].ID, 10); err != nil || len(next.Members) != 1 || next.Members[0].ID != a.Members[1].ID {
		t.Errorf("second page %+v, %v", next, err)
	}
	for _, none := range [][2]string{{"main", "nobody"}, {"other", "acme ltd/1"}} {
		if _, err := store.Account(ctx, none[0], none[1], 0, 10); !errors.Is(err, profiles.ErrNoAccount) {
			t.Errorf("%v: %v", none, err)
		}
	}
	p, err := store.Load(ctx, "main", ben)
	if err != nil || len(p.Accounts) != 2 || p.Accounts[0].ID != "acme ltd/1" || p.Accounts[0].Events != 2 || p.Accounts[1].ID != "other" {
		t.Errorf("ben's accounts %+v, %v", p.Accounts, err)
	}
	// What one member does after a merge is the other's.
	w.Person("user_id:ana", "email:ana@example.com", "user_id:ben")
	w.Flush(ctx)
	if a, err = store.Account(ctx, "main", "acme ltd/1", 0, 10); err != nil || len(a.Members) != 1 || a.Members[0].Events != 4 {
		t.Errorf("after the merge %+v, %v", a, err)
	}
}

func TestSearch(t *testing.T) {
	ctx := context.Background()
	store, w := newStore(t)
	ana, ben := anaAndBen(w)
	w.Flush(ctx)
	prefix := func(ns identity.Namespace, text string, want ...string) {
		t.Helper()
		var got []string
		q := profiles.SearchQuery{Limit: 1}
		for {
			matches, err := store.ByPrefix(ctx, "main", ns, text, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range matches {
				got = append(got, m.Identifier.String()+" "+map[identity.ProfileID]string{ana: "ana", ben: "ben", 0: "nobody"}[m.Profile])
				q.After = m.Place
			}
			if len(matches) < q.Limit {
				break
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s %s (-want +got):\n%s", ns, text, d)
		}
	}
	prefix("", "ana", "user_id:ana ana", "email:ana@example.com ana")
	prefix("email", "ana", "email:ana@example.com ana")
	prefix("", "tab", "device:tablet ben")
	prefix("", "+351", "landline:+351210000000 nobody")
	prefix("", "example.com")
	prefix("", "ana%")
	prefix("", "' OR '1'='1")
	if matches, err := store.ByPrefix(ctx, "other", "", "ana", profiles.SearchQuery{Limit: 5}); err != nil || len(matches) != 0 {
		t.Errorf("another workspace: %+v, %v", matches, err)
	}
	matches, err := store.ByTrait(ctx, "main", "country", []string{`"PT"`, `"ES"`}, profiles.SearchQuery{Limit: 5})
	found := map[identity.ProfileID]bool{}
	for _, m := range matches {
		found[m.Profile] = true
	}
	if err != nil || !found[ana] || !found[ben] || len(found) != 2 {
		t.Errorf("by trait: %+v, %v", matches, err)
	}
	if more, err := store.ByTrait(ctx, "main", "country", []string{`"PT"`, `"ES"`}, profiles.SearchQuery{Limit: 5, After: matches[0].Place}); err != nil || len(more) != 1 {
		t.Errorf("second page: %+v, %v", more, err)
	}
}
