package main

import (
	"context"
	"fmt"
	"os"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/evaluate"
	"github.com/kindred-cdp/kindred/identity/normalize"
	"github.com/kindred-cdp/kindred/ingest/simulate"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// compare judges the published profiles by the truth of the simulation.
func (p *platform) compare(ctx context.Context, truthFile string) (out demoIdentity, crm demoCRM, err error) {
	keyer := identity.NewKeyer(p.secret, p.settings.workspace)
	truth, err := readTruth(truthFile, &keyer, normalize.New(p.settings.normalise))
	if err != nil {
		return out, crm, err
	}
	records, err := readCRMTruth(simulate.CRMTruthFile(truthFile), &keyer)
	if err != nil {
		return out, crm, err
	}
	blocked, profile, err := p.readProfiles(ctx)
	if err != nil {
		return out, crm, err
	}
	pairs, err := p.readPairs(ctx, blocked)
	if err != nil {
		return out, crm, err
	}
	owner := truth.owner
	counted := func(k identity.Key) bool { return !blocked[k] }
	q := evaluate.Pairwise(owner, func(k identity.Key) identity.ProfileID { return profile[k] }, counted)
	out.Precision, out.Recall = q.Precision, q.Recall
	out.Compared, out.Shared = int(q.Identifiers), truth.shared
	out.UserIDRecall = evaluate.Pairwise(owner, evaluate.ByPrincipal(pairs, identity.UserID), counted).Recall
	out.ComponentsPrecision = evaluate.Pairwise(owner, evaluate.Components(pairs), counted).Precision
	out.Provable = evaluate.Pairwise(owner, evaluate.Components(ofOneOwner(pairs, owner)), counted).Recall
	return out, compareCRM(records, truth.customers, profile, pairs), nil
}

// ofOneOwner returns the pairs of two identifiers with the same one owner.
func ofOneOwner(pairs []evaluate.Pair, owner map[identity.Key]string) (same []evaluate.Pair) {
	for _, p := range pairs {
		if a := owner[p.A.Key]; a != "" && a == owner[p.B.Key] {
			same = append(same, p)
		}
	}
	return same
}

// identityTruth is the truth of the identifiers.
type identityTruth struct {
	owner     map[identity.Key]string // of each identifier that has exactly one
	customers map[identity.Key]string // of the user ids among them
	shared    int                     // identifiers with several owners
}

func readTruth(path string, keyer *identity.Keyer, n normalize.Normalizer) (identityTruth, error) {
	out := identityTruth{owner: map[identity.Key]string{}, customers: map[identity.Key]string{}}
	f, err := os.Open(path)
	if err != nil {
		return out, fmt.Errorf("read the truth: %w", err)
	}
	defer func() { _ = f.Close() }()
	truth, err := simulate.ReadTruth(f)
	if err != nil {
		return out, fmt.Errorf("read the truth: %w", err)
	}
	for _, o := range truth {
		switch {
		case len(o.People) > 1:
			out.shared++
		case len(o.People) == 1:
			id, err := n.Identifier(identity.Namespace(o.Namespace), o.Value)
			if err != nil {
				continue // an empty value is no identifier
			}
			out.owner[keyer.Key(id)] = o.People[0]
			if id.Namespace == identity.UserID {
				out.customers[keyer.Key(id)] = o.People[0]
			}
		}
	}
	return out, nil
}

// readProfiles returns the published profile of every identifier, and which
// identifiers are blocked by the rules.
func (p *platform) readProfiles(ctx context.Context) (map[identity.Key]bool, map[identity.Key]identity.ProfileID, error) {
	rows, err := p.conn.Query(ctx, `
		SELECT identifier_id, any(namespace), any(value), any(`+warehouse.IdentifierProfile("identifier_id")+`)
		FROM identifiers WHERE workspace = $1 GROUP BY identifier_id`, p.settings.workspace)
	if err != nil {
		return nil, nil, fmt.Errorf("read identifiers: %w", err)
	}
	defer func() { _ = rows.Close() }()
	blocked, profile := map[identity.Key]bool{}, map[identity.Key]identity.ProfileID{}
	for rows.Next() {
		var key, id uint64
		var namespace, value string
		if err := rows.Scan(&key, &namespace, &value, &id); err != nil {
			return nil, nil, fmt.Errorf("read identifiers: %w", err)
		}
		profile[identity.Key(key)] = identity.ProfileID(id)
		if identity.BlockedByDefault(identity.Identifier{Namespace: identity.Namespace(namespace), Value: value}) {
			blocked[identity.Key(key)] = true
		}
	}
	return blocked, profile, rows.Err()
}

// readPairs returns the evidence between identifiers that are not blocked.
func (p *platform) readPairs(ctx context.Context, blocked map[identity.Key]bool) ([]evaluate.Pair, error) {
	rows, err := p.conn.Query(ctx, `
		SELECT low_id, any(low_namespace), high_id, any(high_namespace), toUnixTimestamp64Milli(min(first_event))
		FROM identity_evidence WHERE workspace = $1 GROUP BY low_id, high_id`, p.settings.workspace)
	if err != nil {
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var pairs []evaluate.Pair
	for rows.Next() {
		var low, high uint64
		var lowNS, highNS string
		var first int64
		if err := rows.Scan(&low, &lowNS, &high, &highNS, &first); err != nil {
			return nil, fmt.Errorf("read evidence: %w", err)
		}
		if blocked[identity.Key(low)] || blocked[identity.Key(high)] {
			continue
		}
		pairs = append(pairs, evaluate.Pair{
			A: identity.Node{Key: identity.Key(low), Namespace: identity.Namespace(lowNS)},
			B: identity.Node{Key: identity.Key(high), Namespace: identity.Namespace(highNS)}, First: first,
		})
	}
	return pairs, rows.Err()
}
