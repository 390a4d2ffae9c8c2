package main

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"strconv"

	"github.com/kindred-cdp/kindred/identity/linkage"
	"github.com/kindred-cdp/kindred/identity/linkage/tablefile"
)

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

// writeModel writes what was learnt.
func writeModel(path string, m *linkage.Model) error {
	return writeOutput(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(m)
	})
}

// writePairs writes the pairs with what their weights are the sums of.
func writePairs(path string, records *tablefile.Records, result *linkage.Result) error {
	header := []string{"id_1", "id_2"}
	if records.Table.Source != nil {
		header = []string{"left_id", "right_id"}
	}
	header = append(header, "probability", "weight", "linked", "prior")
	for i := range result.Model.Fields {
		name := result.Model.Fields[i].Name
		header = append(header, name, name+" agreement")
	}
	header = append(header, "others")
	return writeOutput(path, func(w io.Writer) error {
		c := csv.NewWriter(w)
		if err := c.Write(header); err != nil {
			return err
		}
		var line []string
		for _, p := range result.Pairs {
			line = pairLine(line[:0], records, result, p)
			if err := c.Write(line); err != nil {
				return err
			}
		}
		c.Flush()
		return c.Error()
	})
}

// pairLine appends the fields of a pair.
func pairLine(line []string, records *tablefile.Records, result *linkage.Result, p linkage.Pair) []string {
	linked := "no"
	if result.Clusters[p.A] == result.Clusters[p.B] {
		linked = "yes"
	}
	e := result.Explain(p)
	line = append(line, records.IDs[p.A], records.IDs[p.B], strconv.FormatFloat(e.Probability, 'f', 6, 64), inBits(e.Bits), linked, inBits(e.Prior))
	for _, s := range e.Steps {
		line = append(line, inBits(s.Bits+s.Rarity), s.Level)
	}
	return append(line, inBits(e.Others))
}

// inBits writes a weight to a thousandth of a bit.
func inBits(b float64) string {
	if math.Abs(b) < .0005 {
		b = 0 // not -0.000
	}
	return strconv.FormatFloat(b, 'f', 3, 64)
}
