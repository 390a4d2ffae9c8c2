package tablefile

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// write puts text into a file of its own.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// table returns the records as they were read, the id first.
func table(r *Records) [][]string {
	var all [][]string
	for row, id := range r.IDs {
		record := []string{id}
		for i := range r.Table.Columns {
			record = append(record, r.Table.Columns[i].Value(row))
		}
		all = append(all, record)
	}
	return all
}

func TestReadKeepsEachValueOnce(t *testing.T) {
	path := write(t, "a.csv", "rec_id, given_name, city\n1, ana , porto\n2,ana,\n3, rui, porto\n")
	r, err := Read(t.Context(), Config{Left: Source{Path: path, ID: "Rec ID"}})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"1", "ana", "porto"}, {"2", "ana", ""}, {"3", "rui", "porto"}}
	if diff := cmp.Diff(want, table(r)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"", "ana", "rui"}, r.Table.Columns[0].Values); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
