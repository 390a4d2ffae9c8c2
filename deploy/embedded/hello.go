package embedded

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// hello is what a client of the native protocol says first.
type hello struct {
	database string
	user     string
	password string
	revision uint64 // Of the protocol, the greatest that the client speaks.
}

// errNoHello marks a first packet that no client of the native protocol sends.
var errNoHello = errors.New("not a client hello of the native protocol")

const (
	helloStringBytes = 16 << 10 // Bounds each text of a hello; the engine itself takes much longer ones.
	clientHello      = 0
	serverException  = 2
)

// Revisions of the protocol from which on a client says more after the server's hello.
const (
	revisionQuotaKey         = 54458
	revisionChunkedPackets   = 54470
	revisionParallelReplicas = 54471
)

// readHello reads a client hello: packet type, client name, its major and minor version, the protocol's revision,
// database, user and password. Numbers are varints, texts a varint length and bytes.
func readHello(r *bufio.Reader) (hello, error) {
	first, err := r.Peek(1)
	if err != nil {
		return hello{}, err
	}
	if first[0] != clientHello {
		return hello{}, errNoHello
	}
	_, _ = r.Discard(1) // It has just been peeked at.
	var h hello
	if _, err := readText(r); err != nil {
		return hello{}, err
	}
	for range 3 { // The last one stays.
		if h.revision, err = binary.ReadUvarint(r); err != nil {
			return hello{}, err
		}
	}
	for _, text := range []*string{&h.database, &h.user, &h.password} {
		if *text, err = readText(r); err != nil {
			return hello{}, err
		}
	}
	return h, nil
}

// readAddendum reads the rest of a client's handshake, which follows the server's hello: the quota's key, whether
// packets are chunked in each direction, and the version of another protocol. Old clients send less, or nothing.
func readAddendum(r *bufio.Reader, revision uint64) error {
	texts := 0
	switch {
	case revision >= revisionChunkedPackets:
		texts = 3
	case revision >= revisionQuotaKey:
		texts = 1
	}
	for range texts {
		if _, err := readText(r); err != nil {
			return err
		}
	}
	if revision < revisionParallelReplicas {
		return nil
	}
	_, err := binary.ReadUvarint(r)
	return err
}

func readText(r *bufio.Reader) (string, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return "", err
	}
	if n > helloStringBytes {
		return "", fmt.Errorf("%w: a text of %d bytes", errNoHello, n)
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r, b)
	return string(b), err
}

// refusal is an exception of the server, with the engine's own code.
type refusal struct {
	code    int32
	message string
}

func (r *refusal) Error() string { return r.message }

// packet is the exception as the native protocol has it: packet type, code, name, message, stack trace and whether
// another one follows.
func (r *refusal) packet() []byte {
	b := []byte{serverException}
	b = binary.LittleEndian.AppendUint32(b, uint32(r.code)) //nolint:gosec // Codes are small and positive.
	for _, text := range []string{"DB::Exception", "DB::Exception: " + r.message, ""} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	return append(b, 0)
}
