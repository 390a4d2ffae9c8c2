package embedded

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// writable asks the system whether this process may write in a folder, without writing.
func writable(dir string) error { return unix.Access(dir, unix.W_OK|unix.X_OK) }

// leastMachineBytes is the memory that ClickHouse's cap and Kindred itself fit into.
const leastMachineBytes = 1 << 30

// MachineBytes is the memory of the machine, or of the container that this runs in; 0 where
// that is not known.
func MachineBytes() uint64 { return machineBytes() }

// CheckMemory compares the machine's memory with the engine's cap.
func CheckMemory(engine uint64) Finding {
	total := machineBytes()
	f := Finding{Name: "memory", OK: true, Detail: fmt.Sprintf("%s in the machine, clickhouse takes at most %s", megabytes(total), megabytes(engine))}
	if total != 0 && total < engine/2+leastMachineBytes {
		f.OK, f.Fix = false, "lower the memory of the embedded clickhouse, or name a server with KINDRED_CLICKHOUSE_URL"
	}
	return f
}

// CheckCache tells whether the machine has the memory for the profiles that an API process keeps at hand, and more
// for the work itself.
func CheckCache(cache uint64) Finding { return checkCache(cache, machineBytes()) }

func checkCache(cache, total uint64) Finding {
	f := Finding{Name: "profile cache", OK: true, Detail: megabytes(cache) + " at most in an API process"}
	if total != 0 && cache > total/2 {
		f.OK, f.Detail, f.Fix = false, f.Detail+", of "+megabytes(total)+" in the machine", "lower cache-memory to less than half of that"
	}
	return f
}
