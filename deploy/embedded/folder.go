package embedded

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// lockFile is the file in a data folder that a running kindred keeps locked; it holds its process id.
const lockFile = "kindred.lock"

// prepareFolder makes the folder and proves that it can be written and has room.
func prepareFolder(dir string, minFree uint64) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data folder %s cannot be made: %w; choose another with --data", dir, err)
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return fmt.Errorf("data folder %s is not writable: %w; change its owner or choose another with --data", dir, err)
	}
	_, err = probe.Write([]byte("x"))
	err = errors.Join(err, probe.Close(), os.Remove(probe.Name()))
	if err != nil {
		return fmt.Errorf("data folder %s cannot be written: %w; free some space or choose another with --data", dir, err)
	}
	free, err := freeBytes(dir)
	if err != nil {
		return fmt.Errorf("free space of data folder %s: %w", dir, err)
	}
	if free < minFree {
		return fmt.Errorf("data folder %s has %s free and needs %s; free some space or choose another with --data",
			dir, megabytes(free), megabytes(minFree))
	}
	return nil
}

// freeBytes is the space that an ordinary user can still fill on the file system of dir.
func freeBytes(dir string) (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return uint64(st.Bavail) * uint64(st.Bsize), nil //nolint:gosec // Both are counts; their types differ by system.
}

func megabytes(n uint64) string { return strconv.FormatUint(n>>20, 10) + " MiB" }

// folderLock is held on a data folder. The lock belongs to the open file, not to the process: the engine's child
// inherits it, so a folder stays locked until the child of a killed process is gone too.
type folderLock struct{ file *os.File }

// lockFolder locks dir, waiting for at most patience. The wait is for the engine of a process that was killed and
// ends within moments; a living process that holds the folder is reported at once.
func lockFolder(ctx context.Context, dir string, patience time.Duration) (*folderLock, error) {
	path := filepath.Join(dir, lockFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock of data folder: %w", err)
	}
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return ownLock(f)
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock data folder %s: %w", dir, err), f.Close())
		}
		if pid := lockOwner(path); pid != 0 && processAlive(pid) {
			return nil, errors.Join(fmt.Errorf("data folder %s is in use by process %d; stop that kindred or choose another folder with --data", dir, pid), f.Close())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("lock data folder %s: %w", dir, ctx.Err()), f.Close())
		case <-deadline.C:
			return nil, errors.Join(fmt.Errorf("data folder %s is still held by the engine of a process that was killed; end it or choose another folder with --data", dir), f.Close())
		}
	}
}

// ownLock writes this process's id into the lock file for the message that the next one gives.
func ownLock(f *os.File) (*folderLock, error) {
	err := f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write lock of data folder: %w", err), f.Close())
	}
	return &folderLock{file: f}, nil
}

// Release gives the folder up. It stays locked while an engine that inherited the lock lives.
func (l *folderLock) Release() { _ = l.file.Close() } // Nothing depends on it: the system closes it anyway.

// folderUser is the process that holds dir's lock; 0 when it is free. It changes nothing.
func folderUser(dir string) int {
	path := filepath.Join(dir, lockFile)
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }() // Gives up the shared lock.
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return lockOwner(path)
	}
	return 0
}

func lockOwner(path string) int {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	return pid
}

// processAlive tells whether a process runs. One that was killed and not yet waited for by its parent does not.
func processAlive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return (err == nil || errors.Is(err, syscall.EPERM)) && !isZombie(pid)
}

// isZombie reads the state, the first field after the name in parentheses, where the system has /proc.
func isZombie(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	after := text[bytes.LastIndexByte(text, ')')+1:]
	return bytes.HasPrefix(bytes.TrimSpace(after), []byte("Z"))
}

// keptPassword reads the password in path, or makes a random one and keeps it there for the owner only.
func keptPassword(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err == nil && len(b) >= 16 {
		return strings.TrimSpace(string(b)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read kept password: %w", err)
	}
	password := randomText()
	if err := writeFile(path, password+"\n"); err != nil {
		return "", fmt.Errorf("keep password: %w", err)
	}
	return password, nil
}

// randomText is 128 random bits as text.
func randomText() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // Never fails, by its documentation.
	return hex.EncodeToString(b[:])
}

// writeFile replaces path in one step, readable by the owner only.
func writeFile(path, content string) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // Mode 0600.
	if err != nil {
		return err
	}
	_, err = tmp.WriteString(content)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
