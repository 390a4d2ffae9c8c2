package tablefile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/unicode"
)

// write puts text into a file of its own.
func write(t testing.TB, name, text string) string {
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
	file := []File{{Path: path, Records: 3, ID: "rec_id", Columns: []string{"given_name", "city"}, Delimiter: "comma", Encoding: "utf-8"}}
	if diff := cmp.Diff(file, r.Files); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestForms reads the same three records in the forms that programs write.
func TestForms(t *testing.T) {
	plain := "id,name,address\n1,Ana,\"Rua A, 5\"\n2,Zoë,\"Hof \"\"B\"\"\nHaus 2\"\n3,Łukasz,\n"
	want := [][]string{{"1", "Ana", "Rua A, 5"}, {"2", "Zoë", "Hof \"B\"\nHaus 2"}, {"3", "Łukasz", ""}}
	wide := func(e unicode.Endianness, bom unicode.BOMPolicy) string {
		text, err := unicode.UTF16(e, bom).NewEncoder().String(plain)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	semicolons := "id;name;address\n1;Ana;Rua A, 5\n2;Zoë;\"Hof \"\"B\"\"\nHaus 2\"\n3;Łukasz;\n"
	for name, c := range map[string]struct{ text, delimiter, encoding string }{
		"plain":             {plain, "comma", "utf-8"},
		"mark":              {"\xef\xbb\xbf" + plain, "comma", "utf-8"},
		"CRLF":              {strings.ReplaceAll(strings.ReplaceAll(plain, "\n", "\r\n"), "\"\r\nHaus", "\"\nHaus"), "comma", "utf-8"},
		"no last line end":  {strings.TrimSuffix(plain, "\n"), "comma", "utf-8"},
		"Ctrl-Z at the end": {plain + "\x1a", "comma", "utf-8"},
		"semicolons":        {semicolons, "semicolon", "utf-8"},
		"bars":              {strings.ReplaceAll(semicolons, ";", "|"), "bar", "utf-8"},
		"tabs":              {strings.ReplaceAll(semicolons, ";", "\t"), "tab", "utf-8"},
		"declared":          {"sep=;\r\n" + semicolons, "semicolon", "utf-8"},
		"blanks and lines":  {"\n id , name , address \n\n 1 , Ana , \"Rua A, 5\" \n2, Zoë, \"Hof \"\"B\"\"\nHaus 2\"\n3,Łukasz , \n\n", "comma", "utf-8"},
		"quotes not doubled": {
			strings.Replace(plain, "\"Hof \"\"B\"\"\nHaus 2\"", `"Hof "B" x"`, 1), "comma", "utf-8",
		},
		"gzip":                    {packed(plain), "comma", "utf-8"},
		"two gzip members":        {packed(plain[:20]) + packed(plain[20:]), "comma", "utf-8"},
		"UTF-16 LE":               {wide(unicode.LittleEndian, unicode.UseBOM), "comma", "utf-16le"},
		"UTF-16 BE":               {wide(unicode.BigEndian, unicode.UseBOM), "comma", "utf-16be"},
		"UTF-16 LE without mark":  {wide(unicode.LittleEndian, unicode.IgnoreBOM), "comma", "utf-16le"},
		"UTF-16 BE without mark":  {wide(unicode.BigEndian, unicode.IgnoreBOM), "comma", "utf-16be"},
		"UTF-16 LE in gzip":       {packed(wide(unicode.LittleEndian, unicode.UseBOM)), "comma", "utf-16le"},
		"delimiters at the end":   {"id,name,address,\n1,Ana,\"Rua A, 5\",\n2,Zoë,\"Hof \"\"B\"\"\nHaus 2\",\n3,Łukasz,,\n", "comma", "utf-8"},
		"carriage returns only":   {strings.ReplaceAll("id,name,address\n1,Ana,\"Rua A, 5\"\n2,Zoë,Hof+\n3,Łukasz,\n", "\n", "\r"), "comma", "utf-8"},
		"commas in every address": {"id;name, given;address\n1;Ana;Rua A, 5\n2;Zoë;\"Hof \"\"B\"\"\nHaus 2\"\n3;Łukasz;\n", "semicolon", "utf-8"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Read(t.Context(), Config{Left: Source{Path: write(t, "a.txt", c.text), ID: "id"}})
			if err != nil {
				t.Fatal(err)
			}
			want := want
			switch name {
			case "carriage returns only":
				want = [][]string{want[0], {"2", "Zoë", "Hof+"}, want[2]}
			case "quotes not doubled":
				want = [][]string{want[0], {"2", "Zoë", `Hof "B" x`}, want[2]}
			}
			if diff := cmp.Diff(want, table(r)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if f := r.Files[0]; f.Delimiter != c.delimiter || f.Encoding != c.encoding {
				t.Errorf("%s in %s, want %s in %s", f.Delimiter, f.Encoding, c.delimiter, c.encoding)
			}
			if len(r.Warnings) > 0 {
				t.Errorf("warnings: %v", r.Warnings)
			}
		})
	}
}

func TestTwoFiles(t *testing.T) {
	left := write(t, "a.csv", "rec_id,Given Name,surname,city,only_left\n1,ana,silva,porto,x\n2,rui,costa,,y\n")
	right := write(t, "b.csv", "surname;given_name;CITY;number;rec_id\nsilva;ana;Porto;1;77\ncosta;rui;;2;78\nmelo;eva;faro;3;79\n")
	r, err := Read(t.Context(), Config{Left: Source{Path: left}, Right: &Source{Path: right, ID: "number"}, Ignore: []string{"City"}})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"1", "ana", "silva"}, {"2", "rui", "costa"}, {"1", "ana", "silva"}, {"2", "rui", "costa"}, {"3", "eva", "melo"}}
	if diff := cmp.Diff(want, table(r)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]uint8{0, 0, 1, 1, 1}, r.Table.Source); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	var warnings []string
	for _, w := range r.Warnings {
		warnings = append(warnings, string(w.Code)+" "+filepath.Base(w.File)+" "+w.Column)
	}
	if diff := cmp.Diff([]string{"chosen_id a.csv rec_id", "one_sided a.csv only_left", "one_sided b.csv rec_id"}, warnings); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	other := write(t, "c.csv", "id,vorname,nachname\n1,ana,silva\n")
	_, err = Read(t.Context(), Config{Left: Source{Path: left}, Right: &Source{Path: other}})
	if err == nil || !strings.Contains(err.Error(), "no column in common") || !strings.Contains(err.Error(), "vorname") {
		t.Errorf("got %v", err)
	}
	_, err = Read(t.Context(), Config{Left: Source{Path: left}, Ignore: []string{"town", "citty"}})
	if err == nil || !strings.Contains(err.Error(), `no column "town"`) {
		t.Errorf("got %v", err)
	}
}
