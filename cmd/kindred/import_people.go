package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/ingest/files"
)

// peopleOptions are the flags of the import of people.
type peopleOptions struct {
	files.People
	fields  []string
	rejects string
	suggest bool
	preview int
}

func importPeopleCommand() *cobra.Command {
	var o peopleOptions
	cmd := &cobra.Command{
		Use:   "people FILE",
		Short: "Import a file with one person in each record, such as an export of a CRM",
		Long: `Read FILE (as "kindred import" does) with one person in each record, and publish
an identify event for each:

  kindred import people crm.csv --source crm --id crm_id --preview 10
  kindred import people crm.csv --source crm --id crm_id
  kindred import people members.csv --source club --id no --fields "Ort=address.city,notes="

Each record becomes the identifier record:SOURCE/ID together with its e-mail
addresses and phone numbers; so records join web customers who have one of these,
and linkage can compare the others by what they say.

What the columns mean is guessed from their names: firstName, lastName, name,
email, phone, birthday, gender, country and address.street, .house, .city,
.postalCode and .state, as in Segment's specification. --fields overrules that, and
"column=" leaves a column out; any other column is a trait of its own name. Dates of
birth are read by the form that most of them have. A column such as "updated_at",
or the one that --time names, says as of when a record holds; without one it
holds as of the import, and hides what other sources said earlier.

A record without an id, or with a damaged line, becomes a dead letter with its line
number. A record that is imported again unchanged is stored once. --suggest
prints the mapping, to be corrected and used with "kindred import --mapping".`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("import people takes one FILE, not %d; run \"kindred import people --help\"", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runImportPeople(cmd, args[0], o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.Source, "source", "", "`name` of the system that the records come from")
	f.StringVar(&o.ID, "id", "", "`column` that tells its records apart")
	f.StringSliceVar(&o.fields, "fields", nil, "`column=trait` pairs that overrule the guesses")
	f.StringVar(&o.Time, "time", "", "`column` with the time of a record's last change")
	f.StringVar(&o.DateFormat, "date-format", "", "`form` of dates, such as dd/MM/yyyy, where the values leave it open")
	f.StringVar(&o.rejects, "rejects", "", "`file` for rejected lines (default: in the data folder)")
	f.IntVar(&o.preview, "preview", 0, "show what the first `N` records become, and send nothing")
	f.BoolVar(&o.suggest, "suggest", false, "print the mapping, and send nothing")
	return cmd
}

func runImportPeople(cmd *cobra.Command, path string, o peopleOptions) error {
	if o.Source == "" || o.ID == "" {
		return errors.New("say with --source which system the records come from, and with --id which column tells them apart")
	}
	var err error
	if o.Fields, err = fieldPairs(o.fields); err != nil {
		return err
	}
	s, err := loadSettings(cmd)
	if err != nil {
		return err
	}
	in, done, err := importInput(path, stateFolder(s))
	if err != nil {
		return err
	}
	defer done()
	format, text, err := o.Format(in)
	if err != nil {
		return err
	}
	if o.suggest {
		_, err = fmt.Fprint(os.Stdout, text)
		return err
	}
	return publishImport(cmd, s, in, format, importOptions{rejects: o.rejects, preview: o.preview})
}

// fieldPairs reads "column=trait"; the last equals sign counts.
func fieldPairs(pairs []string) (map[string]string, error) {
	fields := map[string]string{}
	for _, pair := range pairs {
		at := strings.LastIndexByte(pair, '=')
		if at < 1 {
			return nil, fmt.Errorf("--fields takes column=trait, not %q", pair)
		}
		column, trait := strings.TrimSpace(pair[:at]), strings.TrimSpace(pair[at+1:])
		if _, twice := fields[column]; twice {
			return nil, fmt.Errorf("--fields names column %q twice", column)
		}
		fields[column] = trait
	}
	return fields, nil
}

// importPeople imports a file of people, as the demo does with the old CRM.
func importPeople(ctx context.Context, s *settings, u *ui, p files.Publisher, in files.Input, people files.People) (files.Summary, error) {
	format, _, err := people.Format(in)
	if err != nil {
		return files.Summary{}, err
	}
	return runImporter(ctx, s, u, p, importConfig(s, u, in, format, false))
}
