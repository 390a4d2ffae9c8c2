package simulate

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestCRMHoldsItsRates counts what the old CRM is made of.
func TestCRMHoldsItsRates(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	cfg := testConfig()
	customers := someCustomers(4000)
	w := mustGenerate(t, cfg, customers)
	people := make(map[string]int)
	found := make(map[string]int)
	for _, c := range w.CRM {
		people[c.Person]++
		note := func(what string, is bool) {
			if is {
				found[what]++
			}
		}
		_, err := time.Parse(crmDate, c.BirthDate)
		note("no birth date", c.BirthDate == "" || c.BirthDate == "01/01/1900")
		note("impossible date", c.BirthDate != "" && err != nil)
		note("e-mail", c.Email != "")
		note("e-mail of today", w.Truth.owners[identifier{"email", strings.ToLower(c.Email)}] != nil)
		note("phone", c.Phone != "")
		note("international phone", strings.HasPrefix(c.Phone, "+"))
		note("capitals", c.LastName == strings.ToUpper(c.LastName))
		note("no street", c.Street == "")
		note("known", strings.HasPrefix(c.Person, "p"))
		if modified, err := time.Parse(crmDate, c.Modified); err != nil || modified.After(testEnd) {
			t.Fatalf("a record was modified at %q", c.Modified)
		}
	}
	twice, known := 0, 0
	for id, n := range people {
		if n > 1 {
			twice++
		}
		if strings.HasPrefix(id, "p") {
			known++
		}
	}
	n := float64(len(w.CRM))
	f := func(what string, got, want, tolerance float64) {
		t.Helper()
		if got < want-tolerance || got > want+tolerance {
			t.Errorf("%s: %.3f, want %.3f", what, got, want)
		}
	}
	f("people known for each customer", float64(known)/float64(len(customers)), cfg.CRM, .001)
	f("known people", float64(known)/float64(len(people)), .7, .01)
	f("people twice", float64(twice)/float64(len(people)), cfg.CRMTwice, .02)
	f("no birth date", float64(found["no birth date"])/n, cfg.CRMNoBirthday, .03)
	f("e-mail", float64(found["e-mail"])/n, cfg.CRMEmail+cfg.CRMOldEmail, .03)
	f("e-mail of today that the web knows", float64(found["e-mail of today"])/float64(found["known"]), cfg.CRMEmail, .03)
	f("phone", float64(found["phone"])/n, cfg.Phone*cfg.CRMPhone, .04)
	f("international phone", float64(found["international phone"])/float64(found["phone"]), 1./8, .03)
	f("capitals", float64(found["capitals"])/n, cfg.CRMCapitals, .03)
	f("no street", float64(found["no street"])/n, cfg.CRMBlank, .02)
	if found["impossible date"] == 0 {
		t.Error("no day stands in the place of a month")
	}
}

// TestCRMHasRelatives looks for those whom names and addresses take for one.
func TestCRMHasRelatives(t *testing.T) {
	cfg := testConfig()
	people := newPopulation(cfg, someCustomers(2000), newTruth())
	for _, p := range people.people {
		p.told = len(p.users) > 0
	}
	k := &clerk{population: people, rng: stream(1, crmStream)}
	twins, parents := 0, 0
	p := people.people[0]
	for n := range 300 {
		c := k.stranger(n)
		k.relate(c, p)
		switch {
		case c.home != p.home || c.last != p.last:
			t.Fatal("a relative of another home or name")
		case c.born.Equal(p.born) && c.first != p.first:
			twins++
		case c.first == p.first && c.born.AddDate(20, 0, 0).Before(p.born):
			parents++
		}
	}
	if twins < 60 || parents < 60 || twins+parents > 260 {
		t.Errorf("%d twins and %d parents of the same name", twins, parents)
	}
}

// TestCRMChangesNoEvent compares with a world without a CRM, but for the ids of
// messages, which follow from the configuration.
func TestCRMChangesNoEvent(t *testing.T) {
	customers := someCustomers(100)
	bodies := func(w *World) []byte {
		var b bytes.Buffer
		for i := range w.events {
			m, err := w.events[i].message("m", 0)
			if err != nil {
				t.Fatal(err)
			}
			text, err := m.Encode()
			if err != nil {
				t.Fatal(err)
			}
			b.Write(text)
		}
		if err := w.Truth.WriteCSV(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	without := testConfig()
	without.CRM = 0
	a, b := mustGenerate(t, testConfig(), customers), mustGenerate(t, without, customers)
	if len(a.CRM) == 0 || len(b.CRM) != 0 {
		t.Errorf("%d and %d records", len(a.CRM), len(b.CRM))
	}
	if !bytes.Equal(bodies(a), bodies(b)) {
		t.Error("the CRM changes the events")
	}
}

// TestAccountsTellDetails reads what the web says of customers.
func TestAccountsTellDetails(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	messages, _ := readAll(t, mustGenerate(t, testConfig(), someCustomers(300)))
	accounts, birthdays := 0, 0
	for _, m := range messages {
		traits := string(m.Traits)
		address, birthday := strings.Contains(traits, `"address":{"street":"`), strings.Contains(traits, `"birthday":"`)
		if address != (m.Name == "Signed In") || birthday && !address {
			t.Fatalf("%s with address %t and date of birth %t", m.Name, address, birthday)
		}
		if address {
			accounts++
		}
		if birthday {
			birthdays++
		}
	}
	if share := float64(birthdays) / float64(accounts); share < .5 || share > .7 {
		t.Errorf("%d of %d sign-ins with a date of birth", birthdays, accounts)
	}
}

func TestCRMTruthIsReadAsWritten(t *testing.T) {
	w := mustGenerate(t, testConfig(), someCustomers(200))
	var truth, export bytes.Buffer
	if err := WriteCRMTruth(&truth, w.CRM); err != nil {
		t.Fatal(err)
	}
	if err := WriteCRM(&export, w.CRM); err != nil {
		t.Fatal(err)
	}
	person, err := ReadCRMTruth(&truth)
	if err != nil || len(person) != len(w.CRM) {
		t.Fatalf("%d of %d records, %v", len(person), len(w.CRM), err)
	}
	if slices.ContainsFunc(w.CRM, func(c Card) bool { return person[c.ID] != c.Person }) {
		t.Error("somebody else")
	}
	header, _, _ := strings.Cut(export.String(), "\n")
	if header != "crm_id,first_name,last_name,birth_date,street,postal_code,city,phone,email,modified" {
		t.Errorf("header %s", header)
	}
	for _, id := range []string{"p000", "c000"} {
		if strings.Contains(export.String(), id) {
			t.Error("the export tells the truth")
		}
	}
	if _, err := ReadCRMTruth(strings.NewReader("id,person\n")); err == nil {
		t.Error("another header is read")
	}
}
