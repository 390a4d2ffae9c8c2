package webhook

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/kindred-cdp/kindred/ingest/mapping"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Definition is one webhook as its file has it.
type Definition struct {
	Name      string          `toml:"name"`
	Source    string          `toml:"source"`
	Workspace string          `toml:"workspace"`
	Mapping   string          `toml:"mapping"` // path, from the folder of the file
	Signature SignatureConfig `toml:"signature"`
	Replay    ReplayConfig    `toml:"replay"`
	Challenge ChallengeConfig `toml:"challenge"`
}

// SignatureConfig says how deliveries are signed.
type SignatureConfig struct {
	Scheme   string `toml:"scheme"`   // hmac-sha256, hmac-sha1, basic or token
	Header   string `toml:"header"`   // that holds the signature
	Prefix   string `toml:"prefix"`   // before the signature
	Encoding string `toml:"encoding"` // hex (default) or base64
	// Signed is what the signature is over, "{body}" by default.
	Signed string `toml:"signed"`
	// URL is the public address of the webhook, for {url}.
	URL string `toml:"url"`
	// Pairs says that the header holds name=value pairs with commas between;
	// Pair (v1) is the signature and TimestampPair (t) its time.
	Pairs         bool   `toml:"pairs"`
	Pair          string `toml:"pair"`
	TimestampPair string `toml:"timestamp_pair"`
	// SecretEnv and SecretFile name where secrets are; any of them may match.
	SecretEnv  []string `toml:"secret_env"`
	SecretFile []string `toml:"secret_file"`
	// SecretEncoding is text (default), hex or base64.
	SecretEncoding string `toml:"secret_encoding"`
}

// ReplayConfig bounds for how long a delivery is good.
type ReplayConfig struct {
	Header    string `toml:"header"`    // of the timestamp, unless it is a pair
	Format    string `toml:"format"`    // unix (default), unix_ms or rfc3339
	Tolerance string `toml:"tolerance"` // either way; default 5m
	Delivery  string `toml:"delivery"`  // header of the delivery's id
}

// ChallengeConfig says how the other system makes sure that the webhook is there.
type ChallengeConfig struct {
	Style    string `toml:"style"`     // hub, url_verification, crc, or empty
	TokenEnv string `toml:"token_env"` // of the token that hub expects
}

// Secrets gives the values of environment variables and files.
type Secrets struct {
	Getenv   func(string) string
	ReadFile func(string) ([]byte, error)
}

// hook is a checked definition.
type hook struct {
	Definition
	mapping   *mapping.Mapping
	secrets   [][]byte
	token     []byte
	tolerance time.Duration
}

var hookName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// maxFile bounds a definition and a mapping.
const maxFile = 1 << 20

// Load reads the webhooks of a folder (its *.toml files that define one) or of a
// single file. It reports every fault of every file.
func Load(path string, secrets Secrets) ([]*Webhook, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("webhooks: %w", err)
	}
	files := []string{path}
	if info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(path, "*.toml")); err != nil {
			return nil, fmt.Errorf("webhooks: %w", err)
		}
		files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, ".mapping.toml") })
		slices.Sort(files)
	}
	var hooks []*Webhook
	var errs []error
	seen := map[string]string{}
	for _, file := range files {
		h, err := loadFile(file, secrets)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if other, ok := seen[h.Name]; ok {
			errs = append(errs, fmt.Errorf("webhook %s: name %q is that of %s already", file, h.Name, other))
		}
		seen[h.Name] = file
		hooks = append(hooks, &Webhook{hook: h})
	}
	return hooks, errors.Join(errs...)
}

// Webhook is one webhook, ready to take deliveries.
type Webhook struct{ hook *hook }

// Name is the last part of the webhook's path.
func (w *Webhook) Name() string { return w.hook.Name }

func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxFile {
		return nil, fmt.Errorf("%s has %d bytes; the limit is %d", path, info.Size(), maxFile)
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

func loadFile(file string, secrets Secrets) (*hook, error) {
	text, err := readBounded(file)
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	h := &hook{Definition: Definition{Workspace: wire.DefaultWorkspace}}
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := d.Decode(&h.Definition); err != nil {
		var strict *toml.StrictMissingError
		if errors.As(err, &strict) && len(strict.Errors) > 0 {
			line, _ := strict.Errors[0].Position()
			return nil, fmt.Errorf("webhook %s:%d: unknown key %q", file, line, strings.Join(strict.Errors[0].Key(), "."))
		}
		return nil, fmt.Errorf("webhook %s: %w", file, err)
	}
	errs := h.check()
	errs = append(errs, h.readSecrets(secrets)...)
	if h.Definition.Mapping == "" {
		errs = append(errs, errors.New("mapping is required"))
	} else {
		path := h.Definition.Mapping
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(file), path)
		}
		if text, err = readBounded(path); err == nil {
			h.mapping, err = mapping.Load(path, text)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("webhook %s: %w", file, err)
	}
	return h, nil
}

