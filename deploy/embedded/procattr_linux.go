package embedded

import "syscall"

// childAttributes puts the engine into a process group of its own, so that a Ctrl-C in the terminal does not reach
// it before its parent has finished with it, and has the kernel tell it when the parent dies.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
