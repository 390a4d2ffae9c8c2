package sdktest

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

// stream is the number of events that each client sends while the server is
// killed and started again.
const stream = 200

// write keys, each with a source of its own, and a key that reads.
const keys = "write/segment-node:main:key-segment-node,write/rudder-node:main:key-rudder-node," +
	"write/browser:main:key-browser,write/browser-batch:main:key-browser-batch,read:main:key-read"

func TestOfficialClients(t *testing.T) {
	if os.Getenv("KINDRED_TEST_SDK") != "1" {
		t.Skip("make test-sdk runs the official clients")
	}
	folder := clientsFolder(t)
	s := newServer(t, keys)
	store := &stored{t: t, conn: s.open()}

	for _, node := range []struct{ source, script, anonymous string }{
		{"segment-node", "segment-node.mjs", "7d444840-9dc0-11d1-b245-5ffdce74fad2"},
		{"rudder-node", "rudder-node.mjs", "7d444840-9dc0-11d1-b245-5ffdce74fad3"},
	} {
		t.Run(node.source, func(t *testing.T) {
			way := newLossy(t, s.api)
			c := run(t, folder, node.script, "HOST="+way.URL, "WRITE_KEY=key-"+node.source, "PREFIX="+node.source, "ANONYMOUS_ID="+node.anonymous, "STREAM="+itoa(stream))
			c.reach("scenario", time.Minute)
			way.losing.Store(true)
			interrupt(t, s, c)
			c.reach("end", 3*time.Minute)
			want := expectation{source: node.source, prefix: node.source, anonymous: node.anonymous, server: true}
			store.on(t).check(want)
			checkProfile(t, s, want)
			way.check(t)
		})
	}

	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("chromium: %v; on Debian: apt-get install chromium", err)
	}
	for _, browser := range []struct{ source, batching string }{{"browser", ""}, {"browser-batch", "1"}} {
		t.Run(browser.source, func(t *testing.T) {
			// A visitor whose clock is an hour fast.
			skew := time.Hour
			way := newLossy(t, s.api)
			c := run(t, folder, "browser.mjs", "HOST="+way.URL, "WRITE_KEY=key-"+browser.source, "PREFIX="+browser.source, "STREAM="+itoa(stream),
				"BATCHING="+browser.batching, "CHROMIUM="+chromium, "SKEW_MS="+itoa(int(skew.Milliseconds())), "SCREENSHOT="+os.Getenv("KINDRED_TEST_SCREENSHOT"))
			page := c.reach("scenario", time.Minute)
			checkConsole(t, c)
			way.losing.Store(true)
			interrupt(t, s, c)
			c.reach("end", 3*time.Minute)
			want := expectation{source: browser.source, prefix: browser.source, anonymous: page.AnonymousID, skew: skew}
			store.on(t).check(want)
			checkProfile(t, s, want)
			way.check(t)
		})
	}
	store.on(t).noDeadLetters()
}

// interrupt kills the server in the middle of the stream, leaves the client
// alone for a while, and starts the server again.
func interrupt(t *testing.T, s *server, c *client) {
	t.Helper()
	c.reach("stream", time.Minute)
	s.kill()
	pause := time.NewTimer(1500 * time.Millisecond)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-t.Context().Done():
	}
	s.start()
}

// checkConsole holds that the browser had nothing to complain about so far: no
// origin refused, no request failed, no warning.
func checkConsole(t *testing.T, c *client) {
	t.Helper()
	for _, line := range c.said() {
		if line.Console != "" || line.Failed != "" || line.Status != 0 {
			t.Errorf("the browser complains: %+v", line)
		}
	}
}
