package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/api"
)

// neighbour is somebody whom two sources know, with no identifier in common.
type neighbour struct{ first, last, birthday, street, city, postcode string }

var (
	testGiven   = strings.Fields("Amalia Bernardo Camila Duarte Eduarda Filipe Graca Henrique Irene Jaime Katia Lourenco Matilde Narciso Olivia Paulino Quiteria Rodolfo Simone Tobias")
	testSurname = strings.Fields("Albuquerque Barbosa Cardoso Domingues Esteves Figueira Gouveia Henriques Infante Junqueira Leitao Magalhaes Nogueira Oliveira Pimentel Queiros Rebelo Sampaio Tavares Vasconcelos")
	testCity    = strings.Fields("Coimbra Aveiro Leiria Viseu Guarda Beja")
)

func inventNeighbours(r *rand.Rand, n int) []neighbour {
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	all := make([]neighbour, n)
	for i := range all {
		all[i] = neighbour{
			pick(testGiven), pick(testSurname), fmt.Sprintf("19%02d-%02d-%02d", 40+r.IntN(60), 1+r.IntN(12), 1+r.IntN(28)),
			fmt.Sprintf("Rua %s %d", pick(testSurname), 1+r.IntN(90)), pick(testCity), fmt.Sprintf("%d-%03d", 3000+r.IntN(900), r.IntN(1000)),
		}
	}
	return all
}

// onTheWeb is how the shop knows somebody, inCRM how the old customer file does.
func (n neighbour) onTheWeb(id int) map[string]any {
	return map[string]any{
		"type": "identify", "messageId": fmt.Sprint("w", id, n.last), "userId": fmt.Sprint("u", id),
		"traits": map[string]any{"firstName": n.first, "lastName": n.last, "birthday": n.birthday, "address": map[string]any{"street": n.street, "city": n.city, "postalCode": n.postcode}},
	}
}

func (n neighbour) inCRM(r *rand.Rand, id int) map[string]any {
	slip := func(s string) string {
		if i := 1 + r.IntN(len(s)-2); r.IntN(3) == 0 {
			return s[:i] + s[i+1:]
		}
		return s
	}
	d := strings.Split(n.birthday, "-")
	return map[string]any{
		"type": "identify", "messageId": fmt.Sprint("c", id, n.last), "anonymousId": fmt.Sprint("import-", id),
		"context": map[string]any{"externalIds": []any{map[string]any{"type": "record", "id": fmt.Sprint("crm/", id), "collection": "users", "encoding": "none"}}},
		"traits": map[string]any{
			"name": strings.ToUpper(slip(n.first) + " " + slip(n.last)), "date of birth": d[2] + "." + d[1] + "." + d[0],
			"street": slip(n.street), "town": n.city, "zip": n.postcode,
		},
	}
}

// same reports whether two identifiers are one profile.
func (k *running) same(a, b string) bool {
	k.t.Helper()
	var e api.Explanation
	k.read(&e, "identity", "why", a, b)
	return e.Same
}

// TestLinkRun tells the story of two sources without a common identifier in a
// running Kindred: a dry run, a run, what comes later, an unmerge, and another
// model.
func TestLinkRun(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a Kindred")
	}
	t.Parallel()
	seed := testSeed()
	t.Logf("KINDRED_TEST_SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 8))
	k := startKindred(t)
	people := inventNeighbours(r, 200)
	var events []map[string]any
	for i, p := range people {
		if i < 150 {
			events = append(events, p.onTheWeb(i))
		}
		if i >= 50 { // the last 50 are known to the CRM alone, the first to the web
			events = append(events, p.inCRM(r, i))
		}
	}
	k.identify(events...)
	k.until("all is stored", func() bool {
		return k.query("SELECT uniq(identifier_id) FROM identifiers WHERE namespace IN ('record', 'user_id')") == "300"
	})

	t.Run("dry run", func(t *testing.T) {
		var report linkRunReport
		k.read(&report, "link", "run", "--dry-run")
		if report.Users != 150 || report.Sources["crm"] != 150 || report.Rules == nil || report.Rules.Joined < 90 || report.Rules.Split != 0 {
			t.Fatalf("report is %+v", report)
		}
		if k.same("record:crm/60", "user_id:u60") {
			t.Error("a dry run joined two records")
		}
	})
	t.Run("run", func(t *testing.T) { testLinkRunJoins(t, k) })
	t.Run("what comes later", func(t *testing.T) { testLinkFollows(t, k, r) })
	t.Run("unmerge and another model", func(t *testing.T) { testLinkAgain(t, k, r) })
	t.Run("no values", func(t *testing.T) {
		text := strings.ToLower(k.query("SELECT * EXCEPT sealed FROM linkage_models FORMAT TSV") + k.query("SELECT * FROM record_links FORMAT TSV") +
			k.query("SELECT * FROM identity_evidence WHERE source = 'linkage' FORMAT TSV"))
		for _, p := range people {
			for _, value := range []string{p.first, p.last, p.birthday, p.street, p.city, p.postcode} {
				if strings.Contains(text, strings.ToLower(value)) {
					t.Fatalf("%q is in the tables of linkage", value)
				}
			}
		}
		if len(text) < 10_000 || strings.Contains(text, "user_id/") {
			t.Errorf("%d bytes of tables, or they name records", len(text))
		}
	})
}

