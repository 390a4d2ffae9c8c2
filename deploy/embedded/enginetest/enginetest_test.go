package enginetest

import (
	"context"
	"fmt"
	"net"
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

// TestFreePorts: a port is nobody else's until its test ends, though its server starts
// later, and is not one that the system hands out meanwhile.
func TestFreePorts(t *testing.T) {
	var port int
	t.Run("held", func(t *testing.T) {
		port = FreePorts(t, 3)[1]
		if port < firstPort || port > lastPort {
			t.Errorf("port %d; want one of %d to %d", port, firstPort, lastPort)
		}
		if holdPort(t, port) {
			t.Errorf("port %d was handed out twice", port)
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatalf("its server cannot listen: %v", err)
		}
		defer func() { _ = l.Close() }()
	})
	if !holdPort(t, port) {
		t.Errorf("port %d is not free after its test", port)
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
