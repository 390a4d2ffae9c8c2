package graph

import (
	"syscall"
	"unsafe"
)

// adviseLarge says that memory at and around an address is best in large pages, where
// the system gives these to whoever asks. It is advice: if it cannot be taken, nothing
// is lost but time.
func adviseLarge(at unsafe.Pointer, size uintptr) {
	from := uintptr(at) &^ (largePage - 1)
	to := (uintptr(at) + size + largePage - 1) &^ (largePage - 1)
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, from, to-from, syscall.MADV_HUGEPAGE)
}
