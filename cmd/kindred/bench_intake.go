package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

// httpLoad sends batches over connections that stay open, one request at a time
// each. It writes its requests by hand, so that the generator takes little of
// the processor time that it shares with what it measures.
type httpLoad struct {
	address     string
	traffic     traffic
	connections int
	batch       int // events in a request; 1 uses the call for single events
	// rate is the number of events a second to begin, 0 as many as are answered.
	rate float64
	key  string        // API key; write-dev when empty
	next atomic.Uint64 // number of the next event

	mu        sync.Mutex
	latencies []time.Duration // Protected by mu.
	acked     atomic.Uint64
	busy      atomic.Uint64 // answers 429 and 503
}

// run sends until ctx ends, and returns after the last answer.
func (l *httpLoad) run(ctx context.Context) error {
	g := new(errgroup.Group)
	start := now()
	for range l.connections {
		g.Go(func() error { return l.connection(ctx, start) })
	}
	return g.Wait()
}

func (l *httpLoad) connection(ctx context.Context, start time.Time) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.address)
	if err != nil {
		return fmt.Errorf("connect to the API: %w", err)
	}
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	var body, head []byte
	var latencies []time.Duration
	defer func() {
		l.mu.Lock()
		l.latencies = append(l.latencies, latencies...)
		l.mu.Unlock()
	}()
	for ctx.Err() == nil {
		first := l.next.Add(uint64(l.batch)) - uint64(l.batch)
		due := now()
		if l.rate > 0 {
			// An open loop: a request that begins late counts from when it was due.
			due = start.Add(time.Duration(float64(first) / l.rate * float64(time.Second)))
			if wait := due.Sub(now()); wait > 0 {
				timer := time.NewTimer(wait)
				select {
				case <-ctx.Done():
				case <-timer.C:
				}
				timer.Stop()
			}
			if ctx.Err() != nil {
				return nil
			}
		}
		body = l.body(body[:0], first)
		path := "/v1/batch"
		if l.batch == 1 {
			path = "/v1/track"
		}
		head = fmt.Appendf(head[:0], "POST %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, cmp.Or(l.key, "write-dev"), len(body))
		for {
			status, err := exchange(conn, in, head, body)
			if err != nil {
				return err
			}
			if status == http.StatusOK {
				break
			}
			if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
				return fmt.Errorf("the API answered %d", status)
			}
			l.busy.Add(1)
			time.Sleep(100 * time.Millisecond)
		}
		latencies = append(latencies, now().Sub(due))
		l.acked.Add(uint64(l.batch))
	}
	return nil
}

func (l *httpLoad) body(dst []byte, first uint64) []byte {
	if l.batch == 1 {
		return l.traffic.segment(dst, first)
	}
	dst = append(dst, `{"sentAt":"`...)
	dst = now().UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	dst = append(dst, `","batch":[`...)
	for i := range l.batch {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = l.traffic.segment(dst, first+uint64(i))
	}
	return append(dst, `]}`...)
}

var errAnswer = errors.New("the API's answer is not HTTP")

// exchange sends one request and reads its answer whole. It reads no more of
// the head than it needs: the generator shares the cores.
func exchange(conn net.Conn, in *bufio.Reader, head, body []byte) (status int, err error) {
	if _, err := (&net.Buffers{head, body}).WriteTo(conn); err != nil {
		return 0, fmt.Errorf("send to the API: %w", err)
	}
	length := -1
	for line, first := []byte(nil), true; ; first = false {
		if line, err = in.ReadSlice('\n'); err != nil {
			return 0, fmt.Errorf("%w: %w", errAnswer, err)
		}
		switch {
		case first && len(line) > 12:
			status, _ = strconv.Atoi(string(line[9:12]))
		case bytes.HasPrefix(line, []byte("Content-Length: ")):
			length, _ = strconv.Atoi(string(bytes.TrimSpace(line[16:])))
		case len(line) <= 2:
			if length < 0 || status == 0 {
				return 0, errAnswer
			}
			_, err = in.Discard(length)
			return status, err
		}
	}
}

// quantile of the latencies so far.
func (l *httpLoad) quantile(q float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.latencies) == 0 {
		return 0
	}
	slices.Sort(l.latencies)
	return l.latencies[min(len(l.latencies)-1, int(q*float64(len(l.latencies))))]
}

func benchIntakeCommand() *cobra.Command {
	var seconds int
	cmd := &cobra.Command{
		Use:   "intake",
		Short: "Events a second that the HTTP intake acknowledges durably, with ingest paused",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := benchIntake(cmd, time.Duration(seconds)*time.Second)
			return err
		},
	}
	cmd.Flags().IntVar(&seconds, "seconds", 20, "length of each of the three measurements")
	return cmd
}

// benchIntake returns the events a second in batches of 100.
func benchIntake(cmd *cobra.Command, length time.Duration) (rate float64, err error) {
	nothing := func(context.Context, *bench) error { return nil }
	err = runBench(cmd, roleSet{roleAPI, roleBroker, roleClickHouse}, nothing, func(ctx context.Context, b *bench) error {
		took, err := b.syncTime()
		if err != nil {
			return err
		}
		b.out("the disk makes 4 KiB durable in %.2f ms; the broker syncs before it acknowledges", float64(took.Microseconds())/1000)
		if rate, err = b.intake(ctx, 32, 100, length, "batches"); err != nil {
			return err
		}
		if _, err = b.intake(ctx, 32, 1, length, "singles"); err != nil {
			return err
		}
		_, err = b.intake(ctx, 256, 1, length, "many")
		return err
	})
	return rate, err
}

func (b *bench) intake(ctx context.Context, connections, batch int, length time.Duration, source string) (rate float64, err error) {
	l := &httpLoad{address: b.api, connections: connections, batch: batch, traffic: traffic{people: 100_000, begin: now().Add(-time.Hour), source: source}}
	timed, stop := context.WithTimeout(ctx, length)
	defer stop()
	own, _ := processor()
	start := now()
	if err := l.run(timed); err != nil {
		return 0, err
	}
	took := now().Sub(start).Seconds()
	own2, _ := processor()
	acked := l.acked.Load()
	b.out("intake: %d events in batches of %d over %d connections in %.1f s: %.0f events/s, p50 %.1f ms, p99 %.1f ms, %d busy answers, %.1f µs of processor time an event",
		acked, batch, connections, took, float64(acked)/took, l.quantile(.5).Seconds()*1000, l.quantile(.99).Seconds()*1000, l.busy.Load(), (own2-own)/float64(acked)*1e6)
	return float64(acked) / took, nil
}
