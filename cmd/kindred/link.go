package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/identity/linkage"
	"github.com/kindred-cdp/kindred/identity/linkage/tablefile"
)

// linkOptions are the flags of link.
type linkOptions struct {
	left, right, id, rightID string
	fields, ignore           []string
	clusters, pairs, model   string
	seed                     uint64
	json                     bool
}

func linkFilesCommand() *cobra.Command {
	var o linkOptions
	cmd := &cobra.Command{
		Use:   "link",
		Args:  cobra.NoArgs,
		Short: "Find the records of one person, in files or in a running Kindred",
		Long:  linkHelp(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.left == "" && cmd.Flags().NFlag() == 0 {
				return cmd.Help()
			}
			o.json, _ = cmd.Flags().GetBool("json")
			return linkFiles(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.left, "left", "", "`file` of records")
	f.StringVar(&o.right, "right", "", "second `file`, if records of two are to be linked with each other")
	f.StringVar(&o.id, "id", "", "`column` with the ids of the records (default: the one that is called id, record_id or the like)")
	f.StringVar(&o.rightID, "right-id", "", "the same `column` of the second file, if it is called otherwise")
	f.StringSliceVar(&o.fields, "fields", nil, "what columns hold, as `column=type`,…")
	f.StringSliceVar(&o.ignore, "ignore", nil, "`columns` that are not to be compared")
	f.StringVar(&o.clusters, "clusters", "", "`file` for the clusters")
	f.StringVar(&o.pairs, "pairs", "", "`file` for the pairs that may be one person, with what each field says")
	f.StringVar(&o.model, "model", "", "`file` for what was learnt (JSON)")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the samples; the same gives the same result")
	cmd.PersistentFlags().Bool("json", false, "print the answer as JSON")
	cmd.AddCommand(linkEvaluateCommand(), linkGenerateCommand(), linkRunCommand(), linkModelsCommand())
	return cmd
}

func linkHelp() string {
	return `Find the records of one person in a file, or in two, where no identifier is
shared: names, dates of birth, addresses, and whatever else the file has are
compared, and how much each agreement says is learnt from the file itself. There
is nothing to label and nothing to tune. No running Kindred is needed; for the
records of one there is "kindred link run".

  kindred link --left people.csv --id record_id --clusters out.csv
  kindred link --left crm.csv --id crm_id --right shop.csv --right-id user_id --clusters out.csv

Files are CSV or TSV with a header, plain or gzip. What a column holds is found
from its name and its values; --fields says it where that went wrong:

  --fields dob=date,ref=number,notes=ignore

The types: ` + typeNames() + `.

The clusters are written as id, cluster: records of one cluster are one person,
and a cluster is called by an id of it. With --right there is a column source
(left or right) before them, and only records of different files are compared.
--pairs writes every pair that has at least one chance in five to be one person:
both ids, the probability, the weight in bits (log2 of the odds), and what it is
the sum of: the prior, what the agreement of each field says, and what is taken
off because housemates, neighbours or namesakes would agree so as well. Pairs
that are one cluster are marked as linked.

To try it without data of your own, and to measure it:

  kindred link generate --preset crm --out crm.csv --truth truth.csv
  kindred link --left crm.csv --id id --clusters out.csv
  kindred link evaluate --clusters out.csv --truth truth.csv`
}

func typeNames() string {
	var names []string
	for _, t := range linkage.Types() {
		names = append(names, string(t))
	}
	text := strings.Join(names, ", ")
	// Two lines of the help.
	if at := strings.Index(text, "postcode"); at > 0 {
		text = text[:at-1] + "\n" + text[at:]
	}
	return text
}

// inputs are the files that are read.
func (o linkOptions) inputs() []string {
	if o.right == "" {
		return []string{o.left}
	}
	return []string{o.left, o.right}
}

// check refuses what cannot work before any work is done.
func (o linkOptions) check() error {
	switch {
	case o.left == "":
		return errors.New("name the file of records with --left")
	case o.clusters == "":
		return errors.New("name the file for the clusters with --clusters")
	case o.right == "" && o.rightID != "":
		return errors.New("--right-id is about the file of --right, which is not given")
	case o.right != "" && realPath(o.left) == realPath(o.right):
		return errors.New("--left and --right are one file: leave out --right to find its duplicates")
	}
	return checkOutputs(o.inputs(), []string{o.clusters, o.pairs, o.model})
}

// linkFiles reads, links and writes.
func linkFiles(cmd *cobra.Command, o linkOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	u := newUI(os.Stderr, now)
	begun := now()
	report, err := o.link(cmd.Context(), u)
	if errors.Is(err, context.Canceled) {
		// Not by %w: an interrupted run must not end as if it had done its work.
		return fmt.Errorf("interrupted: nothing was written")
	}
	if err != nil {
		return err
	}
	report.Seconds["all"] = now().Sub(begun).Seconds()
	if o.json {
		return printJSON(cmd, report)
	}
	for _, w := range report.Warnings {
		u.say("warning: %s", plain(w.String()))
	}
	for _, n := range report.Notes {
		u.say("note: %s", plain(strings.TrimPrefix(n.Column+": "+n.Text, ": ")))
	}
	return report.print(os.Stdout)
}

// link does the work, and returns what there is to say of it.
func (o linkOptions) link(ctx context.Context, u *ui) (*linkReport, error) {
	begun := now()
	records, err := tablefile.Read(ctx, o.source(u))
	if err != nil {
		return nil, err
	}
	types, err := fieldTypes(o.fields, records)
	if err != nil {
		return nil, err
	}
	read := now()
	result, err := linkage.Link(ctx, records.Table, linkage.Options{
		Types: types, Seed: o.seed, Clock: now,
		Progress: func(step string) { u.say("link: %s", step) },
	})
	if err != nil {
		return nil, err
	}
	linked := now()
	if err := o.write(records, result); err != nil {
		return nil, err
	}
	report := newLinkReport(records, result)
	report.Seconds = map[string]float64{"read": read.Sub(begun).Seconds(), "link": linked.Sub(read).Seconds(), "write": now().Sub(linked).Seconds()}
	return report, nil
}

// write writes what was asked for, the clusters last: where they are, all is.
func (o linkOptions) write(records *tablefile.Records, result *linkage.Result) error {
	if o.model != "" {
		if err := writeModel(o.model, result.Model); err != nil {
			return err
		}
	}
	if o.pairs != "" {
		if err := writePairs(o.pairs, records, result); err != nil {
			return err
		}
	}
	return writeClusters(o.clusters, records, result.Clusters)
}

// source says what to read.
func (o linkOptions) source(u *ui) tablefile.Config {
	cfg := tablefile.Config{Left: tablefile.Source{Path: o.left, ID: o.id}, Ignore: o.ignore}
	cfg.Progress = func(path string, done, total int64) { u.progress("read "+path, done, total, "MB") }
	if o.right != "" {
		cfg.Right = &tablefile.Source{Path: o.right, ID: o.rightID}
		if o.rightID == "" {
			cfg.Right.ID = o.id
		}
	}
	return cfg
}

// fieldTypes reads column=type. Names are those of the table, whatever their
// case. A column that was warned of as empty or one-sided needs no type.
func fieldTypes(fields []string, records *tablefile.Records) (map[string]linkage.Type, error) {
	var columns []string
	for i := range records.Table.Columns {
		columns = append(columns, records.Table.Columns[i].Name)
	}
	dropped := func(name string) bool {
		return slices.ContainsFunc(records.Warnings, func(w tablefile.Warning) bool {
			return (w.Code == tablefile.EmptyColumn || w.Code == tablefile.OneSided) && tablefile.Fold(w.Column) == tablefile.Fold(name)
		})
	}
	types := map[string]linkage.Type{}
	var faults []error
	for _, f := range fields {
		name, kind, ok := strings.Cut(f, "=")
		if !ok {
			faults = append(faults, fmt.Errorf("--fields: %q is not column=type", f))
			continue
		}
		at, err := tablefile.Find(columns, strings.TrimSpace(name))
		if err != nil && dropped(name) {
			continue
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("--fields: there is %w", err))
			continue
		}
		typ := linkage.Type(strings.TrimSpace(kind))
		if !slices.Contains(linkage.Types(), typ) {
			faults = append(faults, fmt.Errorf("--fields: column %q: no type %q; the types are %s", columns[at], typ, strings.ReplaceAll(typeNames(), "\n", " ")))
			continue
		}
		if before, ok := types[columns[at]]; ok && before != typ {
			faults = append(faults, fmt.Errorf("--fields: column %q is %s and %s", columns[at], before, typ))
		}
		types[columns[at]] = typ
	}
	return types, errors.Join(faults...)
}
