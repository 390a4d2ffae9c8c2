package inquiry

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// handler serves one Inquirer.
type handler struct {
	answers Inquirer
	signer  signer
	now     func() time.Time
	log     *slog.Logger
}

// NewHandler serves what answers knows to whoever has the secret. It answers 401
// to a wrong or old token, 421 where answers is not the owner of the workspace,
// so that the client asks another process, 400 and 413 to what is no question,
// 409 while rules are being tried, and 503 to what takes longer than ten seconds,
// or half an hour where rules are tried. A client that goes away ends what it
// asked for. A nil log is silent.
func NewHandler(answers Inquirer, secret identity.Secret, now func() time.Time, log *slog.Logger) http.Handler {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	h := &handler{answers: answers, signer: newSigner(secret), now: now, log: log}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+pathWhy, h.serve(maxRequest, maxDuration, h.why))
	mux.HandleFunc("POST "+pathSubgraph, h.serve(maxRequest, maxDuration, h.subgraph))
	mux.HandleFunc("POST "+pathHealth, h.serve(maxRequest, maxDuration, h.health))
	mux.HandleFunc("POST "+pathReview, h.serve(maxRequest, maxDuration, h.review))
	mux.HandleFunc("POST "+pathRules, h.serve(maxLarge, maxTrial, h.tryRules))
	mux.HandleFunc("POST "+pathProgress, h.serve(maxRequest, maxDuration, h.progress))
	mux.HandleFunc("POST "+pathCommand, h.serve(maxLarge, maxDuration, h.tryCommand))
	return mux
}

// errMalformed reports a question that misses a part.
var errMalformed = errors.New("the question misses a part")

// serve checks the token before it reads what the body says.
func (h *handler) serve(limit int64, most time.Duration, answer func(context.Context, question) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// A sender who dawdles is cut off as well, where the server can do so.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(maxDuration))
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			http.Error(w, "question too large", http.StatusRequestEntityTooLarge)
			return
		case err != nil:
			http.Error(w, "question unreadable", http.StatusBadRequest)
			return
		case !h.signer.accepts(r.Header.Get(tokenHeader), h.now(), r.URL.Path, body):
			http.Error(w, "token wrong or not of this minute", http.StatusUnauthorized)
			return
		}
		var q question
		if err := json.Unmarshal(body, &q); err != nil || q.Workspace == "" {
			http.Error(w, "question malformed", http.StatusBadRequest)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), most)
		defer cancel()
		if most > maxDuration {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(most + maxDuration))
		}
		said, err := answer(ctx, q)
		if err != nil {
			h.refuse(w, r, q, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if err := json.NewEncoder(w).Encode(said); err != nil {
			h.log.Warn("inquiry not answered", "path", r.URL.Path, "workspace", q.Workspace, "error", err)
		}
	}
}

func (h *handler) refuse(w http.ResponseWriter, r *http.Request, q question, err error) {
	switch {
	case errors.Is(err, identity.ErrNotOwner):
		http.Error(w, "not the owner of the workspace", http.StatusMisdirectedRequest)
	case errors.Is(err, identity.ErrTrialRunning):
		http.Error(w, "rules are being tried already", http.StatusConflict)
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		// Nobody waits for the answer any more.
	case errors.Is(err, errMalformed), errors.Is(err, identity.ErrReviewCursor):
		http.Error(w, "question malformed", http.StatusBadRequest)
	case errors.Is(err, context.DeadlineExceeded):
		http.Error(w, "no answer in time", http.StatusServiceUnavailable)
	default:
		h.log.Error("inquiry failed", "path", r.URL.Path, "workspace", q.Workspace, "error", err)
		http.Error(w, "inquiry failed", http.StatusInternalServerError)
	}
}

func (h *handler) why(ctx context.Context, q question) (any, error) {
	if q.A == nil || q.B == nil {
		return nil, errMalformed
	}
	e, err := h.answers.Why(ctx, q.Workspace, *q.A, *q.B)
	return explanation{Explanation: e, ProfileA: uint64(e.ProfileA), ProfileB: uint64(e.ProfileB)}, err
}

func (h *handler) subgraph(ctx context.Context, q question) (any, error) {
	if q.Profile == 0 {
		return nil, errMalformed
	}
	s, err := h.answers.Subgraph(ctx, q.Workspace, identity.ProfileID(q.Profile))
	return subgraph{Subgraph: s, Profile: uint64(s.Profile)}, err
}

func (h *handler) health(ctx context.Context, q question) (any, error) {
	return h.answers.Health(ctx, q.Workspace)
}

func (h *handler) review(ctx context.Context, q question) (any, error) {
	if q.Review == nil {
		return nil, errMalformed
	}
	return h.answers.Review(ctx, q.Workspace, *q.Review)
}

func (h *handler) tryRules(ctx context.Context, q question) (any, error) {
	if len(q.Rules) == 0 {
		return nil, errMalformed
	}
	return h.answers.TryRules(ctx, q.Workspace, q.Rules)
}

func (h *handler) progress(ctx context.Context, q question) (any, error) {
	return h.answers.TrialProgress(ctx, q.Workspace)
}

func (h *handler) tryCommand(ctx context.Context, q question) (any, error) {
	if q.Command == nil || q.Command.Workspace != q.Workspace {
		return nil, errMalformed
	}
	return h.answers.TryCommand(ctx, *q.Command)
}
