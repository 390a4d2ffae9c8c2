package activation

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// verdict is what became of an attempt.
type verdict struct {
	ok bool
	// lasting says that trying again would not help.
	lasting bool
	// after is how long the receiver asks to be left alone; all says that it does so
	// for whatever is sent.
	after  time.Duration
	all    bool
	reason string // rejected, unreachable, …: a word of Kindred's own
	status int
	answer string // personal
}

// Reasons of failures.
const (
	reasonRejected    = "rejected"    // the receiver does not want it
	reasonExhausted   = "exhausted"   // tried as often as it is to be
	reasonIncomplete  = "incomplete"  // the receiver needs what is not known
	reasonAddress     = "address"     // the address may not be called
	reasonUnreachable = "unreachable" // nobody answers
	reasonBusy        = "busy"        // the receiver asks to wait
	reasonServer      = "server"      // an error of the receiver
	reasonRedirect    = "redirect"    // the receiver is elsewhere
	reasonSecret      = "secret"      // a secret cannot be opened
)

const (
	maxAnswer = 500      // bytes of an answer that a letter keeps
	maxRead   = 64 << 10 // bytes of an answer that are read, to use the connection again
	maxAfter  = 24 * time.Hour
)

// newClient returns what posts messages. It follows no redirect: whoever may be called
// could otherwise send a delivery to whoever may not.
func newClient(allowPrivate bool, timeout time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	if !allowPrivate {
		dialer.Control = onlyPublic
	}
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: 32, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post sends a message.
func post(ctx context.Context, client *http.Client, m *message, secret http.Header, signature string, now time.Time) verdict {
	request, err := http.NewRequestWithContext(ctx, m.method, m.url, bytes.NewReader(m.body))
	if err != nil {
		return verdict{lasting: true, reason: reasonAddress}
	}
	request.Header = m.header.Clone()
	for name, values := range secret {
		request.Header[name] = values
	}
	request.Header.Set(headerSignature, signature)
	answer, err := client.Do(request)
	switch {
	case errors.Is(err, errAddress):
		return verdict{lasting: true, reason: reasonAddress}
	case err != nil:
		return verdict{reason: reasonUnreachable}
	}
	defer func() { _ = answer.Body.Close() }()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxRead)) // The status counts, not what follows.
	return judge(answer, text, now)
}

// judge says what an answer means.
func judge(answer *http.Response, text []byte, now time.Time) verdict {
	v := verdict{status: answer.StatusCode}
	if v.ok = v.status/100 == 2; v.ok {
		return v
	}
	v.answer = cut(strings.ToValidUTF8(string(text[:min(len(text), maxAnswer+utf8.UTFMax)]), "\uFFFD"), maxAnswer)
	v.after = retryAfter(answer.Header.Get("Retry-After"), now)
	switch s := v.status; {
	case s == http.StatusTooManyRequests:
		v.reason, v.all = reasonBusy, true
	case s == http.StatusRequestTimeout, s == http.StatusTooEarly:
		v.reason = reasonBusy
	case s == http.StatusServiceUnavailable:
		v.reason, v.all = reasonServer, v.after > 0
	case s >= http.StatusInternalServerError:
		v.reason = reasonServer
	case s/100 == 3:
		v.lasting, v.reason = true, reasonRedirect
	default:
		v.lasting, v.reason = true, reasonRejected
	}
	return v
}

// retryAfter reads the header of that name: seconds, or a date.
func retryAfter(text string, now time.Time) time.Duration {
	if text == "" {
		return 0
	}
	var after time.Duration
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		after = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		after = at.Sub(now)
	}
	return min(max(after, 0), maxAfter)
}
