package activation

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
	texttemplate "text/template"
	"text/template/parse"
	"time"
	"unicode"
)

// letterhead is a message by e-mail, ready to be sent.
type letterhead struct {
	from, to string // addresses alone
	subject  string
	raw      []byte
}

// view is what the templates of a message see of a person. Its methods take a text that
// stands in where nothing is known.
type view struct {
	s *subject
	// Segment and Change are what happened, Unsubscribe where to say no.
	Segment, Change, Unsubscribe string
}

// Trait is the text of a trait.
func (v view) Trait(name string, otherwise ...string) string { return v.of("trait."+name, otherwise) }

// Identifier is the newest identifier of a namespace.
func (v view) Identifier(ns string, otherwise ...string) string {
	return v.of("identifier."+ns, otherwise)
}

// Score is a score.
func (v view) Score(name string, otherwise ...string) string { return v.of("score."+name, otherwise) }

func (v view) of(source string, otherwise []string) string {
	if x, ok := v.s.value(source); ok {
		return textOf(x)
	}
	return strings.Join(otherwise, "")
}

// templates are those of a message.
type templates struct {
	subject, text *texttemplate.Template
	html          *htmltemplate.Template
}

// errLoop refuses what could run for long.
var errLoop = errors.New("has a range, which templates of messages do not have")

// compile reads the templates. They hold no loops, so that each ends soon.
func (m *Mail) compile() (t templates, pointer string, err error) {
	if t.subject, err = texttemplate.New("subject").Parse(m.Subject); err != nil {
		return t, "/subject", errors.New("is no template")
	}
	if t.text, err = texttemplate.New("text").Parse(m.Text); err != nil {
		return t, "/text", errors.New("is no template")
	}
	if t.html, err = htmltemplate.New("html").Parse(m.HTML); err != nil {
		return t, "/html", errors.New("is no template")
	}
	for pointer, trees := range map[string][]*parse.Tree{"/subject": trees(t.subject.Templates()), "/text": trees(t.text.Templates()), "/html": htmlTrees(t.html.Templates())} {
		for _, tree := range trees {
			if tree != nil && loops(tree.Root) {
				return t, pointer, errLoop
			}
		}
	}
	return t, "", nil
}

func trees(list []*texttemplate.Template) (out []*parse.Tree) {
	for _, t := range list {
		out = append(out, t.Tree)
	}
	return out
}

func htmlTrees(list []*htmltemplate.Template) (out []*parse.Tree) {
	for _, t := range list {
		out = append(out, t.Tree)
	}
	return out
}

func loops(n parse.Node) bool {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return false
		}
		for _, child := range n.Nodes {
			if loops(child) {
				return true
			}
		}
	case *parse.IfNode:
		return loops(n.List) || loops(n.ElseList)
	case *parse.WithNode:
		return loops(n.List) || loops(n.ElseList)
	case *parse.RangeNode:
		return true
	}
	return false
}

// maxMessage bounds a message in bytes.
const maxMessage = 1 << 20

var errLong = errors.New("the message is too long")

// bounded is a buffer that takes maxMessage bytes.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxMessage {
		return 0, errLong
	}
	return b.Buffer.Write(p)
}

