package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/kindred-cdp/kindred/identity/evaluate"
	"github.com/kindred-cdp/kindred/identity/linkage/tablefile"
)

// Names of columns, folded as tablefile.Fold does.
var (
	idColumns      = []string{"id", "recordid", "recid", "record", "uniqueid", "rowid", "key", "uuid", "uid"}
	clusterColumns = []string{"cluster", "clusterid", "person", "personid", "entity", "entityid", "group", "groupid", "label", "labeltrue", "truth", "trueid", "truecluster", "profile", "owner"}
	sourceColumns  = []string{"source", "file", "dataset", "sourcedataset", "side"}
	// pairColumns are the two ends of a pair.
	pairColumns = [2][]string{
		{"id1", "ida", "idl", "idleft", "leftid", "left", "a", "recordida", "recordid1", "recid1", "record1", "uniqueidl", "aid"},
		{"id2", "idb", "idr", "idright", "rightid", "right", "b", "recordidb", "recordid2", "recid2", "record2", "uniqueidr", "bid"},
	}
)

// labelFile is a file that says of records which cluster they are in, or which
// two are one.
type labelFile struct {
	path, id, cluster string // columns, "" to find them by name

	labels    []label
	pairs     bool // of ids: label.id and label.cluster
	sourced   bool
	unlabeled int
	warnings  []tablefile.Warning
}

// label is a line of the file.
type label struct {
	source, id, cluster string
	line                int
}

// columns finds the columns of a header. Source is -1 where there is none.
func (f *labelFile) columns(header []string, mayPair bool) (id, cluster, source int, err error) {
	named := func(name string, known []string) (int, error) {
		if name != "" {
			return tablefile.Find(header, name)
		}
		return slices.IndexFunc(header, func(h string) bool { return slices.Contains(known, tablefile.Fold(h)) }), nil
	}
	if id, err = named(f.id, idColumns); err != nil {
		return 0, 0, 0, fmt.Errorf("%s has %w", f.path, err)
	}
	if cluster, err = named(f.cluster, clusterColumns); err != nil {
		return 0, 0, 0, fmt.Errorf("%s has %w", f.path, err)
	}
	source, _ = named("", sourceColumns)
	if mayPair && cluster < 0 {
		first, _ := named("", pairColumns[0])
		second, _ := named("", pairColumns[1])
		if first >= 0 && second >= 0 {
			f.pairs = true
			return first, second, -1, nil
		}
	}
	// Of two columns the one that is not known is the other one.
	switch {
	case len(header) != 2:
	case id < 0 && cluster >= 0:
		id = 1 - cluster
	case cluster < 0 && id >= 0:
		cluster = 1 - id
	}
	if id < 0 || cluster < 0 {
		return 0, 0, 0, f.unknown(header, id, mayPair)
	}
	return id, cluster, source, nil
}

func (f *labelFile) unknown(header []string, id int, mayPair bool) error {
	what := "a column cluster"
	if id < 0 {
		what = "a column id"
	}
	how := "clusters have the columns id and cluster"
	if mayPair {
		how = "the truth has the columns id and cluster, or id_1 and id_2 for pairs; name others with --truth-id and --truth-cluster"
	}
	return fmt.Errorf("%s has not %s: its columns are %s; %s", f.path, what, strings.Join(header, ", "), how)
}

// read reads the file.
func (f *labelFile) read(mayPair bool) error {
	rows, err := tablefile.OpenRows(f.path)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	id, cluster, source, err := f.columns(rows.Header(), mayPair)
	if err != nil {
		return err
	}
	f.sourced = source >= 0
	for {
		fields, line, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		l := label{id: string(fields[id]), cluster: string(fields[cluster]), line: line}
		if f.sourced {
			l.source = strings.ToLower(string(fields[source]))
		}
		switch {
		case l.id == "" || f.pairs && l.cluster == "":
			return fmt.Errorf("%s: line %d has no id in column %q", f.path, line, rows.Header()[id])
		case l.cluster == "":
			f.unlabeled++
			continue
		}
		f.labels = append(f.labels, l)
	}
	if f.pairs { // Pairs of left and right ids say of which source they are.
		f.sourced = strings.Contains(tablefile.Fold(rows.Header()[id]), "left") && strings.Contains(tablefile.Fold(rows.Header()[cluster]), "right")
	}
	f.warnings = rows.Warnings()
	if f.unlabeled > 0 {
		f.warnings = append(f.warnings, tablefile.Warning{Code: "no_cluster", File: f.path, Count: f.unlabeled, Text: fmt.Sprintf("%d records have no cluster and are taken as if they were not in the file", f.unlabeled)})
	}
	if len(f.labels) == 0 {
		return fmt.Errorf("%s has a header and no record with a cluster", f.path)
	}
	return nil
}

// keySeparator stands between the source of a record and its id.
const keySeparator = "\x1f"

// shownKeys are keys as people read them.
func shownKeys(keys []string) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = strings.ReplaceAll(k, keySeparator, ":")
	}
	return out
}

func (f *labelFile) example() string { return f.labels[0].id }

// partitions returns the clusters and the truth by keys that mean the same
// record: ids, with their sources where both files have them.
func partitions(clusters, truth *labelFile) (found, known *evaluate.Partition, err error) {
	sourced := clusters.sourced && truth.sourced
	if found, err = clusters.partition(sourced); err != nil {
		return nil, nil, err
	}
	if !truth.pairs {
		known, err = truth.partition(sourced)
		return found, known, err
	}
	var links evaluate.Links
	for _, l := range truth.labels {
		if sourced {
			links.Add("left"+keySeparator+l.id, "right"+keySeparator+l.cluster)
		} else {
			links.Add(l.id, l.cluster)
		}
	}
	return found, links.Partition(found), nil
}

// partition reads the labels as clusters. An id that two records have is only
// an error if no source tells them apart.
func (f *labelFile) partition(sourced bool) (*evaluate.Partition, error) {
	p := &evaluate.Partition{}
	for _, l := range f.labels {
		key := l.id
		if sourced {
			key = l.source + keySeparator + l.id
		}
		if err := p.Add(key, l.cluster); err != nil {
			hint := ""
			if f.sourced && !sourced {
				hint = "; it has a column source and the other file has none: give it one"
			}
			return nil, fmt.Errorf("%s: line %d: %s%s", f.path, l.line, strings.ReplaceAll(err.Error(), `\x1f`, ":"), hint)
		}
	}
	return p, nil
}
