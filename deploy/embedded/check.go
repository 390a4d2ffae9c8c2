package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Finding is one thing that was looked at: whether it is in order, what was seen, and what to do about it.
type Finding struct {
	Name   string // Such as "clickhouse library"; stable, for scripts.
	OK     bool
	Detail string // What was seen.
	Fix    string // What to do; empty when OK.
}

// checkTimeout bounds one outside program that a check asks.
const checkTimeout = 5 * time.Second

// Check looks at all that the embedded engines of these configurations need, without starting or changing anything.
// The ports of a running kindred are findings, too. lib is the library that clickhouse would be started with.
func Check(ctx context.Context, lib Library, clickhouse ClickHouseConfig, kafka KafkaConfig) []Finding {
	findings := []Finding{CheckPlatform(lib), CheckLibrary(lib)}
	if !findings[1].OK {
		findings = append(findings, CheckClient(ctx, lib))
	}
	return append(findings,
		CheckPort("clickhouse native port", clickhouse.Host, clickhouse.TCPPort),
		CheckPort("clickhouse http port", clickhouse.Host, clickhouse.HTTPPort),
		CheckPort("kafka port", kafka.Host, kafka.Port),
		CheckFolder("clickhouse data folder", clickhouse.DataDir, clickhouse.MinFreeBytes),
		CheckFolder("kafka data folder", kafka.DataDir, kafka.MinFreeBytes),
		CheckMemory(clickhouse.MemoryBytes),
	)
}

// CheckPlatform tells whether there is an engine for this machine, and what the embedded one cannot do.
func CheckPlatform(lib Library) Finding {
	platform := lib.Platform
	if platform == "" {
		platform = runtime.GOOS + "/" + runtime.GOARCH
	}
	f := Finding{Name: "platform", Detail: platform + ", embedded ClickHouse " + LibraryVersion +
		" (without Replicated tables, ON CLUSTER and CREATE USER: those need a ClickHouse server)"}
	_, f.OK = enginePackages()[platform]
	if !f.OK {
		f.Detail = "there is no embedded ClickHouse for " + platform
		f.Fix = "set KINDRED_CLICKHOUSE_URL=clickhouse://user:pass@host:9000/db to a running server"
	}
	return f
}

// CheckLibrary tells where the engine's library is.
func CheckLibrary(lib Library) Finding {
	path, err := lib.Find()
	if err != nil {
		fix := "it is fetched at the first start; or set KINDRED_CLICKHOUSE_LIB or KINDRED_CLICKHOUSE_URL"
		if lib.Path != "" {
			fix = "correct KINDRED_CLICKHOUSE_LIB or leave it empty"
		}
		return Finding{Name: "clickhouse library", Detail: err.Error(), Fix: fix}
	}
	return Finding{Name: "clickhouse library", OK: true, Detail: path}
}

// CheckClient tells whether Node.js and npm are there, which fetch the library.
func CheckClient(ctx context.Context, lib Library) Finding {
	client := lib.Client
	if client == "" {
		client = "npm"
	}
	const fix = "install Node.js, which brings npm"
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	var seen []string
	for _, program := range []string{"node", client} {
		path, err := exec.LookPath(program)
		if err != nil {
			return Finding{Name: "node and npm", Detail: program + " was not found in PATH", Fix: fix}
		}
		out, err := exec.CommandContext(ctx, path, "--version").Output() //nolint:gosec // A program named by configuration.
		if err != nil {
			return Finding{Name: "node and npm", Detail: fmt.Sprintf("%s does not run: %v", path, err), Fix: fix}
		}
		seen = append(seen, program+" "+strings.TrimSpace(string(out)))
	}
	return Finding{Name: "node and npm", OK: true, Detail: strings.Join(seen, ", ")}
}

// CheckPort tells whether a port is free, and who has it otherwise.
func CheckPort(name, host string, port int) Finding {
	address := net.JoinHostPort(host, strconv.Itoa(port))
	if _, err := claimPort(name, host, port); err != nil {
		return Finding{Name: name, Detail: err.Error(), Fix: "stop that process or use --port-offset N"}
	}
	return Finding{Name: name, OK: true, Detail: address + " is free"}
}

// CheckFolder tells whether a data folder can be written, has room and is not in use. It writes nothing: a folder
// that is not there yet is judged by the nearest one above it.
func CheckFolder(name, dir string, minFree uint64) Finding {
	there, err := nearestFolder(dir)
	if err != nil {
		return Finding{Name: name, Detail: err.Error(), Fix: "choose another folder with --data"}
	}
	if err := writable(there); err != nil {
		return Finding{Name: name, Detail: fmt.Sprintf("%s is not writable: %v", there, err), Fix: "change its owner or choose another with --data"}
	}
	free, err := freeBytes(there)
	if err != nil {
		return Finding{Name: name, Detail: fmt.Sprintf("free space of %s: %v", there, err), Fix: "choose another folder with --data"}
	}
	detail := fmt.Sprintf("%s, %s free", dir, megabytes(free))
	if free < minFree {
		return Finding{Name: name, Detail: detail + ", needs " + megabytes(minFree), Fix: "free some space or choose another with --data"}
	}
	if pid := folderUser(dir); pid != 0 {
		return Finding{Name: name, Detail: fmt.Sprintf("%s, in use by process %d", detail, pid), Fix: "stop that kindred or choose another with --data"}
	}
	return Finding{Name: name, OK: true, Detail: detail}
}

// nearestFolder is dir, or the first folder above it that exists.
func nearestFolder(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for {
		info, err := os.Stat(dir)
		switch {
		case err == nil && info.IsDir():
			return dir, nil
		case err == nil:
			return "", fmt.Errorf("%s is not a folder", dir)
		case !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir):
			return "", err
		}
		dir = filepath.Dir(dir)
	}
}
