package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/kindred-cdp/kindred/identity/linkage"
	"github.com/kindred-cdp/kindred/identity/linkage/tablefile"
)

// linkReport is the answer of link.
type linkReport struct {
	Files    []tablefile.File `json:"files"`
	Records  int              `json:"records"`
	Clusters int              `json:"clusters"`
	// Groups are clusters of several records, which hold Grouped records.
	Groups  int `json:"groups"`
	Grouped int `json:"grouped_records"`
	Largest int `json:"largest_cluster"`
	// Sizes counts the clusters of each number of records.
	Sizes []sizeCount `json:"sizes"`
	// Candidates were compared; Pairs of them may be one person.
	Candidates int64        `json:"candidates"`
	Pairs      int          `json:"pairs"`
	Thresholds thresholds   `json:"thresholds"`
	Expected   expectation  `json:"expected"`
	Fields     []fieldType  `json:"fields"`
	Rules      []ruleReport `json:"rules"`
	// Splits are blocks that were too large to be compared whole.
	Splits   []linkage.Split     `json:"splits"`
	Model    string              `json:"model_version"`
	Seconds  map[string]float64  `json:"seconds"`
	Steps    map[string]float64  `json:"step_seconds"`
	Notes    []linkage.Note      `json:"notes"`
	Warnings []tablefile.Warning `json:"warnings"`
}

// thresholds are weights, in bits.
type thresholds struct {
	Link   float64 `json:"link_bits"`
	Review float64 `json:"review_bits"`
}

// expectation is what the model expects of the pairs over the threshold, no
// truth being known.
type expectation struct {
	Matches   float64 `json:"matches"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
}

// fieldType is what was compared, and as what.
type fieldType struct {
	Name    string       `json:"name"`
	Type    linkage.Type `json:"type"`
	Columns []string     `json:"columns"`
}

// ruleReport is a rule by which candidates were found.
type ruleReport struct {
	Name  string  `json:"name"`
	Pairs float64 `json:"pairs"`
}

// sizeCount is a number of clusters of one size.
type sizeCount struct {
	Records  int `json:"records"`
	Clusters int `json:"clusters"`
}

func newLinkReport(records *tablefile.Records, result *linkage.Result) *linkReport {
	r := &linkReport{Files: records.Files, Records: records.Table.Rows, Warnings: append([]tablefile.Warning{}, records.Warnings...)}
	size := make([]int, len(result.Clusters))
	for _, first := range result.Clusters {
		size[first]++
	}
	of := map[int]int{}
	for _, n := range size {
		if n == 0 {
			continue
		}
		of[n]++
		r.Clusters++
		r.Largest = max(r.Largest, n)
		if n > 1 {
			r.Groups++
			r.Grouped += n
		}
	}
	for n, clusters := range of {
		r.Sizes = append(r.Sizes, sizeCount{n, clusters})
	}
	slices.SortFunc(r.Sizes, func(a, b sizeCount) int { return a.Records - b.Records })
	r.answers(records)
	r.learnt(result)
	r.doubts()
	return r
}

// learnt tells of the model.
func (r *linkReport) learnt(result *linkage.Result) {
	m := result.Model
	r.Candidates, r.Pairs, r.Model, r.Steps = m.Candidates, len(result.Pairs), m.Version, result.Seconds
	r.Thresholds = thresholds{Link: linkage.LinkBits, Review: linkage.ReviewBits}
	r.Expected.Matches = m.ExpectedMatches
	for _, e := range m.Thresholds {
		if e.Bits == linkage.LinkBits {
			r.Expected.Precision, r.Expected.Recall = e.Precision, e.Recall
		}
	}
	for i := range m.Fields {
		r.Fields = append(r.Fields, fieldType{m.Fields[i].Name, m.Fields[i].Type, m.Fields[i].Columns})
	}
	for _, rule := range m.Rules {
		r.Rules = append(r.Rules, ruleReport{rule.Name, rule.Pairs})
	}
	r.Splits = append([]linkage.Split{}, m.Splits...)
	r.Notes = append([]linkage.Note{}, m.Notes...)
	skipped := int64(0)
	for _, s := range m.Splits {
		skipped += s.Skipped
	}
	if skipped > 0 {
		r.Notes = append(r.Notes, linkage.Note{Text: fmt.Sprintf("%d blocks of records that share a value were too large to compare whole and were split: %d pairs were left to other rules", len(m.Splits), skipped)})
	}
}

// fewRight is the expected precision below which a result is told to be doubtful.
// Of files in which hardly anybody is twice it is the only sign: housemates and
// namesakes are then most of what looks like one person.
const fewRight = .95

// doubts says what follows where nothing was found, or what was found is
// doubtful.
func (r *linkReport) doubts() {
	note := func(format string, args ...any) {
		r.Notes = append(r.Notes, linkage.Note{Text: fmt.Sprintf(format, args...)})
	}
	switch {
	case r.Candidates == 0:
		note("no record is linked: no two share enough to be compared")
	case r.Groups == 0:
		note("no record is linked: none of the %d pairs compared is likelier one person than two", r.Candidates)
	case r.Expected.Precision < fewRight:
		note("of the pairs over the threshold %.0f of 100 or more are expected to be wrong: either hardly anybody is there twice or the columns say little of a person; look at the pairs (--pairs) before you use the clusters", 100*(1-r.Expected.Precision))
	}
}

// answers warns of columns that look as if they held the answer.
func (r *linkReport) answers(records *tablefile.Records) {
	for i := range records.Table.Columns {
		name := records.Table.Columns[i].Name
		if slices.Contains(clusterColumns, tablefile.Fold(name)) {
			r.Warnings = append(r.Warnings, tablefile.Warning{Code: "known_answer", Column: name, Text: fmt.Sprintf("column %q looks as if it said which records are one person, and was compared like all others: if it does, leave it out with --ignore %q", name, name)})
		}
	}
}

func (r *linkReport) print(w io.Writer) error {
	var fields []string
	for _, f := range r.Fields {
		name, kind := plain(f.Name), " ("+string(f.Type)+")"
		fields = append(fields, strings.TrimSuffix(name, kind)+kind) // Parts of whole names say theirs.
	}
	expected := ""
	if r.Groups > 0 {
		expected = fmt.Sprintf("; expected precision %.3f, recall %.3f", r.Expected.Precision, r.Expected.Recall)
	}
	_, err := fmt.Fprintf(w, "%d records are %d clusters: %d of several records (%d records, at most %d in one) and %d of one\n"+
		"compared: %s\n"+
		"candidates: %d pairs, %d of which may be one person%s\n"+
		"%.1f s\n",
		r.Records, r.Clusters, r.Groups, r.Grouped, r.Largest, r.Clusters-r.Groups,
		strings.Join(fields, ", "), r.Candidates, r.Pairs, expected, r.Seconds["all"])
	return err
}
