package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity/linkage"
	"github.com/kindred-cdp/kindred/identity/linkage/tablefile"
)

// invented writes files of invented records into a folder of its own.
func invented(t *testing.T, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	args = append([]string{"link", "generate", "--out", dir + "/a.csv", "--truth", dir + "/truth.csv"}, args...)
	for i, a := range args {
		args[i] = strings.ReplaceAll(a, "DIR", dir)
	}
	if _, err := runLink(t, args...); err != nil {
		t.Fatal(err)
	}
	return dir
}

// f1 is that of pairs.
func f1(t *testing.T, dir string) float64 {
	t.Helper()
	out, err := runLink(t, "link", "evaluate", "--json", "--clusters", dir+"/out.csv", "--truth", dir+"/truth.csv")
	if err != nil {
		t.Fatal(err)
	}
	var e evaluation
	if err := json.Unmarshal([]byte(out), &e); err != nil {
		t.Fatal(err)
	}
	if e.WithoutTruth > 0 || e.NotClustered > 0 {
		t.Errorf("%d records without a truth, %d without a cluster", e.WithoutTruth, e.NotClustered)
	}
	return e.Pairs.F1
}

func TestLinkFile(t *testing.T) {
	dir := invented(t, "--preset", "febrl", "--records", "600", "--seed", "3")
	out, err := runLink(t, "link", "--left", dir+"/a.csv", "--id", "ID", "--clusters", dir+"/out.csv", "--json")
	if err != nil {
		t.Fatal(err)
	}
	if got := f1(t, dir); got < .95 {
		t.Errorf("F1 of pairs is %.4f", got)
	}
	var r linkReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	clusters, records := 0, 0
	for _, s := range r.Sizes {
		clusters, records = clusters+s.Clusters, records+s.Clusters*s.Records
	}
	if r.Records != 600 || records != 600 || clusters != r.Clusters || r.Groups >= r.Clusters || len(r.Files) != 1 || r.Warnings == nil || r.Seconds["link"] <= 0 {
		t.Errorf("%s", out)
	}
	first := read(t, dir+"/out.csv")
	if !strings.HasPrefix(first, "id,cluster\nr1,") || strings.Count(first, "\n") != 601 {
		t.Errorf("out.csv begins with %.40q", first)
	}
	// Again, over what is there, with the same bytes; and compressed.
	text, err := runLink(t, "link", "--left", dir+"/a.csv", "--clusters", dir+"/out.csv")
	if err != nil || !strings.HasPrefix(text, "600 records are ") {
		t.Errorf("%v, %s", err, text)
	}
	if read(t, dir+"/out.csv") != first {
		t.Error("the same run gives other clusters")
	}
	if _, err := runLink(t, "link", "--left", dir+"/a.csv", "--clusters", dir+"/out.csv.gz"); err != nil {
		t.Fatal(err)
	}
	if _, err := runLink(t, "link", "evaluate", "--clusters", dir+"/out.csv.gz", "--truth", dir+"/truth.csv"); err != nil {
		t.Error(err)
	}
}

// The parts of a pair's weight sum to it, and the pairs that are linked are
// those of the clusters.
func TestLinkPairsAndModel(t *testing.T) {
	for name, two := range map[string]bool{"one file": false, "two files": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			generate := []string{"link", "generate", "--preset", "febrl", "--records", "400", "--out", dir + "/a.csv"}
			link := []string{"link", "--left", dir + "/a.csv", "--clusters", dir + "/out.csv", "--pairs", dir + "/pairs.csv", "--model", dir + "/model.json", "--json"}
			if two {
				generate, link = append(generate, "--right", dir+"/b.csv"), append(link, "--right", dir+"/b.csv")
			}
			if _, err := runLink(t, generate...); err != nil {
				t.Fatal(err)
			}
			out, err := runLink(t, link...)
			if err != nil {
				t.Fatal(err)
			}
			var r linkReport
			if err := json.Unmarshal([]byte(out), &r); err != nil {
				t.Fatal(err)
			}
			checkPairs(t, dir, two, r.Pairs)
			var m linkage.Model
			if err := json.Unmarshal([]byte(read(t, dir+"/model.json")), &m); err != nil {
				t.Fatal(err)
			}
			if err := m.Validate(); err != nil || m.Version != r.Model || m.TwoSources != two {
				t.Errorf("%v: version %s, want %s", err, m.Version, r.Model)
			}
			if r.Candidates == 0 || len(r.Fields) < 8 || len(r.Rules) == 0 || r.Expected.Precision < .5 || r.Thresholds.Review >= r.Thresholds.Link || len(r.Steps) == 0 {
				t.Errorf("%s", out)
			}
		})
	}
}

