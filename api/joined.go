package api

import (
	"bytes"
	"context"
	"net"
)

// joined is a connection that sends an answer of some kilobytes at once. net/http writes
// into a buffer of 4 KiB, so that a view goes in two or three pieces, each of which costs
// a call of the system here and may wake the reader. Only the goroutine that serves the
// connection writes to it.
type joined struct {
	net.Conn
	body int    // bytes of the body of the answer that comes next, 0 for as it comes
	held []byte // of that answer
}

// CloseWrite lets net/http say that nothing more comes, as it does for a TCP connection.
func (w *joined) CloseWrite() error {
	if c, ok := w.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// Answers between these lengths are held together. Smaller ones go at once as they are.
const (
	leastJoined = 2 << 10
	mostJoined  = 64 << 10
)

const (
	maxJoinedHead = 16 << 10 // of an answer that is held back
	maxJoinedKept = 16 << 10 // of the room for the next one
)

type contextJoined struct{}

// joinedListener makes the connections that it accepts joined.
type joinedListener struct{ net.Listener }

// Accept implements net.Listener.
func (l joinedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &joined{Conn: conn}, nil
}

// withConnection lets handlers find the connection of a request.
func withConnection(ctx context.Context, conn net.Conn) context.Context {
	if w, ok := conn.(*joined); ok {
		return context.WithValue(ctx, contextJoined{}, w)
	}
	return ctx
}

// expect says that the handler is about to write the whole body of an answer, of so many
// bytes, whose head was not written yet and says its length.
func expect(ctx context.Context, n int) {
	if n < leastJoined || n > mostJoined {
		return
	}
	if w, ok := ctx.Value(contextJoined{}).(*joined); ok {
		w.body = n
	}
}

// Write implements net.Conn. What is held back was written as far as the caller can
// tell; where it cannot be sent, the write that completes it fails.
func (w *joined) Write(p []byte) (int, error) {
	if w.body == 0 {
		return w.Conn.Write(p)
	}
	w.held = append(w.held, p...)
	head := bytes.Index(w.held, []byte("\r\n\r\n"))
	if head < 0 && len(w.held) < maxJoinedHead || head >= 0 && len(w.held) < head+4+w.body {
		return len(p), nil
	}
	w.body = 0
	_, err := w.Conn.Write(w.held)
	if w.held = w.held[:0]; cap(w.held) > maxJoinedKept {
		w.held = nil
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}