func (h *hook) check() []error {
	var errs []error
	choice := func(key string, v *string, of ...string) {
		if *v == "" {
			*v = of[0]
		}
		if !slices.Contains(of, *v) {
			errs = append(errs, fmt.Errorf("%s must be one of %s", key, strings.Join(of, ", ")))
		}
	}
	if !hookName.MatchString(h.Name) {
		errs = append(errs, errors.New("name must be 1 to 64 of a-z, 0-9, _ and -"))
	}
	if h.Source == "" || len(h.Source) > wire.MaxSource {
		errs = append(errs, fmt.Errorf("source is required, of at most %d bytes", wire.MaxSource))
	}
	s := &h.Signature
	choice("signature.scheme", &s.Scheme, "hmac-sha256", "hmac-sha1", "basic", "token")
	choice("signature.encoding", &s.Encoding, "hex", "base64")
	choice("signature.secret_encoding", &s.SecretEncoding, "text", "hex", "base64")
	choice("replay.format", &h.Replay.Format, "unix", "unix_ms", "rfc3339")
	choice("challenge.style", &h.Challenge.Style, "", "hub", "url_verification", "crc")
	if s.Scheme == "basic" {
		s.Header = "Authorization"
	}
	if s.Header == "" {
		errs = append(errs, errors.New("signature.header is required"))
	}
	if s.Signed == "" {
		s.Signed = "{body}"
	}
	if strings.HasPrefix(s.Scheme, "hmac") && !strings.Contains(s.Signed, "{body}") {
		errs = append(errs, errors.New("signature.signed must hold {body}, or anyone could send another one"))
	}
	if strings.Contains(s.Signed, "{url}") && s.URL == "" {
		errs = append(errs, errors.New("signature.url is required by {url}"))
	}
	if s.Pairs {
		choice("signature.pair", &s.Pair, cmpOr(s.Pair, "v1"))
		choice("signature.timestamp_pair", &s.TimestampPair, cmpOr(s.TimestampPair, "t"))
	}
	if strings.Contains(s.Signed, "{timestamp}") != h.stamped() {
		errs = append(errs, errors.New("a timestamp must be signed to count: {timestamp} in signature.signed goes with replay.header or signature.pairs"))
	}
	h.tolerance = 5 * time.Minute
	if t := h.Replay.Tolerance; t != "" {
		d, err := time.ParseDuration(t)
		if err != nil || d <= 0 || d > 24*time.Hour {
			errs = append(errs, errors.New("replay.tolerance must be a duration such as 5m, of at most 24h"))
		}
		h.tolerance = d
	}
	return errs
}

// stamped reports whether deliveries carry a timestamp.
func (h *hook) stamped() bool { return h.Replay.Header != "" || h.Signature.Pairs }

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// minSecret is the least length of a secret: shorter ones can be guessed.
const minSecret = 8

// readSecrets names variables and files, never what is in them.
func (h *hook) readSecrets(from Secrets) []error {
	var errs []error
	add := func(where string, text []byte, err error) {
		text = bytes.TrimSpace(text)
		if err == nil {
			switch h.Signature.SecretEncoding {
			case "hex":
				text, err = hex.DecodeString(string(text))
			case "base64":
				text, err = base64.StdEncoding.DecodeString(string(text))
			}
		}
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("the secret of %s cannot be read or decoded", where))
		case len(text) < minSecret:
			errs = append(errs, fmt.Errorf("the secret of %s has %d bytes; it needs %d", where, len(text), minSecret))
		default:
			h.secrets = append(h.secrets, text)
		}
	}
	for _, name := range h.Signature.SecretEnv {
		add("environment variable "+name, []byte(from.Getenv(name)), nil)
	}
	for _, name := range h.Signature.SecretFile {
		text, err := from.ReadFile(name)
		add("file "+name, text, err)
	}
	if len(h.Signature.SecretEnv)+len(h.Signature.SecretFile) == 0 {
		errs = append(errs, errors.New("signature.secret_env or signature.secret_file is required"))
	}
	if h.Challenge.Style == "hub" {
		if h.token = []byte(from.Getenv(h.Challenge.TokenEnv)); len(h.token) < minSecret {
			errs = append(errs, fmt.Errorf("the token of environment variable %s needs %d bytes", h.Challenge.TokenEnv, minSecret))
		}
	}
	return errs
}