func checkPairs(t *testing.T, dir string, two bool, want int) {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(read(t, dir+"/pairs.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	cluster := map[string]string{}
	clusters, err := csv.NewReader(strings.NewReader(read(t, dir+"/out.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range clusters {
		cluster[l[len(l)-2]] = l[len(l)-1]
	}
	header := lines[0]
	if two != (header[0] == "left_id") || header[2] != "probability" || header[3] != "weight" || header[6] != "given_name" || header[len(header)-1] != "others" {
		t.Errorf("header %q", header)
	}
	if len(lines)-1 != want || want < 20 {
		t.Errorf("%d pairs, want %d", len(lines)-1, want)
	}
	for _, l := range lines[1:] {
		sum := 0.
		for i := 5; i < len(l); i++ {
			if b, err := strconv.ParseFloat(l[i], 64); err == nil {
				sum += b
			}
		}
		weight, _ := strconv.ParseFloat(l[3], 64)
		chance, _ := strconv.ParseFloat(l[2], 64)
		if math.Abs(sum-weight) > .02 || math.Abs(1/(1+math.Exp2(-weight))-chance) > .001 {
			t.Errorf("parts sum to %.3f: %q", sum, l)
		}
		if (cluster[l[0]] == cluster[l[1]]) != (l[4] == "yes") {
			t.Errorf("clusters %q and %q: %q", cluster[l[0]], cluster[l[1]], l)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestLinkTwoFiles(t *testing.T) {
	dir := invented(t, "--preset", "febrl", "--records", "1000", "--people", "600", "--right", "DIR/b.csv")
	// The second file names its columns otherwise, and has semicolons.
	b := strings.Replace(read(t, dir+"/b.csv"), "id,given_name", "Record No,Given Name", 1)
	if err := os.WriteFile(dir+"/b.csv", []byte(strings.ReplaceAll(b, ",", ";")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := runLink(t, "link", "--left", dir+"/a.csv", "--id", "id", "--right", dir+"/b.csv", "--right-id", "record no", "--clusters", dir+"/out.csv"); err != nil {
		t.Fatal(err)
	}
	if got := f1(t, dir); got < .8 {
		t.Errorf("F1 of pairs is %.4f", got)
	}
	lines, err := csv.NewReader(strings.NewReader(read(t, dir+"/out.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	source := map[string]int{}
	for _, l := range lines[1:] {
		source[l[0]]++
	}
	if diff := cmp.Diff([]string{"source", "id", "cluster"}, lines[0]); diff != "" || source["left"] < 100 || source["right"] < 100 || source["left"]+source["right"] != 1000 {
		t.Errorf("%s, %v", diff, source)
	}
}

// Clusters are called by an id of theirs, and no two alike, though two files
// have the same ids.
func TestClusterNames(t *testing.T) {
	dir := writeFiles(t, map[string]string{"a.csv": "id,name\n1,a\n2,b\n", "b.csv": "id,name\n2,a\n1,c\n3,b\n"})
	records, err := tablefile.Read(t.Context(), tablefile.Config{Left: tablefile.Source{Path: dir + "/a.csv"}, Right: &tablefile.Source{Path: dir + "/b.csv"}})
	if err != nil {
		t.Fatal(err)
	}
	got := clusterNames(records, []int32{0, 1, 0, 3, 4})
	if diff := cmp.Diff([]string{"1", "2", "1", "right:1", "3"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestLinkRefuses(t *testing.T) {
	dir := writeFiles(t, map[string]string{"a.csv": "id,name,dob\n1,ana,1970-01-02\n2,rui,1980-03-04\n", "empty.csv": "", "hollow.csv": "id,name,dob\n1,ana,\n2,rui,\n"})
	if err := os.Symlink(dir+"/a.csv", dir+"/link.csv"); err != nil {
		t.Fatal(err)
	}
	a, out := dir+"/a.csv", dir+"/out.csv"
	for _, c := range [][]string{
		{"--left", "--clusters", out},
		{"--clusters", "--left", a},
		{"is an input", "--left", a, "--clusters", dir + "/./a.csv"},
		{"is an input", "--left", a, "--clusters", dir + "/link.csv"},
		{"is an input", "--left", a, "--clusters", out, "--pairs", a},
		{"two outputs", "--left", a, "--clusters", out, "--model", out},
		{"are one file", "--left", a, "--right", dir + "/link.csv", "--clusters", out},
		{"--right-id", "--left", a, "--right-id", "x", "--clusters", out},
		{"is empty", "--left", dir + "/empty.csv", "--clusters", out},
		{"no such file", "--left", dir + "/none.csv", "--clusters", out},
		{"there is no folder", "--left", a, "--clusters", dir + "/none/out.csv"},
		{`did you mean "id"?`, "--left", a, "--id", "idd", "--clusters", out},
		{`did you mean "dob"?`, "--left", a, "--fields", "dobb=date", "--clusters", out},
		{`no type "birthday"; the types are given-name`, "--left", a, "--fields", "dob=birthday", "--clusters", out},
		{"not column=type", "--left", a, "--fields", "dob", "--clusters", out},
		{"is date and day", "--left", a, "--fields", "dob=date,dob=day", "--clusters", out},
		{`no column "x"`, "--left", a, "--ignore", "x", "--clusters", out},
	} {
		if _, err := runLink(t, append([]string{"link"}, c[1:]...)...); err == nil || !strings.Contains(err.Error(), c[0]) {
			t.Errorf("%v: %v, want %q", c[1:], err, c[0])
		}
	}
	// A type of a column that is empty this time is no fault.
	records, err := tablefile.Read(t.Context(), tablefile.Config{Left: tablefile.Source{Path: dir + "/hollow.csv"}})
	if err != nil {
		t.Fatal(err)
	}
	if types, err := fieldTypes([]string{"Name=surname", "dob=date"}, records); err != nil || len(types) != 1 || types["name"] != linkage.Surname {
		t.Errorf("%v, %v", types, err)
	}
	if got := read(t, a); !strings.HasPrefix(got, "id,name,dob") {
		t.Error("the input was written to")
	}
	if some, err := filepath.Glob(dir + "/*out.csv*"); err != nil || len(some) > 0 {
		t.Errorf("left behind: %v, %v", some, err)
	}
}

// An interrupted run leaves what was there, and does not end as if it had
// succeeded.
func TestLinkInterrupted(t *testing.T) {
	dir := invented(t, "--preset", "febrl", "--records", "1000")
	if err := os.WriteFile(dir+"/out.csv", []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	top := root()
	top.SetArgs([]string{"link", "--left", dir + "/a.csv", "--clusters", dir + "/out.csv"})
	err := top.ExecuteContext(ctx)
	if err == nil || errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("got %v", err)
	}
	if got := read(t, dir+"/out.csv"); got != "before" {
		t.Errorf("out.csv is %.20q", got)
	}
}

// A file is written whole or not at all.
func TestWriteOutputIsAtomic(t *testing.T) {
	dir := writeFiles(t, map[string]string{"out.csv": "before"})
	if err := os.Symlink(dir+"/out.csv", dir+"/link.csv"); err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk full")
	err := writeOutput(dir+"/out.csv", func(w io.Writer) error {
		_, _ = io.WriteString(w, strings.Repeat("half", 1<<20))
		return full
	})
	if !errors.Is(err, full) || read(t, dir+"/out.csv") != "before" {
		t.Errorf("%v, out.csv is %.20q", err, read(t, dir+"/out.csv"))
	}
	err = writeOutput(dir+"/link.csv", func(w io.Writer) error {
		if read(t, dir+"/out.csv") != "before" {
			t.Error("the file is written to before it is whole")
		}
		_, err := io.WriteString(w, "after")
		return err
	})
	if err != nil || read(t, dir+"/out.csv") != "after" {
		t.Errorf("%v, out.csv is %.20q", err, read(t, dir+"/out.csv"))
	}
	some, err := filepath.Glob(dir + "/*")
	if err != nil || len(some) != 2 {
		t.Errorf("in the folder: %v, %v", some, err)
	}
}

func TestKnownAnswerIsNamed(t *testing.T) {
	dir := writeFiles(t, map[string]string{"a.csv": "id,name,dob,cluster\n1,ana silva,1970-01-02,1\n2,ana silva,1970-01-02,1\n3,rui melo,1980-03-04,2\n"})
	out, err := runLink(t, "link", "--json", "--left", dir+"/a.csv", "--clusters", dir+"/out.csv")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, "known_answer") {
		t.Errorf("no warning: %s", out)
	}
}
