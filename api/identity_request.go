package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// The limits of a command.
const (
	maxCommandIdentifiers = 1000
	maxCommandReason      = 1000 // bytes
	maxCommandID          = 100
	commandIDRule         = "must be 1 to 100 letters, digits and . _ : -"
)

// commandRequest is a command as it is asked for.
type commandRequest struct {
	ID   string               `json:"id"`
	Kind identity.CommandKind `json:"kind"`
	// Identifiers are text, namespace:value, or objects.
	Identifiers []json.RawMessage `json:"identifiers"`
	// From is an identifier or id of the profile that they leave, of an unmerge.
	From     string          `json:"from"`
	Target   string          `json:"target"`
	Rules    json.RawMessage `json:"rules"` // an object, or the text of a rule file
	Expected *int            `json:"expected"`
	Override bool            `json:"override"`
	Whole    bool            `json:"whole"`   // of a link: both profiles, whatever a limit keeps apart
	DryRun   bool            `json:"dry_run"` // says what it would do, and does nothing
	Reason   string          `json:"reason"`
}

// faultList collects what is wrong with a body.
type faultList []fault

func (l *faultList) add(pointer, detail string) { *l = append(*l, fault{pointer, detail}) }

// command checks a request and turns it into a command of its sender.
func (s *Server) command(c *gin.Context, kind identity.CommandKind, r *commandRequest) (identity.Command, error) {
	var faults faultList
	switch {
	case kind == "" && !slices.Contains(commandKinds, r.Kind):
		faults.add("/kind", fmt.Sprintf("must be one of %v", commandKinds))
	case kind != "" && r.Kind != "" && r.Kind != kind:
		faults.add("/kind", "is not that of the path; leave it out")
	case kind == "":
		kind = r.Kind
	}
	id := r.ID
	if id == "" {
		id = newCommandID()
	} else if !isCommandID(id) {
		faults.add("/id", commandIDRule)
	}
	command := identity.Command{
		ID: id, Workspace: workspaceOf(c), Kind: kind, Override: r.Override, Whole: r.Whole, Reason: r.Reason, Actor: actorOf(c),
		Identifiers: s.commandIdentifiers(r, &faults),
	}
	if len(faults) == 0 { // Otherwise the kind may be none.
		r.shape(&command, &faults)
	}
	if kind == identity.Redeclare && len(faults) == 0 {
		if err := s.commandRules(r, &command); err != nil {
			return command, err
		}
	}
	if len(faults) > 0 {
		return command, badRequest("the command breaks rules", faults...)
	}
	if r.From != "" && r.ID != "" {
		// Given again, the identifiers have left: then the outcome is the answer.
		switch _, err := s.deps.Commands.Get(c.Request.Context(), command.Workspace, command.ID); {
		case err == nil:
			return command, nil
		case !errors.Is(err, profiles.ErrNoCommand):
			return command, err
		}
	}
	return command, s.checkFrom(c, r.From, command.Identifiers)
}

// commandIdentifiers reads and normalises the identifiers, each once.
func (s *Server) commandIdentifiers(r *commandRequest, faults *faultList) []identity.Identifier {
	if len(r.Identifiers) > maxCommandIdentifiers {
		faults.add("/identifiers", fmt.Sprintf("has %d identifiers; the limit is %d", len(r.Identifiers), maxCommandIdentifiers))
		return nil
	}
	var list []identity.Identifier
	seen := map[identity.Identifier]bool{}
	for i, raw := range r.Identifiers {
		text, err := identifierText(raw)
		var id identity.Identifier
		if err == nil {
			id, err = s.identifier(text)
		}
		switch {
		case err != nil:
			faults.add(fmt.Sprintf("/identifiers/%d", i), err.Error())
		case !seen[id]:
			seen[id] = true
			list = append(list, id)
		}
		if len(*faults) >= 20 {
			break // Enough to see what is wrong.
		}
	}
	return list
}

// identifierText returns the namespace:value of either form.
func identifierText(raw json.RawMessage) (string, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	var object struct {
		Namespace *string `json:"namespace"`
		Value     *string `json:"value"`
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&object); err != nil || object.Namespace == nil || object.Value == nil {
		return "", errors.New(`must be text, namespace:value, or an object of "namespace" and "value"`)
	}
	if strings.Contains(*object.Namespace, ":") {
		return "", errors.New("is no identifier: " + identity.ErrNamespace.Error())
	}
	return *object.Namespace + ":" + *object.Value, nil
}

