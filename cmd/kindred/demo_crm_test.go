package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/evaluate"
)

func TestCompareCRM(t *testing.T) {
	// Records 1 to 6, e-mail addresses 11 to 13, customers 21 to 24.
	pair := func(a, b identity.Key) evaluate.Pair {
		return evaluate.Pair{A: identity.Node{Key: a}, B: identity.Node{Key: b}}
	}
	records := map[identity.Key]string{1: "ana", 2: "ana", 3: "rui", 4: "eva", 5: "nobody", 6: "two"}
	customers := map[identity.Key]string{21: "ana", 22: "rui", 23: "two", 24: "two"}
	evidence := []evaluate.Pair{pair(1, 11), pair(11, 21), pair(5, 12), pair(12, 22), pair(3, 13), pair(13, 21), pair(2, 14), pair(14, 21)}
	profile := map[identity.Key]identity.ProfileID{
		1: 100, 11: 100, 21: 100, // ana, by her address
		// ana again, by linkage: the number that both have is generic
		2: 100, 14: 700,
		// rui's record met the address of another, and is a profile of its own
		13: 100, 3: 200, 4: 300,
		5: 400, 12: 400, 22: 400, // somebody else in rui's profile, by an address
		23: 500, 24: 600, 6: 500, // two accounts are never one profile
	}
	got := compareCRM(records, customers, profile, evidence)
	want := demoCRM{Records: 6, Known: 4, Precision: 3. / 4, Recall: 3. / 5, Deterministic: 2, Linked: 2}
	want.F1 = 2 * want.Precision * want.Recall / (want.Precision + want.Recall)
	if math.Abs(got.F1-want.F1) > 1e-12 {
		t.Errorf("F1 %f, want %f", got.F1, want.F1)
	}
	got.F1 = want.F1
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	none := compareCRM(records, customers, nil, nil)
	if none.Precision != 1 || none.Recall != 0 || none.F1 != 0 || none.Deterministic+none.Linked != 0 {
		t.Errorf("nothing joined: %+v", none)
	}
}

// runImportCommand runs an import that sends nothing, and returns what it prints.
func runImportCommand(t *testing.T, args ...string) (string, error) {
	t.Helper()
	top := &cobra.Command{Use: "kindred", SilenceErrors: true, SilenceUsage: true}
	addSettings(top.PersistentFlags())
	top.AddCommand(importCommand())
	top.SetArgs(append(append([]string{"import"}, args...), "--data", t.TempDir()))
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stdout
	os.Stdout = out
	defer func() { os.Stdout = before }()
	failed := top.ExecuteContext(t.Context())
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text), failed
}

func TestImportPeopleShowsWhatItWouldSend(t *testing.T) {
	path := filepath.Join(t.TempDir(), "club.csv")
	if err := os.WriteFile(path, []byte("no,Vorname,Ort,notes,updated_at\n7,Ana,Porto,late,2020-03-01\n,Rui,Lisboa,,2020-03-02\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"people", path, "--source", "club", "--id", "no", "--fields", "notes=,Ort=address.city"}
	preview, err := runImportCommand(t, append(args, "--preview", "5")...)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"record:club/7", "2020-03-01", `"traits":{"address":{"city":"Porto"},"firstName":"Ana"}`, "club.csv:3: missing_field"} {
		if !strings.Contains(preview, want) {
			t.Errorf("the preview lacks %q:\n%s", want, preview)
		}
	}
	// The mapping that it shows does the same.
	text, err := runImportCommand(t, append(args, "--suggest")...)
	if err != nil {
		t.Fatal(err)
	}
	mapping := filepath.Join(t.TempDir(), "club.toml")
	if err := os.WriteFile(mapping, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := runImportCommand(t, path, "--mapping", mapping, "--preview", "5")
	if err != nil {
		t.Fatal(err)
	}
	if again != preview {
		t.Errorf("by the mapping\n%s\nwithout\n%s", again, preview)
	}
	for _, c := range []struct{ args, want string }{
		{"people x.csv --id no", "--source"},
		{"people x.csv --source club", "--id"},
		{"people x.csv --source club --id no --fields Ort", "column=trait"},
		{"people x.csv --source club --id no --fields a=b,a=c", "twice"},
		{"people --source club --id no", "one FILE"},
		{"people " + path + " --source club --id nr", `no column "nr"`},
	} {
		if _, err := runImportCommand(t, strings.Fields(c.args)...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.args, err, c.want)
		}
	}
}
