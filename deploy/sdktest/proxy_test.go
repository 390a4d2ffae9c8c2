package sdktest

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
)

// lossy is a network that loses answers: the server has taken the request in,
// and the client does not hear of it and sends it again.
type lossy struct {
	*httptest.Server
	posts, lost atomic.Int64
	losing      atomic.Bool // Set once the scenario is through, whose times and console must be clean.
}

var errLost = errors.New("the answer is lost")

// loseEvery is how often an answer to a call is lost.
const loseEvery = 6

func newLossy(t *testing.T, api string) *lossy {
	t.Helper()
	target, err := url.Parse("http://" + api)
	if err != nil {
		t.Fatal(err)
	}
	l := &lossy{}
	l.Server = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // The settings tell clients the name that they used.
		},
		ModifyResponse: func(r *http.Response) error {
			if r.Request.Method == http.MethodPost && l.losing.Load() && r.StatusCode == http.StatusOK && l.posts.Add(1)%loseEvery == loseEvery-1 {
				l.lost.Add(1)
				return errLost
			}
			return nil
		},
		// A server that is down refuses connections, and so does its network.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:     discard,
	})
	l.Config.ErrorLog = discard
	t.Cleanup(l.Close)
	return l
}

// check holds that answers were lost, so that the client had to send again.
func (l *lossy) check(t *testing.T) {
	t.Helper()
	if l.lost.Load() == 0 {
		t.Errorf("none of the answers to %d calls was lost", l.posts.Load())
	}
	t.Logf("%d of the answers to %d calls were lost", l.lost.Load(), l.posts.Load())
}

// discard swallows what net/http says about connections that were cut.
var discard = log.New(io.Discard, "", 0)
