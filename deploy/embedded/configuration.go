package embedded

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// localUser is the user of the engine's own session, which the engine insists on. It has no password; that only one
// session of it is allowed, the engine's own, keeps everybody else out; over the native protocol the gate does, too.
const localUser = "default"

//go:embed config.xml.tmpl
var configTemplate string

//go:embed users.xml.tmpl
var usersTemplate string

// configuration is what the two templates are filled with.
type configuration struct {
	Dir               string
	LogPath           string
	MemoryBytes       uint64
	QueryBytes        uint64
	AnalystBytes      uint64
	Sync              bool
	QueryLog          bool
	MarkCacheBytes    uint64
	LocalUser         string
	AdminUser         string
	AdminHash         string
	AnalystUser       string
	AnalystHash       string // Empty: no such user.
	AnalystGrants     []string
	AnalystDatabase   string
	AnalystSettings   []string
	BackgroundLoggers []string
}

// backgroundLoggers are the engine's loggers that never quote a query.
func backgroundLoggers() []string {
	return []string{
		"Application", "MergeTreeBackgroundExecutor", "BackgroundSchedulePool", "BackgroundSchedulePool/BgSchPool",
		"DatabaseCatalog", "DiskLocal", "ExternalDictionariesLoader", "MemoryTracker", "StatusFile", "Context",
	}
}

// analystSettings are the settings that an analyst's client may change: how a result looks, how much it takes, and how
// much of its query is logged.
// None of them names a file, a column, another profile or a feature that is off.
func analystSettings() []string {
	return []string{
		"max_threads", "max_block_size", "max_rows_to_read", "max_bytes_to_read", "result_overflow_mode", "extremes",
		"join_use_nulls", "group_by_use_nulls", "transform_null_in", "session_timezone", "log_comment", "limit", "offset",
		"max_bytes_before_external_group_by", "max_bytes_before_external_sort", "date_time_output_format",
		"output_format_json_quote_64bit_integers", "output_format_json_quote_decimals", "format_csv_delimiter",
		"output_format_native_write_json_as_string", "cancel_http_readonly_queries_on_client_close",
		"log_queries_cut_to_length", "enable_http_compression", "send_progress_in_http_headers", "http_headers_progress_interval_ms",
	}
}

// writeConfiguration makes the folders and files that a start of the engine reads.
func (c *ClickHouse) writeConfiguration() error {
	for _, name := range []string{storeFolder, logFolder} {
		if err := os.MkdirAll(filepath.Join(c.cfg.DataDir, name), 0o700); err != nil {
			return fmt.Errorf("make engine folder: %w", err)
		}
	}
	values := configuration{
		Dir:               c.cfg.DataDir,
		LogPath:           c.logPath(),
		MemoryBytes:       c.cfg.MemoryBytes,
		QueryBytes:        c.cfg.MemoryBytes / 10 * 7,
		AnalystBytes:      c.cfg.MemoryBytes / 4,
		MarkCacheBytes:    c.cfg.MemoryBytes / 16,
		LocalUser:         localUser,
		AdminUser:         c.cfg.AdminUser,
		AdminHash:         passwordHash(c.cfg.AdminPassword),
		AnalystUser:       AnalystUser,
		Sync:              c.cfg.Sync,
		QueryLog:          c.cfg.QueryLog,
		AnalystGrants:     c.cfg.AnalystGrants,
		AnalystDatabase:   c.cfg.Database,
		AnalystSettings:   analystSettings(),
		BackgroundLoggers: backgroundLoggers(),
	}
	if c.cfg.AnalystPassword != "" {
		values.AnalystHash = passwordHash(c.cfg.AnalystPassword)
	}
	// An embedded engine takes any path in the scalar function file(), for any user and without a right. A function
	// that is defined under the same name hides it; the engine refuses to create one, but loads it from its folder.
	guard := filepath.Join(c.cfg.DataDir, storeFolder, "user_defined")
	if err := os.MkdirAll(guard, 0o700); err != nil {
		return fmt.Errorf("make engine folder: %w", err)
	}
	return errors.Join(
		writeFile(filepath.Join(guard, "function_file.sql"), "CREATE FUNCTION file AS (path) -> throwIf(1, 'file() is disabled')"),
		fillTemplate(filepath.Join(c.cfg.DataDir, configFile), configTemplate, values),
		fillTemplate(filepath.Join(c.cfg.DataDir, usersFile), usersTemplate, values),
	)
}

// fillTemplate writes an XML file; the template escapes values with the function "x".
func fillTemplate(path, text string, values configuration) error {
	t, err := template.New(filepath.Base(path)).Funcs(template.FuncMap{"x": escapeXML}).Parse(text)
	if err != nil {
		return fmt.Errorf("parse template of %s: %w", path, err)
	}
	var b strings.Builder
	if err := t.Execute(&b, values); err != nil {
		return fmt.Errorf("fill template of %s: %w", path, err)
	}
	if err := writeFile(path, b.String()); err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			return fmt.Errorf("write engine configuration: %w", err)
		}
		return fmt.Errorf("write engine configuration %s: %w", path, err)
	}
	return nil
}

func escapeXML(s string) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, []byte(s))
	return b.String(), err
}

// passwordHash is the form in which the engine's configuration keeps passwords.
func passwordHash(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}
