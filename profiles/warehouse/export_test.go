package warehouse

import (
	"testing/fstest"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// MendBase is what StartEpoch does last, for tests of the race that it mends.
var MendBase = mendBase

// SplitStatements is for its table test.
var SplitStatements = splitStatements

// DedupBlocks is the deduplication window of ingest's tables.
const DedupBlocks = dedupBlocks

// RenderedFile is one schema file as statements.
type RenderedFile struct {
	Name       string
	Statements []string
}

// RenderSchema renders every schema file as Migrate would under cfg.
func RenderSchema(cfg Config) ([]RenderedFile, error) {
	f, err := cfg.form()
	if err != nil {
		return nil, err
	}
	migrations, err := load(schema)
	if err != nil {
		return nil, err
	}
	var out []RenderedFile
	for _, m := range migrations {
		statements, err := f.render(m.name, m.text)
		if err != nil {
			return nil, err
		}
		out = append(out, RenderedFile{m.name, statements})
	}
	return out, nil
}

// LoadNames returns the order in which files would be applied.
func LoadNames(files fstest.MapFS) ([]string, error) {
	migrations, err := load(files)
	var names []string
	for _, m := range migrations {
		names = append(names, m.name)
	}
	return names, err
}

// Explain turns the error of a first round trip into the one that Open returns.
func Explain(cfg Config, code int32) error {
	o, err := cfg.options()
	if err != nil {
		return err
	}
	return explain(cfg, o, &clickhouse.Exception{Code: code, Name: "NAME", Message: "message with secret-word"})
}
