package embedded

import "golang.org/x/sys/unix"

// machineBytes is the machine's memory; 0 where the system does not tell.
func machineBytes() uint64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0
	}
	return uint64(info.Totalram) * uint64(info.Unit) //nolint:unconvert // The field's type differs by processor.
}
