package matching

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity/linkage"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
)

// ErrNoModel reports a version that no model of the workspace has.
var ErrNoModel = errors.New("there is no such model of linkage")

// Card is a model as people read it: every number but those of single values.
type Card struct {
	linkage.Model
	// Frequent counts, by field, the values that several persons share, of which
	// the model knows what they say.
	Frequent map[string]int `json:"frequent_values"`
	// Hot counts, by rule, the blocks that it splits.
	Hot map[string]int `json:"split_blocks"`
}

// CardOf returns the card of a model.
func CardOf(m *linkage.Model) *Card {
	c := &Card{Model: *m, Frequent: map[string]int{}, Hot: map[string]int{}}
	c.Fields = append([]linkage.FieldModel{}, m.Fields...)
	for i := range c.Fields {
		c.Frequent[c.Fields[i].Name] = len(c.Fields[i].Frequent)
		c.Fields[i].Frequent = nil
	}
	c.Rules = append([]linkage.RuleModel{}, m.Rules...)
	for i := range c.Rules {
		c.Hot[c.Rules[i].Name] = len(c.Rules[i].Hot)
		c.Rules[i].Hot = nil
		c.Rules[i].Keys = append([]int{}, c.Rules[i].Keys...)
		c.Rules[i].Further = append([]int{}, c.Rules[i].Further...)
	}
	c.Notes, c.Kinds, c.Splits = append([]linkage.Note{}, m.Notes...), append([]linkage.KindModel{}, m.Kinds...), append([]linkage.Split{}, m.Splits...)
	return c
}

// Stored is a model in the table.
type Stored struct {
	Version   string
	CreatedAt time.Time
	Records   uint64
	// Candidates are the pairs that were compared.
	Candidates      uint64
	ExpectedMatches float64
	Card            *Card // nil in lists
}

// Models keeps the models of workspaces. It is safe for concurrent use.
type Models struct {
	conn driver.Conn
	seal cipher.AEAD
}

// NewModels returns the models on conn, whose default database is Kindred's. seal
// may be nil for who reads cards only.
func NewModels(conn driver.Conn, seal cipher.AEAD) *Models { return &Models{conn, seal} }

const saveSQL = "INSERT INTO linkage_models (workspace, version, created_at, records, candidates, expected_matches, card, sealed)"

// Save stores a model. Storing it again does no harm.
func (s *Models) Save(ctx context.Context, workspace string, m *linkage.Model, at time.Time) error {
	card, err := json.Marshal(CardOf(m))
	if err != nil {
		return fmt.Errorf("write the card of a model: %w", err)
	}
	sealed, err := s.sealed(workspace, m)
	if err != nil {
		return fmt.Errorf("seal model: %w", err)
	}
	batch, err := s.conn.PrepareBatch(ctx, saveSQL)
	if err == nil {
		defer func() { _ = batch.Abort() }() // An error after Send, which says nothing.
		err = batch.Append(workspace, m.Version, at, uint64(m.Records), uint64(m.Candidates), m.ExpectedMatches, string(card), string(sealed))
	}
	if err == nil {
		err = batch.Send()
	}
	if err != nil {
		return fmt.Errorf("store model: %w", profilestore.Concise(err))
	}
	return nil
}

func (s *Models) sealed(workspace string, m *linkage.Model) ([]byte, error) {
	var text bytes.Buffer
	zip := gzip.NewWriter(&text)
	if err := errors.Join(json.NewEncoder(zip).Encode(m), zip.Close()); err != nil {
		return nil, err
	}
	nonce := make([]byte, s.seal.NonceSize())
	_, _ = rand.Read(nonce)
	return s.seal.Seal(nonce, nonce, text.Bytes(), []byte(workspace+"\x00"+m.Version)), nil
}

const loadSQL = `SELECT sealed FROM linkage_models WHERE workspace = {workspace:String} AND version = {version:String} LIMIT 1`

// Load returns a model, or ErrNoModel.
func (s *Models) Load(ctx context.Context, workspace, version string) (*linkage.Model, error) {
	var sealed string
	err := s.each(ctx, loadSQL, workspace, version, func(rows driver.Rows) error { return rows.Scan(&sealed) })
	if err != nil {
		return nil, err
	}
	n := s.seal.NonceSize()
	if len(sealed) < n {
		return nil, ErrNoModel
	}
	text, err := s.seal.Open(nil, []byte(sealed[:n]), []byte(sealed[n:]), []byte(workspace+"\x00"+version))
	if err != nil {
		return nil, fmt.Errorf("open model %s: it was sealed with another key of the installation (KINDRED_ID_KEY), or changed", version)
	}
	zip, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read model %s: %w", version, err)
	}
	const most = 1 << 30
	var m linkage.Model
	if err := json.NewDecoder(io.LimitReader(zip, most)).Decode(&m); err != nil {
		return nil, fmt.Errorf("read model %s: %w", version, err)
	}
	return &m, m.Validate()
}

const listSQL = `SELECT version, min(created_at) AS created, any(records), any(candidates), any(expected_matches), '' FROM linkage_models
WHERE workspace = {workspace:String} GROUP BY version ORDER BY created DESC, version LIMIT 1000`

const getSQL = `SELECT version, created_at, records, candidates, expected_matches, card FROM linkage_models
WHERE workspace = {workspace:String} AND version = {version:String} ORDER BY created_at LIMIT 1`

// List returns the models of a workspace without their cards, the newest first, a
// thousand at most.
func (s *Models) List(ctx context.Context, workspace string) ([]Stored, error) {
	return s.stored(ctx, listSQL, workspace, "")
}

// Get returns a model with its card, or ErrNoModel.
func (s *Models) Get(ctx context.Context, workspace, version string) (*Stored, error) {
	list, err := s.stored(ctx, getSQL, workspace, version)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, ErrNoModel
	}
	return &list[0], nil
}

func (s *Models) stored(ctx context.Context, query, workspace, version string) ([]Stored, error) {
	var list []Stored
	err := s.each(ctx, query, workspace, version, func(rows driver.Rows) error {
		var m Stored
		var card string
		if err := rows.Scan(&m.Version, &m.CreatedAt, &m.Records, &m.Candidates, &m.ExpectedMatches, &card); err != nil {
			return err
		}
		m.CreatedAt = m.CreatedAt.UTC()
		if card != "" {
			m.Card = &Card{}
			if err := json.Unmarshal([]byte(card), m.Card); err != nil {
				return fmt.Errorf("card of model %s: %w", m.Version, err)
			}
		}
		list = append(list, m)
		return nil
	})
	return list, err
}

func (s *Models) each(ctx context.Context, query, workspace, version string, scan func(driver.Rows) error) error {
	r := reader{conn: s.conn, workspace: workspace}
	args := []any{}
	if version != "" {
		args = append(args, clickhouse.Named("version", version))
	}
	return r.query(ctx, "read models of linkage", query, scan, args...)
}
