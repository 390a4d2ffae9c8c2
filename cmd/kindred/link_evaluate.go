package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/identity/evaluate"
	"github.com/kindred-cdp/kindred/identity/linkage/tablefile"
)

func linkEvaluateCommand() *cobra.Command {
	var clusters, truth labelFile
	cmd := &cobra.Command{
		Use: "evaluate", Short: "Compare clusters of records with the truth", Args: cobra.NoArgs,
		Long: `Compare clusters of records, as "kindred link" writes them, with the truth.

  kindred link evaluate --clusters out.csv --truth truth.csv

Both files have the columns id and cluster, in any order and among others; where
records of two files have the same ids, a column source tells them apart. The
truth may also be pairs of records of one person: two columns such as id_1 and
id_2, or left_id and right_id. What pairs connect is one person, and a record in
no pair is like no other.

Printed are precision, recall and F1 of pairs, of B-cubed (every record has one
voice, Bagga and Baldwin 1998), and of clusters that are right to the record: all
of them, and those of several records. A record without a truth counts nowhere; a
record of the truth that has no cluster lowers recall.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if clusters.path == "" || truth.path == "" {
				return errors.New("name the clusters with --clusters and the truth with --truth")
			}
			return evaluateClusters(cmd, &clusters, &truth)
		},
	}
	f := cmd.Flags()
	f.StringVar(&clusters.path, "clusters", "", "`file` of clusters: id, cluster")
	f.StringVar(&truth.path, "truth", "", "`file` of the truth: id, cluster; or pairs of ids")
	f.StringVar(&truth.id, "truth-id", "", "`column` of the truth with the ids, if it is not found by its name")
	f.StringVar(&truth.cluster, "truth-cluster", "", "`column` of the truth with the persons, if it is not found by its name")
	return cmd
}

// evaluation is the answer as JSON.
type evaluation struct {
	evaluate.Agreement
	// Records of one file only.
	WithoutTruth    int                 `json:"without_truth"`
	WithoutTruthIDs []string            `json:"without_truth_ids,omitempty"`
	NotClustered    int                 `json:"not_clustered"`
	NotClusteredIDs []string            `json:"not_clustered_ids,omitempty"`
	Warnings        []tablefile.Warning `json:"warnings"`
}

func evaluateClusters(cmd *cobra.Command, clusters, truth *labelFile) error {
	if err := clusters.read(false); err != nil {
		return err
	}
	if err := truth.read(true); err != nil {
		return err
	}
	found, known, err := partitions(clusters, truth)
	if err != nil {
		return err
	}
	agreement, unmatched := evaluate.CompareByID(found, known)
	if agreement.Clustered == 0 {
		return fmt.Errorf("no record of %s is in %s: the one has ids such as %q, the other such as %q; name the columns that hold the same ids with --truth-id", clusters.path, truth.path, clusters.example(), truth.example())
	}
	e := evaluation{
		Agreement: agreement, Warnings: append(append([]tablefile.Warning{}, clusters.warnings...), truth.warnings...),
		WithoutTruth: unmatched.Found, WithoutTruthIDs: shownKeys(unmatched.FoundIDs), NotClustered: unmatched.Truth, NotClusteredIDs: shownKeys(unmatched.TruthIDs),
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return printJSON(cmd, e)
	}
	for _, w := range e.Warnings {
		_, _ = fmt.Fprintln(os.Stderr, "warning: "+plain(w.String()))
	}
	return printEvaluation(os.Stdout, e)
}

func printEvaluation(w io.Writer, e evaluation) error {
	scores := []struct {
		name            string
		s               evaluate.Score
		common, of, all int64
	}{
		{"pairs", e.Pairs, e.CommonPairs, e.FoundPairs, e.TruePairs},
		{"B-cubed", e.BCubed, 0, 0, 0},
		{"exact clusters", e.Exact, e.ExactClusters, e.FoundClusters, e.TrueClusters},
		{"exact groups", e.Groups, e.ExactGroups, e.FoundGroups, e.TrueGroups},
	}
	err := table(w, "MEASURE\tPRECISION\tRECALL\tF1\tRIGHT\tFOUND\tTRUE", len(scores), func(i int) []any {
		s := scores[i]
		row := []any{s.name, fmt.Sprintf("%.4f", s.s.Precision), fmt.Sprintf("%.4f", s.s.Recall), fmt.Sprintf("%.4f", s.s.F1)}
		if s.name == "B-cubed" {
			return append(row, "", "", "")
		}
		return append(row, s.common, s.of, s.all)
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%d records with a truth\n", e.Records)
	if e.NotClustered > 0 && err == nil {
		_, err = fmt.Fprintf(w, "%d of them have no cluster, which lowers recall: %s\n", e.NotClustered, few(e.NotClusteredIDs, e.NotClustered))
	}
	if e.WithoutTruth > 0 && err == nil {
		_, err = fmt.Fprintf(w, "%d records of clusters have no truth and count nowhere: %s\n", e.WithoutTruth, few(e.WithoutTruthIDs, e.WithoutTruth))
	}
	return err
}

// few names the first of n ids.
func few(ids []string, n int) string {
	text := plainCell(strings.Join(ids, ", "))
	if n > len(ids) {
		text += ", …"
	}
	return text
}