// letterhead makes the message to the address of a subject.
func (m *Mail) letterhead(s *subject, at time.Time) (*letterhead, error) {
	from, err := mail.ParseAddress(m.From)
	if err != nil {
		return nil, errIncomplete
	}
	to, err := mail.ParseAddress(s.address)
	if err != nil || strings.ContainsFunc(to.Address, unicode.IsControl) {
		return nil, errIncomplete
	}
	unsubscribe, err := s.fill(m.Unsubscribe)
	if err != nil {
		return nil, err
	}
	line, text, html, err := m.fill(view{s: s, Segment: string(s.change.Segment), Change: direction(s.change.Entered), Unsubscribe: unsubscribe})
	if err != nil {
		return nil, err
	}
	out := &letterhead{from: from.Address, to: to.Address, subject: oneLine(line)}
	head := [][2]string{
		{"From", from.String()},
		{"To", (&mail.Address{Address: to.Address}).String()},
		{"Subject", mime.QEncoding.Encode("utf-8", out.subject)},
		{"Date", at.UTC().Format(time.RFC1123Z)},
		{"Message-ID", s.messageID(from.Address)},
		{"MIME-Version", "1.0"},
		{"List-Unsubscribe", "<" + unsubscribe + ">"},
		{"Auto-Submitted", "auto-generated"},
	}
	if strings.HasPrefix(unsubscribe, "https:") {
		head = append(head, [2]string{"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"})
	}
	if m.ReplyTo != "" {
		reply, err := mail.ParseAddress(m.ReplyTo)
		if err != nil {
			return nil, errIncomplete
		}
		head = append(head, [2]string{"Reply-To", reply.String()})
	}
	out.raw, err = compose(head, text, html)
	return out, err
}

// fill fills in the templates.
func (m *Mail) fill(v view) (line string, text, html []byte, err error) {
	t, _, err := m.compile()
	if err != nil {
		return "", nil, nil, err
	}
	var subject, plain, rich bounded
	err = errors.Join(t.subject.Execute(&subject, v), t.text.Execute(&plain, v))
	if err == nil && m.HTML != "" {
		err = t.html.Execute(&rich, v)
	}
	if err != nil {
		return "", nil, nil, errIncomplete // The error may repeat values.
	}
	return subject.String(), plain.Bytes(), rich.Bytes(), nil
}

// messageID is the same whenever the message is sent, so that who gets it twice can
// know.
func (s *subject) messageID(from string) string {
	sum := sha256.Sum256([]byte(s.workspace + "/" + string(s.destination) + "/" + s.key))
	return "<" + hex.EncodeToString(sum[:16]) + from[strings.LastIndexByte(from, '@'):] + ">"
}

// oneLine leaves nothing in a text that would end the line of a header.
func oneLine(text string) string {
	return cut(strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))), maxText)
}

// compose writes a message of one part, or of two of which the reader takes one.
func compose(head [][2]string, text, html []byte) ([]byte, error) {
	var b bytes.Buffer
	for _, h := range head {
		if strings.ContainsAny(h[1], "\r\n") {
			return nil, errIncomplete // Impossible: all are of one line by now.
		}
		_, _ = fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	part := func(w io.Writer, content []byte) error {
		q := quotedprintable.NewWriter(w)
		_, err := q.Write(content)
		return errors.Join(err, q.Close())
	}
	const plain, rich, coded = "text/plain; charset=utf-8", "text/html; charset=utf-8", "quoted-printable"
	if len(html) == 0 || len(text) == 0 {
		media, content := plain, text
		if len(html) > 0 {
			media, content = rich, html
		}
		_, _ = fmt.Fprintf(&b, "Content-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n", media, coded)
		err := part(&b, content)
		return b.Bytes(), err
	}
	sum := sha256.Sum256(append(append([]byte{}, text...), html...))
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary("kindred-" + hex.EncodeToString(sum[:16])); err != nil {
		return nil, fmt.Errorf("compose a message: %w", err)
	}
	_, _ = fmt.Fprintf(&b, "Content-Type: multipart/alternative; boundary=%q\r\n\r\n", w.Boundary())
	for _, p := range []struct {
		media   string
		content []byte
	}{{plain, text}, {rich, html}} {
		to, err := w.CreatePart(textproto.MIMEHeader{"Content-Type": {p.media}, "Content-Transfer-Encoding": {coded}})
		if err == nil {
			err = part(to, p.content)
		}
		if err != nil {
			return nil, fmt.Errorf("compose a message: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compose a message: %w", err)
	}
	return b.Bytes(), nil
}
