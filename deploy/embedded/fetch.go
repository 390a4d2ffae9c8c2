package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// fetchBytes is the disk space that a fetch needs at its peak: the archive twice (the client's and ours) and the
// unpacked library.
const fetchBytes = 1 << 30

// fetch downloads, verifies and unpacks the library under a lock, and moves it into place in one step. Whatever
// interrupts it leaves no library, and the next fetch clears the rest away.
func (l Library) fetch(ctx context.Context, progress Progress) (string, error) {
	pack, ok := enginePackages()[l.Platform]
	if !ok {
		return "", fmt.Errorf("%w: there is none for %s; %s", ErrNoLibrary, l.Platform, strings.TrimPrefix(alternatives, "or "))
	}
	if _, err := exec.LookPath(l.Client); err != nil {
		return "", fmt.Errorf("%w and npm, which fetches it, was not found in PATH: install Node.js (it brings npm), %s; looked at %s",
			ErrNoLibrary, alternatives, l.cached())
	}
	folder := filepath.Dir(l.cached())
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("cache folder %s cannot be made: %w; make it writable, %s", folder, err, alternatives)
	}
	unlock, err := lockFetch(ctx, folder)
	if err != nil {
		return "", err
	}
	defer unlock()
	if path, err := l.Find(); err == nil {
		return path, nil // Another process fetched it while this one waited.
	}
	if err := clearRemains(folder); err != nil {
		return "", err
	}
	if free, err := freeBytes(folder); err == nil && free < fetchBytes {
		return "", fmt.Errorf("cache folder %s has %s free and the clickhouse engine library needs %s; free some space, %s",
			folder, megabytes(free), megabytes(fetchBytes), alternatives)
	}
	work, err := os.MkdirTemp(folder, remainsPrefix)
	if err != nil {
		return "", fmt.Errorf("cache folder %s is not writable: %w; make it writable, %s", folder, err, alternatives)
	}
	defer func() { _ = os.RemoveAll(work) }() // The next fetch clears what stays.
	return l.cached(), l.fetchInto(ctx, work, pack, progress)
}

// fetchInto does the work inside a folder of its own.
func (l Library) fetchInto(ctx context.Context, work string, pack enginePackage, progress Progress) error {
	archive, err := l.download(ctx, work, pack, progress)
	if err != nil {
		return err
	}
	want := pack.integrity
	if want == "" {
		if want, err = l.publishedIntegrity(ctx, work, pack); err != nil {
			return err
		}
	}
	if err := verifyArchive(archive, want, progress); err != nil {
		return fmt.Errorf("archive of %s@%s is refused: %w; fetch it again, %s", pack.name, LibraryVersion, err, alternatives)
	}
	unpacked := filepath.Join(work, "libchdb.so")
	if err := unpackLibrary(ctx, archive, unpacked, progress); err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			return fmt.Errorf("disk of cache folder %s is full: %w; free some space, %s", l.CacheDir, err, alternatives)
		}
		return fmt.Errorf("unpack clickhouse engine library: %w", err)
	}
	if err := os.Rename(unpacked, l.cached()); err != nil {
		return fmt.Errorf("put clickhouse engine library in place: %w", err)
	}
	return syncFolder(filepath.Dir(l.cached()))
}

// download has the registry client write the archive into work. The client's cache lies there, too: its growth is
// the progress, and nothing of it stays.
func (l Library) download(ctx context.Context, work string, pack enginePackage, progress Progress) (string, error) {
	watch, done := make(chan struct{}), make(chan struct{})
	told := int64(0) // The watcher's until done is closed.
	go func() {
		defer close(done)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-watch:
				return
			case <-tick.C:
			}
			got := folderBytes(work)
			if pack.size != 0 {
				got = min(got, pack.size) // The client copies the archive at the end.
			}
			if got > told { // The client also removes what it no longer needs.
				told = got
				progress("download", got, pack.size)
			}
		}
	}()
	_, err := l.client(ctx, work, "pack", pack.name+"@"+LibraryVersion, "--pack-destination", work)
	close(watch)
	<-done
	if err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(work, "*.tgz"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("npm left %d archives of %s in %s instead of one; fetch it again, %s", len(found), pack.name, work, alternatives)
	}
	told = max(told, pack.size)
	progress("download", told, told)
	return found[0], nil
}

// publishedIntegrity asks the registry what the archive must match.
func (l Library) publishedIntegrity(ctx context.Context, work string, pack enginePackage) (string, error) {
	out, err := l.client(ctx, work, "view", pack.name+"@"+LibraryVersion, "dist.integrity")
	return strings.TrimSpace(out), err
}

// client runs the registry client and explains its failures.
func (l Library) client(ctx context.Context, work string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, l.Client, args...) //nolint:gosec // The arguments are constants of this package.
	cmd.Dir = work
	cmd.Env = append(os.Environ(),
		"npm_config_cache="+filepath.Join(work, "npm"), "npm_config_update_notifier=false", "npm_config_fund=false",
		"npm_config_audit=false", "npm_config_loglevel=error", "npm_config_progress=false",
		"npm_config_fetch_retries=2", "npm_config_fetch_retry_mintimeout=1000", "npm_config_fetch_retry_maxtimeout=5000")
	cmd.WaitDelay = 2 * time.Second
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err := cmd.Run()
	if ctx.Err() != nil {
		return "", fmt.Errorf("fetch clickhouse engine library: %w", ctx.Err())
	}
	if err != nil {
		return "", clientError(l.CacheDir, err, complaints.String())
	}
	return out.String(), nil
}

// clientError turns the client's complaint into one message: what, where, and the way out.
func clientError(cache string, err error, complaint string) error {
	says := func(codes ...string) bool {
		for _, code := range codes {
			if strings.Contains(complaint, code) {
				return true
			}
		}
		return false
	}
	reason := "npm could not fetch it"
	fix := "see npm's words below"
	switch {
	case says("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH", "ERR_SOCKET_TIMEOUT", "network"):
		reason, fix = "the package registry cannot be reached", "check the network and npm's proxy settings"
	case says("ENOSPC"):
		reason, fix = "the disk of "+cache+" is full", "free some space"
	case says("EACCES", "EPERM", "EROFS"):
		reason, fix = "npm cannot write to "+cache, "make it writable"
	case says("EINTEGRITY"):
		reason, fix = "the archive arrived damaged", "fetch it again"
	case says("E404", "ETARGET"):
		reason, fix = "the package registry that npm uses does not have it", "use a registry that does"
	}
	return fmt.Errorf("%w: %s; %s, %s (%w)%s", ErrNoLibrary, reason, fix, alternatives, err, firstLines(complaint, 4))
}

func firstLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	text = strings.Join(lines[:min(n, len(lines))], "\n")
	if text == "" {
		return ""
	}
	return "\n" + text
}
