package ingest

import "github.com/kindred-cdp/kindred/ingest/language"

// By says where a language or a sentiment comes from.
type By string

// Who says so. What is found is a pure function of the text and of the release.
const (
	ByNobody   By = ""         // unknown, or unscored
	ByProducer By = "producer" // said in the event itself
	ByText     By = "text"     // found from the text by package language
)

// Understanding is the language and the sentiment of an event's text.
type Understanding struct {
	Language    string   // BCP 47, such as "en"; empty when unknown
	Sentiment   *float64 // -1 (negative) to 1; nil when unscored
	LanguageBy  By
	SentimentBy By
}

// understand fills in Text. The producer's own word wins; what it leaves open is
// found from the text where the language allows it, and stays open otherwise.
func (p *Parts) understand() {
	switch {
	case p.Social != nil:
		p.Text = understand(p.Social.Text, p.Social.Language, p.Social.Sentiment)
	case p.Support != nil:
		p.Text = understand(p.Support.Text, p.Support.Language, p.Support.Sentiment)
	case p.Feedback != nil:
		p.Text = understand(p.Feedback.Comment, p.Feedback.Language, p.Feedback.Sentiment)
	}
}

func understand(text, said string, sentiment *float64) Understanding {
	u := Understanding{Language: said, Sentiment: sentiment}
	if said != "" {
		u.LanguageBy = ByProducer
	} else if found := language.Detect(text); found != "" {
		u.Language, u.LanguageBy = found, ByText
	}
	if sentiment != nil {
		u.SentimentBy = ByProducer
	} else if score, ok := language.Sentiment(text, u.Language); ok {
		u.Sentiment, u.SentimentBy = &score, ByText
	}
	return u
}
