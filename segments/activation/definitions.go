package activation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
)

// Change asks for a new state of a destination.
type Change struct {
	// Expected is the revision that the author has seen, 0 for a new destination.
	Expected   uint64          `json:"expected_revision"`
	Archive    bool            `json:"archive,omitempty"`
	Definition json.RawMessage `json:"definition,omitempty"`
	// Sealed are secrets by name, Keep those that stay as they are.
	Sealed map[string]string `json:"sealed,omitempty"`
	Keep   []string          `json:"keep,omitempty"`
}

// Place is where a change stands in the order of all decisions.
type Place struct {
	Workspace   string
	Destination ID
	Revision    uint64
	Actor       string
	Time        time.Time
}

// Definitions writes the definitions of destinations.
type Definitions struct{ conn driver.Conn }

// NewDefinitions returns a writer through conn.
func NewDefinitions(conn driver.Conn) *Definitions { return &Definitions{conn: conn} }

const currentDestinationSQL = `
	SELECT countIf(NOT ended), maxIf(last, name = {destination:String} AND NOT ended), anyIf(latest, name = {destination:String} AND NOT ended) FROM
	(
		SELECT destination AS name, max(revision) AS last, argMax(archived, revision) AS ended, argMax(secrets, revision) AS latest
		FROM destinations WHERE workspace = {workspace:String} AND revision < {revision:UInt64} GROUP BY destination
	)`

// Apply makes a change. It looks only at lower revisions than that of the place, and
// writes one row under a token of the revision, so that a change applied again comes
// to the same. It returns an *Invalid, or an error that wraps ErrConflict or ErrRefused.
func (d *Definitions) Apply(ctx context.Context, at Place, c Change) error {
	if !at.Destination.Valid() {
		return fmt.Errorf("%w: the name of a destination must be 1 to 64 of a-z, 0-9, _ and -, and not %q", ErrRefused, presetsPath)
	}
	if !c.Archive {
		if _, err := Parse(c.Definition); err != nil {
			return err
		}
	}
	var live, current uint64
	var before map[string]string
	row := d.conn.QueryRow(ctx, currentDestinationSQL, clickhouse.Named("destination", string(at.Destination)),
		clickhouse.Named("workspace", at.Workspace), clickhouse.Named("revision", at.Revision))
	if err := row.Scan(&live, &current, &before); err != nil {
		return fmt.Errorf("read destinations: %w", profilestore.Concise(err))
	}
	switch {
	case current == 0 && (c.Archive || c.Expected != 0):
		return fmt.Errorf("%w: there is no such destination", ErrConflict)
	case current != c.Expected:
		return fmt.Errorf("%w: the destination is at revision %d", ErrConflict, current)
	case current == 0 && live >= MaxDestinations:
		return fmt.Errorf("%w: the workspace has %d destinations, which is the limit", ErrRefused, live)
	}
	sealed := map[string]string{}
	for _, name := range c.Keep {
		if text, ok := before[name]; ok {
			sealed[name] = text
		} else if name != secretPrevious {
			return fmt.Errorf("%w: a secret that is to stay is not there", ErrRefused)
		}
	}
	if _, changed := c.Sealed[secretSigning]; changed && before[secretSigning] != "" {
		sealed[secretPrevious] = before[secretSigning] // Under its own name it opens no more; see opened.
	}
	maps.Copy(sealed, c.Sealed)
	if c.Archive {
		sealed = map[string]string{} // Nobody needs them any more.
	}
	return insert(ctx, d.conn, "destinations/"+strconv.FormatUint(at.Revision, 10), "destinations",
		"workspace, destination, revision, changed_at, actor, archived, definition, secrets",
		[][]any{{at.Workspace, string(at.Destination), at.Revision, at.Time, at.Actor, c.Archive, string(c.Definition), sealed}})
}

