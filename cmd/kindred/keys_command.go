package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/ingest/keys"
)

func keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "keys", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Short: "API keys: make, list, rotate, revoke",
		Long: `API keys of the workspace, beside those of KINDRED_API_KEYS, which open a new
installation. A key has one role:

  write     sends events of one source
  public    sends events from browsers and apps, where everybody can read the key
  read      for programs: profiles, segments, explanations
  marketer  for people: what read may read, personal values masked; on record
  admin     for people: everything, as it is; on record

A secret is shown once, when it is made; Kindred keeps its hash alone. Every API
process knows a new key, and forgets a revoked one, within a second or two.
A public key names the pages that may send with it, each by --origin: requests that
state another one are refused. Programs and apps state none, so that this keeps out
other people's pages and no thieves. Its source begins with "public/", by which
identity does not trust what it claims unless the rules do.

  kindred keys create web --role public --source web --origin https://shop.example`,
	}
	cmd.AddCommand(keysCreateCommand(), keysListCommand(), keysRotateCommand(), keysRevokeCommand())
	return cmd
}

// keyAnswer is a key as the API answers it, with its secret where it has one.
type keyAnswer struct {
	Key    api.ManagedKey `json:"key"`
	Secret string         `json:"secret,omitempty"`
}

func keysCreateCommand() *cobra.Command {
	var k api.NewKey
	var role, expires string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "create NAME --role ROLE", Short: "Make a key and print its secret, once", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			k.Name, k.Role = args[0], api.Role(role)
			if expires != "" {
				d, err := age(expires)
				if err != nil {
					return fmt.Errorf("expires: %w", err)
				}
				k.Expires = now().Add(d).UTC().Truncate(time.Millisecond)
			}
			if slices.Contains(k.Origins, keys.AnyOrigin) {
				fmt.Fprintln(os.Stderr, "warning: every page of the web may send events with this key: name your origins if you know them")
			}
			return changeKey(cmd, "/v1/keys", newKeyBody(k), asJSON)
		},
	}
	cmd.Flags().StringVar(&role, "role", "read", "`role`: write, public, read, marketer or admin")
	cmd.Flags().StringVar(&k.Source, "source", "", "`name` of where the events come from that are sent with it (default: that of the key)")
	cmd.Flags().StringArrayVar(&k.Origins, "origin", nil, "`origin` of pages that may send with a public key, such as https://shop.example; several times for several, '*' for all")
	cmd.Flags().StringVar(&expires, "expires", "", "`time` until it expires, such as 90d or 12h (default: never)")
	cmd.Flags().Float64Var(&k.Rate, "rate", 0, "`requests` a second that it may send (default: that of the installation)")
	cmd.Flags().IntVar(&k.Burst, "burst", 0, "`requests` that it may send at once (default: those of a second)")
	cmd.Flags().BoolVar(&k.Person, "person", false, "a person holds it: what it reads of people goes on record")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// newKeyBody leaves out what is not said.
func newKeyBody(k api.NewKey) map[string]any {
	body := map[string]any{"name": k.Name, "role": k.Role, "source": k.Source, "person": k.Person, "rate": k.Rate, "burst": k.Burst}
	if !k.Expires.IsZero() {
		body["expires_at"] = k.Expires
	}
	if len(k.Origins) > 0 {
		body["origins"] = k.Origins
	}
	return body
}

// age reads a duration, which may be in days.
func age(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > 36500 {
			return 0, fmt.Errorf("%q is no number of days", text)
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no time such as 90d, 12h or 30m", text)
	}
	return d, nil
}

