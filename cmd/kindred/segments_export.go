package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/spf13/cobra"
)

func segmentsExportCommand() *cobra.Command {
	var format, columns, at, output string
	cmd := &cobra.Command{
		Use: "export SEGMENT", Short: "Write the members of a segment to a file", Args: cobra.ExactArgs(1),
		Long: `Write the members of a segment to a file, one row each. Columns are profile, since,
identifier.NAMESPACE (the newest), identifiers.NAMESPACE (all), trait.NAME and
score.NAME. In CSV an apostrophe stands before what a spreadsheet would take for a
formula. The export is put on record.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := newRemote(cmd)
			if err != nil {
				return err
			}
			query := url.Values{"format": {format}, "columns": {columns}}
			if at != "" {
				query.Set("at", at)
			}
			body, err := r.open(cmd.Context(), "/v1/segments/"+url.PathEscape(args[0])+"/export?"+query.Encode())
			if err != nil {
				return err
			}
			defer func() { _ = body.Close() }()
			if output == "-" {
				return copied(os.Stdout, body)
			}
			f, err := os.OpenFile(output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return fmt.Errorf("write the export: %w", err)
			}
			if err := errors.Join(copied(f, body), f.Close()); err != nil {
				return errors.Join(err, os.Remove(output)) // Half a file must not look whole.
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "csv", "csv, ndjson or parquet")
	cmd.Flags().StringVar(&columns, "columns", "profile,since", "columns, separated by commas")
	cmd.Flags().StringVar(&at, "at", "", "date and time, RFC 3339; now when empty")
	cmd.Flags().StringVar(&output, "output", "-", "`file` to make, which must not be there yet; - is the standard output")
	return cmd
}

func copied(to io.Writer, from io.Reader) error {
	if _, err := io.Copy(to, from); err != nil {
		return fmt.Errorf("read the export: %w", err)
	}
	return nil
}

// maxProblem bounds what is read of an answer that is an error.
const maxProblem = 1 << 20
