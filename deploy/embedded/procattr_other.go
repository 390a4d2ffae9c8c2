//go:build !linux

package embedded

import "syscall"

// childAttributes puts the engine into a process group of its own, so that a Ctrl-C in the terminal does not reach
// it before its parent has finished with it. The end of standard input tells it when the parent dies.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
