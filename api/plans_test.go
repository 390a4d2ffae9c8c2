package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/api"
)

// planKeeper has one plan, "web", at revision 7.
type planKeeper struct {
	err       error
	asked     []string // what was asked for, and by whom
	violation api.PlanViolation
}

func newPlanKeeper() *planKeeper {
	return &planKeeper{violation: api.PlanViolation{Plan: "web", Version: "1", Pointer: "/properties/revenue", Rule: "type", Detail: "is string, must be number", Block: true}}
}

func (p *planKeeper) note(format string, args ...any) error {
	p.asked = append(p.asked, fmt.Sprintf(format, args...))
	return p.err
}

func (p *planKeeper) plan() api.Plan {
	return api.Plan{Name: "web", Revision: 7, ChangedAt: noon, Actor: "ana", Definition: json.RawMessage(`{"events":[]}`), Events: 0}
}

func (p *planKeeper) List(_ context.Context, workspace string) ([]api.Plan, error) {
	return []api.Plan{p.plan()}, p.note("list %s", workspace)
}

func (p *planKeeper) Get(_ context.Context, workspace, name string) (*api.Plan, error) {
	if name != "web" || workspace != "main" {
		return nil, api.ErrNoPlan
	}
	plan := p.plan()
	return &plan, p.note("get %s %s", workspace, name)
}

func (p *planKeeper) Put(_ context.Context, workspace, actor, name string, expected uint64, definition json.RawMessage) (uint64, error) {
	if expected != 7 {
		return 0, &api.Refused{Conflict: true, Detail: "the plan is at revision 7"}
	}
	return 8, p.note("put %s %s %s %s", workspace, actor, name, definition)
}

func (p *planKeeper) Archive(_ context.Context, workspace, actor, name string, expected uint64) (uint64, error) {
	return 9, p.note("archive %s %s %s %d", workspace, actor, name, expected)
}

func (p *planKeeper) Try(_ context.Context, workspace, kind string, message, definition json.RawMessage) ([]api.PlanViolation, error) {
	if strings.Contains(string(message), "fine") {
		return nil, p.err
	}
	return []api.PlanViolation{p.violation}, p.note("try %s %s %s %s", workspace, kind, message, definition)
}

func (p *planKeeper) Violations(_ context.Context, workspace, plan string, since time.Time, limit int) ([]api.PlanBroken, error) {
	return []api.PlanBroken{{Event: "Order Completed", Rule: "type", Mode: "block", Count: 3, First: noon, Last: noon, Examples: []string{"m1"}}},
		p.note("violations %s %s %t %d", workspace, plan, since.IsZero(), limit)
}

func TestPlans(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	put := `{"expected_revision":7,"definition":{"events":[]}}`
	for _, sc := range []scenario{
		{name: "list", path: "/v1/plans", key: "read-dev", status: 200, want: []string{`"revision":7`, `"changed_by":"ana"`}, not: []string{"definition"}},
		{name: "get", path: "/v1/plans/web", key: "read-dev", status: 200, want: []string{`"definition":{"events":[]}`}},
		{name: "get another's", path: "/v1/plans/web", key: "read-other", status: 404, want: []string{"plan-not-found"}},
		{name: "get none", path: "/v1/plans/nope", key: "read-dev", status: 404},
		{name: "put", method: http.MethodPut, path: "/v1/plans/web", key: "admin-dev", body: put, status: 200, want: []string{`{"revision":8}`}},
		{name: "put as reader", method: http.MethodPut, path: "/v1/plans/web", key: "read-dev", body: put, status: 403},
		{name: "put stale", method: http.MethodPut, path: "/v1/plans/web", key: "admin-dev", body: strings.Replace(put, "7", "6", 1), status: 409, want: []string{"revision 7", "urn:kindred:problem:conflict"}},
		{name: "put without revision", method: http.MethodPut, path: "/v1/plans/web", key: "admin-dev", body: `{"definition":{"events":[]}}`, status: 400, want: []string{`"/expected_revision"`}},
		{name: "put nothing", method: http.MethodPut, path: "/v1/plans/web", key: "admin-dev", body: `{}`, status: 400, want: []string{`"/definition"`}},
		{name: "put negative", method: http.MethodPut, path: "/v1/plans/web", key: "admin-dev", body: `{"expected_revision":-1}`, status: 400, want: []string{`"/expected_revision"`}},
		{name: "put unknown field", method: http.MethodPut, path: "/v1/plans/web", key: "admin-dev", body: `{"workspace":"other"}`, status: 400},
		{name: "put too large", method: http.MethodPut, path: "/v1/plans/web", key: "admin-dev", body: `{"definition":"` + strings.Repeat("x", 1<<20) + `"}`, status: 413},
		{name: "put XML", method: http.MethodPut, path: "/v1/plans/web", key: "admin-dev", body: put, header: map[string]string{"Content-Type": "application/xml"}, status: 415},
		{name: "delete", method: http.MethodDelete, path: "/v1/plans/web?expected_revision=7", key: "admin-dev", status: 200, want: []string{`{"revision":9}`}},
		{name: "delete blindly", method: http.MethodDelete, path: "/v1/plans/web", key: "admin-dev", status: 400},
		{name: "delete oddly", method: http.MethodDelete, path: "/v1/plans/web?expected_revision=seven", key: "admin-dev", status: 400, not: []string{"seven"}},
		{name: "check", method: http.MethodPost, path: "/v1/plans/check", key: "read-dev", body: `{"event":{"id":"m"}}`, status: 200, want: []string{`"stored":false`, `"pointer":"/properties/revenue"`}},
		{name: "check what is fine", method: http.MethodPost, path: "/v1/plans/check", key: "read-dev", body: `{"event":{"id":"fine"}}`, status: 200, want: []string{`"stored":true`, `"violations":[]`}},
		{name: "check nothing", method: http.MethodPost, path: "/v1/plans/check", key: "read-dev", body: `{"event":[]}`, status: 400, want: []string{`"/event"`}},
		{name: "violations", path: "/v1/plans/web/violations?limit=5", key: "read-dev", status: 200, want: []string{`"count":3`, `"examples":["m1"]`}},
		{name: "violations since", path: "/v1/plans/web/violations?since=yesterday", key: "read-dev", status: 400, not: []string{"yesterday"}},
		{name: "violations limit", path: "/v1/plans/web/violations?limit=0", key: "read-dev", status: 400},
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
	asked := strings.Join(f.plans.asked, "\n")
	for _, want := range []string{"list main", `put main name-of-admin-dev web {"events":[]}`, "archive main name-of-admin-dev web 7", `try main behaviour {"id":"m"}`, "violations main web false 5"} {
		if !strings.Contains(asked, want) {
			t.Errorf("nobody asked for %q:\n%s", want, asked)
		}
	}
	for err, status := range map[error]int{api.ErrPending: 503, errBroken: 500, &api.Refused{Detail: "d", Faults: []api.PlacedFault{{Pointer: "/definition/events", Detail: "x"}}}: 400} {
		f.plans.err = err
		scenario{method: http.MethodPut, path: "/v1/plans/web", key: "admin-dev", body: put, status: status, not: []string{"ana@example.com"}}.run(t, h)
	}
}
