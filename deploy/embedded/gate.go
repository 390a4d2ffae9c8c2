package embedded

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	helloTimeout  = 10 * time.Second // For the hello to arrive; after it, the same for the addendum.
	acceptPause   = 100 * time.Millisecond
	lingerBytes   = 64 << 10
	lingerTimeout = time.Second
	// gateConnections stays below the engine's max_connections (config.xml), which HTTP has its share of.
	gateConnections = 480
)

// gate listens on the engine's public native port and lets only those clients through to the engine whose hello it
// accepts. An embedded engine aborts when it refuses a hello itself (wrong password, unknown user or database), so
// it must never see a bad one. The engine listens on a free loopback port that changes with every start and that
// Kindred tells nobody; who finds it needs the same credentials there, and can still abort the engine with wrong
// ones. So can a database that is dropped between the gate's look at it and the engine's. Kindred's own address
// leads through the gate, too: so it outlives a restart, and a database that is gone does no harm.
type gate struct {
	listener  *net.TCPListener
	host      string
	httpPort  int
	engine    atomic.Int32 // The engine's private port.
	admission *admission
	log       *slog.Logger
	ctx       context.Context //nolint:containedctx // The life of the gate, which is that of Run.
	cancel    context.CancelFunc
	serving   sync.Once
	running   sync.WaitGroup
}

// newGate takes a listener over; clients wait until open.
func newGate(ctx context.Context, listener *net.TCPListener, cfg ClickHouseConfig, log *slog.Logger) *gate {
	g := &gate{listener: listener, host: cfg.Host, httpPort: cfg.HTTPPort, admission: newAdmission(cfg), log: log}
	g.ctx, g.cancel = context.WithCancel(ctx)
	context.AfterFunc(g.ctx, func() { _ = listener.Close() }) // Wakes Accept; close may have done it.
	return g
}

// open starts to let clients in; later calls change nothing.
func (g *gate) open() {
	g.serving.Do(func() { g.running.Go(g.serve) })
}

// close cuts all connections and waits for their ends.
func (g *gate) close() {
	g.cancel()
	_ = g.listener.Close() // An error means that it is closed.
	g.running.Wait()
}

func (g *gate) serve() {
	slots := make(chan struct{}, gateConnections)
	for {
		select {
		case slots <- struct{}{}:
		case <-g.ctx.Done():
			return
		}
		client, err := g.listener.AcceptTCP()
		if err == nil {
			g.running.Go(func() {
				defer func() { <-slots }()
				g.handle(client)
			})
			continue
		}
		<-slots
		if g.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return
		}
		g.log.Warn("clickhouse port cannot accept a connection", "error", err) // Such as too many open files.
		select {
		case <-time.After(acceptPause):
		case <-g.ctx.Done():
			return
		}
	}
}

// handle sees one connection to its end. A client that the engine cannot be asked about is cut off without a word,
// as a dead engine would do it: clients try again after that.
func (g *gate) handle(client *net.TCPConn) {
	defer func() { _ = client.Close() }()
	defer context.AfterFunc(g.ctx, func() { _ = client.Close() })()
	expiry := time.AfterFunc(helloTimeout, func() { _ = client.Close() })
	var seen bytes.Buffer
	reader := bufio.NewReader(io.TeeReader(client, &seen))
	h, err := readHello(reader)
	if errors.Is(err, errNoHello) {
		g.turnAway(client, seen.Bytes())
		return
	}
	if !expiry.Stop() || err != nil {
		return
	}
	var refused *refusal
	err = g.admission.admit(g.ctx, h)
	if errors.As(err, &refused) {
		g.log.Debug("clickhouse connection refused", "code", refused.code)
		g.dismiss(client, refused.packet())
		return
	}
	if err != nil {
		g.log.Debug("clickhouse connection cut", "error", err)
		return
	}
	g.connect(client, reader, &seen, h.revision)
}

// turnAway answers what is no client of the native protocol.
func (g *gate) turnAway(client *net.TCPConn, seen []byte) {
	var answer []byte
	for _, method := range []string{"GET ", "POST ", "HEAD ", "PUT ", "OPTIONS "} {
		if bytes.HasPrefix(seen, []byte(method)) {
			text := fmt.Sprintf("This port speaks ClickHouse's native protocol. The HTTP interface is on port %d.\n", g.httpPort)
			answer = fmt.Appendf(nil, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
		}
	}
	g.dismiss(client, answer)
}

// dismiss sends a last answer. It reads on for a moment: closing with unread bytes would reset the connection, and
// the answer with it.
func (g *gate) dismiss(client *net.TCPConn, answer []byte) {
	defer time.AfterFunc(lingerTimeout, func() { _ = client.Close() }).Stop()
	if _, err := client.Write(answer); err != nil {
		return
	}
	if err := client.CloseWrite(); err == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(client, lingerBytes)) // Whatever it is, and however it ends.
	}
}

// connect gives the client to the engine. The rest of the handshake goes there in one piece or not at all, for the
// engine aborts on a broken one, but not on a client that leaves.
func (g *gate) connect(client *net.TCPConn, reader *bufio.Reader, seen *bytes.Buffer, revision uint64) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(g.ctx, "tcp", net.JoinHostPort(g.host, strconv.Itoa(int(g.engine.Load()))))
	if err != nil {
		g.log.Debug("clickhouse engine is not there", "error", err)
		return
	}
	engine := conn.(*net.TCPConn)
	defer func() { _ = engine.Close() }()
	defer context.AfterFunc(g.ctx, func() { _ = engine.Close() })()
	if _, err := engine.Write(seen.Next(seen.Len() - reader.Buffered())); err != nil {
		return
	}
	var back sync.WaitGroup
	defer back.Wait()
	back.Go(func() { forward(client, engine) })
	expiry := time.AfterFunc(helloTimeout, func() { _ = client.Close() })
	if err := readAddendum(reader, revision); !expiry.Stop() || err != nil {
		_ = engine.CloseWrite() // The engine has nothing more to say then, and back ends.
		return
	}
	if _, err := engine.Write(seen.Bytes()); err != nil {
		_ = client.Close()
		return
	}
	*seen = bytes.Buffer{} // Its memory is not needed for the life of the connection.
	forward(engine, client)
}

// forward copies until from ends, and passes the end on; after a failure both are closed, which ends the other
// direction, too.
func forward(to, from *net.TCPConn) {
	_, err := io.Copy(to, from)
	if err == nil {
		err = to.CloseWrite()
	}
	if err != nil {
		_ = to.Close()
		_ = from.Close()
	}
}
