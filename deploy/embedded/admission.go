package embedded

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Codes of the engine's exceptions.
const (
	codeUnknownDatabase      = 81
	codeAuthenticationFailed = 516
)

// lookupTimeout bounds the question whether a database exists.
const lookupTimeout = 5 * time.Second

// account is a user as the gate knows it.
type account struct {
	password string
	digest   [sha256.Size]byte
	database string // The one a session without a database starts in.
}

// admission decides who may reach the engine over the native protocol. It knows the users of the engine's
// configuration, without the engine's own, and asks about databases over HTTP, where a refusal does no harm.
type admission struct {
	accounts map[string]account
	open     map[string]bool // Databases that every user may start a session in.
	admin    string
	http     *http.Client
	address  string
	lookups  chan struct{} // Few at a time: an analyst may have few queries running.
}

func newAdmission(cfg ClickHouseConfig) *admission {
	known := func(password, database string) account {
		return account{password: password, digest: sha256.Sum256([]byte(password)), database: database}
	}
	a := &admission{
		accounts: map[string]account{cfg.AdminUser: known(cfg.AdminPassword, "default")},
		open:     map[string]bool{"default": true, "system": true, cfg.Database: true},
		admin:    cfg.AdminUser,
		// No proxy; and no kept connections, which a stop of the engine would wait for.
		http:    &http.Client{Timeout: lookupTimeout, Transport: &http.Transport{DisableKeepAlives: true}},
		address: net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.HTTPPort)),
		lookups: make(chan struct{}, 2),
	}
	if cfg.AnalystPassword != "" {
		a.accounts[AnalystUser] = known(cfg.AnalystPassword, cfg.Database)
	}
	return a
}

// admit returns nil for a hello that the engine accepts, a *refusal for one that it would refuse, and any other
// error when it cannot be told, as the engine is down.
func (a *admission) admit(ctx context.Context, h hello) error {
	known, ok := a.accounts[h.user]
	digest := sha256.Sum256([]byte(h.password))
	if subtle.ConstantTimeCompare(digest[:], known.digest[:]) != 1 || !ok {
		return &refusal{codeAuthenticationFailed, h.user + ": Authentication failed: password is incorrect, or there is no user with such name."}
	}
	database := h.database
	if database == "" {
		database = known.database
	}
	exists, err := a.sees(ctx, a.admin, database)
	if err == nil && exists && h.user != a.admin && !a.open[database] {
		exists, err = a.sees(ctx, h.user, database)
	}
	if err == nil && !exists {
		return &refusal{codeUnknownDatabase, "Database " + database + " does not exist"}
	}
	return err
}

// sees asks the engine whether a user sees a database.
func (a *admission) sees(ctx context.Context, user, database string) (bool, error) {
	select {
	case a.lookups <- struct{}{}:
		defer func() { <-a.lookups }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	target := url.URL{Scheme: "http", Host: a.address, Path: "/", RawQuery: url.Values{
		"database":   {"system"},
		"query":      {"SELECT count() FROM system.databases WHERE name = {name:String}"},
		"param_name": {escapeParameter(database)},
	}.Encode()}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return false, err
	}
	request.Header.Set("X-ClickHouse-User", user)
	request.Header.Set("X-ClickHouse-Key", a.accounts[user].password)
	response, err := a.http.Do(request)
	if err != nil {
		return false, fmt.Errorf("ask for database: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // Read to its end, or not wanted.
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if err != nil {
		return false, fmt.Errorf("ask for database: %w", err)
	}
	if response.StatusCode != http.StatusOK { // The body may name the user's things.
		return false, fmt.Errorf("ask for database: status %d", response.StatusCode)
	}
	return strings.TrimSpace(string(body)) == "1", nil
}

// escapeParameter writes a value as the engine reads bound values: as a field of tab-separated text.
func escapeParameter(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`).Replace(s)
}
