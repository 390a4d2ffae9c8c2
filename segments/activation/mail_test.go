package activation_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/segments/activation"
)

// mailServer speaks as much SMTP as is needed, and keeps what it gets.
type mailServer struct {
	net.Listener
	certificate tls.Certificate
	roots       *x509.CertPool
	plain       bool // offers no STARTTLS
	mu          sync.Mutex
	refuse      string // answer to RCPT, in place of 250
	got         []mailed
}

type mailed struct {
	auth, from, to, text string
	secure               bool
}

func newMailServer(t *testing.T) *mailServer {
	web := httptest.NewTLSServer(http.NotFoundHandler()) // For its certificate, which is for 127.0.0.1.
	defer web.Close()
	s := &mailServer{certificate: web.TLS.Certificates[0], roots: x509.NewCertPool()}
	s.roots.AddCert(web.Certificate())
	var err error
	if s.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			conn, err := s.Accept()
			if err != nil {
				return
			}
			wait.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = s.Close(); wait.Wait() })
	return s
}

func (s *mailServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	s.mu.Lock()
	plain := s.plain
	s.mu.Unlock()
	var m mailed
	in := bufio.NewReader(conn)
	say := func(text string) { _, _ = io.WriteString(conn, text+"\r\n") }
	say("220 test")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			if plain || m.secure {
				say("250-test\r\n250 AUTH PLAIN")
			} else {
				say("250-test\r\n250 STARTTLS")
			}
		case "STARTTLS":
			if plain {
				say("502 not here")
				continue
			}
			say("220 go on")
			secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{s.certificate}})
			conn, in, m.secure = secure, bufio.NewReader(secure), true
		case "AUTH":
			raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			m.auth = string(raw)
			say("235 ok")
		case "MAIL":
			m.from = rest
			say("250 ok")
		case "RCPT":
			m.to = rest
			s.mu.Lock()
			refuse := s.refuse
			s.mu.Unlock()
			if refuse == "" {
				refuse = "250 ok"
			}
			say(refuse)
		case "DATA":
			say("354 go on")
			var text strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil || line == ".\r\n" {
					break
				}
				text.WriteString(strings.TrimPrefix(line, "."))
			}
			m.text = text.String()
			s.mu.Lock()
			s.got = append(s.got, m)
			s.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("500 what")
		}
	}
}

func (s *mailServer) mailed() []mailed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]mailed{}, s.got...)
}

// mails has the stage hand messages to a server.
func (s *stage) mails(server *mailServer) {
	s.Helper()
	var err error
	s.mailer, err = activation.NewMailer(activation.MailConfig{
		Address: server.Addr().String(), User: "kindred", Password: "pass", Security: activation.StartTLS, Timeout: 10 * time.Second, TLS: &tls.Config{RootCAs: server.roots},
	})
	s.check(err)
	s.restart(s.conn)
}

const welcome = `{"kind":"email","segments":["loyal"],"from":"Shop <shop@shop.example>","subject":"Hi {{.Trait \"first_name\" \"you\"}}","text":"In {{.Segment}} from {{.Trait \"city\"}}.\n.\nNo more: {{.Unsubscribe}}",
	"html":"<p title=\"{{.Trait \"city\"}}\">{{.Trait \"first_name\"}}</p>","unsubscribe":"https://shop.example/no?who={identifier.email|md5}"}`

// agree states consent of a person, to one address where it is named.
func (s *stage) agree(n int, address string, granted bool) {
	s.Helper()
	s.world.Add(clickhousetest.Event{
		MessageID: fmt.Sprint("c", n, address), Name: "Consent", Time: noon.Add(-time.Minute), Identifiers: []string{fmt.Sprintf("user_id:u%d", n)},
		Consents: []clickhousetest.Consent{{Purpose: "marketing", Channel: "email", Address: address, Granted: granted}},
	})
	s.world.Flush(context.Background())
}

