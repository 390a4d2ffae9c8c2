package files

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

const someMembers = `Nr,Vorname,Surname,DoB,Address,Ort,PLZ,Mobile,Phone,E-Mail,Tier,Notes,Modified
7,Ana,Silva,25/03/1985,1 Mill Road,Porto,4000-123,+351 911 111 111,,ana@example.com,gold,called,01/02/2020
8,Rui,Costa,03/25/1985,,,,,222 333 444,,,,31/12/2019
,Nobody,,,,,,,,,,,01/01/2020
9,Eva,Lima,17/04/1990,,Lisboa,,,,eva@example.com,,,yesterday
`

func readPeople(t *testing.T, p People, content string) (messages []wire.Message, rejects []string) {
	t.Helper()
	in := StringInput("members.csv", content)
	format, text, err := p.Format(in)
	if err != nil {
		t.Fatal(err)
	}
	_, records := runImport(t, in, func(c *Config) { c.Format = format })
	for _, r := range records {
		if reason := headerOf(r, wire.HeaderReject); reason != "" {
			rejects = append(rejects, headerOf(r, wire.HeaderPosition)+" "+reason)
			continue
		}
		var m wire.Message
		if err := json.Unmarshal(r.Value, &m); err != nil {
			t.Fatal(err)
		}
		messages = append(messages, m)
	}
	if t.Failed() {
		t.Log(text)
	}
	return messages, rejects
}

func TestPeopleBecomeIdentifyEvents(t *testing.T) {
	messages, rejects := readPeople(t, People{Source: "crm", ID: "Nr", Fields: map[string]string{"Tier": "loyalty.tier", "Notes": ""}, Time: "Modified"}, someMembers)
	if len(messages) != 2 {
		t.Fatalf("%d messages, rejects %q", len(messages), rejects)
	}
	m := messages[0]
	if m.Source != "crm" || m.Type != "identify" || m.Time.Format("2006-01-02") != "2020-02-01" || !strings.HasPrefix(m.ID, "7-") {
		t.Errorf("message %+v", m)
	}
	wantIDs := []wire.Identifier{{Namespace: "record", Value: "crm/7"}, {Namespace: "email", Value: "ana@example.com"}, {Namespace: "phone", Value: "+351 911 111 111"}}
	if d := cmp.Diff(wantIDs, m.Identifiers); d != "" {
		t.Error(d)
	}
	want := `{"address":{"city":"Porto","postalCode":"4000-123","street":"1 Mill Road"},"birthday":"1985-03-25","email":"ana@example.com","firstName":"Ana","lastName":"Silva","loyalty":{"tier":"gold"},"phone":"+351 911 111 111"}`
	if got := string(m.Traits); got != want {
		t.Errorf("traits\n%s, want\n%s", got, want)
	}
	// A date that is none in the file's form stays, and so does what else is said.
	if got := string(messages[1].Traits); got != `{"birthday":"03/25/1985","firstName":"Rui","lastName":"Costa","phone":"222 333 444"}` {
		t.Errorf("traits %s", got)
	}
	if len(rejects) != 2 || !strings.HasPrefix(rejects[0], "members.csv:4 ") || !strings.Contains(rejects[0], "is required") ||
		!strings.HasPrefix(rejects[1], "members.csv:5 ") || !strings.Contains(rejects[1], "must be a time") {
		t.Errorf("rejects %q", rejects)
	}
	for _, r := range rejects {
		if strings.Contains(r, "Eva") || strings.Contains(r, "yesterday") {
			t.Errorf("a reason tells a value: %s", r)
		}
	}
}

// A record that is read again is the same message, one that changed is not, and
// neither is one that is read in another way.
func TestPeopleMessageIDs(t *testing.T) {
	id := func(p People, content string) string {
		t.Helper()
		messages, _ := readPeople(t, p, content)
		return messages[0].ID
	}
	crm := People{Source: "crm", ID: "id"}
	first := id(crm, "id,name\n7,Ana\n")
	if again := id(crm, "id,name\n7,Ana\n8,Rui\n"); again != first {
		t.Errorf("ids %s and %s of the same record", first, again)
	}
	if changed := id(crm, "id,name\n7,Anna\n"); changed == first {
		t.Error("a changed record has the same id")
	}
	other := People{Source: "crm", ID: "id", Fields: map[string]string{"name": "lastName"}}
	if mapped := id(other, "id,name\n7,Ana\n"); mapped == first {
		t.Error("a record that is read in another way has the same id")
	}
}

func TestPeopleGuesses(t *testing.T) {
	f := func(p People, content, want string) {
		t.Helper()
		p.Source, p.ID = "crm", "id"
		messages, _ := readPeople(t, p, content)
		if len(messages) == 0 || string(messages[0].Traits) != want {
			t.Errorf("%s: %+v, want %s", content, messages, want)
		}
	}
	f(People{}, "id;first_name;dob\n1;Ana;03.04.1985\n", `{"birthday":"1985-04-03","firstName":"Ana"}`)
	f(People{}, "id,dob\n1,03/04/1985\n2,25/04/1985\n", `{"birthday":"1985-04-03"}`)
	f(People{}, "id,dob\n1,03/04/1985\n2,04/25/1985\n", `{"birthday":"1985-03-04"}`)
	f(People{}, "id,dob\n1,03/04/1985\n", `{"birthday":"03/04/1985"}`) // Both are possible.
	f(People{DateFormat: "MM/dd/yyyy"}, "id,dob\n1,03/04/1985\n", `{"birthday":"1985-03-04"}`)
	f(People{Fields: map[string]string{"nick": "firstName"}}, "id,nick,firstName\n1,Ana,\n", `{"firstName":"Ana"}`)
	f(People{}, "id,street,address,a b\n1,Mill Road,Porto,x\n", `{"a b":"x","address":{"full":"Porto","street":"Mill Road"}}`)
	f(People{}, "id,mobile,phone\n1,,222\n", `{"phone":"222"}`)
	f(People{}, "{\"id\": 1, \"firstName\": \"Ana\"}\n", `{"firstName":"Ana"}`)
}

func TestPeopleFaults(t *testing.T) {
	f := func(p People, content, want string) {
		t.Helper()
		if _, _, err := p.Format(StringInput("m.csv", content)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	const content = "id,name,changed\n1,Ana,soon\n"
	f(People{ID: "id"}, content, "source must be")
	f(People{Source: "a/b", ID: "id"}, content, "source must be")
	f(People{Source: "user_id", ID: "id"}, content, "take another name")
	f(People{Source: "crm"}, content, "column of the records' ids is required")
	f(People{Source: "crm", ID: "nr"}, content, `no column "nr"; the columns are id, name, changed`)
	f(People{Source: "crm", ID: "id", Fields: map[string]string{"Name": "name"}}, content, `no column "Name"`)
	f(People{Source: "crm", ID: "id", Fields: map[string]string{"id": "name"}}, content, "declared twice")
	f(People{Source: "crm", ID: "id", Time: "changed"}, content, "no known format")
	f(People{Source: "crm", ID: "id", DateFormat: "tomorrow"}, content, "date format")
	f(People{Source: "crm", ID: "id", Fields: map[string]string{"name": "a", "changed": "a.b"}}, content, "have parts")
	f(People{Source: "crm", ID: "id"}, "", "empty")
}
