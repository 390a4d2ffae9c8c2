package privacy

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
)

// SigningKey returns the installation's key of certificates, which is made from its
// secret: every process of an installation signs with the same, and it need not be
// kept anywhere else.
func SigningKey(secret identity.Secret) ed25519.PrivateKey {
	mac := hmac.New(sha256.New, secret[:])
	_, _ = mac.Write([]byte("kindred certificate of erasure, ed25519 seed")) // Never fails.
	return ed25519.NewKeyFromSeed(mac.Sum(nil))
}

// Certificate says what an erasure took. It names nobody.
type Certificate struct {
	Version     int       `json:"version"`
	Workspace   string    `json:"workspace"`
	ErasureID   string    `json:"erasure_id"`
	RequestedAt time.Time `json:"requested_at"`
	// ErasedAt is the time until which what was received is erased; from then on the
	// person was nobody to every reader. CompletedAt is when the tables and files had
	// been rewritten.
	ErasedAt    time.Time `json:"erased_at"`
	CompletedAt time.Time `json:"completed_at"`
	// Identifiers are those that were erased, by namespace, Shared is how many of the
	// profile stayed because others were seen with them too.
	Identifiers map[string]int `json:"identifiers"`
	Shared      int            `json:"identifiers_shared"`
	Sets        int            `json:"sets"`
	// Rows were removed, by table.
	Rows map[string]uint64 `json:"rows"`
	// Recipients are the destinations that were told of the person, each with the number
	// of profiles: they are told of the erasure, and destination_erasures says what
	// became of that.
	Recipients map[string]uint64 `json:"recipients,omitempty"`
	// FilesGone is whether the files from before the rewriting were seen off the disk
	// too: the engine keeps them for some minutes.
	FilesGone bool `json:"files_gone"`
	// LogUntil is when the last copy of what was sent leaves the log of Kafka, by its
	// retention. Until then it is passed over by whoever reads it.
	LogUntil time.Time `json:"log_until"`
}

// Signed is a certificate with its signature.
type Signed struct {
	IssuedAt time.Time
	// Certificate is the JSON that is signed, byte for byte.
	Certificate string
	Signature   string // Ed25519, base64
	PublicKey   string // base64
}

// Verify reports whether a signature is that of the certificate.
func (s Signed) Verify() bool {
	signature, err1 := base64.StdEncoding.DecodeString(s.Signature)
	key, err2 := base64.StdEncoding.DecodeString(s.PublicKey)
	return err1 == nil && err2 == nil && len(key) == ed25519.PublicKeySize && ed25519.Verify(key, []byte(s.Certificate), signature)
}

const stepRowsSQL = `SELECT erasure_id, step, argMin(rows, done_at)
FROM erasure_steps
WHERE workspace = {workspace:String} AND erasure_id IN {ids:Array(String)} AND step NOT IN ('begun', 'done')
GROUP BY erasure_id, step`

// certify signs what became of each erasure of a batch.
func (w *Worker) certify(ctx context.Context, b *batch) error {
	rowsOf, ids := map[string]map[string]uint64{}, []string{}
	for _, e := range b.erasures {
		ids = append(ids, e.ID)
		rowsOf[e.ID] = map[string]uint64{}
	}
	err := query(ctx, w.deps.Conn, "read steps", stepRowsSQL, func(rows driver.Rows) error {
		var id, step string
		var n uint64
		err := rows.Scan(&id, &step, &n)
		rowsOf[id][step] = n
		return err
	}, clickhouse.Named("workspace", b.workspace), clickhouse.Named("ids", ids))
	if err != nil {
		return err
	}
	rows, err := w.deps.Conn.PrepareBatch(ctx, "INSERT INTO erasure_certificates (workspace, erasure_id, issued_at, certificate, signature, public_key)")
	if err != nil {
		return fmt.Errorf("keep certificates: %w", profilestore.Concise(err))
	}
	defer func() { _ = rows.Close() }()
	now := w.deps.Clock().UTC().Truncate(time.Millisecond)
	for i, e := range b.erasures {
		text, err := json.Marshal(Certificate{
			Version: 1, Workspace: b.workspace, ErasureID: e.ID, RequestedAt: e.Received, ErasedAt: e.ErasedAt, CompletedAt: now,
			Identifiers: b.identifiers[i], Shared: b.shared[i], Sets: b.sets[i], Rows: rowsOf[e.ID], Recipients: b.recipients[i], FilesGone: b.filesGone, LogUntil: e.ErasedAt.Add(w.cfg.KafkaRetention),
		})
		if err != nil {
			return fmt.Errorf("write a certificate: %w", err)
		}
		signature := base64.StdEncoding.EncodeToString(ed25519.Sign(w.deps.Key, text))
		public := base64.StdEncoding.EncodeToString(w.deps.Key.Public().(ed25519.PublicKey))
		if err := rows.Append(b.workspace, e.ID, now, string(text), signature, public); err != nil {
			return fmt.Errorf("keep certificates: %w", err)
		}
	}
	if err := rows.Send(); err != nil {
		return fmt.Errorf("keep certificates: %w", profilestore.Concise(err))
	}
	return w.keepStep(ctx, b, "done", make([]uint64, len(b.erasures)))
}