// Wish is what somebody asks for a destination to be.
type Wish struct {
	Expected   uint64
	Definition json.RawMessage
	// SecretHeaders are headers with keys of the receiver. nil keeps all that are
	// there; else these are all, and those with the value nil stay as they are.
	SecretHeaders map[string]*string
	// Rotate makes another secret to sign with. The one before signs as well until the
	// next change of the destination.
	Rotate bool
}

// Change returns the change that makes a wish come true, and the secret to sign with
// where it is new: it is nowhere else in the open.
func (s *Sealer) Change(workspace string, id ID, w Wish, d *Destination) (Change, string, error) {
	definition, err := Parse(w.Definition)
	if err != nil {
		return Change{}, "", err
	}
	canonical, err := json.Marshal(definition)
	if err != nil {
		return Change{}, "", fmt.Errorf("encode destination: %w", err)
	}
	c := Change{Expected: w.Expected, Definition: canonical, Sealed: map[string]string{}}
	secret := ""
	if w.Expected == 0 || w.Rotate {
		secret = newSecret()
		c.Sealed[secretSigning] = s.Seal(workspace, id, secretSigning, secret)
	} else {
		c.Keep = append(c.Keep, secretSigning)
	}
	if w.SecretHeaders == nil && d != nil {
		for _, name := range d.SecretHeaders() {
			c.Keep = append(c.Keep, secretHeader+name)
		}
	}
	for name, value := range w.SecretHeaders {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case value == nil:
			c.Keep = append(c.Keep, secretHeader+canonical)
		case !validHeader(name, *value):
			return Change{}, "", &Invalid{[]Fault{{"/secret_headers", "must have names and values of headers, and none of Kindred's own or of the connection"}}}
		default:
			c.Sealed[secretHeader+canonical] = s.Seal(workspace, id, secretHeader+canonical, *value)
		}
	}
	if len(w.SecretHeaders) > maxHeaders {
		return Change{}, "", &Invalid{[]Fault{{"/secret_headers", "must be at most 20"}}}
	}
	slices.Sort(c.Keep)
	return c, secret, nil
}

// opened are the secrets of a destination.
type opened struct {
	signing []string // what signs, and what did before
	headers http.Header
}

// open opens the secrets of a destination.
func (s *Sealer) open(d *Destination) (*opened, error) {
	o := &opened{headers: http.Header{}}
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(d.sealed))) { // signing before previous
		as := name
		if name == secretPrevious {
			as = secretSigning // Where it was sealed.
		}
		value, err := s.Open(d.Workspace, d.ID, as, d.sealed[name])
		if err != nil {
			return nil, err
		}
		if header, ok := strings.CutPrefix(name, secretHeader); ok {
			o.headers.Set(header, value)
		} else {
			o.signing = append(o.signing, value)
		}
	}
	if len(o.signing) == 0 {
		return nil, errors.New("the destination has no secret to sign with")
	}
	return o, nil
}

func secretHeaders(sealed map[string]string) []string {
	names := []string{}
	for name := range sealed {
		if header, ok := strings.CutPrefix(name, secretHeader); ok {
			names = append(names, header)
		}
	}
	slices.Sort(names)
	return names
}

// insert stores rows as one block under a token, where there is one: a second insert
// with the token is ignored, from any process within the window of the table.
func insert(ctx context.Context, conn driver.Conn, token, table, columns string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	settings := clickhouse.Settings{"async_insert": 0}
	if token != "" {
		settings["insert_deduplicate"], settings["insert_deduplication_token"] = 1, token
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(settings))
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+table+" ("+columns+")")
	if err != nil {
		return fmt.Errorf("insert %s: %w", table, profilestore.Concise(err))
	}
	defer func() { _ = batch.Close() }()
	for _, row := range rows {
		if err := batch.Append(row...); err != nil {
			return fmt.Errorf("insert %s: %w", table, profilestore.Concise(err))
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("insert %s: %w", table, profilestore.Concise(err))
	}
	return nil
}
