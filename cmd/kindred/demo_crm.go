package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/evaluate"
	"github.com/kindred-cdp/kindred/ingest/files"
	"github.com/kindred-cdp/kindred/ingest/simulate"
)

// crmSource is the source that the records of the old CRM name.
const crmSource = "crm"

// crmFile is the export of the old CRM, where a user finds it.
func crmFile(s *settings) string { return filepath.Join(s.data, "crm.csv") }

// importCRM imports the export of the old CRM. Its times are those of the
// simulation, which are moved already.
func importCRM(ctx context.Context, s *settings, u *ui, p files.Publisher) (files.Summary, error) {
	return importPeople(ctx, s, u, p, files.FileInput(crmFile(s)), files.People{
		Source: crmSource, ID: "crm_id", Time: "modified", DateFormat: "dd/MM/yyyy",
	})
}

// demoCRM compares which records of the old CRM and web customers (user ids) are
// in one profile with the truth.
type demoCRM struct {
	Records   int     `json:"records"`
	Known     int     `json:"records_of_web_customers"` // by the truth
	Precision float64 `json:"pairwise_precision"`
	Recall    float64 `json:"pairwise_recall"`
	F1        float64 `json:"pairwise_f1"`
	// Records that are in the profile of a web customer: because of an e-mail
	// address or a phone number that both have, and by what they say alone.
	Deterministic int `json:"records_joined_deterministically"`
	Linked        int `json:"records_joined_by_linkage"`
}

// readCRMTruth returns who each record of the CRM is.
func readCRMTruth(path string, keyer *identity.Keyer) (map[identity.Key]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the truth of the CRM: %w", err)
	}
	defer func() { _ = f.Close() }()
	people, err := simulate.ReadCRMTruth(f)
	if err != nil {
		return nil, fmt.Errorf("read the truth of the CRM: %w", err)
	}
	records := make(map[identity.Key]string, len(people))
	for id, person := range people {
		records[keyer.Key(identity.Identifier{Namespace: identity.Record, Value: crmSource + "/" + id})] = person
	}
	return records, nil
}

// compareCRM counts the pairs of a record and a web customer. Evidence that lies
// within one profile connects a record with a customer where linkage was not
// needed to join the two.
func compareCRM(records, customers map[identity.Key]string, profile map[identity.Key]identity.ProfileID, evidence []evaluate.Pair) demoCRM {
	var within []evaluate.Pair
	for _, p := range evidence {
		if profile[p.A.Key] == profile[p.B.Key] {
			within = append(within, p)
		}
	}
	component := evaluate.Components(within)
	inProfile, accounts, connected := map[identity.ProfileID][]string{}, map[string]int{}, map[identity.ProfileID]bool{}
	for key, person := range customers {
		accounts[person]++
		if id, ok := profile[key]; ok {
			inProfile[id] = append(inProfile[id], person)
			connected[component(key)] = true
		}
	}
	out := demoCRM{Records: len(records)}
	found, right, truth := 0, 0, 0
	for key, person := range records {
		if truth += accounts[person]; accounts[person] > 0 {
			out.Known++
		}
		id, ok := profile[key]
		if !ok || len(inProfile[id]) == 0 {
			continue
		}
		if connected[component(key)] {
			out.Deterministic++
		} else {
			out.Linked++
		}
		for _, other := range inProfile[id] {
			found++
			if other == person {
				right++
			}
		}
	}
	out.Precision, out.Recall = ratio(right, found), ratio(right, truth)
	if right > 0 {
		out.F1 = 2 * out.Precision * out.Recall / (out.Precision + out.Recall)
	}
	return out
}

// ratio is 1 where there is nothing to be wrong about.
func ratio(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

// String is the comparison for a person.
func (c demoCRM) String() string {
	return fmt.Sprintf(`the old CRM: %d records, %d of them of web customers: %d joined by an e-mail address or a phone number, %d by linkage
  pairs of record and customer against the truth: precision %.4f, recall %.4f, F1 %.4f`,
		c.Records, c.Known, c.Deterministic, c.Linked, c.Precision, c.Recall, c.F1)
}
