package enginetest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// memoryFolder is where Linux keeps files in memory. A test makes some ten thousand small
// ones, and on a disk that costs a third of its processor time, and waits.
const memoryFolder = "/dev/shm"

// memoryNeeded is the least free memory there, many times what tests of two packages fill.
const memoryNeeded = 4 << 30

// inMemory has the folders that tests of this process make be in memory, where there is
// enough, and returns what removes them. Benchmarks stay on the disk, which they measure,
// and TMPDIR says where else to be.
func inMemory() (remove func()) {
	flag.Parse()
	bench := flag.Lookup("test.bench")
	if os.Getenv("TMPDIR") != "" || bench != nil && bench.Value.String() != "" || freeBytes(memoryFolder) < memoryNeeded {
		return func() {}
	}
	removeOrphans()
	dir, err := os.MkdirTemp(memoryFolder, fmt.Sprintf("%s%d-*", memoryPrefix, os.Getpid()))
	if err != nil {
		return func() {}
	}
	_ = os.Setenv("TMPDIR", dir) // It has no other faults than a bad name.
	return func() { _ = os.RemoveAll(dir) }
}

const memoryPrefix = "kindred-test-"

// removeOrphans removes the folders of test processes that were killed: nobody else gives
// their memory back.
func removeOrphans() {
	left, _ := filepath.Glob(filepath.Join(memoryFolder, memoryPrefix+"*")) // The pattern is a constant.
	for _, dir := range left {
		id, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), memoryPrefix), "-")
		pid, err := strconv.Atoi(id)
		if err == nil && pid > 0 && syscall.Kill(pid, 0) == syscall.ESRCH {
			_ = os.RemoveAll(dir)
		}
	}
}

func freeBytes(dir string) uint64 {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0
	}
	return uint64(st.Bavail) * uint64(st.Bsize) //nolint:gosec // Both are counts; their types differ by system.
}