func keysRotateCommand() *cobra.Command {
	var grace string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "rotate ID", Short: "Give a key another secret and print it, once", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := age(grace)
			if err != nil {
				return fmt.Errorf("grace: %w", err)
			}
			return changeKey(cmd, "/v1/keys/"+url.PathEscape(args[0])+"/rotate", map[string]any{"grace_seconds": int64(d / time.Second)}, asJSON)
		},
	}
	cmd.Flags().StringVar(&grace, "grace", "24h", "`time` for which the secret before holds yet, at most 30d; 0s ends it at once")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func keysRevokeCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "revoke ID", Short: "End a key for ever", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return changeKey(cmd, "/v1/keys/"+url.PathEscape(args[0])+"/revoke", map[string]any{}, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// changeKey sends a change and prints what became of the key.
func changeKey(cmd *cobra.Command, path string, body any, asJSON bool) error {
	r, err := newRemote(cmd)
	if err != nil {
		return err
	}
	var answer keyAnswer
	if err := r.do(cmd.Context(), http.MethodPost, path, body, &answer); err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd, answer)
	}
	k := answer.Key
	fmt.Printf("key %s %s: %s, %s\n", k.ID, plain(k.Name), k.Role, k.Status)
	if k.Before != nil {
		fmt.Printf("the secret before holds until %s UTC\n", moment(*k.Before))
	}
	if answer.Secret != "" {
		fmt.Printf("secret, which nobody can show again:\n%s\n", answer.Secret)
	}
	return nil
}

func keysListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the keys, the newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := newRemote(cmd)
			if err != nil {
				return err
			}
			var answer struct {
				Keys []api.ManagedKey `json:"keys"`
			}
			if err := r.do(cmd.Context(), http.MethodGet, "/v1/keys", nil, &answer); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, answer)
			}
			return table(os.Stdout, "ID\tNAME\tROLE\tSOURCE\tORIGINS\tSTATUS\tMADE\tEXPIRES\tCHANGED\tBY", len(answer.Keys), func(i int) []any {
				k := answer.Keys[i]
				expires := "never"
				if k.Expires != nil {
					expires = moment(*k.Expires)
				}
				return []any{k.ID, k.Name, k.Role, k.Source, strings.Join(k.Origins, " "), k.Status, moment(k.Created), expires, moment(k.Changed), k.By}
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// auditCommand prints the record of what people read and changed.
func auditCommand() *cobra.Command {
	query := url.Values{}
	var since string
	var limit int
	var asJSON bool
	filters := map[string]*string{}
	cmd := &cobra.Command{
		Use: "audit", Short: "Who read what of whom, and who changed what", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			back, err := age(since)
			if err != nil {
				return fmt.Errorf("since: %w", err)
			}
			query.Set("since", now().Add(-back).UTC().Format(time.RFC3339))
			query.Set("limit", strconv.Itoa(limit))
			for name, value := range filters {
				if *value != "" {
					query.Set(strings.ReplaceAll(name, "-", "_"), *value)
				}
			}
			return printAudit(cmd, query, asJSON)
		},
	}
	for name, usage := range map[string]string{
		"profile": "a person: `namespace:value` or an id", "key-id": "an API key, by its `id`", "actor": "an actor, by the `name` that requests claimed",
		"action": "an `action`: read or change", "route": "a route, by its `pattern`, such as /v1/profiles/:id", "request-id": "a request, by its `id`",
	} {
		filters[name] = cmd.Flags().String(name, "", "only those of "+usage)
	}
	cmd.Flags().StringVar(&since, "since", "7d", "how far to look `back`")
	cmd.Flags().IntVar(&limit, "limit", 100, "greatest `number` of entries")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printAudit(cmd *cobra.Command, query url.Values, asJSON bool) error {
	r, err := newRemote(cmd)
	if err != nil {
		return err
	}
	var answer struct {
		Entries []api.AuditEntry `json:"entries"`
		Next    string           `json:"next,omitempty"`
	}
	if err := r.do(cmd.Context(), http.MethodGet, "/v1/audit?"+query.Encode(), nil, &answer); err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd, answer)
	}
	return table(os.Stdout, "TIME\tKEY\tROLE\tACTOR\tACTION\tROUTE\tOF\tPERSONS\tSTATUS\tREQUEST", len(answer.Entries), func(i int) []any {
		e := answer.Entries[i]
		status := strconv.Itoa(e.Status)
		if e.Status == 0 {
			status = "unknown"
		}
		return []any{moment(e.Time), e.KeyName, e.Role, e.Actor, e.Action, e.Method + " " + e.Route, e.Resource, len(e.Subjects), status, e.RequestID}
	})
}
