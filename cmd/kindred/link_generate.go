package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/identity/linkage"
	"github.com/kindred-cdp/kindred/identity/linkage/synthetic"
)

// generateOptions are the flags of link generate.
type generateOptions struct {
	preset, errors, flavour  string
	out, right, truth        string
	records, people          int
	seed                     uint64
	missing, households      float64
	json                     bool
	missingSet, householdSet bool
}

func linkGenerateCommand() *cobra.Command {
	var o generateOptions
	var presets strings.Builder
	for _, p := range synthetic.Presets() {
		_, _ = fmt.Fprintf(&presets, "\n  %-8s %s", p.Name, p.About)
	}
	cmd := &cobra.Command{
		Use: "generate", Short: "Make records of invented people whose truth is known", Args: cobra.NoArgs,
		Long: `Make a file of records of invented people, with the faults that real files have,
and a file that says which records are of one person: to try linkage, and to
measure it. The same flags give the same bytes on every machine.

  kindred link generate --preset heavy --records 50000 --seed 7 --out records.csv --truth truth.csv

With --right each person has the first record in --out and the others in --right.

Presets:` + presets.String(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.json, _ = cmd.Flags().GetBool("json")
			o.missingSet, o.householdSet = cmd.Flags().Changed("missing"), cmd.Flags().Changed("households")
			return generateRecords(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.preset, "preset", "crm", "what to make; see above")
	f.IntVar(&o.records, "records", 0, "number of records (default: of the preset)")
	f.IntVar(&o.people, "people", 0, "number of people (default: in proportion to the records)")
	f.Uint64Var(&o.seed, "seed", 1, "another seed gives other people")
	f.StringVar(&o.errors, "errors", "", "none, light or heavy (default: of the preset)")
	f.StringVar(&o.flavour, "flavour", "", "nation of names and addresses: english, german, french, portuguese, polish or mixed (default: of the preset)")
	f.Float64Var(&o.missing, "missing", 0, "`share` of values that are missing (default: of the preset)")
	f.Float64Var(&o.households, "households", 0, "`share` of people who live with another one (default: of the preset)")
	f.StringVar(&o.out, "out", "", "`file` for the records (CSV; .gz is compressed)")
	f.StringVar(&o.right, "right", "", "`file` for the records of a second source")
	f.StringVar(&o.truth, "truth", "", "`file` for the truth: id, cluster")
	return cmd
}

// config is the preset with what the flags change in it.
func (o generateOptions) config() (synthetic.Config, error) {
	var names []string
	for _, p := range synthetic.Presets() {
		if p.Name == o.preset {
			return o.changed(p.Config)
		}
		names = append(names, p.Name)
	}
	return synthetic.Config{}, fmt.Errorf("--preset is one of %s, not %q", strings.Join(names, ", "), o.preset)
}

func (o generateOptions) changed(c synthetic.Config) (synthetic.Config, error) {
	if o.records != 0 {
		c.People = max(1, int(int64(c.People)*int64(o.records)/int64(c.Records)))
		c.Records = o.records
	}
	if o.people != 0 {
		c.People = o.people
	}
	if o.errors != "" {
		c.Errors = synthetic.Errors(o.errors)
	}
	if o.flavour != "" {
		c.Flavour = synthetic.Flavour(o.flavour)
	}
	if o.missingSet {
		c.Missing = o.missing
	}
	if o.householdSet {
		c.Households = o.households
	}
	c.Seed, c.TwoFiles = o.seed, o.right != ""
	return c, c.Validate()
}

func generateRecords(cmd *cobra.Command, o generateOptions) error {
	if o.out == "" {
		return errors.New("name the file for the records with --out")
	}
	c, err := o.config()
	if err != nil {
		return err
	}
	if err := checkOutputs(nil, []string{o.out, o.right, o.truth}); err != nil {
		return err
	}
	t, truth, err := synthetic.Generate(c)
	if err != nil {
		return err
	}
	left := t.Rows
	for i, source := range t.Source {
		if source == 1 {
			left = i
			break
		}
	}
	if err := writeOutput(o.out, func(w io.Writer) error { return writeRecords(w, t, 0, left) }); err != nil {
		return err
	}
	if o.right != "" {
		if err := writeOutput(o.right, func(w io.Writer) error { return writeRecords(w, t, left, t.Rows) }); err != nil {
			return err
		}
	}
	if o.truth != "" {
		if err := writeOutput(o.truth, func(w io.Writer) error { return writeTruth(w, truth) }); err != nil {
			return err
		}
	}
	if o.json {
		return printJSON(cmd, map[string]any{"preset": o.preset, "records": t.Rows, "left": left, "right": t.Rows - left, "people": c.People, "seed": c.Seed})
	}
	_, err = fmt.Fprintf(os.Stdout, "%d records of %d people, seed %d\n", t.Rows, c.People, c.Seed)
	return err
}

// recordID names the record of a row. Rows are in random order, so the name
// gives nothing away.
func recordID(row int) string { return "r" + strconv.Itoa(row+1) }

// writeRecords writes the rows of a table as CSV, an id before them.
func writeRecords(w io.Writer, t *linkage.Table, from, to int) error {
	c := csv.NewWriter(w)
	line := []string{"id"}
	for i := range t.Columns {
		line = append(line, t.Columns[i].Name)
	}
	if err := c.Write(line); err != nil {
		return err
	}
	for row := from; row < to; row++ {
		line[0] = recordID(row)
		for i := range t.Columns {
			line[i+1] = t.Columns[i].Value(row)
		}
		if err := c.Write(line); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// writeTruth writes which person each record is of.
func writeTruth(w io.Writer, truth []int32) error {
	c := csv.NewWriter(w)
	if err := c.Write([]string{"id", "cluster"}); err != nil {
		return err
	}
	for row, person := range truth {
		if err := c.Write([]string{recordID(row), "p" + strconv.Itoa(int(person)+1)}); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}
