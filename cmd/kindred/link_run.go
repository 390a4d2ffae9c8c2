package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/rulefile"
	"github.com/kindred-cdp/kindred/ingest/kafka"
	"github.com/kindred-cdp/kindred/profiles/matching"
)

// linkRun is what link run does, and with whom.
type linkRun struct {
	p      *platform
	remote *remote
	writer writer
	keep   string // version of the model to keep, "" to learn one
	seed   uint64
	dryRun bool
	say    func(step string)
}

// linkRunReport is what link run prints.
type linkRunReport struct {
	Model string `json:"model"`
	// Records are those that say something: of user ids, and of sources.
	Records    int            `json:"records"`
	Users      int            `json:"records_of_users"`
	Sources    map[string]int `json:"records_by_source"`
	Candidates int64          `json:"candidates"`
	// Pairs may be one person; Review and Link of them reach the thresholds.
	Pairs     int     `json:"pairs"`
	Review    int     `json:"pairs_to_review"`
	Link      int     `json:"pairs_to_link"`
	ReviewAt  float64 `json:"review_threshold_bits"`
	LinkAt    float64 `json:"link_threshold_bits"`
	Published int     `json:"published"`
	Withdrawn int     `json:"withdrawn"`
	Tied      int     `json:"records_tied_to_users"`
	// Rules is what naming the model changes; nil where the rules name it already.
	Rules   *api.RulesReport   `json:"rules,omitempty"`
	DryRun  bool               `json:"dry_run"`
	Seconds map[string]float64 `json:"seconds"`
	outcome *api.CommandOutcome
}

func linkRunCommand() *cobra.Command {
	var keep string
	var o linkRun
	cmd := &cobra.Command{
		Use: "run", Short: "Find the records of one person in a running Kindred, and join them", Args: cobra.NoArgs,
		Long: `Find the records of one person in a running Kindred, where no identifier says
that they are. Compared is what each record says (name, birth date, address,
telephone …): records are the identifiers of namespace record, as imports send
them, and what is known of each user id. How much an agreement says is learnt from
the records themselves; the model is kept ("kindred link models"), and every pair
is explained by it ("kindred identity why A B").

The scores go to the identity ledger, and a new version of the rules names the
model: pairs above the link threshold of the rules join, what breaks a limit or was
parted by a person does not, and what lies between the thresholds waits for review.
From then on each record that is new or has changed is scored within seconds.

With --dry-run the rules stay as they are, and printed is what naming the model
would join and split. The model and its scores are stored, and count for nothing.

  kindred link run --dry-run
  kindred link run
  kindred link run --model keep     # score again by the model in force`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runLinkRun(cmd, o, keep) },
	}
	f := cmd.Flags()
	f.StringVar(&keep, "model", "new", "new learns a `model`, keep takes the one in force, and a version that one")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would join and split, and change no profile")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the samples; the same records and seed give the same model")
	return cmd
}

func runLinkRun(cmd *cobra.Command, o linkRun, keep string) error {
	s, err := loadSettings(cmd)
	if err != nil {
		return err
	}
	if o.remote, err = newRemote(cmd); err != nil {
		return err
	}
	var rules rulefile.File
	if err := o.remote.do(cmd.Context(), http.MethodGet, "/v1/identity/rules", nil, &rules); err != nil {
		return err
	}
	switch keep {
	case "new":
	case "keep":
		if o.keep = rules.Linkage.Model; o.keep == "" {
			return fmt.Errorf("the rules name no model to keep: learn one with `kindred link run`")
		}
	default:
		o.keep = keep
	}
	s.roles = roleSet{roleWorker}
	u := newUI(os.Stderr, now)
	o.say = func(step string) { u.say("link: %s", step) }
	return withPlatform(cmd.Context(), s, u, func(ctx context.Context, p *platform) error {
		w := kafka.NewWriter(p.brokers)
		defer func() { _ = w.Close() }()
		o.p, o.writer = p, w
		report, err := o.run(ctx)
		if err != nil {
			return err
		}
		if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
			return printJSON(cmd, report)
		}
		return printLinkRun(os.Stdout, report)
	})
}

