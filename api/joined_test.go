package api

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
)

// countedConn counts what is written to a connection.
type countedConn struct {
	net.Conn
	writes *atomic.Int64
}

func (c countedConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

type countedListener struct {
	net.Listener
	writes *atomic.Int64
}

func (l countedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return countedConn{conn, l.writes}, err
}

// TestAnswersInOnePiece: answers of any length, one after the other on one connection,
// arrive as they were written, and those between the bounds in one piece, also where the
// end of one is that of a buffer of net/http.
func TestAnswersInOnePiece(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var writes atomic.Int64
	text := bytes.Repeat([]byte("0123456789abcdef"), 8<<10)
	server := &http.Server{ConnContext: withConnection, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		w.Header().Set("Content-Length", strconv.Itoa(n))
		expect(r.Context(), n)
		_, _ = w.Write(text[:n])
	})}
	done := make(chan error)
	go func() { done <- server.Serve(joinedListener{countedListener{listener, &writes}}) }()
	defer func() { _ = server.Close(); <-done }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	lengths := []int{0, 1, leastJoined - 1, leastJoined, leastJoined + 1, mostJoined - 1, mostJoined, mostJoined + 1, len(text)}
	for n := 3500; n < 4300; n++ { // With the head, more and less than 4 KiB.
		lengths = append(lengths, n, n+4096)
	}
	for _, n := range lengths {
		before := writes.Load()
		if _, err := fmt.Fprintf(conn, "GET /?n=%d HTTP/1.1\r\nHost: x\r\n\r\n", n); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil || !bytes.Equal(body, text[:n]) {
			t.Fatalf("%d bytes: %d came, %v", n, len(body), err)
		}
		if w := writes.Load() - before; n >= leastJoined && n <= mostJoined && w != 1 {
			t.Fatalf("%d bytes came in %d pieces", n, w)
		}
	}
}
