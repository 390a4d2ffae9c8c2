package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/segments"
)

// explainedParts are the parts of an answer that tell of members.
type explainedParts struct {
	Reach *struct {
		Purpose  string
		Channels []struct {
			Channel                               string
			Addressable, Granted, Denied, Unknown uint64
		}
	}
	Overlap []struct {
		Segment           string
		Members, Both     uint64
		ShareOfSegment    float64 `json:"share_of_segment"`
		ShareOfDefinition float64 `json:"share_of_definition"`
		Jaccard           float64
	}
	Insights *struct {
		Members, Others struct{ Looked, All uint64 }
		Features        []toldFeature
	}
	Unanswered []string
}

type toldFeature struct {
	Kind, Name, Label string
	Value             json.RawMessage
	From, To          *float64
	WithinDays        int     `json:"within_days"`
	ShareMembers      float64 `json:"share_of_members"`
	ShareOthers       float64 `json:"share_of_others"`
	Lift              float64
	Members, Others   uint64
	Defining          bool
}

// includeFlags are the flags of commands that explain.
func includeFlags(cmd *cobra.Command, include *[]string, purpose *string, otherwise []string) {
	cmd.Flags().StringSliceVar(include, "include", otherwise, "parts to tell of the members: reach, overlap, insights")
	cmd.Flags().StringVar(purpose, "purpose", "", "purpose of the consent that reach looks at; marketing when empty")
}

func segmentsInsightsCommand() *cobra.Command {
	var include []string
	var purpose string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "insights SEGMENT", Short: "Tell whom a segment reaches, what it shares with others, and what distinguishes its members", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			query := url.Values{"include": {strings.Join(include, ",")}, "purpose": {purpose}}
			return answered(cmd, http.MethodGet, "/v1/segments/"+url.PathEscape(args[0])+"/insights?"+query.Encode(), nil, asJSON, printInsights)
		},
	}
	includeFlags(cmd, &include, &purpose, []string{"reach", "overlap", "insights"})
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answer as JSON")
	return cmd
}

func segmentsOverlapCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "overlap SEGMENT|FILE...", Short: "Count who is in which of 2 to 10 segments", Args: cobra.RangeArgs(2, segments.MaxIntersected),
		Long: `Count who is in which of 2 to 10 segments, of one moment. What is no name of a segment,
such as new.txt, is a file with a definition.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			list := make([]map[string]any, len(args))
			for i, arg := range args {
				if segments.ID(arg).Valid() && arg != "-" {
					list[i] = map[string]any{"id": arg}
					continue
				}
				member, definition, err := readDefinition(arg)
				if err != nil {
					return err
				}
				list[i] = map[string]any{member: definition, "name": filepath.Base(arg)}
			}
			return answered(cmd, http.MethodPost, "/v1/segments/overlap", map[string]any{"segments": list}, asJSON, printIntersections)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answer as JSON")
	return cmd
}

// answered asks the API and prints its answer, as it is or for people.
func answered(cmd *cobra.Command, method, path string, body any, asJSON bool, show func(io.Writer, json.RawMessage) error) error {
	r, err := newRemote(cmd)
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := r.do(cmd.Context(), method, path, body, &raw); err != nil {
		return err
	}
	if asJSON {
		_, err := fmt.Fprintf(os.Stdout, "%s\n", raw)
		return err
	}
	return show(os.Stdout, raw)
}

func printInsights(w io.Writer, raw json.RawMessage) error {
	var p struct {
		Count, Profiles uint64
		Share           float64
		AsOf            time.Time `json:"as_of"`
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return fmt.Errorf("read the answer of the API: %w", err)
	}
	if _, err := fmt.Fprintf(w, "%d of %d profiles (%.2f %%) on %s\n", p.Count, p.Profiles, 100*p.Share, moment(p.AsOf)); err != nil {
		return err
	}
	return printParts(w, raw)
}

// printParts prints those parts that an answer has.
func printParts(w io.Writer, raw json.RawMessage) error {
	var p explainedParts
	if err := json.Unmarshal(raw, &p); err != nil {
		return fmt.Errorf("read the answer of the API: %w", err)
	}
	if r := p.Reach; r != nil {
		err := titled(w, "reach, "+plain(r.Purpose), "CHANNEL\tADDRESSABLE\tGRANTED\tDENIED\tUNKNOWN", len(r.Channels), func(i int) []any {
			c := r.Channels[i]
			return []any{c.Channel, c.Addressable, c.Granted, c.Denied, c.Unknown}
		})
		if err != nil {
			return err
		}
	}
	if p.Overlap != nil {
		err := titled(w, "overlap", "SEGMENT\tMEMBERS\tBOTH\tOF THE SEGMENT\tOF THESE\tJACCARD", len(p.Overlap), func(i int) []any {
			o := p.Overlap[i]
			return []any{o.Segment, o.Members, o.Both, percent(o.ShareOfSegment), percent(o.ShareOfDefinition), fmt.Sprintf("%.3f", o.Jaccard)}
		})
		if err != nil {
			return err
		}
	}
	if f := p.Insights; f != nil {
		title := fmt.Sprintf("what distinguishes %d of %d members from %d of %d others", f.Members.Looked, f.Members.All, f.Others.Looked, f.Others.All)
		err := titled(w, title, "WHAT\tMEMBERS\tOTHERS\tTIMES", len(f.Features), func(i int) []any {
			x := f.Features[i]
			return []any{x, percent(x.ShareMembers), percent(x.ShareOthers), fmt.Sprintf("%.1f", x.Lift)}
		})
		if err != nil {
			return err
		}
	}
	if len(p.Unanswered) > 0 {
		_, err := fmt.Fprintf(w, "\ntoo expensive to tell: %s\n", plain(strings.Join(p.Unanswered, ", ")))
		return err
	}
	return nil
}

func titled(w io.Writer, title, head string, n int, row func(int) []any) error {
	if _, err := fmt.Fprintf(w, "\n%s\n", title); err != nil {
		return err
	}
	return table(w, head, n, row)
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// String is the feature for a person.
func (f toldFeature) String() string {
	text := f.Kind + " " + f.Name
	if f.Label != "" {
		text += " (" + f.Label + ")"
	}
	switch {
	case f.Value != nil:
		text += " = " + string(f.Value)
	case f.From != nil && f.To != nil:
		text += fmt.Sprintf(" from %g to below %g", *f.From, *f.To)
	case f.From != nil:
		text += fmt.Sprintf(" from %g", *f.From)
	case f.To != nil:
		text += fmt.Sprintf(" below %g", *f.To)
	case f.Kind == string(segments.FeatureTrait) || f.Kind == string(segments.FeatureScore):
		text += " known"
	}
	if f.WithinDays > 0 {
		text += fmt.Sprintf(" in %d days", f.WithinDays)
	}
	if f.Defining {
		text += " (asked for)"
	}
	return text
}

func printIntersections(w io.Writer, raw json.RawMessage) error {
	var p struct {
		Profiles      uint64
		Intersections []struct {
			In            []string
			Members, Only uint64
		}
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return fmt.Errorf("read the answer of the API: %w", err)
	}
	return table(w, "IN ALL OF\tMEMBERS\tOF ALL PROFILES\tIN NO OTHER", len(p.Intersections), func(i int) []any {
		x := p.Intersections[i]
		return []any{strings.Join(x.In, " "), x.Members, percent(float64(x.Members) / float64(max(p.Profiles, 1))), x.Only}
	})
}
