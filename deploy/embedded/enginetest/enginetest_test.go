package enginetest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	clickhouse "github.com/ClickHouse/clickhouse-go/v2"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestClickHouse(t *testing.T) {
	options, err := clickhouse.ParseDSN(ClickHouse(t))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var n uint64
	if err := conn.QueryRow(context.Background(), "SELECT count() FROM numbers(10)").Scan(&n); err != nil || n != 10 {
		t.Errorf("count = %d, %v; want 10", n, err)
	}
}

// TestFoldersInMemory: tests make their folders in memory where there is enough, and what
// a killed process has left there goes with the next.
func TestFoldersInMemory(t *testing.T) {
	if freeBytes(memoryFolder) < memoryNeeded {
		t.Skip("too little memory")
	}
	t.Setenv("TMPDIR", "")
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Skip(err)
	}
	orphan := filepath.Join(memoryFolder, fmt.Sprint(memoryPrefix, gone.Process.Pid, "-1"))
	if err := os.MkdirAll(orphan, 0o700); err != nil {
		t.Fatal(err)
	}
	remove := inMemory()
	dir := os.TempDir()
	if !strings.HasPrefix(dir, memoryFolder+"/") || !exists(dir) {
		t.Errorf("folders are in %s", dir)
	}
	if exists(orphan) {
		t.Error("what a killed process left is there")
	}
	if remove(); exists(dir) {
		t.Error("the folder stays")
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
