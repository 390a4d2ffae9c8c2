package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runLink runs a command of the program and returns what it prints on standard
// output.
func runLink(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	before := os.Stdout
	os.Stdout = out
	defer func() { os.Stdout = before }()
	top := root()
	top.SetArgs(args)
	failed := top.ExecuteContext(t.Context())
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text), failed
}

// writeFiles writes files by name and returns their folder.
func writeFiles(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLinkEvaluate(t *testing.T) {
	clusters := "id,cluster\n1,1\n2,1\n3,3\n4,3\n"
	sourced := "source,id,cluster\nleft,1,a\nright,1,a\nleft,2,b\nright,2,c\n"
	for _, c := range []struct {
		name, clusters, truth string
		pairs                 [3]float64 // right, found, true
		records               float64
		more                  map[string]float64
	}{
		{"clusters", clusters, "id,cluster\n1,x\n2,x\n3,x\n4,y\n", [3]float64{1, 2, 3}, 4, nil},
		{"other names and order", "Cluster ID;Record-ID\n1;1\n1;2\n3;3\n3;4\n", "name,label_true,rec id\na,x,1\nb,x,2\nc,x,3\nd,y,4\n", [3]float64{1, 2, 3}, 4, nil},
		{"two columns, one unknown", clusters, "number,person\n1,x\n2,x\n3,x\n4,y\n", [3]float64{1, 2, 3}, 4, nil},
		{"pairs", clusters, "id_1,id_2\n1,2\n2,3\n", [3]float64{1, 2, 3}, 4, nil},
		{"pairs of sources", sourced, "left_id,right_id\n1,1\n2,2\n", [3]float64{1, 1, 2}, 4, nil},
		{"clusters of sources", sourced, "source,id,cluster\nLeft,1,a\nRight,1,a\nleft,2,b\nright,2,b\n", [3]float64{1, 1, 2}, 4, nil},
		{"missing on both sides", clusters, "id,cluster\n1,x\n2,x\n3,y\n5,y\n6,\n", [3]float64{1, 1, 2}, 4, map[string]float64{"without_truth": 1, "not_clustered": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := writeFiles(t, map[string]string{"c.csv": c.clusters, "t.csv": c.truth})
			out, err := runLink(t, "link", "evaluate", "--json", "--clusters", dir+"/c.csv", "--truth", dir+"/t.csv")
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatal(err)
			}
			want := map[string]float64{"common_pairs": c.pairs[0], "found_pairs": c.pairs[1], "true_pairs": c.pairs[2], "records": c.records}
			for name, n := range c.more {
				want[name] = n
			}
			for name, n := range want {
				if got[name] != n {
					t.Errorf("%s is %v, want %v", name, got[name], n)
				}
			}
			text, err := runLink(t, "link", "evaluate", "--clusters", dir+"/c.csv", "--truth", dir+"/t.csv")
			if err != nil || !strings.Contains(text, "B-cubed") || !strings.Contains(text, "records with a truth") {
				t.Errorf("%v, %s", err, text)
			}
		})
	}
}

func TestLinkEvaluateRefuses(t *testing.T) {
	good := "id,cluster\n1,1\n2,1\n"
	for _, c := range []struct {
		name, clusters, truth string
		args                  []string
		want                  []string
	}{
		{"no cluster column", good, "id,name,city\n1,a,b\n", nil, []string{"has not a column cluster", "id, name, city", "--truth-cluster"}},
		{"no id column", good, "name,cluster,city\n1,a,b\n", nil, []string{"has not a column id"}},
		{"pairs as clusters", "id_1,id_2\n1,2\n", good, nil, []string{"c.csv has not a column id"}},
		{"a column that is not there", good, "id,wahr,x\n1,a,b\n", []string{"--truth-cluster", "whar"}, []string{`no column "whar"`, `did you mean "wahr"?`}},
		{"two clusters of a record", good, "id,cluster\n1,a\n2,a\n1,b\n", nil, []string{"t.csv: line 4", `record "1"`}},
		{"sources on one side only", "source,id,cluster\nleft,1,a\nright,1,b\n", good, nil, []string{"line 3", "has a column source and the other file has none"}},
		{"no id", good, "id,cluster\n1,a\n,b\n", nil, []string{"line 3 has no id"}},
		{"no record in common", good, "id,cluster\nx,a\ny,b\n", nil, []string{"no record of", `"1"`, `"x"`}},
		{"header only", good, "id,cluster\n", nil, []string{"no record with a cluster"}},
		{"empty", "", good, nil, []string{"c.csv is empty"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := writeFiles(t, map[string]string{"c.csv": c.clusters, "t.csv": c.truth})
			_, err := runLink(t, append([]string{"link", "evaluate", "--clusters", dir + "/c.csv", "--truth", dir + "/t.csv"}, c.args...)...)
			if err == nil {
				t.Fatal("was accepted")
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q lacks %q", err, part)
				}
			}
		})
	}
	if _, err := runLink(t, "link", "evaluate", "--clusters", "c.csv"); err == nil || !strings.Contains(err.Error(), "--truth") {
		t.Errorf("without a truth: %v", err)
	}
}

func TestLinkGenerate(t *testing.T) {
	dir := t.TempDir()
	generate := func(name string, more ...string) (string, string) {
		t.Helper()
		args := append([]string{"link", "generate", "--preset", "febrl", "--records", "400", "--out", dir + "/" + name + ".csv", "--truth", dir + "/" + name + "-truth.csv"}, more...)
		if _, err := runLink(t, args...); err != nil {
			t.Fatal(err)
		}
		records, err := os.ReadFile(dir + "/" + name + ".csv")
		if err != nil {
			t.Fatal(err)
		}
		truth, err := os.ReadFile(dir + "/" + name + "-truth.csv")
		if err != nil {
			t.Fatal(err)
		}
		return string(records), string(truth)
	}
	one, truth := generate("one")
	two, _ := generate("two")
	other, _ := generate("other", "--seed", "2")
	if one != two || one == other {
		t.Error("the seed does not decide on the records")
	}
	if n := strings.Count(truth, "\n"); n != 401 || !strings.HasPrefix(truth, "id,cluster\nr1,p") {
		t.Errorf("truth has %d lines and begins with %.30q", n, truth)
	}
	left, _ := generate("left", "--right", dir+"/right.csv")
	right, err := os.ReadFile(dir + "/right.csv")
	if err != nil {
		t.Fatal(err)
	}
	if l, r := strings.Count(left, "\n"), strings.Count(string(right), "\n"); l+r != 402 || l < 100 || r < 100 {
		t.Errorf("%d and %d lines", l, r)
	}
	for _, c := range [][]string{
		{"--preset is one of febrl, sparse", "--preset", "x", "--out", "x.csv"},
		{"name the file", "--preset", "crm"},
		{"errors must be", "--errors", "some", "--out", dir + "/x.csv"},
		{"more than five", "--records", "100", "--people", "3", "--out", dir + "/x.csv"},
		{"two outputs", "--out", dir + "/x.csv", "--truth", dir + "/./x.csv"},
		{"there is no folder", "--out", dir + "/none/x.csv"},
		{"is a folder", "--out", dir},
	} {
		if _, err := runLink(t, append([]string{"link", "generate"}, c[1:]...)...); err == nil || !strings.Contains(err.Error(), c[0]) {
			t.Errorf("%v: %v", c[1:], err)
		}
	}
	if left, err := filepath.Glob(dir + "/*.part"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
