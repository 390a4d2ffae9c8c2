package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// A result that is empty or doubtful says so, and why; a sound one does not.
func TestLinkSaysWhatIsDoubtful(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and TestLinkFile sees its goroutines")
	}
	alone := func(a, b string) string {
		return "id,name,dob\n1," + a + ",1980-01-02\n2," + b + ",1955-11-30\n"
	}
	var wide strings.Builder
	wide.WriteString("id")
	for c := range 60 {
		_, _ = fmt.Fprintf(&wide, ",c%d", c)
	}
	for row := range 40 {
		_, _ = fmt.Fprintf(&wide, "\nr%d", row)
		for c := range 60 {
			_, _ = fmt.Fprintf(&wide, ",%d", 1000+(row*7+c)%20)
		}
	}
	dir := writeFiles(t, map[string]string{"alone.csv": alone("Peter Smith", "Ana Ferreira"), "wide.csv": wide.String() + "\n"})
	for _, args := range [][]string{
		{"--preset", "crm", "--records", "1500", "--people", "1490", "--out", dir + "/few.csv"},
		{"--preset", "febrl", "--records", "600", "--out", dir + "/sound.csv"},
	} {
		if _, err := runLink(t, append([]string{"link", "generate"}, args...)...); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ file, want string }{
		{"alone.csv", "no record is linked: none of the 1 pairs"},
		{"few.csv", "are expected to be wrong"},
		{"wide.csv", "c2, c3"},
		{"sound.csv", ""},
	} {
		t.Run(c.file, func(t *testing.T) {
			out, err := runLink(t, "link", "--left", dir+"/"+c.file, "--clusters", dir+"/out.csv", "--json")
			if err != nil {
				t.Fatal(err)
			}
			var r linkReport
			if err := json.Unmarshal([]byte(out), &r); err != nil {
				t.Fatal(err)
			}
			var notes []string
			for _, n := range r.Notes {
				notes = append(notes, n.Text)
			}
			text := strings.Join(notes, "\n")
			doubted := strings.Contains(text, "no record is linked") || strings.Contains(text, "expected to be wrong")
			if !strings.Contains(text, c.want) || c.want == "" && doubted || len(notes) > 10 {
				t.Errorf("%d notes:\n%s\nwant %q", len(notes), text, c.want)
			}
		})
	}
}
