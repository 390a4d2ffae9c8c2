package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// LibraryVersion is the version of the engine's packages that this code was tested with.
const LibraryVersion = "26.7.3-stable.1"

// enginePackage is what the package registry holds for one platform.
type enginePackage struct {
	name string
	// integrity is the SHA-512 of the archive in the registry's notation (base64). Where it is empty the archive
	// could not be had when the version was pinned: then the registry's own statement is what the archive must match.
	integrity string
	size      int64 // Of the archive, in bytes, for the progress bar; 0: unknown.
}

// enginePackages maps GOOS/GOARCH to the package of [LibraryVersion].
func enginePackages() map[string]enginePackage {
	return map[string]enginePackage{
		"linux/amd64": {
			name:      "@chdb/lib-linux-x64-gnu",
			integrity: "sha512-XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw==",
			size:      177_817_999,
		},
		"linux/arm64":  {name: "@chdb/lib-linux-arm64-gnu"},
		"darwin/arm64": {name: "@chdb/lib-darwin-arm64"},
		"darwin/amd64": {name: "@chdb/lib-darwin-x64"},
	}
}

// Progress is told how a long step goes on: stage is "download", "verify" or "unpack", done and total are bytes.
// Total is 0 where it is not known. It is called from one goroutine, several times a second.
type Progress func(stage string, done, total int64)

// Library finds the engine's shared library, or fetches it once.
type Library struct {
	// Path is an explicit file and is taken as it is. Default: none.
	Path string
	// CacheDir is the folder that keeps fetched libraries, by version. Default: kindred/chdb in the user's cache
	// folder ([DefaultCacheDir]).
	CacheDir string
	// Client is the package registry's client. Default: npm, looked for in PATH.
	Client string
	// Platform is GOOS/GOARCH. Default: this machine's.
	Platform string
}

// DefaultCacheDir is kindred/chdb in the user's cache folder.
func DefaultCacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache folder: %w; set KINDRED_CLICKHOUSE_LIB or KINDRED_CLICKHOUSE_URL", err)
	}
	return filepath.Join(base, "kindred", "chdb"), nil
}

// ErrNoLibrary says that the library is nowhere on this machine.
var ErrNoLibrary = errors.New("clickhouse engine library is not on this machine")

// withDefaults fills the fields that are empty.
func (l Library) withDefaults() (Library, error) {
	if l.Client == "" {
		l.Client = "npm"
	}
	if l.Platform == "" {
		l.Platform = runtime.GOOS + "/" + runtime.GOARCH
	}
	if l.CacheDir == "" {
		dir, err := DefaultCacheDir()
		if err != nil {
			return l, err
		}
		l.CacheDir = dir
	}
	return l, nil
}

// Find returns the path of a library that is on this machine, or an error that wraps [ErrNoLibrary] and names the
// places where it was looked for. It changes nothing.
func (l Library) Find() (string, error) {
	if l.Path != "" {
		info, err := os.Stat(l.Path)
		if err == nil && info.Mode().IsRegular() {
			return l.Path, nil
		}
		return "", fmt.Errorf("%w: %s (KINDRED_CLICKHOUSE_LIB) is no file; correct that path or leave it empty", ErrNoLibrary, l.Path)
	}
	l, err := l.withDefaults()
	if err != nil {
		return "", err
	}
	path := l.cached()
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		return path, nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: %w; %s", ErrNoLibrary, err, alternatives)
	}
	return "", fmt.Errorf("%w: not at %s, and KINDRED_CLICKHOUSE_LIB is not set; %s", ErrNoLibrary, path, alternatives)
}

// alternatives ends every message about a library that cannot be had.
const alternatives = "or name a libchdb.so with KINDRED_CLICKHOUSE_LIB, or a running server with KINDRED_CLICKHOUSE_URL=clickhouse://user:pass@host:9000/db"

// cached is where the library of this version lies once it is fetched.
func (l Library) cached() string {
	return filepath.Join(l.CacheDir, LibraryVersion, strings.ReplaceAll(l.Platform, "/", "-"), "libchdb.so")
}

// Ensure returns the path of the library, fetching it first where it is missing. It is safe to call from several
// processes at once: one fetches, the others wait.
func (l Library) Ensure(ctx context.Context, progress Progress) (string, error) {
	path, err := l.Find()
	if err == nil || l.Path != "" {
		return path, err
	}
	if l, err = l.withDefaults(); err != nil {
		return "", err
	}
	if progress == nil {
		progress = func(string, int64, int64) {}
	}
	return l.fetch(ctx, progress)
}
