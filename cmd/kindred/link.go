package main

import (
	"github.com/spf13/cobra"
)

func linkFilesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "link",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Short: "Find the records of one person in files, without a running Kindred",
		Long: `Work on files of records, without a running Kindred.

  kindred link generate --preset crm --out crm.csv --truth truth.csv
  kindred link evaluate --clusters out.csv --truth truth.csv`,
	}
	cmd.PersistentFlags().Bool("json", false, "print the answer as JSON")
	cmd.AddCommand(linkEvaluateCommand(), linkGenerateCommand())
	return cmd
}
