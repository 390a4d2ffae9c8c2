package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	_ "time/tzdata" // Mappings name zones, also on machines without the list.

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/ingest/files"
	"github.com/kindred-cdp/kindred/ingest/mapping"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// importOptions are the flags of the import command.
type importOptions struct {
	format, mapping, kind, source, rejects string
	shift, suggest                         bool
	preview                                int
}

func importCommand() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Stream a file through Kafka into a running Kindred",
		Long: `Read FILE (CSV, NDJSON, JSON or Parquet; plain, gzip, zstd, bzip2 or xz; "-" is
standard input) and publish its events. What the columns mean stands in a mapping:

  kindred import sales.csv --suggest > sales.toml    # guess one, then correct it
  kindred import sales.csv --mapping sales.toml --preview 10
  kindred import sales.csv --mapping sales.toml

Files of native messages need none: kindred import events.ndjson --kind behaviour
Neither do files of people: kindred import people crm.csv --source crm --id crm_id

An import that was interrupted continues after the last acknowledged message when
the same command is given again. A line that cannot be read becomes a dead letter
with its line number and stands in the reject file, and the rest goes on.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("import takes one FILE, not %d; run \"kindred import --help\"", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runImport(cmd, args[0], o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "", "layout of the file that needs no mapping: online-retail")
	f.StringVar(&o.mapping, "mapping", "", "`file` that declares what the columns mean (TOML or JSON)")
	f.StringVar(&o.kind, "kind", "", "kind of the native messages in the file: "+files.Kinds())
	f.StringVar(&o.source, "source", "", "name of the source, instead of that of the mapping or the file")
	f.StringVar(&o.rejects, "rejects", "", "`file` for rejected lines (default: in the data folder)")
	f.IntVar(&o.preview, "preview", 0, "show what the first `N` records become, and send nothing")
	f.BoolVar(&o.suggest, "suggest", false, "print a guessed mapping, and send nothing")
	f.BoolVar(&o.shift, "shift-to-now", false, "move all times by the same whole weeks, so that the data end within the last seven days")
	cmd.AddCommand(importPeopleCommand())
	return cmd
}

func runImport(cmd *cobra.Command, path string, o importOptions) error {
	s, err := loadSettings(cmd)
	if err != nil {
		return err
	}
	in, done, err := importInput(path, stateFolder(s))
	if err != nil {
		return err
	}
	defer done()
	if o.suggest {
		text, err := files.Suggest(in)
		if err == nil {
			_, err = fmt.Fprint(os.Stdout, text)
		}
		return err
	}
	format, err := importFormat(in.Name, o)
	if err != nil {
		return err
	}
	return publishImport(cmd, s, in, format, o)
}

// publishImport imports in, or shows a preview of it.
func publishImport(cmd *cobra.Command, s *settings, in files.Input, format files.Format, o importOptions) error {
	if o.preview > 0 {
		samples, err := files.Preview(cmd.Context(), in, format, o.preview, now())
		return errors.Join(showPreview(os.Stdout, samples), err)
	}
	u := newUI(os.Stderr, now)
	return withKafka(cmd.Context(), s, func(ctx context.Context, p files.Publisher) error {
		cfg := importConfig(s, u, in, format, o.shift)
		if cfg.Rejects = o.rejects; cfg.Rejects == "" {
			cfg.Rejects = filepath.Join(stateFolder(s), "rejects-"+format.Name()+"-"+in.Name+".ndjson")
		}
		sum, err := runImporter(ctx, s, u, p, cfg)
		if err != nil {
			return err
		}
		if sum.Rejected > 0 {
			u.say("%d records were rejected: %s", sum.Rejected, cfg.Rejects)
		} else {
			_ = os.Remove(cfg.Rejects) // It is empty.
		}
		return printSummary(cmd, format, sum)
	})
}

// importInput returns the input at path. Standard input goes to a file first,
// because an import reads its input more than once.
func importInput(path, folder string) (in files.Input, done func(), err error) {
	if path != "-" {
		return files.FileInput(path), func() {}, nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return in, nil, fmt.Errorf("keep standard input: %w", err)
	}
	f, err := os.CreateTemp(folder, "stdin-*")
	if err != nil {
		return in, nil, fmt.Errorf("keep standard input: %w", err)
	}
	done = func() { _ = os.Remove(f.Name()) }
	_, err = io.Copy(f, os.Stdin)
	if err = errors.Join(err, f.Close()); err != nil {
		done()
		return in, nil, fmt.Errorf("keep standard input: %w", err)
	}
	in = files.FileInput(f.Name())
	in.Name = "stdin"
	return in, done, nil
}

func importFormat(name string, o importOptions) (files.Format, error) {
	switch {
	case o.mapping != "" && (o.kind != "" || o.format != "") || o.kind != "" && o.format != "":
		return nil, errors.New("--mapping, --kind and --format exclude one another")
	case o.mapping != "":
		text, err := os.ReadFile(o.mapping)
		if err != nil {
			return nil, fmt.Errorf("mapping: %w", err)
		}
		m, err := mapping.Load(o.mapping, text)
		if err != nil {
			return nil, err
		}
		return files.NewMapped(m, text, o.source)
	case o.kind != "":
		if !slices.Contains(wire.Kinds(), wire.Kind(o.kind)) {
			return nil, fmt.Errorf("--kind must be one of %s", files.Kinds())
		}
		source := o.source
		if source == "" {
			source, _, _ = strings.Cut(name, ".")
		}
		return files.Messages{Kind: wire.Kind(o.kind), Source: source}, nil
	}
	if o.format == "" {
		o.format = files.OnlineRetail{}.Name()
	}
	f, ok := files.FormatByName(o.format)
	if !ok {
		return nil, fmt.Errorf("unknown format %q; this release reads online-retail, and anything else by --mapping", o.format)
	}
	return f, nil
}

func importFile(ctx context.Context, s *settings, u *ui, p files.Publisher, in files.Input, format string, shift bool) (files.Summary, error) {
	f, err := importFormat(in.Name, importOptions{format: format})
	if err != nil {
		return files.Summary{}, err
	}
	return runImporter(ctx, s, u, p, importConfig(s, u, in, f, shift))
}

func importConfig(s *settings, u *ui, in files.Input, format files.Format, shift bool) files.Config {
	cfg := files.DefaultConfig()
	cfg.Input, cfg.Format, cfg.ShiftToNow = in, format, shift
	cfg.StateFolder, cfg.Workspace = stateFolder(s), s.workspace
	cfg.Report = func(done, total int64) { u.progress("import "+in.Name, done, total, "messages") }
	return cfg
}

func runImporter(ctx context.Context, s *settings, u *ui, p files.Publisher, cfg files.Config) (files.Summary, error) {
	imp, err := files.New(cfg, files.Deps{Publisher: p, Now: now, Log: u.logger(s)})
	if err != nil {
		return files.Summary{}, err
	}
	return imp.Run(ctx)
}

// printSummary leaves out of a mapped import what only online-retail counts.
func printSummary(cmd *cobra.Command, format files.Format, sum files.Summary) error {
	if _, retail := format.(files.OnlineRetail); retail {
		return printJSON(cmd, sum)
	}
	return printJSON(cmd, struct {
		File      string `json:"file"`
		Format    string `json:"format"`
		SHA256    string `json:"sha256"`
		ResumedAt int64  `json:"resumed_at"`
		Lines     int    `json:"lines"`
		Messages  int    `json:"messages"`
		Rejected  int    `json:"rejected"`
		Ignored   int    `json:"ignored"`
	}{sum.File, sum.Format, sum.SHA256, sum.ResumedAt, sum.Lines, sum.Messages, sum.Rejected, sum.Ignored})
}

// showPreview prints a table for the eye, then every record whole.
func showPreview(w io.Writer, samples []files.Sample) error {
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "#\tkind\tid\tname\ttime\tidentifiers\tfault")
	for i, s := range samples {
		var m wire.Message
		if s.Message == nil || m.Parse(s.Message) != nil {
			_, _ = fmt.Fprintf(table, "%d\t%s\t\t\t\t\t%s: %s: %s\n", i+1, s.Kind, s.Position, s.Code, s.Reason)
			continue
		}
		var ids []string
		for _, id := range m.Identifiers {
			ids = append(ids, id.Namespace+":"+id.Value)
		}
		_, _ = fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t\n", i+1, s.Kind, m.ID, m.Name, m.Time.Format("2006-01-02 15:04:05"), strings.Join(ids, " "))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(w)
	for _, s := range samples {
		if s.Message != nil {
			if _, err := fmt.Fprintf(w, "%s\n", s.Message); err != nil {
				return err
			}
		}
	}
	return nil
}