// run reads, learns, scores and publishes, and then names the model in the rules.
func (o *linkRun) run(ctx context.Context) (*linkRunReport, error) {
	deps, err := matchingDeps(o.p, o.writer, nil)
	if err != nil {
		return nil, err
	}
	cfg := matchingConfig(o.p.settings)
	if o.seed != 0 {
		cfg.Seed = o.seed
	}
	job, err := matching.NewJob(cfg, deps)
	if err != nil {
		return nil, err
	}
	found, err := job.Run(ctx, o.keep, o.say)
	if err != nil {
		return nil, err
	}
	r := newLinkRunReport(found, o.dryRun)
	begun := now()
	o.tell("wait for the identity role")
	if err := awaitScores(ctx, found); err != nil {
		return nil, err
	}
	r.Seconds["store"] = now().Sub(begun).Seconds()
	begun = now()
	err = o.name(ctx, r)
	r.Seconds["rules"] = now().Sub(begun).Seconds()
	for _, seconds := range []string{"read", "learn", "score", "publish", "store", "rules"} {
		r.Seconds["all"] += r.Seconds[seconds]
	}
	return r, err
}

func (o *linkRun) tell(step string) {
	if o.say != nil {
		o.say(step)
	}
}

func newLinkRunReport(f *matching.Report, dryRun bool) *linkRunReport {
	return &linkRunReport{
		Model: f.Model.Version, Records: f.Records, Users: f.Users, Sources: f.Sources, Candidates: f.Model.Candidates,
		Pairs: f.Pairs, Review: f.Review, Link: f.Link, ReviewAt: float64(f.Rules.Review) / 100, LinkAt: float64(f.Rules.Link) / 100,
		Published: f.Scored, Withdrawn: f.Withdrew, Tied: f.Tied, DryRun: dryRun, Seconds: f.Seconds,
	}
}

// awaitScores waits until the owner of the ledger has stored what was published.
func awaitScores(ctx context.Context, f *matching.Report) error {
	const pause, patience = 200 * time.Millisecond, 5 * time.Minute
	last, since := -1, now()
	for {
		left, err := f.Unstored(ctx)
		if err != nil || left == 0 {
			return err
		}
		switch {
		case left != last:
			last, since = left, now()
		case now().Sub(since) > patience:
			return fmt.Errorf("the identity role has not stored %d scores for %s: see that a process with the role identity runs, and give the command again", left, patience)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// name names the model in the rules, or says what that would change.
func (o *linkRun) name(ctx context.Context, r *linkRunReport) error {
	var rules rulefile.File
	if err := o.remote.do(ctx, http.MethodGet, "/v1/identity/rules", nil, &rules); err != nil {
		return err
	}
	if rules.Linkage.Model == r.Model {
		return nil // Its scores count already.
	}
	expected := rules.Version
	rules.Linkage.Model = r.Model
	text := rulefile.Format(rules)
	o.tell("compute what changes")
	o.remote.client.Timeout = 2 * api.DefaultConfig().DryRunTimeout
	answer, err := o.remote.send(ctx, http.MethodPost, dryRunPath, text, http.Header{"Content-Type": {"application/toml"}})
	if err != nil {
		return err
	}
	r.Rules = &api.RulesReport{}
	if err := json.Unmarshal(answer, r.Rules); err != nil {
		return fmt.Errorf("read the answer of the API: %w", err)
	}
	if o.dryRun {
		return nil
	}
	o.tell("name the model in the rules")
	r.outcome = &api.CommandOutcome{}
	err = o.remote.do(ctx, http.MethodPost, "/v1/identity/"+string(identity.Redeclare), map[string]any{
		"rules": string(text), "expected": expected, "reason": "linkage model " + r.Model,
	}, r.outcome)
	if err != nil {
		return err
	}
	return o.applied(ctx, r.outcome)
}

// applied waits for a command that takes longer than its request. Until it is
// applied the API knows nothing of it.
func (o *linkRun) applied(ctx context.Context, c *api.CommandOutcome) error {
	id, deadline := c.ID, now().Add(10*time.Minute)
	for c.Status == api.CommandPending {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
		var refused *refusedBy
		err := o.remote.do(ctx, http.MethodGet, "/v1/identity/commands/"+id, nil, c)
		if err != nil && (!errors.As(err, &refused) || refused.status != http.StatusNotFound) {
			return err
		}
		if now().After(deadline) {
			return fmt.Errorf("the rules that name the model are accepted and not applied yet; `kindred identity status %s` says what became of them", id)
		}
	}
	if c.Code != "" {
		return fmt.Errorf("the rules that name the model were refused: %s: %s", c.Code, c.Detail)
	}
	return nil
}
