package embedded

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"github.com/ebitengine/purego"
)

// engineLibrary is an open libchdb: the three functions of its C interface that a server needs.
type engineLibrary struct {
	setSignalHandlers func(enabled bool)
	queryCommandLine  func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	resultError       func(result unsafe.Pointer) string
}

// openLibrary loads the engine without cgo.
func openLibrary(path string) (*engineLibrary, error) {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return nil, fmt.Errorf("load engine library %s: %w; name another with KINDRED_CLICKHOUSE_LIB", path, err)
	}
	lib := &engineLibrary{}
	for name, target := range map[string]any{
		"chdb_set_signal_handlers_enabled": &lib.setSignalHandlers,
		"chdb_query_cmdline":               &lib.queryCommandLine,
		"chdb_result_error":                &lib.resultError,
	} {
		symbol, err := purego.Dlsym(handle, name)
		if err != nil {
			return nil, fmt.Errorf("engine library %s is not libchdb %s: %w", path, LibraryVersion, err)
		}
		purego.RegisterFunc(target, symbol)
	}
	return lib, nil
}

// run gives the engine its command line and blocks until its script ends.
func (l *engineLibrary) run(args []string) error {
	l.setSignalHandlers(false) // Go's handlers stay in place: a crash prints Go's and C's stacks.
	var pin runtime.Pinner
	defer pin.Unpin()
	argv := make([]*byte, len(args)+1) // C's argv ends with a nil.
	for i, a := range args {
		text := append([]byte(a), 0)
		pin.Pin(&text[0])
		argv[i] = &text[0]
	}
	pin.Pin(&argv[0])
	result := l.queryCommandLine(int32(len(args)), unsafe.Pointer(&argv[0])) //nolint:gosec // A handful of arguments.
	if result == nil {
		return nil
	}
	if text := l.resultError(result); text != "" {
		return errors.New(strings.TrimSpace(text))
	}
	return nil
}
