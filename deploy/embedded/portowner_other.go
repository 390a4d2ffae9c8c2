//go:build !linux

package embedded

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// portOwner describes the process that listens on a TCP port, as " by process 42 (name)", or is empty where it
// cannot be told.
func portOwner(port int) string {
	out, err := exec.Command("lsof", "-nP", "-iTCP:"+strconv.Itoa(port), "-sTCP:LISTEN", "-Fpc").Output()
	if err != nil {
		return ""
	}
	var pid, name string
	for _, line := range strings.Split(string(out), "\n") {
		if rest, ok := strings.CutPrefix(line, "p"); ok && pid == "" {
			pid = rest
		}
		if rest, ok := strings.CutPrefix(line, "c"); ok && name == "" {
			name = rest
		}
	}
	if pid == "" {
		return ""
	}
	return fmt.Sprintf(" by process %s (%s)", pid, name)
}