// testPeopleWhoAgreedAreWrittenTo sends over STARTTLS, and reads the message.
func testPeopleWhoAgreedAreWrittenTo(t *testing.T, s *stage) {
	server := newMailServer(t)
	s.mails(server)
	ids := s.people(3)
	s.agree(0, "email:p0@example.com", true)
	s.agree(1, "email:p1@example.com", false)
	s.define("welcome", welcome)
	s.step()
	s.changed(in("loyal", ids...)...)
	s.changed(out("loyal", ids[0])...) // Nobody is written to for that.
	s.step()
	got := server.mailed()
	if len(got) != 1 || !got[0].secure || got[0].auth != "\x00kindred\x00pass" || !strings.HasPrefix(got[0].to, "TO:<p0@example.com>") || !strings.HasPrefix(got[0].from, "FROM:<shop@shop.example>") {
		t.Fatalf("got %+v", got)
	}
	m, err := mail.ReadMessage(strings.NewReader(got[0].text))
	s.check(err)
	for name, want := range map[string]string{
		"From": `"Shop" <shop@shop.example>`, "To": "<p0@example.com>", "Subject": "Hi P0", "Date": "Mon, 04 May 2026 12:00:00 +0000",
		"List-Unsubscribe": "<https://shop.example/no?who=19748c83f643ac9f2576fbd7dca4bfcb>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
	} {
		if h := m.Header.Get(name); h != want {
			t.Errorf("%s: %q, want %q", name, h, want)
		}
	}
	parts := parts(t, m)
	if !strings.Contains(parts[0], "In loyal from Porto.\r\n.\r\nNo more: https://shop.example/no?who=") || parts[1] != `<p title="Porto">P0</p>` {
		t.Errorf("parts: %q", parts)
	}
	if st := s.state("welcome"); st.Delivered != 1 || st.Withheld != 2 {
		t.Errorf("%+v", st)
	}
	if c := s.recorder.sent; len(c) != 1 || c[0].Identifier.String() != "email:p0@example.com" || c[0].Channel != "email" || c[0].Subject != "Hi P0" {
		t.Errorf("on record: %+v", c)
	}
}

func parts(t *testing.T, m *mail.Message) (texts []string) {
	t.Helper()
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err != nil {
			return texts
		}
		text, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
}

// testNobodyWritesHeaders has a person with a trait that would.
func testNobodyWritesHeaders(t *testing.T, s *stage) {
	server := newMailServer(t)
	s.mails(server)
	id := s.people(1)[0]
	s.agree(0, "", true)
	s.world.Add(clickhousetest.Event{MessageID: "evil", Name: "Identify", Type: "identify", Time: noon, Identifiers: []string{"user_id:u0"}, Traits: map[string]any{
		"first_name": "Eve\r\nBcc: all@example.com\r\n\r\nbody é", "city": `"><script>x</script>`,
	}})
	s.world.Flush(context.Background())
	s.define("welcome", welcome)
	s.step()
	s.changed(in("loyal", id)...)
	s.step()
	got := server.mailed()
	if len(got) != 1 {
		t.Fatalf("got %+v", got)
	}
	m, err := mail.ReadMessage(strings.NewReader(got[0].text))
	s.check(err)
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || m.Header.Get("Bcc") != "" || subject != "Hi Eve  Bcc: all@example.com    body é" {
		t.Errorf("subject %q, headers %v, %v", subject, m.Header, err)
	}
	if html := parts(t, m)[1]; strings.Contains(html, "<script>") {
		t.Errorf("html: %s", html)
	}
}

// testMailServerRefuses for good, for now, and has no secure connection.
func testMailServerRefuses(t *testing.T, s *stage) {
	server := newMailServer(t)
	s.mails(server)
	ids := s.people(3)
	for n := range ids {
		s.agree(n, "", true)
	}
	s.define("welcome", welcome)
	s.step()
	set := func(refuse string, plain bool) {
		server.mu.Lock()
		defer server.mu.Unlock()
		server.refuse, server.plain = refuse, plain
	}
	set("550 no such user", false)
	s.changed(in("loyal", ids[0])...)
	s.step()
	list, err := s.store.Letters(context.Background(), s.workspace, "welcome", "", "", 10)
	s.check(err)
	if len(list) != 1 || list[0].Reason != "rejected" || list[0].Status != 550 || list[0].Answer != "no such user" {
		t.Errorf("letters: %+v", list)
	}
	set("451 later", false)
	s.changed(in("loyal", ids[1])...)
	s.step()
	if st := s.state("welcome"); st.Failing != 1 || st.Error != "server" {
		t.Errorf("%+v", st)
	}
	set("", true)
	s.pass(time.Hour)
	s.step()
	if st := s.state("welcome"); len(server.mailed()) != 0 || st.Failing != 2 || st.Error != "unreachable" {
		t.Errorf("without a secure connection: %+v, sent %+v", st, server.mailed())
	}
	set("", false)
	s.pass(time.Hour)
	s.step()
	if got := server.mailed(); len(got) != 1 || !strings.Contains(got[0].to, "p1@") {
		t.Errorf("got %+v", got)
	}
}
