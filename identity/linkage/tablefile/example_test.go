package tablefile_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kindred-cdp/kindred/identity/linkage/tablefile"
)

func ExampleRead() {
	folder, err := os.MkdirTemp("", "records")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "people.csv")
	if err := os.WriteFile(path, []byte("rec_id; name; city\n1; Ana; Porto\n2; Rui\n"), 0o600); err != nil {
		panic(err)
	}
	r, err := tablefile.Read(context.Background(), tablefile.Config{Left: tablefile.Source{Path: path, ID: "rec_id"}})
	if err != nil {
		panic(err)
	}
	for row, id := range r.IDs {
		fmt.Println(id, r.Table.Columns[0].Value(row))
	}
	for _, w := range r.Warnings {
		fmt.Println(w.Text, w.Lines)
	}
	// Output:
	// 1 Ana
	// 2 Rui
	// records have fewer fields than the header: those at the end are taken as missing [3]
}
