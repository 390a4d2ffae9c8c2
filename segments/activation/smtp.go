package activation

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"
)

// MailConfig is the server that messages are handed to.
type MailConfig struct {
	Address  string // host:port
	User     string // none: without authentication
	Password string
	// Security is starttls (default), tls from the first byte on, or none, which is for
	// servers on this machine.
	Security string
	// Timeout bounds the handing over of one message. Default 30 s.
	Timeout time.Duration
	// TLS says whom to trust; nil for the authorities of the system.
	TLS *tls.Config
}

// Securities of the connection to a mail server.
const (
	StartTLS = "starttls"
	TLS      = "tls"
	NoTLS    = "none"
)

// Validate reports every fault of the configuration.
func (c MailConfig) Validate() error {
	var errs []error
	host, _, err := net.SplitHostPort(c.Address)
	if err != nil {
		errs = append(errs, errors.New("the mail server must be host:port"))
	}
	switch c.Security {
	case StartTLS, TLS:
	case NoTLS:
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			errs = append(errs, errors.New("a mail server that is not on this machine needs starttls or tls"))
		}
	default:
		errs = append(errs, errors.New("the security of the mail server must be starttls, tls or none"))
	}
	if c.Timeout <= 0 {
		errs = append(errs, errors.New("the timeout of the mail server must be positive"))
	}
	return errors.Join(errs...)
}

// Mailer hands messages to a mail server, one connection a message. It is safe for
// concurrent use.
type Mailer struct{ cfg MailConfig }

// NewMailer returns a mailer that has not dialled yet.
func NewMailer(cfg MailConfig) (*Mailer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Mailer{cfg}, nil
}

// send hands a message over. A refusal of the address or of the message lasts, all else
// may pass.
func (m *Mailer) send(ctx context.Context, l *letterhead) verdict {
	ctx, cancel := context.WithTimeout(ctx, m.cfg.Timeout)
	defer cancel()
	client, err := m.dial(ctx)
	if err != nil {
		return verdict{reason: reasonUnreachable, answer: said(err)}
	}
	defer func() { _ = client.Close() }()
	defer context.AfterFunc(ctx, func() { _ = client.Close() })()
	if err := hand(client, l); err != nil {
		return refusal(err)
	}
	_ = client.Quit() // The message is taken.
	return verdict{ok: true}
}

// hand gives the message to a server that knows who gives it.
func hand(client *smtp.Client, l *letterhead) error {
	if err := client.Mail(l.from); err != nil {
		return err
	}
	if err := client.Rcpt(l.to); err != nil {
		return err
	}
	w, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(l.raw); err != nil {
		return err
	}
	return w.Close()
}

// refusal is what an answer of a mail server means.
func refusal(err error) verdict {
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return verdict{reason: reasonUnreachable}
	}
	v := verdict{reason: reasonServer, status: reply.Code, answer: said(err)}
	if reply.Code >= 500 {
		v.lasting, v.reason = true, reasonRejected
	}
	return v
}

// said is the beginning of an answer of the server; nothing of other errors.
func said(err error) string {
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return ""
	}
	return cut(strings.ToValidUTF8(reply.Msg, "\uFFFD"), maxAnswer)
}

// dial connects, secures the connection and says who comes.
func (m *Mailer) dial(ctx context.Context) (client *smtp.Client, err error) {
	host, _, err := net.SplitHostPort(m.cfg.Address)
	if err != nil {
		return nil, err
	}
	secure := &tls.Config{MinVersion: tls.VersionTLS12}
	if m.cfg.TLS != nil {
		secure = m.cfg.TLS.Clone()
	}
	secure.ServerName = host
	dialer := &net.Dialer{}
	conn, err := dialer.DialContext(ctx, "tcp", m.cfg.Address)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() {
		if err != nil {
			_ = conn.Close()
		}
	}()
	if m.cfg.Security == TLS {
		conn = tls.Client(conn, secure)
	}
	if client, err = smtp.NewClient(conn, host); err != nil {
		return nil, err
	}
	if m.cfg.Security == StartTLS {
		if err = client.StartTLS(secure); err != nil {
			return nil, err
		}
	}
	if m.cfg.User != "" {
		err = client.Auth(smtp.PlainAuth("", m.cfg.User, m.cfg.Password, host))
	}
	return client, err
}
