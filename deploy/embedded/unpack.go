package embedded

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// remainsPrefix begins the names of the folders in which fetches work.
const remainsPrefix = ".fetch-"

// clearRemains removes what interrupted fetches left. The caller holds the fetch lock.
func clearRemains(folder string) error {
	remains, err := filepath.Glob(filepath.Join(folder, remainsPrefix+"*"))
	if err != nil {
		return fmt.Errorf("list interrupted fetches: %w", err)
	}
	for _, r := range remains {
		if err := os.RemoveAll(r); err != nil {
			return fmt.Errorf("remove interrupted fetch: %w; remove %s by hand", err, r)
		}
	}
	return nil
}

// lockFetch waits for its turn to fetch into folder.
func lockFetch(ctx context.Context, folder string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(folder, "fetch.lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cache folder %s is not writable: %w; make it writable, %s", folder, err, alternatives)
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil // Closing unlocks.
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock cache folder: %w", err), f.Close())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("wait for another fetch of the engine library: %w", ctx.Err()), f.Close())
		}
	}
}

// verifyArchive compares the archive's SHA-512 with the wanted one ("sha512-" and base64).
func verifyArchive(path, want string, progress Progress) error {
	encoded, ok := strings.CutPrefix(want, "sha512-")
	if !ok {
		return fmt.Errorf("wanted checksum %q is no sha512", want)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // Only read.
	info, err := f.Stat()
	if err != nil {
		return err
	}
	sum := sha512.New()
	if _, err := io.Copy(sum, &meter{r: f, stage: "verify", total: info.Size(), progress: progress}); err != nil {
		return err
	}
	if got := base64.StdEncoding.EncodeToString(sum.Sum(nil)); got != encoded {
		return fmt.Errorf("its checksum is sha512-%s and should be %s", got, want)
	}
	return nil
}

// unpackLibrary writes the library out of a verified archive to path, synced to disk.
func unpackLibrary(ctx context.Context, archive, path string, progress Progress) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // Only read.
	zip, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	entries := tar.NewReader(zip)
	for {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return errors.New("archive holds no libchdb")
		}
		if err != nil {
			return err
		}
		name := filepath.Base(entry.Name)
		if entry.Typeflag == tar.TypeReg && (name == "libchdb.so" || name == "libchdb.dylib") {
			return writeSynced(path, &meter{ctx: ctx, r: entries, stage: "unpack", total: entry.Size, progress: progress})
		}
	}
}

func writeSynced(path string, from io.Reader) error {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(out, from, make([]byte, 1<<20))
	return errors.Join(err, out.Sync(), out.Close())
}

// syncFolder makes a rename in folder survive a loss of power.
func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return fmt.Errorf("open folder to sync: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}

// meter reports what is read through it, every 8 MiB and at the end, and stops with its context.
type meter struct {
	ctx      context.Context // Of the one copy that the meter serves; nil: not stopped.
	r        io.Reader
	stage    string
	n, told  int64
	total    int64
	progress Progress
}

func (m *meter) Read(p []byte) (int, error) {
	if m.ctx != nil && m.ctx.Err() != nil {
		return 0, m.ctx.Err()
	}
	n, err := m.r.Read(p)
	m.n += int64(n)
	if m.n-m.told >= 8<<20 || (err != nil && m.n != m.told) {
		m.told = m.n
		m.progress(m.stage, m.n, m.total)
	}
	return n, err
}

// folderBytes is the size of all files below folder; what vanishes meanwhile does not count.
func folderBytes(folder string) int64 {
	var sum int64
	_ = filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // The client removes files while they are counted.
		}
		if info, err := d.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	return sum
}
