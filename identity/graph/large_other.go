//go:build !linux

package graph

import "unsafe"

// adviseLarge does nothing: elsewhere the system decides for itself.
func adviseLarge(unsafe.Pointer, uintptr) {}
