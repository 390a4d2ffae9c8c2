package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/rulefile"
	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/profiles"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/matching"
)

// linkPublisher is matching.Publisher on the topic of evidence.
type linkPublisher struct {
	*ingest.EvidencePublisher
	*ingest.LinkPublisher
}

// modelSeal encrypts models of linkage with a key of the installation's secret.
func modelSeal(secret identity.Secret) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, secret[:], nil, "kindred linkage models", 32)
	if err != nil {
		return nil, fmt.Errorf("key of linkage models: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("key of linkage models: %w", err)
	}
	return cipher.NewGCM(block)
}

// linkageRules reads what the rules in force say of linkage.
func linkageRules(ctx context.Context, store *profilestore.Store, workspace string) (matching.Rules, error) {
	f := rulefile.Default()
	declared, err := store.DeclaredRules(ctx, workspace)
	switch {
	case errors.Is(err, profiles.ErrNoRules):
	case err != nil:
		return matching.Rules{}, err
	default:
		if f, err = rulefile.Parse([]byte(declared.Rules)); err != nil {
			return matching.Rules{}, fmt.Errorf("read declared rules of version %d: %w", declared.Version, err)
		}
	}
	return matching.Rules{Model: f.Linkage.Model, Review: int64(f.Linkage.Review), Link: int64(f.Linkage.Link)}, nil
}

// matchingDeps are those of the workspace's records.
func matchingDeps(p *platform, w writer, registry prometheus.Registerer) (matching.Deps, error) {
	seal, err := modelSeal(p.secret)
	if err != nil {
		return matching.Deps{}, err
	}
	store, err := profilestore.New(profilestore.DefaultConfig(), p.conn, now)
	if err != nil {
		return matching.Deps{}, err
	}
	return matching.Deps{
		Conn: p.conn, Publisher: linkPublisher{ingest.NewEvidencePublisher(w), ingest.NewLinkPublisher(w)},
		Rules: func(ctx context.Context, workspace string) (matching.Rules, error) {
			return linkageRules(ctx, store, workspace)
		},
		Keyer: func(workspace string) identity.Keyer { return identity.NewKeyer(p.secret, workspace) },
		Seal:  seal, Clock: now, Logger: p.log.With("role", "worker"), Registerer: registry,
	}, nil
}

func matchingConfig(s *settings) matching.Config {
	cfg := matching.DefaultConfig()
	cfg.Workspace = s.workspace
	return cfg
}

// newMatcher returns the worker that scores records.
func newMatcher(p *platform, w writer, registry prometheus.Registerer) (*matching.Worker, error) {
	deps, err := matchingDeps(p, w, registry)
	if err != nil {
		return nil, err
	}
	return matching.NewWorker(matchingConfig(p.settings), deps)
}

// modelShelf is api.Models.
type modelShelf struct {
	models *matching.Models
	rules  func(ctx context.Context, workspace string) (matching.Rules, error)
}

var _ api.Models = modelShelf{}

// List implements api.Models.
func (s modelShelf) List(ctx context.Context, workspace string) ([]api.LinkageModel, error) {
	list, err := s.models.List(ctx, workspace)
	if err != nil {
		return nil, err
	}
	rules, err := s.rules(ctx, workspace)
	return mapped(list, func(m matching.Stored) api.LinkageModel { return linkageModel(m, rules) }), err
}

// Get implements api.Models.
func (s modelShelf) Get(ctx context.Context, workspace, version string) (*api.LinkageModel, error) {
	m, err := s.models.Get(ctx, workspace, version)
	if errors.Is(err, matching.ErrNoModel) {
		return nil, api.ErrNoModel
	}
	if err != nil {
		return nil, err
	}
	rules, err := s.rules(ctx, workspace)
	model := linkageModel(*m, rules)
	return &model, err
}

func linkageModel(m matching.Stored, rules matching.Rules) api.LinkageModel {
	return api.LinkageModel{
		Version: m.Version, CreatedAt: m.CreatedAt, Records: m.Records, Candidates: m.Candidates,
		ExpectedMatches: m.ExpectedMatches, InForce: rules.Model == m.Version, Card: m.Card,
	}
}
