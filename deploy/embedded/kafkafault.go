package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
)

// fault keeps the first reason why the broker cannot go on.
type fault struct {
	once   sync.Once
	raised chan struct{} // Closed with the first reason.
	err    error         // Read after raised.
}

func newFault() *fault { return &fault{raised: make(chan struct{})} }

func (f *fault) raise(err error) {
	f.once.Do(func() {
		f.err = err
		close(f.raised)
	})
}

// watchedListener tells a listener that fails from one that is closed: the broker itself takes both for a goodbye.
type watchedListener struct {
	net.Listener
	fault *fault
}

func (l *watchedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		l.fault.raise(fmt.Errorf("accept connections on %s: %w", l.Addr(), err))
	}
	return conn, err
}

// brokerLog passes the broker's warnings and errors on, and raises a fault for those about its files: the broker
// only warns when it cannot write (to a full disk, say), and may acknowledge commits that it then forgets.
type brokerLog struct {
	log   *slog.Logger
	fault *fault
}

func (b brokerLog) Logf(level kfake.LogLevel, format string, args ...any) {
	text := strings.TrimSpace(fmt.Sprintf(format, args...))
	for _, prefix := range []string{"persist ", "rebuildSegments ", "compact groups.log", "compact pids.log"} {
		if strings.HasPrefix(text, prefix) {
			b.fault.raise(errors.New(text))
		}
	}
	switch level {
	case kfake.LogLevelError:
		b.log.Error("kafka broker", "says", text)
	case kfake.LogLevelWarn:
		b.log.Warn("kafka broker", "says", text)
	case kfake.LogLevelNone, kfake.LogLevelInfo, kfake.LogLevelDebug:
	}
}
