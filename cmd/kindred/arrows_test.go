package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/kindred-cdp/kindred/"

// arrows lists, for each folder of the top level, the others that its packages
// may import: cmd → api → segments → profiles → identity, and
// cmd → ingest → identity.
var arrows = map[string][]string{
	"cmd":      {"api", "segments", "profiles", "ingest", "identity", "deploy"},
	"api":      {"segments", "profiles", "identity"},
	"segments": {"profiles", "identity"},
	"profiles": {"identity"},
	"ingest":   {"identity"},
	"identity": nil,
	"deploy":   nil,
}

// narrower lists packages that may import even less than their folder.
var narrower = map[string]func(path string) bool{
	"identity":         standardOr("identity/siphash"),
	"identity/siphash": standardOr(),
	"identity/graph":   standardOr("identity"),
	"identity/oracle":  standardOr("identity"),
	"identity/inquiry": standardOr("identity"),
	"ingest/wire":      standardOr(),
	"ingest/simulate":  func(p string) bool { return !strings.HasPrefix(p, module+"identity") && p != module+"ingest" },
	"ingest/files":     func(p string) bool { return !strings.HasPrefix(p, module+"identity") && p != module+"ingest" },
	"ingest/segment": func(p string) bool {
		return !strings.HasPrefix(p, module) || slices.Contains([]string{"ingest/wire", "ingest/intake", "ingest/jsonscan"}, strings.TrimPrefix(p, module))
	},
	"profiles/warehouse": func(p string) bool { return !strings.HasPrefix(p, module) },
	"profiles/cells":     standardOr(),
	"profiles/lifetime":  func(p string) bool { return !strings.HasPrefix(p, module) && !strings.Contains(p, "ClickHouse") },
	"profiles/lifetime/purchasefile": func(p string) bool {
		return !strings.HasPrefix(p, module) || slices.Contains([]string{"identity/linkage/tablefile", "profiles/cells", "profiles/lifetime"}, strings.TrimPrefix(p, module))
	},
	"profiles/personas":   func(p string) bool { return !strings.HasPrefix(p, module) && !strings.Contains(p, "ClickHouse") },
	"profiles/lifecycle":  standardOr(),
	"profiles/propensity": func(p string) bool { return !strings.HasPrefix(p, module) && !strings.Contains(p, "ClickHouse") },
	"profiles/propensity/examplefile": func(p string) bool {
		return !strings.HasPrefix(p, module) || slices.Contains([]string{"identity/linkage/tablefile", "profiles/cells", "profiles/propensity"}, strings.TrimPrefix(p, module))
	},
	"segments/insights": standardOr("segments"),
	"api":               func(p string) bool { return !strings.Contains(p, "ClickHouse") && !strings.Contains(p, "kafka") },
}

func standardOr(also ...string) func(string) bool {
	return func(p string) bool {
		rest, ours := strings.CutPrefix(p, module)
		return ours && slices.Contains(also, rest) || !ours && !strings.Contains(strings.Split(p, "/")[0], ".")
	}
}

// testingAid reports packages that tests of any folder may import: enginetest,
// warehousetest, and the schema that tests against the real engine need.
func testingAid(path string) bool {
	return strings.HasSuffix(path, "test") || path == module+"profiles/warehouse"
}

func TestArrowsPointDown(t *testing.T) {
	checked := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		rel, _ := filepath.Rel("../..", path)
		folder := filepath.ToSlash(filepath.Dir(rel))
		top, _, _ := strings.Cut(folder, "/")
		allowed, known := arrows[top]
		if !known {
			t.Errorf("%s is in a folder that the layout does not have", rel)
			return nil
		}
		if testingAid(folder) {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		checked++
		for _, spec := range file.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			rest, ours := strings.CutPrefix(imported, module)
			to, _, _ := strings.Cut(rest, "/")
			isTest := strings.HasSuffix(path, "_test.go")
			if isTest && (testingAid(imported) || to == "identity" || to == "deploy") {
				continue
			}
			if ours && to != top && !slices.Contains(allowed, to) {
				t.Errorf("%s imports %s: %s must not know %s", rel, rest, top, to)
			}
			if narrow := narrower[folder]; narrow != nil && !isTest && !narrow(imported) {
				t.Errorf("%s imports %s, which its package must not", rel, imported)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked < 50 {
		t.Errorf("only %d files were checked", checked)
	}
}