// shape checks that a request has the fields of its kind and no others.
func (r *commandRequest) shape(command *identity.Command, faults *faultList) {
	kind := command.Kind
	lists := kind != identity.Undo && kind != identity.Redeclare
	needs := func(pointer string, wanted, there bool, missing string) {
		switch {
		case wanted && !there:
			faults.add(pointer, "is missing: "+missing)
		case !wanted && there:
			faults.add(pointer, "is not a field of the kind "+string(kind))
		}
	}
	needs("/identifiers", lists, len(r.Identifiers) > 0, "the identifiers, as namespace:value")
	if n := len(command.Identifiers); (kind == identity.Link || kind == identity.Separate) && n > 0 && n != 2 {
		faults.add("/identifiers", "must be two different identifiers")
	}
	needs("/target", kind == identity.Undo, r.Target != "", "the id of the command to undo")
	if r.Target != "" && !isCommandID(r.Target) {
		faults.add("/target", commandIDRule)
	}
	needs("/rules", kind == identity.Redeclare, len(r.Rules) > 0, "a rule file, as an object or as text")
	needs("/expected", kind == identity.Redeclare, r.Expected != nil, "the version of the rules in force that you have seen")
	if r.Expected != nil && (*r.Expected < 1 || *r.Expected > 1<<30) {
		faults.add("/expected", "must be a version, from 1")
	}
	if r.From != "" && kind != identity.Unmerge {
		faults.add("/from", "is not a field of the kind "+string(kind))
	}
	if r.Override && kind != identity.Link {
		faults.add("/override", "is not a field of the kind "+string(kind))
	}
	if r.Whole && kind != identity.Link {
		faults.add("/whole", "is not a field of the kind "+string(kind))
	}
	if r.DryRun && kind == identity.Redeclare {
		faults.add("/dry_run", "is not for rules: POST "+dryRunPattern+" tries them")
	}
	if r.Override && strings.TrimSpace(r.Reason) == "" {
		faults.add("/reason", "is missing: an override needs one")
	}
	if len(r.Reason) > maxCommandReason || !utf8.ValidString(r.Reason) {
		faults.add("/reason", fmt.Sprintf("must be UTF-8 of at most %d bytes", maxCommandReason))
	}
	command.Target = r.Target
	if r.Expected != nil {
		command.Expected = *r.Expected
	}
}

// commandRules reads the rule file of a request.
func (s *Server) commandRules(r *commandRequest, command *identity.Command) error {
	text := []byte(r.Rules)
	var inline string
	if json.Unmarshal(r.Rules, &inline) == nil {
		text = []byte(inline)
	}
	f, err := s.deps.Rules.Read(text, 1) // The owner gives it the next version.
	var refused *Refused
	if errors.As(err, &refused) {
		at := *refused
		at.Faults = make([]PlacedFault, len(refused.Faults))
		for i, f := range refused.Faults {
			at.Faults[i] = PlacedFault{Pointer: "/rules" + f.Pointer, Detail: f.Detail}
		}
		return &at
	}
	if err == nil {
		command.Rules = string(f.JSON)
	}
	return err
}

// checkFrom refuses an unmerge whose identifiers are not of the profile that
// they should leave, as it is published now: who names it has looked at it.
func (s *Server) checkFrom(c *gin.Context, from string, leaving []identity.Identifier) error {
	if from == "" {
		return nil
	}
	workspace := workspaceOf(c)
	key, stays, err := s.keyOf(workspace, from)
	var p *problem
	if errors.As(err, &p) {
		return badRequest("the command breaks rules", fault{"/from", p.Detail})
	}
	if slices.Contains(leaving, stays) {
		return badRequest("the command breaks rules", fault{"/from", "must stay, and is among the identifiers that leave"})
	}
	home, err := profiles.Find(c.Request.Context(), s.deps.Profiles, workspace, key)
	if err != nil {
		return err
	}
	keyer := s.deps.Keyer(workspace)
	strangers := map[int]identity.Key{}
	for i, id := range leaving {
		if _, member := slices.BinarySearch(home.Keys, keyer.Key(id)); !member {
			strangers[i] = keyer.Key(id)
		}
	}
	if len(strangers) == 0 {
		return nil
	}
	known, err := s.valuesOf(c, slices.Collect(maps.Values(strangers)))
	if err != nil {
		return err
	}
	return notOfProfile(strangers, known)
}

// notOfProfile refuses identifiers, by their places, that are not of the profile
// that they should leave; those of which nothing is known were never seen.
func notOfProfile(strangers map[int]identity.Key, known map[identity.Key]identity.Identifier) *problem {
	code, status := identity.RefusedUnknown, http.StatusUnprocessableEntity
	var faults faultList
	for _, i := range slices.Sorted(maps.Keys(strangers)) {
		place := fmt.Sprintf("/identifiers/%d", i)
		if _, seen := known[strangers[i]]; seen || known == nil {
			code, status = identity.RefusedNotMerged, http.StatusConflict
			faults.add(place, "is of another profile")
		} else {
			faults.add(place, "was never seen")
		}
	}
	p := newProblem(status, "identity-refused", "The command was refused",
		"not all identifiers are of the profile that \"from\" names: "+refusalAdvice[code])
	p.Code, p.Errors = string(code), faults[:min(len(faults), 20)]
	return p
}

// isCommandID reports whether s can name a command.
func isCommandID(s string) bool {
	if s == "" || len(s) > maxCommandID {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._:-", r) {
			return false
		}
	}
	return true
}
