package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"

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
	Sizes    []sizeCount         `json:"sizes"`
	Seconds  map[string]float64  `json:"seconds"`
	Warnings []tablefile.Warning `json:"warnings"`
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
	return r
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
	_, err := fmt.Fprintf(w, "%d records are %d clusters: %d of several records (%d records, at most %d in one) and %d of one; %.1f s\n",
		r.Records, r.Clusters, r.Groups, r.Grouped, r.Largest, r.Clusters-r.Groups, r.Seconds["all"])
	return err
}

// sourceNames are the values of the column source.
var sourceNames = [2]string{"left", "right"}

// clusterNames calls each cluster by the id of its first record. Two files may
// have the same ids: the name of a cluster of the second file alone says so
// where the first one has its id.
func clusterNames(records *tablefile.Records, clusters []int32) []string {
	names := make([]string, len(clusters))
	source := records.Table.Source
	left := map[string]bool{}
	for row, id := range records.IDs {
		if source != nil && source[row] == 0 {
			left[id] = true
		}
	}
	for row, first := range clusters {
		name := records.IDs[first]
		for source != nil && source[first] == 1 && left[name] {
			name = sourceNames[1] + ":" + name
		}
		names[row] = name
	}
	return names
}

// writeClusters writes the cluster of each record, in the order of the files.
func writeClusters(path string, records *tablefile.Records, clusters []int32) error {
	names := clusterNames(records, clusters)
	return writeOutput(path, func(w io.Writer) error {
		c := csv.NewWriter(w)
		header, line := []string{"id", "cluster"}, make([]string, 2)
		if records.Table.Source != nil {
			header, line = []string{"source", "id", "cluster"}, make([]string, 3)
		}
		if err := c.Write(header); err != nil {
			return err
		}
		for row, id := range records.IDs {
			if records.Table.Source != nil {
				line[0] = sourceNames[records.Table.Source[row]]
			}
			line[len(line)-2], line[len(line)-1] = id, names[row]
			if err := c.Write(line); err != nil {
				return err
			}
		}
		c.Flush()
		return c.Error()
	})
}
