package embedded

import "golang.org/x/sys/unix"

// machineBytes is the machine's memory; 0 where the system does not tell.
func machineBytes() uint64 {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return 0
	}
	return n
}