func testLinkRunJoins(t *testing.T, k *running) {
	var report linkRunReport
	k.read(&report, "link", "run")
	if report.Published != 0 || report.Rules == nil || report.Rules.Joined < 90 {
		t.Fatalf("report is %+v", report)
	}
	right, found := 0, 0
	for i := 50; i < 150; i++ {
		if i%10 == 0 { // each costs a process
			found++
			if k.same(fmt.Sprint("record:crm/", i), fmt.Sprint("user_id:u", i)) {
				right++
			}
		}
	}
	if right < found-1 {
		t.Errorf("%d of %d were joined", right, found)
	}
	if k.same("record:crm/60", "user_id:u61") {
		t.Error("two strangers are one")
	}
	why := k.run("identity", "why", "record:crm/60", "user_id:u60")
	for _, want := range []string{"are one profile", "bits, probability ", "before any comparison", "birthday (exact)", "seen by linkage (record)", "by model " + report.Model} {
		if !strings.Contains(why, want) {
			t.Errorf("why lacks %q:\n%s", want, why)
		}
	}
	if list := k.run("link", "models"); !strings.Contains(list, report.Model) || !strings.Contains(list, "in force") {
		t.Errorf("models are\n%s", list)
	}
	card := k.run("link", "models", report.Model)
	for _, want := range []string{"birthday", "IF ONE PERSON", "THRESHOLD (BITS)", "PUT SIDE BY SIDE BY"} {
		if !strings.Contains(card, want) {
			t.Errorf("the card lacks %q:\n%s", want, card)
		}
	}
}

// testLinkFollows: the worker scores what is new within seconds, and takes back
// what a changed record no longer supports.
func testLinkFollows(t *testing.T, k *running, r *rand.Rand) {
	p := neighbour{"Zeferina", "Yglesias", "1951-11-30", "Travessa do Fala-So 7", "Evora", "7000-123"}
	k.identify(p.inCRM(r, 900))
	k.identify(p.onTheWeb(900))
	k.until("the new records are one", func() bool { return k.same("record:crm/900", "user_id:u900") })
	other := neighbour{"Xisto", "Wenceslau", "1999-01-02", "Largo do Rato 1", "Sintra", "2710-001"}
	k.identify(other.inCRM(r, 900))
	k.until("the record that changed has left", func() bool { return !k.same("record:crm/900", "user_id:u900") })
}

// testLinkAgain: what a person parted stays parted, by the same model and by
// another one, whose scores count from the moment that the rules name it.
func testLinkAgain(t *testing.T, k *running, r *rand.Rand) {
	k.run("identity", "unmerge", "record:crm/60", "--from", "user_id:u60", "--reason", "father and son")
	k.until("they are apart", func() bool { return !k.same("record:crm/60", "user_id:u60") })
	var again linkRunReport
	k.read(&again, "link", "run", "--model", "keep")
	if again.Rules != nil || k.same("record:crm/60", "user_id:u60") || !k.same("record:crm/70", "user_id:u70") {
		t.Errorf("a second run by one model: %+v", again)
	}
	var events []map[string]any
	for i, p := range inventNeighbours(r, 80) {
		events = append(events, p.onTheWeb(300+i), p.inCRM(r, 300+i))
	}
	k.identify(events...)
	k.until("all is stored", func() bool {
		return k.query("SELECT uniq(identifier_id) FROM identifiers WHERE namespace = 'user_id'") == "231"
	})
	var next linkRunReport
	k.read(&next, "link", "run")
	if next.Model == again.Model || next.Rules == nil {
		t.Fatalf("the other model: %+v", next)
	}
	why := k.run("identity", "why", "record:crm/70", "user_id:u70")
	if !strings.Contains(why, "by model "+next.Model) || k.same("record:crm/60", "user_id:u60") {
		t.Errorf("after the switch of models:\n%s", why)
	}
	var list struct{ Models []api.LinkageModel }
	k.read(&list, "link", "models")
	if len(list.Models) != 2 || list.Models[0].Version != next.Model || !list.Models[0].InForce || list.Models[1].InForce {
		t.Errorf("models are %+v", list.Models)
	}
}
