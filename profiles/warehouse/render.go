package warehouse

import (
	"fmt"
	"strings"
	"text/template"
)

// form is what decides how the schema files render: on one server, or on a
// cluster with Replicated engines, ON CLUSTER and Distributed tables.
type form struct {
	database string
	cluster  string // empty for one server
	user     string // account of the dictionaries
	password string
	nonce    string // tells the tables of migrations that run at once apart
	lookups  bool   // the engine has RocksDB, and there is one server
	// uses, when it is there, takes the expressions of the reading that views hold:
	// see noting.
	uses *[]string
}

// dedupBlocks is the number of recent insert blocks per table whose
// deduplication tokens are remembered (a block counts once per partition). An
// insert that is retried after more blocks than this is stored twice, so it is
// far above what all owners of partitions together insert while one of them is
// replaced: 10 blocks a second for almost three hours.
const dedupBlocks = 100_000

// render turns a schema file into statements.
func (f form) render(name, text string) ([]string, error) {
	t, err := template.New(name).Option("missingkey=error").Funcs(f.functions(name)).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", name, err)
	}
	var b strings.Builder
	if err := t.Execute(&b, nil); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return splitStatements(b.String()), nil
}

func (f form) functions(name string) template.FuncMap {
	return template.FuncMap{
		"resolveAsInvoker":  f.resolveAsInvoker,
		"readingAfterRows":  f.readingAfterRows,
		"onCluster":         f.onCluster,
		"local":             f.local,
		"engine":            f.engine,
		"lookupEngine":      f.lookupEngine,
		"everywhere":        f.everywhere,
		"distributed":       f.distributed,
		"dedupWindow":       f.dedupWindow,
		"dictionarySource":  f.dictionarySource,
		"database":          func() string { return f.database },
		"anchorProfile":     f.noting(func(a []string) string { return f.expressions().anchorProfile(a[0]) }),
		"eventProfile":      f.noting(func(a []string) string { return f.expressions().eventProfile(a[0], a[1]) }),
		"identifierProfile": f.noting(func(a []string) string { return f.expressions().identifierProfile(a[0]) }),
		"nonce":             func() string { return f.nonce },
		"again":             f.again(name),
		"maskedIdentifier":  maskedIdentifier,
		"maskedTrait":       maskedTrait,
		"tenureArrays":      func() string { return tenureArrays },
		"asDefiner":         func() string { return "DEFINER = CURRENT_USER SQL SECURITY DEFINER" },
	}
}

func (f form) onCluster() string {
	if f.cluster == "" {
		return ""
	}
	return "ON CLUSTER " + f.cluster
}

// local names the table that holds the rows of one shard.
func (f form) local(table string) string {
	if f.cluster == "" {
		return table
	}
	return table + "_local"
}

// engine is the engine of a table whose rows are spread over the shards.
func (f form) engine(engine, table string) string {
	return f.replicated(engine, "/clickhouse/tables/{shard}/"+f.database+"/"+f.local(table))
}

// lookupEngine is the engine, with its clauses, of a table of one value under each key.
func (f form) lookupEngine(table string) string {
	if f.lookups {
		return "EmbeddedRocksDB\nPRIMARY KEY key"
	}
	return f.engine("ReplacingMergeTree(stamp)", table) + "\nORDER BY key\nSETTINGS index_granularity = 8, min_compress_block_size = 4096, max_compress_block_size = 65536"
}

// everywhere is the engine of a table that every node holds whole.
func (f form) everywhere(engine, table string) string {
	return f.replicated(engine, "/clickhouse/tables/all/"+f.database+"/"+table)
}

func (f form) replicated(engine, path string) string {
	if f.cluster == "" {
		return engine
	}
	replica := "{replica}"
	if strings.Contains(path, "/all/") {
		replica = "{shard}-{replica}"
	}
	base, args, _ := strings.Cut(strings.TrimSuffix(engine, ")"), "(")
	rendered := fmt.Sprintf("Replicated%s('%s', '%s'", base, path, replica)
	if args != "" {
		rendered += ", " + args
	}
	return rendered + ")"
}

// distributed is the statement of the table under the plain name that spreads
// rows by key over the shards; nothing on one server.
func (f form) distributed(table, key string) string {
	if f.cluster == "" {
		return ""
	}
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s ON CLUSTER %s AS %s ENGINE = Distributed(%s, %s, %s, %s) COMMENT 'All shards of %s. Written by: the role that %[3]s names.';",
		table, f.cluster, f.local(table), f.cluster, f.database, f.local(table), key, f.local(table))
}

func (f form) dedupWindow() string {
	if f.cluster == "" {
		return fmt.Sprintf("non_replicated_deduplication_window = %d", dedupBlocks)
	}
	return fmt.Sprintf("replicated_deduplication_window = %d, replicated_deduplication_window_seconds = 604800", dedupBlocks)
}

// dictionarySource is the SOURCE clause of a dictionary over one hop of the
// reading. ClickHouse runs a dictionary's query as a user of its own, never as
// the one who created it, so the account stands in the definition (and is
// hidden by SHOW CREATE). The rows of each key come newest first, in the order
// of the table and so without sorting or grouping in memory: a hashed
// dictionary keeps the first row of a key.
func (f form) dictionarySource(columns, table, key string) string {
	const rows = `SELECT %[2]s FROM %[1]s.%[3]s
WHERE sequence <= transform(sipHash64(workspace, epoch),
    (SELECT (groupArray(sipHash64(workspace, epoch)), groupArray(base_sequence)) FROM %[1]s.reading_ranges).1,
    (SELECT (groupArray(sipHash64(workspace, epoch)), groupArray(base_sequence)) FROM %[1]s.reading_ranges).2, toUInt64(0))
ORDER BY workspace DESC, %[4]s DESC, epoch DESC, sequence DESC`
	query := fmt.Sprintf(rows, f.database, columns, table, key)
	password := ""
	if f.password != "" {
		password = " PASSWORD " + quote(f.password)
	}
	return fmt.Sprintf("SOURCE(CLICKHOUSE(USER %s%s DB %s QUERY %s))", quote(f.user), password, quote(f.database), quote(query))
}

// quote writes s as a SQL string literal.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// splitStatements cuts SQL at semicolons outside of literals and comments, and
// drops what holds no statement.
func splitStatements(text string) []string {
	var out []string
	start, blank := 0, true
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case strings.HasPrefix(text[i:], "--"):
			i = skipTo(text, i, "\n")
		case strings.HasPrefix(text[i:], "/*"):
			i = skipTo(text, i+2, "*/")
		case c == '\'' || c == '`' || c == '"':
			blank, i = false, skipQuoted(text, i)
		case c == ';':
			if !blank {
				out = append(out, strings.TrimSpace(text[start:i]))
			}
			start, blank = i+1, true
		case c > ' ':
			blank = false
		}
	}
	if !blank {
		out = append(out, strings.TrimSpace(text[start:]))
	}
	return out
}

func skipTo(text string, from int, end string) int {
	if i := strings.Index(text[from:], end); i >= 0 {
		return from + i + len(end) - 1
	}
	return len(text)
}

func skipQuoted(text string, from int) int {
	for i := from + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case text[from]:
			return i
		}
	}
	return len(text)
}
