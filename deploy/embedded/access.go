package embedded

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// writable asks the system whether this process may write in a folder, without writing.
func writable(dir string) error { return unix.Access(dir, unix.W_OK|unix.X_OK) }

// leastMachineBytes is the memory that ClickHouse's cap and Kindred itself fit into.
const leastMachineBytes = 1 << 30

// CheckMemory compares the machine's memory with the engine's cap.
func CheckMemory(engine uint64) Finding {
	total := machineBytes()
	f := Finding{Name: "memory", OK: true, Detail: fmt.Sprintf("%s in the machine, clickhouse takes at most %s", megabytes(total), megabytes(engine))}
	if total != 0 && total < engine/2+leastMachineBytes {
		f.OK, f.Fix = false, "lower the memory of the embedded clickhouse, or name a server with KINDRED_CLICKHOUSE_URL"
	}
	return f
}
